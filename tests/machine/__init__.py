"""Disposable machines with real systemd, and the parts of the outside world that the tests need to play.

    from machine import Machine, Pebble, ScriptedCA, Comments, roots

    with Machine(roots.pristine()) as machine:
        machine.run(["systemctl", "--failed"])

Who uses it: tests/system (through its conftest.py), bench and ./try. It uses nothing of the product but its .deb.
"""

from . import roots
from .acme import Pebble, ScriptedCA
from .flow import Comments
from .machine import Machine
from .name_server import NameServer
from .processes import CommandFailed, Result, wait_until
from .site import Site, started_site
from .terminal import Terminal

__all__ = ["CommandFailed", "Comments", "Machine", "NameServer", "Pebble", "Result", "ScriptedCA", "Site", "Terminal", "roots",
           "started_site", "wait_until"]
