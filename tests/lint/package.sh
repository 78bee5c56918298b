#!/bin/bash
# lintian finds nothing in the Debian package, down to what is pedantic, but what debian/*.lintian-overrides gives a reason
# for; and each of these is still of use.
set -euo pipefail
shopt -s nullglob
packages=("$2"/commento-stack_*.deb)
[ ${#packages[@]} -eq 1 ] || { echo "expected one package in $2, found ${#packages[@]}"; exit 1; }
found=$(lintian --allow-root --pedantic --display-info --tag-display-limit 0 "${packages[0]}")
[ -z "$found" ] || { echo "$found"; exit 1; }
