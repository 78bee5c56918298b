"""A machine's disk: read-only layers below, a disposable one on top.

Overlayfs makes a machine's disk in a few milliseconds. Where it can't be had (an overlay on an overlay, as in some
containers) the layers are copied instead: slower, otherwise the same.
"""

import shutil
from pathlib import Path

from .processes import run


class Disk:
    """A writable root made of layers, the uppermost first, mounted at `directory/root`."""

    def __init__(self, layers: list[Path], directory: Path):
        self.layers = layers
        self.directory = directory
        self.root = directory / "root"
        self._upper = directory / "upper"
        self._is_overlay = False

    def attach(self) -> None:
        for path in (self.root, self._upper, self.directory / "work"):
            path.mkdir(parents=True)
        # "volatile" leaves out the fsyncs: nothing here has to survive a power cut of the real machine, and
        # installing PostgreSQL takes a third of the time. It is refused by kernels before 5.10.
        self._is_overlay = self._mount("volatile,") or self._mount("")
        if not self._is_overlay:
            if len(self.layers) != 1:
                raise OSError(f"overlayfs, which the layers {self.layers} need, does not work in {self.directory}")
            run(["cp", "--archive", "--reflink=auto", f"{self.layers[0]}/.", str(self.root)], timeout=300)

    def detach(self) -> None:
        if self._is_overlay and run(["umount", str(self.root)], check=False).exit_code:
            run(["umount", "--lazy", str(self.root)])
        self._is_overlay = False

    def keep(self, destination: Path) -> list[Path]:
        """Detaches and makes what was written since `attach` into a layer; returns the layers to put below that one."""
        was_overlay = self._is_overlay
        self.detach()
        shutil.move(self._upper if was_overlay else self.root, destination)
        return self.layers if was_overlay else []

    def _mount(self, option: str) -> bool:
        layers = ":".join(map(str, self.layers))
        options = f"{option}lowerdir={layers},upperdir={self._upper},workdir={self.directory / 'work'}"
        return run(["mount", "-t", "overlay", "overlay", "-o", options, str(self.root)], check=False).exit_code == 0
