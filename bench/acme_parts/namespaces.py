"""The namespaces of this host that all clients are measured in, so that they share its programs, page cache and disk.

Inside, /etc is a copy and the product's state is empty, both on a real disk, where an fsync costs what it costs; the network is empty.
"""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from common import LOCK
from machine import processes

STATE = Path("/var/lib/commento-stack")

_PLACE = "COMMENTO_BENCH_PLACE"


def enter() -> Path:
    """Runs this program again in namespaces of its own, and returns there, with the folder for all that is written.
    Everything goes with them: processes, network, mounts, and in the end the folder."""
    if _PLACE in os.environ:
        place = Path(os.environ[_PLACE])
        _mount(place)
        return place
    processes.end_on_signals()
    with processes.locked(LOCK):
        sys.exit(_run_inside())


def _run_inside() -> int:
    place = Path(tempfile.mkdtemp(prefix="commento-bench-", dir="/var/tmp"))  # /tmp may be in memory
    made = not STATE.exists()
    STATE.mkdir(exist_ok=True)
    argv = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-B", *sys.argv]
    inside = processes.start(argv, env=os.environ | {_PLACE: str(place)})
    try:
        return inside.wait()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        with processes.undisturbed():
            inside.kill()
            inside.wait()
            shutil.rmtree(place, ignore_errors=True)
            if made:
                STATE.rmdir()


def _mount(place: Path) -> None:
    shutil.copytree("/etc", place / "etc", symlinks=True)
    (place / "state").mkdir()
    processes.run(["mount", "--bind", str(place / "etc"), "/etc"])
    processes.run(["mount", "--bind", str(place / "state"), str(STATE)])
    processes.run(["ip", "link", "set", "lo", "up"])
    Path("/etc/hosts").write_text("127.0.0.1 localhost\n")
    Path("/etc/resolv.conf").unlink(missing_ok=True)
    Path("/etc/resolv.conf").write_text("# no network\n")
    program = Path(__file__).with_name("measure.cpp")
    processes.run(["g++", "-std=c++20", "-O2", "-static", "-o", str(place / "measure"), str(program)])
