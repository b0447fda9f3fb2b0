#ifndef OPSTORE_TESTS_PLUGIN_HOST_CALLS_H
#define OPSTORE_TESTS_PLUGIN_HOST_CALLS_H

/* Every function of the table that works on a space, called with random arguments, legal ones and edges. */

#include <tests/plugin/host.h>

typedef struct call_request {
    opstore_plugin const* api;
    opstore_space* space; /* May be NULL. */
    call* user;
    int without_callback; /* Passes NULL instead. */
    uint32_t timeout_ms;
    uint64_t op_numbers; /* Ops and ids have numbers below that. */
    prng* random;
    scratch* memory; /* Of the arguments; the caller spoils it. */
} call_request;

typedef struct call_kind {
    char const* name;
    uint64_t (*start)(call_request const* request);
} call_kind;

/* In the order of the table. */
extern call_kind const call_kinds[];
extern size_t const call_kind_count;

/* process_incoming_ops() and seal(), among them. */
extern call_kind const ingest_kind, seal_kind;

#endif
