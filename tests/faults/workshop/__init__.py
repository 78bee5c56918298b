"""A room to break commento-cert in: see workshop.py. What it is broken with: calls.py, disk.py."""

from .calls import STATE, Call, Plan
from .disk import Disk, Survives, tree_of
from .workshop import (AUTHORITY, DONE, NAME, NETWORK, STORAGE, STORE, Run, Workshop, live_files, require, run_all,
                       run_here, workshops)
