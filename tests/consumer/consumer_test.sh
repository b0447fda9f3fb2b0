#!/usr/bin/env bash
# Goal: what `cmake --install` puts down is all that a program outside of this tree needs. Method: install a build
# into a scratch prefix, then find it, build programs against it and run them.
#   consumer_test.sh BUILD_DIRECTORY
# The server is the one of $OPSTORE_HOME, by default BUILD_DIRECTORY/test-server.
set -euo pipefail

build=$(cd "${1:?usage: consumer_test.sh BUILD_DIRECTORY}" && pwd)
export OPSTORE_HOME=${OPSTORE_HOME:-$build/test-server}
. "$(dirname "${BASH_SOURCE[0]}")/consumer.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cmake --install "$build" --prefix "$scratch/prefix" >"$scratch/install.log"
# A header that drags in one that was not installed would pass inside of the tree only.
build_by_cmake "$scratch/prefix" "$scratch/build"
run_programs "$scratch/build"
