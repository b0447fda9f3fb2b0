#!/bin/sh
# with_schema.sh OPSTORE COMMAND [ARGUMENT...]
# Runs a command with OPSTORE_HOST_CONNINFO, the server of the tests (OPSTORE_TEST_DATABASE, else the embedded one
# in OPSTORE_HOME), and OPSTORE_HOST_SCHEMA, a schema of its own there, which is dropped behind it: a host in C has
# no SQL. Where an argument is exactly @CONNINFO@ or @SCHEMA@, it is replaced by the value.
set -eu
opstore=$1
shift

OPSTORE_HOST_CONNINFO=${OPSTORE_TEST_DATABASE:-}
if [ -z "$OPSTORE_HOST_CONNINFO" ]; then
    "$opstore" server start >/dev/null
    OPSTORE_HOST_CONNINFO=$("$opstore" server status | sed -n 's/^conninfo *//p')
fi
OPSTORE_HOST_SCHEMA=test_host_$$
export OPSTORE_HOST_CONNINFO OPSTORE_HOST_SCHEMA

drop_schema() {
    PGOPTIONS="-c client_min_messages=warning" psql -X -q -d "$OPSTORE_HOST_CONNINFO" \
        -c "DROP SCHEMA IF EXISTS $OPSTORE_HOST_SCHEMA CASCADE"
}

for argument in "$@"; do
    shift
    case $argument in
        @CONNINFO@) argument=$OPSTORE_HOST_CONNINFO ;;
        @SCHEMA@) argument=$OPSTORE_HOST_SCHEMA ;;
    esac
    set -- "$@" "$argument"
done
result=0
"$@" || result=$?
drop_schema
exit $result
