#!/bin/sh
# Stops and removes the servers that a build's tests and benchmarks made (tests/CMakeLists.txt says where).
set -eu
build=$1
[ -x "$build/opstore" ] || exit 0
if [ "$(id -u)" = 0 ]; then
    homes=/var/tmp/opstore-build-$(printf %s "$(cd "$build" && pwd)" | md5sum | cut -c 1-12)
else
    homes=$(cd "$build" && pwd)
fi
for home in "$homes"/*-server; do
    [ -d "$home" ] || continue
    OPSTORE_HOME=$home "$build/opstore" server stop >/dev/null
    rm -rf "$home"
done
[ "$homes" = "$(cd "$build" && pwd)" ] || rm -rf "$homes"
