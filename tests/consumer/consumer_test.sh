#!/usr/bin/env bash
# Goal: what `cmake --install` puts down is all that a program outside of this tree needs. Method: install a build
# into a scratch prefix, then find it, build the first program against it and run that.
#   consumer_test.sh BUILD_DIRECTORY
# The server is the one of $OPSTORE_HOME, by default BUILD_DIRECTORY/test-server.
set -euo pipefail

build=$(cd "${1:?usage: consumer_test.sh BUILD_DIRECTORY}" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cached() { sed -n "s/^$1:[^=]*=//p" "$build/CMakeCache.txt"; }
sanitize=$(cached OPSTORE_SANITIZE)

cmake --install "$build" --prefix "$scratch/prefix" >"$scratch/install.log"

# A header that drags in one that was not installed would pass inside of the tree only.
cmake -S "$here" -B "$scratch/build" -G "$(cached CMAKE_GENERATOR)" -Wno-dev \
    -DCMAKE_PREFIX_PATH="$scratch/prefix" -DCMAKE_BUILD_TYPE="$(cached CMAKE_BUILD_TYPE)" \
    -DCMAKE_CXX_COMPILER="$(cached CMAKE_CXX_COMPILER)" \
    -DCMAKE_CXX_COMPILER_LAUNCHER="$(cached CMAKE_CXX_COMPILER_LAUNCHER)" \
    ${sanitize:+-DCMAKE_CXX_FLAGS="-fsanitize=$sanitize"}
cmake --build "$scratch/build"

output=$(OPSTORE_HOME="${OPSTORE_HOME:-$build/test-server}" "$scratch/build/first_program")
echo "$output"
grep -qx 'newly stored: 1' <<<"$output"
