#!/bin/bash
# lintian has no error and no warning for the Debian package.
set -euo pipefail
shopt -s nullglob
packages=("$2"/commento-stack_*.deb)
[ ${#packages[@]} -eq 1 ] || { echo "expected one package in $2, found ${#packages[@]}"; exit 1; }
lintian --allow-root --fail-on error,warning --tag-display-limit 0 "${packages[0]}"
