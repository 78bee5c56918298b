"""What Debian asks of each package (piuparts(1)): installed, upgraded, removed and purged in a root without systemd, it leaves
nothing behind, breaks no link and stops at no step."""

import shutil

from machine import places, roots
from machine.disk import Disk
from machine.packages import make_version
from machine.processes import run

FORMER = "0.0.1"

# piuparts ends whoever has files of its root open, by lsof: machines of other tests read the same repository.
ALONE = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--"]


def give_sources(root, sources) -> None:
    """Has apt in that root take packages from these folders of this host, which are there under the same names."""
    (root / "etc/apt/sources.list").write_text("".join(f"deb [trusted=yes] file:{each} ./\n" for each in sources))
    mounts = "".join(f"mkdir -p {root}{each} && mount --bind {each} {root}{each} && " for each in sources)
    run(["unshare", "--mount", "sh", "-c", f"{mounts}chroot {root} apt-get update"], timeout=120)


def test_piuparts_finds_nothing():
    template = roots.pristine()
    folder = places.machines() / "running" / "piuparts"  # not below /tmp: apt's own user has to read there
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    disk = Disk(template.layers, folder / "disk")
    disk.attach()
    try:
        debian, _ = template.mounts.values()
        sources = [debian, roots.make_repository([make_version(FORMER, folder)], folder / "former")]
        give_sources(disk.root, sources)
        done = run([*ALONE, "piuparts", "--existing-chroot", str(disk.root), "--keep-sources-list", "--distribution", template.suite,
                    *[f"--bindmount={each}" for each in sources], "--no-eatmydata", "--install-remove-install",
                    "--pedantic-purge-test", "--tmpdir", str(folder), str(places.deb())], check=False, timeout=580)
    finally:
        disk.detach()
        shutil.rmtree(folder)
    assert done.exit_code == 0, done.output[-8000:]
    assert "PASS: All tests" in done.output
    assert f"Unpacking commento-stack ({FORMER})" in done.output  # what was upgraded
