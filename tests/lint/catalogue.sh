#!/bin/bash
# Every catalogue has a translation of each message, and it takes the same values.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1/po/extract" "$work/messages.pot" 2> "$work/said" || { cat "$work/said"; exit 1; }
for catalogue in "$1"/po/*.po; do
    msgcmp "$catalogue" "$work/messages.pot" || { echo "po/update brings $catalogue up to the sources"; exit 1; }
    msgfmt --check --output-file="$work/catalogue.mo" "$catalogue"
    python3 - "$work/catalogue.mo" << 'PYTHON'
import gettext, string, sys

def values(text):
    """The values that fmt puts in, each with its place and its form; nothing where the text is none of fmt's."""
    try:
        fields = [(name, form) for _, name, form, _ in string.Formatter().parse(text) if name is not None]
    except ValueError:
        return None
    return sorted((name or str(number), form) for number, (name, form) in enumerate(fields))

with open(sys.argv[1], "rb") as file:
    catalogue = gettext.GNUTranslations(file)._catalog
wrong = [message for message, translation in catalogue.items() if message and set(values(message) or []) != set(values(translation) or [])]
sys.exit("the translation takes other values: " + "; ".join(wrong) if wrong else 0)
PYTHON
done

# What the doctor and its like tell is marked for them.
python3 - "$1"/src/ctl/*.cpp << 'PYTHON'
import re, sys

bare = re.compile(r'\b(?:advise|fault|warning|ok|skipped)\(\s*"|->message : "')
wrong = [f"{file}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]}" for file in sys.argv[1:]
         for text in [open(file, encoding="utf-8").read()] for found in bare.finditer(text)]
sys.exit("no tr() around what an operator reads: " + "; ".join(wrong) if wrong else 0)
PYTHON

# The questions of the Debian package, likewise.
cp --recursive "$1/debian" "$work/debian"
(cd "$work/debian/po" && debconf-updatepo)
for catalogue in "$work"/debian/po/*.po; do
    msgcmp "$catalogue" "$work/debian/po/templates.pot" || { echo "debconf-updatepo brings debian/po up to debian/templates"; exit 1; }
done
