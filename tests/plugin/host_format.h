#ifndef OPSTORE_TESTS_PLUGIN_HOST_FORMAT_H
#define OPSTORE_TESTS_PLUGIN_HOST_FORMAT_H

/*
 * An op format of the host, whose every use is watched: no decode() behind release(), and release() once.
 *
 * Op: created_at (i64 LE, us), a number (u64 LE), payload. Id: 32 bytes, mixed from all of these, which is a
 * hash for tests only. Location: the plugin's own (locate is NULL).
 */

#include <tests/plugin/host.h>

#define HOST_ID_BYTES 32u
#define HOST_OP_HEADER 16u
/* Metadata with this text makes the format say OPSTORE_REFUSED_BY_HOST. */
#define HOST_REFUSE "refuse"

/* What one opstore_op_format stands on. Kept until the end of the test, as it counts what comes late. */
typedef struct format_context {
    atomic_int released; /* 1 in the end. */
    atomic_int active;   /* Calls of decode() that have not returned. */
    atomic_uint decoded;
    struct format_gate* gate; /* decode() waits there, if not NULL. */
    struct format_context* next;
} format_context;

/* A place where decode() can be held. */
typedef struct format_gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int closed;
    unsigned waiting;
} format_gate;

void init_gate(format_gate* gate);
/* Waits until decode() stands at the closed gate. */
void await_gate(format_gate* gate);
void open_gate(format_gate* gate);

opstore_op_format host_format(format_context* context);
void id_of_op(opstore_bytes op, uint8_t id[HOST_ID_BYTES]);
/* Writes op `number` into `op`, of HOST_OP_HEADER + payload bytes. */
void write_op(uint8_t* op, int64_t created_at, uint64_t number, size_t payload);
/* Ops first, first + 1, ... with `payload` bytes each, in memory of `s`. */
opstore_incoming_op* write_ops(scratch* s, uint64_t first, size_t count, size_t payload);

#endif
