#!/bin/bash
# The RPM of the specification, which a release is built by on its target, and CPack's, which the tests install, hold the same:
# files with modes, owners, marks and languages, scriptlets, what it asks for and provides, history. Both ask for nothing that EL 9 and Fedora 40 lack, and rpmlint
# finds nothing. Needs a built package preset: what that compiled is not compiled again.
set -euo pipefail
shopt -s nullglob
version=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$1/debian/changelog")
packages=("$2"/commento-stack-"$version"-*.rpm)
[ ${#packages[@]} -eq 1 ] || { echo "expected one RPM in $2, found ${#packages[@]}: cmake --build --preset package --target rpm"; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -B "$1/release/source.py" "$1" "$work/commento-stack-$version.tar.gz"
# Without Debian's own flags, which no other build has; they are Fedora's where it counts.
rpmbuild -ta --nodeps --load /usr/lib/rpm/macros --load "$1/rpm/macros.systemd" --define "_topdir $work" --define "optflags %{nil}" \
    --define "commento_cmake_options -DCOMMENTO_WERROR=ON" "$work/commento-stack-$version.tar.gz" > "$work/log" 2>&1 ||
    { tail -n 50 "$work/log"; exit 1; }
built=("$work"/RPMS/*/*.rpm)

describe() {
    rpm --query --package --queryformat '[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILEFLAGS:fflags} %{FILELANGS}\n]' "$1" |
        grep -v '/\.build-id'
    rpm --query --package --scripts "$1" | sed 's/ *$//; /^$/d'
    for relation in requires recommends suggests provides changelog; do
        echo "$relation:"
        rpm --query --package --$relation "$1"
    done
    rpm --query --package --queryformat '%{NAME} %{VERSION} %{LICENSE} %{SUMMARY}\n%{DESCRIPTION}\n' "$1"
}
diff <(describe "${packages[0]}") <(describe "${built[0]}") || { echo "CPack's RPM (<) is not as the specification's (>)"; exit 1; }
rpm --query --package --changelog "${built[0]}" | grep -q "First release" || { echo "the RPM has no history"; exit 1; }

for script in PREIN POSTIN PREUN POSTTRANS; do
    rpm --query --package --queryformat "%{$script}\n" "${built[0]}" | shellcheck --shell=sh --exclude=SC2086 - || exit 1 # the macros quote nothing
done

# Of the C library each package asks for what its build host has; all else has to be in EL 9 already (docs/fedora.md).
unknown=$(rpm --query --package --requires "${built[0]}" | grep -E '^(lib|ld-)' | grep -vxE '(libc\.so\.6|ld-linux[-a-z0-9_]*\.so\.[12])\(.*' |
    grep -vxE '(libarchive\.so\.13|libbrotlienc\.so\.1|libcrypto\.so\.3|libcurl\.so\.4|libldns\.so\.3|libpq\.so\.5|libpsl\.so\.5|libsmartcols\.so\.1|libssl\.so\.3|libsystemd\.so\.0|libz\.so\.1)\((|OPENSSL_3\.0\.0|SMARTCOLS_2\.(2[0-9]|3[0-7])|LIBSYSTEMD_2([0-4][0-9]|5[0-2])|ZLIB_1\.2\.[0-9.]+)\)\(64bit\)' || true)
[ -z "$unknown" ] || { echo "EL 9 may not have: $unknown"; exit 1; }

cd "$1" # where rpmbuild finds the version, too
[ "$(rpmspec --query --srpm --queryformat '%{VERSION}' --load rpm/macros.systemd rpm/commento-stack.spec)" = "$version" ] ||
    { echo "the specification in the tree has another version than $version"; exit 1; }
said=$(rpmlint --config "$1/rpm/rpmlint.toml" "${packages[0]}" "${built[0]}" "$work"/SRPMS/*.rpm "$1/rpm/commento-stack.spec" 2>&1) ||
    { echo "$said"; exit 1; }
grep -qE ' 0 errors, 0 warnings' <<< "$said" || { echo "$said"; exit 1; }
