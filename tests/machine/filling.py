"""Pages with many comments, in English words."""

import json
import random
import re

from . import places
from .machine import Machine

BLOG = "blog.example.test"


def fill_page(machine: Machine, path: str, count: int, comments) -> None:
    """A page with as many comments. One goes the application's way, the others are copies of it by SQL: a thousand requests
    would take longer than the measuring, and meet limits."""
    comments.post_comment(_text(random.Random(path)), BLOG, path)
    chance = random.Random(count)
    rows = [{"commenthex": chance.randbytes(32).hex(), "markdown": text, "html": f"<p>{text}</p>\n"}
            for text in (_text(chance) for _ in range(count - 1))]
    machine.run(["psql", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname=commento"], user="postgres", input=(
        "INSERT INTO comments SELECT (jsonb_populate_record(first, row)).* FROM jsonb_array_elements("
        f"$text${json.dumps(rows)}$text$::jsonb) AS row, comments AS first WHERE first.path = '{path}';\nANALYZE;\n"))


_WORDS = sorted(set(re.findall(r"[A-Za-z]+", "".join(
    (places.REPOSITORY / name).read_text() for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")))))


def _text(chance: random.Random) -> str:
    return " ".join(chance.choices(_WORDS, k=chance.randint(15, 60))) + "."
