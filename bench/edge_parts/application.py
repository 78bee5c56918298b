"""What the fronts stand before: the application's archive, and pages with comments in its database."""

import io
import json
import random
import re
import tarfile
from pathlib import Path

from machine import places
from machine.filling import BLOG

LONG_PAGE, LONG = "/long", 1000
USUAL_PAGE, USUAL = "/usual", 20

SCRIPT = "/js/commento.js"

# Bytes of the widget's files in a release like Commento++ 1.8.7; the stand-in's own are a tenth of that.
_SIZES = {"js/commento.js": 50_000, "css/commento.css": 12_000, "fonts/standin.woff2": 16_000}
_MINIFIED = Path("/usr/share/javascript/jquery/jquery.min.js")


def archive_for_bench(place: Path) -> Path:
    """The archive to install. Of the stand-in, the widget's files are filled up: scripts and styles with what compresses as
    a minified script does, fonts with what does not compress."""
    if not places.is_standin():
        return places.archive()
    made = place / places.archive().name
    with tarfile.open(places.archive()) as source, tarfile.open(made, "w:gz") as target:
        for member in source:
            data = source.extractfile(member).read() if member.isfile() else b""
            missing = _SIZES.get(member.name.removeprefix("./"), 0) - len(data)
            if missing > 0:
                data += random.Random(1).randbytes(missing) if member.name.endswith("woff2") else _minified(missing)
                member.size = len(data)
            target.addfile(member, io.BytesIO(data))
    return made


def widget_files(archive: Path) -> tuple[str, str, str]:
    """Addresses of script, style and font: of the fonts the one that the style names first, or the first there is."""
    with tarfile.open(archive) as content:
        names = ["/" + name.removeprefix("./") for name in content.getnames()]
        fonts = sorted(name for name in names if re.search(r"/fonts/[^/]+\.woff2$", name))
        # Some archives wrap everything in one folder.
        top = next(name for name in names if name.endswith(SCRIPT)).removesuffix(SCRIPT)
        style = f"{top}/css/commento.css"
        member = next(each for each in content.getmembers() if "/" + each.name.removeprefix("./") == style)
        named = re.findall(r"/fonts/[^)\"'?]+\.woff2", content.extractfile(member).read().decode(errors="replace"))
    font = named[0] if named else fonts[0].removeprefix(top)
    return SCRIPT, style.removeprefix(top), font


def list_body(path: str) -> str:
    return json.dumps({"commenterToken": "anonymous", "domain": BLOG, "path": path})


def count_body() -> str:
    return json.dumps({"domain": BLOG, "paths": [LONG_PAGE]})


def _minified(size: int) -> bytes:
    text = _MINIFIED.read_bytes().replace(b"[[[", b"[[ [")
    return b"\n" + text[:size - 1]
