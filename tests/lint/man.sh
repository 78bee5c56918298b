#!/bin/bash
# Manual pages render without a warning, and each lists every exit status.
set -euo pipefail
shopt -s nullglob
pages=("$2"/man/*.[1-8])
[ ${#pages[@]} -ge 6 ] || { echo "only ${#pages[@]} manual pages in $2/man"; exit 1; }
failed=0
for page in "${pages[@]}"; do
    warnings=$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
    [ -z "$warnings" ] || { echo "$page: $warnings"; failed=1; }
    case $page in
    *.8) [ "$(grep -c '^\.B [0-9]' "$page")" -ge "$(grep -c '^EXIT_CODE' "$1/src/base/exit_codes.def")" ] ||
        { echo "$page: EXIT STATUS is not complete"; failed=1; } ;;
    esac
done
exit $failed
