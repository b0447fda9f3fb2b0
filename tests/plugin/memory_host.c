/*
 * Goal: a function of the plugin that finds no memory says so. No exception reaches the host, no callback is
 * lost, and a format's context is released once, by whoever has it. Method: this host's malloc() fails on the
 * thread that calls, from its n-th request on; n grows until the function needs no more.
 *
 * memory_host LIBRARY
 */

#include <tests/plugin/host.h>
#include <tests/plugin/host_format.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* ------------------------------------------------------------------------------------------------- memory */

void* __libc_malloc(size_t size);

static long const without_end = -1;
static _Thread_local long requests_left = -1;

void* malloc(size_t size) {
    if (requests_left == 0)
        return NULL;
    if (requests_left > 0)
        --requests_left;
    return __libc_malloc(size);
}

/* Calls a function of the table while there is memory for `requests` only; `noticed` says whether it used
 * them up. */
#define API_WITH_MEMORY(requests, noticed, statement) \
    do {                                              \
        requests_left = (long)(requests);             \
        API(statement);                               \
        (noticed) = requests_left == 0;               \
        requests_left = without_end;                  \
    } while (0)

enum {
    requests_max = 500,
    /* The request, counted from 0, that Asio makes for the second part of a call's strand: refused, it
       destroys the first part, which is not ready for that. */
    unbearable_request = 3
};

/* ------------------------------------------------------------------------------------------------ database
 */

/* A library's thread-local data is made when a thread first needs it, also that of exceptions, and the C
   library does not bear that it cannot be. */
static void make_thread_local_data(opstore_plugin const* api) {
    opstore_database_options const where = test_options();
    host_database* const database = create_host_database(api, &where);
    destroy_host_database(database);
    free_host_database(database);
    API(CHECK(api->create_database(NULL, NULL) == NULL));
}

/* Asio keeps mutexes for its strands, made as calls need them, and does not bear either that one cannot be
 * made.
 */
static host_database* connect_with_all_mutexes(opstore_plugin const* api) {
    opstore_database_options const where = test_options();
    host_database* const database = create_host_database(api, &where);
    call c;
    for (int i = 0; i < 5000; ++i) {
        init_call(&c, database);
        API(c.number = api->list_spaces(database->handle, 0, on_space_list, &c));
        CHECK(await_call(&c) == OPSTORE_NOT_CONNECTED);
    }
    init_call(&c, database);
    API(c.number = api->connect_database(database->handle, on_done, &c));
    CHECK(await_call(&c) == 0);
    return database;
}

static void creating(opstore_plugin const* api) {
    opstore_database_options const where = test_options();
    opstore_database* database = NULL;
    for (size_t requests = 0; !database; ++requests) {
        CHECK(requests < requests_max);
        opstore_failure failure = {.struct_size = sizeof failure};
        int noticed;
        API_WITH_MEMORY(requests, noticed, database = api->create_database(&where, &failure));
        CHECK(database || noticed);
        /* pthread_create() calls a lack of memory EAGAIN. */
        CHECK(database || failure.code == OPSTORE_OUT_OF_MEMORY || failure.code == OPSTORE_UNAVAILABLE);
    }
    int32_t result;
    API(result = api->destroy_database(database));
    CHECK(result == 0);
}

/* -------------------------------------------------------------------------------------------------- calls */

static opstore_space_options options_with(opstore_op_format const* format) {
    opstore_space_options options = {.struct_size = sizeof options, .format = format};
    options.key = BYTES("a key that is too long for the room within a string");
    return options;
}

