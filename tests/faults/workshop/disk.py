"""A disk that forgets what was not written through when the power goes.

It begins as a folder is, and is told of the calls that change it. fsync(2) promises no more than this: a file's content
is there after its fsync, and a name in a folder after the folder's. What file systems keep beyond that differs, so both
ends are laid out: all names survive and content that was not synced does not (the empty file after a rename), or nothing
survives that was not synced.
"""

import enum
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from .calls import Call


class Survives(enum.Enum):
    everything = "everything"
    names = "names, but no content that was not synced"
    synced = "only what was synced"


@dataclass
class _File:
    content: bytes = b""
    mode: int = 0o600
    synced: bytes = b""
    synced_mode: int = 0o600

    def sync(self) -> None:
        self.synced, self.synced_mode = self.content, self.mode


@dataclass
class _Link:
    target: str


@dataclass
class _Folder:
    mode: int = 0o755
    entries: dict = field(default_factory=dict)
    synced: dict = field(default_factory=dict)

    def sync(self) -> None:
        self.synced = dict(self.entries)


class Disk:
    def __init__(self, folder: Path):
        self._folder = folder
        self._root = _read(folder)

    def apply(self, call: Call) -> None:
        """Has one call happen."""
        if not call.error:
            getattr(self, f"_{call.name}")(call.path, *call.details)

    def lay_out(self, survives: Survives) -> None:
        """Makes the folder what the disk holds after the power went."""
        clear(self._folder)
        _write(self._root, self._folder, survives)

    def tree(self) -> dict[str, tuple]:
        """What the folder shows as long as nothing is lost: as tree_of() has it."""
        found: dict[str, tuple] = {}
        _list(self._root, "", found)
        return found

    # --- the calls ---

    def _open(self, path: str, mode: str, how: str) -> None:
        folder, name = self._place(path)
        if name not in folder.entries:
            folder.entries[name] = _File(mode=int(mode, 8))
        elif how == "trunc":
            folder.entries[name].content = b""

    def _write(self, path: str, offset: str, data: str) -> None:
        file, new, at = self._at(path), bytes.fromhex(data), int(offset)
        file.content = file.content[:at].ljust(at, b"\0") + new + file.content[at + len(new):]

    def _truncate(self, path: str, size: str) -> None:
        file = self._at(path)
        file.content = file.content[:int(size)].ljust(int(size), b"\0")

    def _fsync(self, path: str) -> None:
        self._at(path).sync()

    def _close(self, path: str) -> None:
        pass

    def _rename(self, path: str, old: str) -> None:
        from_folder, from_name = self._place(old)
        to_folder, to_name = self._place(path)
        to_folder.entries[to_name] = from_folder.entries.pop(from_name)

    def _link(self, path: str, old: str) -> None:
        folder, name = self._place(path)
        folder.entries[name] = self._at(old)

    def _symlink(self, path: str, target: str) -> None:
        folder, name = self._place(path)
        folder.entries[name] = _Link(target)

    def _unlink(self, path: str) -> None:
        folder, name = self._place(path)
        del folder.entries[name]

    def _mkdir(self, path: str, mode: str) -> None:
        folder, name = self._place(path)
        folder.entries[name] = _Folder(int(mode, 8))

    def _chmod(self, path: str, mode: str) -> None:
        self._at(path).mode = int(mode, 8)

    def _chown(self, path: str) -> None:
        pass

    # --- finding ---

    def _place(self, path: str) -> tuple[_Folder, str]:
        whole = Path(path)
        return self._at(str(whole.parent)), whole.name

    def _at(self, path: str):
        node = self._root
        for part in Path(path).relative_to(self._folder).parts:
            node = node.entries[part]
            if isinstance(node, _Link):
                raise NotImplementedError(f"{path}: changed through a link, which this disk does not follow")
        return node


def tree_of(folder: Path) -> dict[str, tuple]:
    """Everything in a folder by its path: kind, and mode and content or what a link leads to."""
    found: dict[str, tuple] = {}
    _list(_read(folder), "", found)
    return found


def clear(folder: Path) -> None:
    for entry in list(os.scandir(folder)):
        shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)


def _read(path: Path):
    if path.is_symlink():
        return _Link(os.readlink(path))
    mode = path.stat().st_mode & 0o7777
    if path.is_dir():
        entries = {entry.name: _read(entry) for entry in path.iterdir()}
        return _Folder(mode, entries, dict(entries))
    content = path.read_bytes()
    return _File(content, mode, content, mode)


def _list(node, path: str, found: dict[str, tuple]) -> None:
    if isinstance(node, _Link):
        found[path] = "link", node.target
    elif isinstance(node, _File):
        found[path] = "file", node.mode, node.content
    else:
        found[path] = "folder", node.mode
        for name, entry in node.entries.items():
            _list(entry, f"{path}/{name}", found)


def _write(node, path: Path, survives: Survives) -> None:
    if isinstance(node, _Link):
        path.symlink_to(node.target)
    elif isinstance(node, _File):
        path.write_bytes(node.content if survives is Survives.everything else node.synced)
        path.chmod(node.synced_mode if survives is Survives.synced else node.mode)
    else:
        path.mkdir(exist_ok=True)
        path.chmod(node.mode)
        for name, entry in (node.synced if survives is Survives.synced else node.entries).items():
            _write(entry, path / name, survives)
