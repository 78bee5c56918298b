#!/bin/bash
# The shell scripts hold nothing that shellcheck warns of; debconf's own library, which they source, is not ours.
set -euo pipefail
cd "$1"
shellcheck --exclude=SC1091 try test .ci/run debian/config debian/preinst debian/postinst debian/prerm debian/postrm debian/tests/smoke tests/lint/*.sh tests/needs/install po/extract po/update
