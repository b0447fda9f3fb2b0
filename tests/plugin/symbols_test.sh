#!/bin/sh
# symbols_test.sh LIBRARY
# Goal: the library shows its host one symbol. Method: nm.
set -eu

shown=$(nm -D --defined-only --format=posix "$1" | cut -d' ' -f1 | cut -d@ -f1)
if [ "$shown" != opstore_plugin_v1 ]; then
    echo "not exactly opstore_plugin_v1 is visible:" >&2
    echo "$shown" >&2
    exit 1
fi
