/* What a callback is, and what it may do. */

#include <tests/plugin/rules.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void refuse_to_wait(call* c) {
    opstore_plugin const* const api = c->database->api;
    int32_t drained, destroyed;
    API(drained = api->drain_database(c->database->handle, 0));
    API(destroyed = api->destroy_database(c->database->handle));
    CHECK(drained == OPSTORE_WRONG_THREAD);
    CHECK(destroyed == OPSTORE_WRONG_THREAD);
    /* Another one's is another matter. */
    host_database* const other = c->context;
    API(drained = api->drain_database(other->handle, 0));
    CHECK(drained == 0);
    destroy_host_database(other);
}

static void waiting_in_a_callback_is_refused(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    host_database* const other = connect_host_database(api, &where);
    call listing, again;
    init_call(&listing, database);
    init_call(&again, database);
    listing.inside = refuse_to_wait;
    listing.context = other;
    API(listing.number = api->list_spaces(database->handle, 0, on_space_list, &listing));
    CHECK(await_call(&listing) == 0);
    /* Nothing was done. */
    API(again.number = api->list_spaces(database->handle, 0, on_space_list, &again));
    CHECK(await_call(&again) == 0);
    destroy_host_database(database);
    free_host_database(database);
    free_host_database(other);
}

enum { chain_length = 50 };

typedef struct chain {
    opstore_space* space;
    call links[chain_length];
} chain;

static void start_next_link(call* c) {
    chain* const all = c->context;
    call* const next = c + 1;
    if (next == all->links + chain_length)
        return;
    init_call(next, c->database);
    next->context = all;
    next->inside = start_next_link;
    API(next->number = c->database->api->stat(all->space, 0, on_stat, next));
}

static void close_own_space(call* c) {
    API(c->database->api->close_space(c->context));
}

static void callbacks_start_calls_and_close_spaces(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    format_context context = {0};
    static chain all;
    all.space = open_test_space(database, "chain", &context);
    init_call(&all.links[0], database);
    all.links[0].context = &all;
    all.links[0].inside = start_next_link;
    API(all.links[0].number = api->stat(all.space, 0, on_stat, &all.links[0]));
    for (size_t i = 0; i < chain_length; ++i) {
        /* Made by the callback before, which has returned when its own count is seen. */
        CHECK(await_call(&all.links[i]) == 0);
    }
    call closing;
    init_call(&closing, database);
    closing.inside = close_own_space;
    closing.context = all.space;
    API(closing.number = api->stat(all.space, 0, on_stat, &closing));
    CHECK(await_call(&closing) == 0);
    destroy_host_database(database);
    free_host_database(database);
    CHECK(atomic_load(&context.released) == 1);
}

static atomic_int callbacks_now, callbacks_at_once_max;

static void count_callbacks_now(call* c) {
    (void)c;
    int const now = atomic_fetch_add(&callbacks_now, 1) + 1;
    int seen = atomic_load(&callbacks_at_once_max);
    while (now > seen && !atomic_compare_exchange_weak(&callbacks_at_once_max, &seen, now)) {
    }
    /* Long enough for another thread to come in, if there is one. */
    struct timespec const start = {0, 200000};
    nanosleep(&start, NULL);
    atomic_fetch_sub(&callbacks_now, 1);
}

static int callbacks_at_once(opstore_plugin const* api, uint32_t threads) {
    opstore_database_options options = test_options();
    options.callback_threads = threads;
    host_database* const database = connect_host_database(api, &options);
    atomic_store(&callbacks_at_once_max, 0);
    static call calls[200];
    for (size_t i = 0; i < LENGTH(calls); ++i) {
        init_call(&calls[i], database);
        calls[i].inside = count_callbacks_now;
        API(calls[i].number = api->list_spaces(database->handle, 0, on_space_list, &calls[i]));
    }
    int32_t result;
    API(result = api->drain_database(database->handle, 0));
    CHECK(result == 0);
    for (size_t i = 0; i < LENGTH(calls); ++i)
        CHECK(calls[i].code == 0);
    destroy_host_database(database);
    free_host_database(database);
    return atomic_load(&callbacks_at_once_max);
}

