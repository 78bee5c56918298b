#!/bin/bash
# shellcheck finds nothing in the shell scripts.
set -euo pipefail
cd "$1"
shellcheck try test .ci/run debian/config debian/postinst debian/prerm debian/postrm tests/lint/*.sh
