#!/usr/bin/env bash
# Goal: the Debian packages hold what they should, and it works where it lies. Method: make them of a build, unpack
# them into a scratch root, and use what is there as people would: compile C++ and C against it, run the programs,
# read the manuals, complete command lines, have systemd look at the units.
#   package_test.sh BUILD_DIRECTORY
# The server is the one of $OPSTORE_HOME, by default BUILD_DIRECTORY/test-server.
set -euo pipefail

build=$(cd "${1:?usage: package_test.sh BUILD_DIRECTORY}" && pwd)
export OPSTORE_HOME=${OPSTORE_HOME:-$build/test-server}
. "$(dirname "${BASH_SOURCE[0]}")/consumer.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
libdir=usr/$(cached CMAKE_INSTALL_LIBDIR)

fail() {
    echo "package_test: $1" >&2
    exit 1
}

# quietly COMMAND...: what it says is shown only if it fails.
quietly() {
    "$@" >"$scratch/said" 2>&1 || { cat "$scratch/said" >&2; fail "this failed: $*"; }
}

make_packages() {
    quietly cpack --config "$build/CPackConfig.cmake" -B "$scratch/packages"
    mkdir "$root"
    for package in "$scratch"/packages/*.deb; do
        dpkg-deb --extract "$package" "$root"
    done
}

check_contents() {
    for package in "$scratch"/packages/*.deb; do
        dpkg-deb --contents "$package" | grep -v '^d' | sed 's|.* \./||' |
            sed -E "s|^$libdir/|LIB/|; s|^LIB/systemd|usr/lib/systemd|; s|[a-z0-9_]+\.hpp\$|NAME.hpp|
                    s|libopstore_[a-z_]+\.a\$|libopstore_NAME.a|; s|targets-[a-z]+\.|targets-BUILD.|
                    s|[a-z-]+\.md\$|NAME.md|
                    s|^|$(dpkg-deb --field "$package" Package) |"
    done | sort -u >"$scratch/contents.txt"
    diff -u "$here/package_contents.txt" "$scratch/contents.txt" || fail "other files than package_contents.txt says"
    if dpkg-deb --contents "$scratch"/packages/opstore-tools_*.deb | awk '$2 != "root/root"' | grep .; then
        fail "files that are not root's"
    fi
    if find "$root" -mindepth 1 \( -perm /022 -o -type f -perm /6000 \) ! -type l | grep .; then
        fail "files with wrong permissions"
    fi
}

check_dependencies() {
    local tools runtime
    tools=$(dpkg-deb --field "$scratch"/packages/opstore-tools_*.deb Depends)
    runtime=$(dpkg-deb --field "$scratch"/packages/libopstore_*.deb Depends)
    for library in libc6 libpq5 libpqxx-6.4 libsodium23; do
        grep -q "$library (>= " <<<"$tools" || fail "opstore-tools does not depend on $library: $tools"
        grep -q "$library (>= " <<<"$runtime" || fail "libopstore does not depend on $library: $runtime"
    done
    grep -q "libopstore (= $(cached CMAKE_PROJECT_VERSION))" \
        <(dpkg-deb --field "$scratch"/packages/libopstore-dev_*.deb Depends) || fail "libopstore-dev without libopstore"
    for script in postinst prerm postrm; do
        dpkg-deb --ctrl-tarfile "$scratch"/packages/opstore-tools_*.deb | tar -xO "./$script" | sh -n
    done
}

# Where somebody made a user `opstore` before, who is in no group of that name, the group is made, and only that.
check_postinst() {
    local program
    mkdir "$scratch/fakes"
    for program in addgroup adduser deb-systemd-invoke getent install systemctl; do
        cat >"$scratch/fakes/$program" <<'END'
#!/bin/sh
echo "${0##*/} $*" >>"$POSTINST_DID"
[ "${0##*/} $*" != "getent group opstore" ]
END
    done
    chmod +x "$scratch"/fakes/*
    dpkg-deb --ctrl-tarfile "$scratch"/packages/opstore-tools_*.deb | tar -xO ./postinst >"$scratch/postinst"
    POSTINST_DID=$scratch/did PATH=$scratch/fakes:$PATH sh "$scratch/postinst" configure
    grep -q '^addgroup .*opstore$' "$scratch/did" || fail "postinst makes no group: $(cat "$scratch/did")"
    ! grep '^adduser' "$scratch/did" || fail "postinst makes a user who is there"
}

# Each installed library is in a .pc file, and each header compiles by itself, with what is installed.
check_development_files() {
    local linked
    linked=$(PKG_CONFIG_PATH=$root/$libdir/pkgconfig pkg-config --libs opstore-gossip | tr ' ' '\n' | sort -u)
    for library in "$root/$libdir"/lib*.a; do
        library=$(basename "$library" .a)
        grep -qx -- "-l${library#lib}" <<<"$linked" || fail "$library is in no .pc file"
    done
    (cd "$root/usr/include/opstore" && find . -name '*.hpp' -printf '#include <%P>\n' | sort) >"$scratch/headers.cpp"
    "$compiler" -std=c++20 -fsyntax-only "$scratch/headers.cpp" \
        $(PKG_CONFIG_PATH=$root/$libdir/pkgconfig pkg-config --cflags opstore-gossip)
}

# The pages that the header sends its readers to are there. A host in C is built with no more than the package's
# header, and runs on the package's plugin.
check_plugin() {
    local pc_path=$root/$libdir/pkgconfig docs=$root/usr/share/doc/libopstore-dev page plugin symbols conninfo
    for page in $(grep -oE '[a-z]+\.md' "$root/usr/include/opstore/plugin/opstore_plugin.h"); do
        [ -f "$docs/$page" ] || fail "opstore_plugin.h names $page, which is in no package"
    done
    plugin=$(PKG_CONFIG_PATH=$pc_path pkg-config --variable=plugin opstore-plugin)
    symbols=$(nm -D --defined-only "$plugin" | awk '{ print $3 }')
    [ "$symbols" = opstore_plugin_v1 ] || [ -n "$sanitize" ] || fail "the plugin exports: $symbols"

    gcc -std=c11 -Wall -Wextra -Wpedantic -Werror $sanitize_flags \
        $(PKG_CONFIG_PATH=$pc_path pkg-config --cflags opstore-plugin) \
        "$docs/examples/peer_host.c" -o "$scratch/peer_host"
    conninfo=$("$root/usr/bin/opstore" --json server status | sed -E 's/.*"conninfo":"([^"]*)".*/\1/')
    "$scratch/peer_host" "$plugin" "$conninfo" >"$scratch/peer_host.out"
    grep -qx "opstore $(PKG_CONFIG_PATH=$pc_path pkg-config --modversion opstore-plugin)" "$scratch/peer_host.out" ||
        fail "the plugin has another version than opstore-plugin.pc"
}

