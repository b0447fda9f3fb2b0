#!/bin/sh
# Installs what building and testing needs and is missing, from Debian's packages. Quick when nothing is.
set -eu

packages="
    g++ cmake ninja-build make pkg-config git python3
    libboost1.81-dev libboost-json1.81-dev libboost-filesystem1.81-dev
    libsodium-dev libpqxx-dev libpq-dev libfmt-dev libcli11-dev doctest-dev libsqlite3-dev
    libprotobuf-dev protobuf-compiler
    postgresql postgresql-client clang-format-14
    dpkg-dev file man-db systemd bash-completion zsh valgrind"

missing=""
for package in $packages; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo"
else
    echo "These packages are missing, and installing them needs root. Run as root:" >&2
    echo "    apt-get install -y$missing" >&2
    exit 1
fi

echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $as_root apt-get update && $as_root apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    cat "$log" >&2
    echo "Installing failed. What is missing:$missing" >&2
    exit 1
fi
