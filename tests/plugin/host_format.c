#include <tests/plugin/host_format.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void init_gate(format_gate* gate) {
    memset(gate, 0, sizeof *gate);
    pthread_mutex_init(&gate->mutex, NULL);
    pthread_cond_init(&gate->changed, NULL);
    gate->closed = 1;
}

void await_gate(format_gate* gate) {
    pthread_mutex_lock(&gate->mutex);
    while (gate->waiting == 0)
        pthread_cond_wait(&gate->changed, &gate->mutex);
    pthread_mutex_unlock(&gate->mutex);
}

void open_gate(format_gate* gate) {
    pthread_mutex_lock(&gate->mutex);
    gate->closed = 0;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}

static void pass_gate(format_gate* gate) {
    pthread_mutex_lock(&gate->mutex);
    ++gate->waiting;
    pthread_cond_broadcast(&gate->changed);
    while (gate->closed)
        pthread_cond_wait(&gate->changed, &gate->mutex);
    --gate->waiting;
    pthread_mutex_unlock(&gate->mutex);
}

static uint64_t read_u64(uint8_t const* from) {
    uint64_t value = 0;
    for (int i = 7; i >= 0; --i)
        value = value << 8 | from[i];
    return value;
}

static void write_u64(uint8_t* to, uint64_t value) {
    for (int i = 0; i < 8; ++i, value >>= 8)
        to[i] = (uint8_t)value;
}

void id_of_op(opstore_bytes op, uint8_t id[HOST_ID_BYTES]) {
    prng mixed = {op.size};
    for (size_t i = 0; i < op.size; ++i) {
        mixed.state ^= op.data[i];
        mixed.state = next_random(&mixed);
    }
    for (size_t i = 0; i < HOST_ID_BYTES; i += 8)
        write_u64(id + i, next_random(&mixed));
}

static int32_t decode_open(opstore_bytes op, opstore_bytes metadata, opstore_decoded_op* decoded) {
    if (op.size < HOST_OP_HEADER) {
        snprintf(decoded->message, sizeof decoded->message, "an op of %zu bytes", op.size);
        return OPSTORE_UNREADABLE;
    }
    if (metadata.size == strlen(HOST_REFUSE) && memcmp(metadata.data, HOST_REFUSE, metadata.size) == 0)
        return OPSTORE_REFUSED_BY_HOST;
    id_of_op(op, decoded->id);
    decoded->id_size = HOST_ID_BYTES;
    decoded->created_at = (int64_t)read_u64(op.data);
    return 0;
}

static int32_t decode(void* context, opstore_bytes op, opstore_bytes metadata, opstore_decoded_op* decoded) {
    format_context* const format = context;
    CHECK(!on_host_thread);
    CHECK(api_depth == 0);
    atomic_fetch_add(&format->active, 1);
    CHECK(!atomic_load(&format->released));
    atomic_fetch_add(&format->decoded, 1);
    if (format->gate)
        pass_gate(format->gate);
    int32_t const reason = decode_open(op, metadata, decoded);
    atomic_fetch_sub(&format->active, 1);
    return reason;
}

static void release(void* context) {
    format_context* const format = context;
    CHECK(atomic_load(&format->active) == 0);
    CHECK(atomic_fetch_add(&format->released, 1) == 0);
}

opstore_op_format host_format(format_context* context) {
    return (opstore_op_format){.struct_size = sizeof(opstore_op_format),
                               .id_size = HOST_ID_BYTES,
                               .name = TEXT("host test"),
                               .context = context,
                               .decode = decode,
                               .release = release};
}

void write_op(uint8_t* op, int64_t created_at, uint64_t number, size_t payload) {
    write_u64(op, (uint64_t)created_at);
    write_u64(op + 8, number);
    for (size_t i = 0; i < payload; ++i)
        op[HOST_OP_HEADER + i] = (uint8_t)(number + i);
}

opstore_incoming_op* write_ops(scratch* s, uint64_t first, size_t count, size_t payload) {
    opstore_incoming_op* const ops = scratch_take(s, count * sizeof *ops);
    for (size_t i = 0; i < count; ++i) {
        uint8_t* const op = scratch_take(s, HOST_OP_HEADER + payload);
        write_op(op, 1700000000000000 + (int64_t)(first + i), first + i, payload);
        ops[i].data = (opstore_bytes){op, HOST_OP_HEADER + payload};
    }
    return ops;
}