static void one_callback_thread_calls_one_at_a_time(opstore_plugin const* api, char const* path) {
    (void)path;
    CHECK(callbacks_at_once(api, 0) == 1);
    CHECK(callbacks_at_once(api, 1) == 1);
    int const at_once = callbacks_at_once(api, 4);
    CHECK(at_once > 1 && at_once <= 4);
}

static void check_signals_blocked(call* c) {
    (void)c;
    sigset_t blocked;
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &blocked) == 0);
    int const signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM, SIGPIPE};
    for (size_t i = 0; i < LENGTH(signals); ++i)
        CHECK(sigismember(&blocked, signals[i]) == 1);
}

static void signals_are_the_hosts(opstore_plugin const* api, char const* path) {
    (void)path;
    sigset_t before, after;
    sigemptyset(&before);
    sigemptyset(&after);
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &before) == 0);
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &after) == 0);
    for (int number = 1; number < 32; ++number)
        CHECK(sigismember(&before, number) == sigismember(&after, number));
    call listing;
    init_call(&listing, database);
    listing.inside = check_signals_blocked;
    API(listing.number = api->list_spaces(database->handle, 0, on_space_list, &listing));
    CHECK(await_call(&listing) == 0);
    destroy_host_database(database);
    free_host_database(database);
}

/* ------------------------------------------------------------------------------------------------ decode()
 */

/* The first byte of an op says what decode() does with it. */
static int32_t decode_badly(void* context, opstore_bytes op, opstore_bytes metadata, opstore_decoded_op* to) {
    (void)context;
    (void)metadata;
    for (size_t i = 0; i < sizeof to->id; ++i)
        CHECK(to->id[i] == 0);
    CHECK(to->id_size == 0 && to->created_at == 0 && to->message[0] == '\0');
    to->id_size = HOST_ID_BYTES;
    memset(to->id, op.data[0], HOST_ID_BYTES);
    to->created_at = 1700000000000000;
    switch (op.data[0]) {
        case 'i':
            to->id_size = HOST_ID_BYTES - 1;
            return 0;
        case 'l':
            to->id_size = UINT32_MAX;
            return 0;
        case 'e':
            to->created_at = -1;
            return 0;
        case 'u':
            return 999;
        case 'n':
            return -1;
        case 's':
            snprintf(to->message, sizeof to->message, "said so");
            return OPSTORE_BAD_SIGNATURE;
        case 'z':
            memset(to->message, 'z', sizeof to->message);
            return OPSTORE_UNREADABLE;
        default:
            return 0;
    }
}

static void check_bad_decodes(call* c) {
    static int32_t const reasons[] = {
        OPSTORE_WRONG_ID_LENGTH, OPSTORE_WRONG_ID_LENGTH, OPSTORE_CREATED_BEFORE_EPOCH,
        OPSTORE_REFUSED_BY_HOST, OPSTORE_REFUSED_BY_HOST, OPSTORE_BAD_SIGNATURE,
        OPSTORE_UNREADABLE};
    opstore_ingest_report const* const report = c->report;
    CHECK(report->outcome_count == LENGTH(reasons) + 2);
    CHECK(report->outcomes[0].what == OPSTORE_STORED);
    CHECK(report->outcomes[LENGTH(reasons) + 1].what == OPSTORE_STORED);
    CHECK(report->outcomes[LENGTH(reasons) + 1].id.data[0] == 'b');
    CHECK(report->rejected_count == LENGTH(reasons));
    for (size_t i = 0; i < LENGTH(reasons); ++i) {
        CHECK(report->outcomes[i + 1].what == OPSTORE_REJECTED && report->outcomes[i + 1].id.size == 0);
        CHECK(report->rejected[i].index == i + 1);
        CHECK(report->rejected[i].reason == reasons[i]);
        CHECK(report->rejected[i].message.size > 0);
        CHECK(report->rejected[i].message.data[report->rejected[i].message.size] == '\0');
    }
    CHECK(strcmp(report->rejected[5].message.data, "said so") == 0);
    CHECK(report->rejected[6].message.size <= sizeof((opstore_decoded_op*)0)->message);
}