static void opening(opstore_plugin const* api) {
    host_database* const database = connect_with_all_mutexes(api);
    static format_context contexts[requests_max];
    static call calls[requests_max];
    size_t tries = 0;
    for (int noticed = 1; noticed; ++tries) {
        CHECK(tries < requests_max);
        if (tries == unbearable_request)
            continue;
        call* const c = &calls[tries];
        init_call(c, database);
        opstore_op_format const format = host_format(&contexts[tries]);
        opstore_space_options const options = options_with(&format);
        API_WITH_MEMORY(tries, noticed,
                        c->number = api->open_space(database->handle, &options, 0, on_space, c));
        if (c->number == 0)
            continue;
        int32_t const code = await_call(c);
        CHECK(code == 0 || code == OPSTORE_OUT_OF_MEMORY);
        CHECK(code == 0 || c->retryable);
        API(api->close_space(c->space));
    }
    CHECK(calls[0].number == 0 && calls[tries - 1].code == 0);
    destroy_host_database(database);
    for (size_t i = 0; i < tries; ++i)
        CHECK(atomic_load(&contexts[i].released) == (calls[i].number != 0));
    free_host_database(database);
}

static opstore_space* open_one(host_database* database, format_context* context) {
    opstore_op_format const format = host_format(context);
    opstore_space_options const options = options_with(&format);
    call c;
    init_call(&c, database);
    API(c.number = database->api->open_space(database->handle, &options, 0, on_space, &c));
    CHECK(await_call(&c) == 0);
    return c.space;
}

static void ingesting(opstore_plugin const* api) {
    host_database* const database = connect_with_all_mutexes(api);
    format_context context = {0};
    opstore_space* const space = open_one(database, &context);
    size_t const count = 20;
    scratch memory = {0};
    opstore_incoming_op const* const ops = write_ops(&memory, 0, count, 100);
    size_t requests = 0;
    call c;
    for (int noticed = 1; noticed; ++requests) {
        CHECK(requests < requests_max);
        if (requests == unbearable_request)
            continue;
        init_call(&c, database);
        API_WITH_MEMORY(requests, noticed,
                        c.number = api->process_incoming_ops(space, ops, count, 0, on_ingest, &c));
        if (c.number != 0)
            CHECK(await_call(&c) == 0 || c.code == OPSTORE_OUT_OF_MEMORY);
    }
    CHECK(c.code == 0 && c.count == count);
    scratch_spoil(&memory);
    destroy_host_database(database);
    free_host_database(database);
    CHECK(atomic_load(&context.released) == 1);
}

static void* open_gate_meanwhile(void* gate) {
    on_host_thread = 1;
    open_gate(gate);
    return NULL;
}

/* Neither a cancel nor the end needs any. */
static void cancelling_and_destroying(opstore_plugin const* api) {
    host_database* const database = connect_with_all_mutexes(api);
    format_gate gate;
    init_gate(&gate);
    format_context context = {.gate = &gate};
    opstore_space* const space = open_one(database, &context);
    scratch memory = {0};
    size_t const count = 20;
    opstore_incoming_op const* const ops = write_ops(&memory, 0, count, 100);
    call calls[3];
    for (size_t i = 0; i < LENGTH(calls); ++i) {
        init_call(&calls[i], database);
        API(calls[i].number = api->process_incoming_ops(space, ops, count, 0, on_ingest, &calls[i]));
    }
    scratch_spoil(&memory);
    await_gate(&gate);
    int noticed;
    for (int again = 0; again < 2; ++again)
        API_WITH_MEMORY(0, noticed, api->cancel_call(database->handle, calls[0].number));
    CHECK(await_call(&calls[0]) == OPSTORE_CANCELLED);
    pthread_t opener;
    CHECK(pthread_create(&opener, NULL, open_gate_meanwhile, &gate) == 0);
    int32_t result;
    API_WITH_MEMORY(0, noticed, result = api->destroy_database(database->handle));
    (void)noticed;
    CHECK(result == 0);
    for (size_t i = 0; i < LENGTH(calls); ++i)
        CHECK(atomic_load(&calls[i].callbacks) == 1);
    CHECK(atomic_load(&context.released) == 1);
    pthread_join(opener, NULL);
    free(database);
}

int main(int argc, char** argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: memory_host LIBRARY\n");
        return 2;
    }
    on_host_thread = 1;
    host_library library = load_library(argv[1], RTLD_NOW | RTLD_LOCAL);
    make_thread_local_data(library.api);
    creating(library.api);
    opening(library.api);
    ingesting(library.api);
    cancelling_and_destroying(library.api);
    unload_library(&library);
    return 0;
}
