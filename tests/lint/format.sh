#!/bin/bash
# Every C++ file is as clang-format writes it.
set -euo pipefail
cd "$1"
git ls-files '*.cpp' '*.hpp' | xargs clang-format --dry-run --Werror