check_programs() {
    local version
    version=$(cached CMAKE_PROJECT_VERSION)
    [ "$("$root/usr/bin/opstore" --version)" = "opstore $version" ] || fail "opstore --version is not $version"
    "$root/usr/bin/opstore" --json stat | grep -q '"schema_version"'
    "$root/usr/bin/opstore-sim" 1 --json --peers 3 --ops 50 | grep -q '"converged":true'
    python3 "$here/manual_test.py" "$root"
}

check_manuals() {
    for page in "$root"/usr/share/man/man?/*; do
        man --warnings=w --encoding=UTF-8 --local-file "$page" >"$scratch/page" 2>"$scratch/warnings"
        [ ! -s "$scratch/warnings" ] || fail "$page: $(cat "$scratch/warnings")"
        [ "$(wc -l <"$scratch/page")" -gt 50 ] || fail "$page renders to almost nothing"
    done
}

# The units are looked at beside those of the system, which they refer to.
check_units() {
    local units="opstore-peer@main.service opstore-verify@main.service opstore-verify@main.timer"
    cp -rn /lib/systemd/system "$root/usr/lib/systemd/"
    MANPATH=$root/usr/share/man systemd-analyze verify --root="$root" $units >"$scratch/verify" 2>&1 || true
    [ ! -s "$scratch/verify" ] || fail "systemd-analyze verify: $(cat "$scratch/verify")"
    for unit in opstore-peer@main.service opstore-verify@main.service; do
        # In tenths: 1.1 is as far as it goes for a service with a network, without a root directory of its own.
        systemd-analyze security --offline=true --root="$root" --threshold=11 --no-pager "$unit" >"$scratch/security" ||
            fail "less hardened than it was: $(grep -v '✓' "$scratch/security")"
    done
}

make_packages
check_contents
check_dependencies
check_postinst
check_programs
check_manuals
check_units
check_development_files
check_plugin
build_by_pkg_config "$root/$libdir/pkgconfig" "$scratch/by_pkg_config"
run_programs "$scratch/by_pkg_config"
quietly build_by_cmake "$root/usr" "$scratch/by_cmake"
run_programs "$scratch/by_cmake"