static void bad_decoders_reject_one_op(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    opstore_op_format const format = {.struct_size = sizeof format,
                                      .id_size = HOST_ID_BYTES,
                                      .name = TEXT("decodes badly"),
                                      .decode = decode_badly};
    opstore_space_options const options = space_options_of("decodes badly", &format);
    call opening, ingest;
    CHECK(open_space_with(database, &options, &opening) == 0);
    scratch memory = {0};
    static char const kinds[] = {'a', 'i', 'l', 'e', 'u', 'n', 's', 'z', 'b'};
    opstore_incoming_op* const ops = scratch_take(&memory, sizeof kinds * sizeof *ops);
    for (size_t i = 0; i < sizeof kinds; ++i) {
        uint8_t* const byte = scratch_take(&memory, 1);
        *byte = (uint8_t)kinds[i];
        ops[i].data = (opstore_bytes){byte, 1};
    }
    init_call(&ingest, database);
    ingest.inside = check_bad_decodes;
    API(ingest.number = api->process_incoming_ops(opening.space, ops, sizeof kinds, 0, on_ingest, &ingest));
    scratch_spoil(&memory);
    CHECK(await_call(&ingest) == 0);
    destroy_host_database(database);
    free_host_database(database);
}

static void check_waiting_refused(host_database const* database) {
    CHECK(database->api->drain_database(database->handle, 1000) == OPSTORE_WRONG_THREAD);
    CHECK(database->api->destroy_database(database->handle) == OPSTORE_WRONG_THREAD);
}

static int32_t decode_and_wait(void* context, opstore_bytes op, opstore_bytes metadata,
                               opstore_decoded_op* decoded) {
    (void)metadata;
    check_waiting_refused(context);
    id_of_op(op, decoded->id);
    decoded->id_size = HOST_ID_BYTES;
    return 0;
}

static atomic_uint waiting_releases, waiting_readings;

static void release_and_wait(void* context) {
    check_waiting_refused(context);
    atomic_fetch_add(&waiting_releases, 1);
}

static int64_t read_clock_and_wait(void* context) {
    host_database* const* const database = context;
    check_waiting_refused(*database);
    atomic_fetch_add(&waiting_readings, 1);
    return 1700000000000000;
}

/* On a callback thread, where a small batch is decoded, and on another one; and on the host's, where a space
   is closed. */
static void waiting_in_host_code_is_refused(opstore_plugin const* api, char const* path) {
    (void)path;
    host_database* database = NULL;
    opstore_database_options where = test_options();
    where.clock = read_clock_and_wait;
    where.clock_context = &database;
    database = connect_host_database(api, &where);
    opstore_op_format const format = {.struct_size = sizeof format,
                                      .id_size = HOST_ID_BYTES,
                                      .name = TEXT("waits"),
                                      .context = database,
                                      .decode = decode_and_wait,
                                      .release = release_and_wait};
    opstore_space_options const options = space_options_of("waits", &format);
    call opening, closed;
    CHECK(open_space_with(database, &options, &closed) == 0);
    API(api->close_space(closed.space));
    CHECK(open_space_with(database, &options, &opening) == 0);
    static size_t const counts[] = {1, 100};
    for (size_t i = 0; i < LENGTH(counts); ++i) {
        scratch memory = {0};
        call ingest;
        init_call(&ingest, database);
        opstore_incoming_op* const ops = write_ops(&memory, 0, counts[i], 8);
        API(ingest.number = api->process_incoming_ops(opening.space, ops, counts[i], 0, on_ingest, &ingest));
        scratch_spoil(&memory);
        CHECK(await_call(&ingest) == 0);
        CHECK(ingest.count == counts[i]);
    }
    destroy_host_database(database);
    CHECK(atomic_load(&waiting_releases) == 2);
    CHECK(atomic_load(&waiting_readings) > 0);
    free_host_database(database);
}

rule const callback_rules[] = {
    {"callbacks: waiting in one is refused", waiting_in_a_callback_is_refused},
    {"callbacks: waiting in a host's own code is refused", waiting_in_host_code_is_refused},
    {"callbacks: they start calls and close spaces", callbacks_start_calls_and_close_spaces},
    {"callbacks: one thread calls one at a time", one_callback_thread_calls_one_at_a_time},
    {"callbacks: signals are the host's", signals_are_the_hosts},
    {"callbacks: a bad decoder rejects one op", bad_decoders_reject_one_op},
    {0},
};
