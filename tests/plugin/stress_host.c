/*
 * Goal: a host that does everything at once finds the promises of opstore_plugin.h kept.
 * Method: rounds of threads that hammer spaces with all kinds of calls, cancel at random, close and drop
 * spaces under the calls, start more calls from callbacks; each round ends in another way, drained or
 * destroyed while busy. Then each call has had one callback and each format one release, and every op that
 * was acknowledged is found after reconnecting.
 *
 * stress_host LIBRARY [ROUNDS [CALLS_PER_THREAD [SEED]]]
 */

#include <tests/plugin/host_calls.h>
#include <tests/plugin/host_format.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { thread_count = 4, space_count = 3, doomed_space = 2, follow_up_depth_max = 3, op_number_count = 3000 };

/* A space of the host. Who starts a call on it holds the lock for reading; who closes it, for writing. */
typedef struct slot {
    pthread_rwlock_t lock;
    opstore_space* space; /* NULL: not open. */
    atomic_int opening;
    char key[16];
    uint32_t slices;

    pthread_mutex_t acknowledged_mutex;
    uint8_t (*acknowledged)[HOST_ID_BYTES];
    size_t acknowledged_count, acknowledged_capacity;
} slot;

typedef struct stress {
    opstore_plugin const* api;
    host_database* database; /* Of this round. */
    slot slots[space_count];
    _Atomic(struct stress_call*) calls; /* Of this round. */
    _Atomic(format_context*) formats;
    atomic_uint_fast64_t last_number;
    unsigned calls_per_thread;
    uint64_t seed;
    atomic_uint codes[OPSTORE_INTERNAL + 1]; /* How often each was answered. */
} stress;

typedef struct stress_call {
    call base;
    struct stress_call* next;
    stress* owner;
    slot* on;
    unsigned depth; /* How many callbacks lie between it and a thread of the host. */
    uint64_t seed;  /* Of what its callback does. */
} stress_call;

static void start_random_call(stress* s, slot* on, prng* random, unsigned depth);

/* ---------------------------------------------------------------------------------------------- callbacks */

static int allowed(int32_t code, slot const* on, stress const* s) {
    switch (code) {
        case 0:
        case OPSTORE_INVALID_ARGUMENT:     /* Random slice hashes; seal() in slice mode host. */
        case OPSTORE_SLICES_KEPT_BY_STORE: /* In slice mode store. */
        case OPSTORE_TIMED_OUT:
        case OPSTORE_CANCELLED:
        case OPSTORE_CANCELLED_IN_DOUBT:
        case OPSTORE_OVERLOADED:
        case OPSTORE_CLOSING:
            return 1;
        case OPSTORE_NO_SUCH_SPACE:
            return on == &s->slots[doomed_space];
        default:
            return 0;
    }
}

static void note_outcome(stress_call* c) {
    atomic_fetch_add(&c->owner->codes[c->base.code], 1);
    if (!allowed(c->base.code, c->on, c->owner))
        host_fail(__FILE__, __LINE__, "error %d: %s", c->base.code, c->base.message);
}

static void remember_acknowledged(slot* on, opstore_ingest_report const* report) {
    pthread_mutex_lock(&on->acknowledged_mutex);
    for (size_t i = 0; i < report->outcome_count; ++i) {
        if (report->outcomes[i].what == OPSTORE_REJECTED)
            continue;
        CHECK(report->outcomes[i].id.size == HOST_ID_BYTES);
        if (on->acknowledged_count == on->acknowledged_capacity) {
            on->acknowledged_capacity = on->acknowledged_capacity * 2 + 64;
            on->acknowledged =
                realloc(on->acknowledged, on->acknowledged_capacity * sizeof *on->acknowledged);
            CHECK(on->acknowledged != NULL);
        }
        memcpy(on->acknowledged[on->acknowledged_count++], report->outcomes[i].id.data, HOST_ID_BYTES);
    }
    pthread_mutex_unlock(&on->acknowledged_mutex);
}

static void in_callback(call* base) {
    stress_call* const c = (stress_call*)base;
    stress* const s = c->owner;
    note_outcome(c);
    if (base->report)
        remember_acknowledged(c->on, base->report);
    prng random = {c->seed};
    if (c->depth < follow_up_depth_max && chance(&random, 20) &&
        pthread_rwlock_tryrdlock(&c->on->lock) == 0) {
        if (c->on->space)
            start_random_call(s, c->on, &random, c->depth + 1);
        pthread_rwlock_unlock(&c->on->lock);
    }
    if (chance(&random, 5))
        API(s->api->cancel_call(s->database->handle, atomic_load(&s->last_number)));
    if (chance(&random, 1) && pthread_rwlock_trywrlock(&c->on->lock) == 0) {
        API(s->api->close_space(c->on->space));
        c->on->space = NULL;
        pthread_rwlock_unlock(&c->on->lock);
    }
}

static void in_open_callback(call* base) {
    stress_call* const c = (stress_call*)base;
    note_outcome(c);
    pthread_rwlock_wrlock(&c->on->lock);
    CHECK(c->on->space == NULL);
    c->on->space = base->space;
    pthread_rwlock_unlock(&c->on->lock);
    atomic_store(&c->on->opening, 0);
}

static void in_database_callback(call* base) {
    note_outcome((stress_call*)base);
}

/* --------------------------------------------------------------------------------------------------- calls
 */

static stress_call* new_call(stress* s, slot* on, prng* random, unsigned depth, void (*inside)(call*)) {
    stress_call* const c = calloc(1, sizeof *c);
    CHECK(c != NULL);
    init_call(&c->base, s->database);
    c->base.inside = inside;
    c->owner = s;
    c->on = on;
    c->depth = depth;
    c->seed = next_random(random);
    c->next = atomic_load(&s->calls);
    while (!atomic_compare_exchange_weak(&s->calls, &c->next, c)) {
    }
    return c;
}

/* The callback may have come by now: only the number is touched. */
static void note_number(stress* s, stress_call* c, uint64_t number) {
    CHECK(number != 0);
    c->base.number = number;
    atomic_store(&s->last_number, number);
}

/* The caller holds the lock of the slot, whose space is open. */
static void start_random_call(stress* s, slot* on, prng* random, unsigned depth) {
    scratch memory = {0};
    stress_call* const c = new_call(s, on, random, depth, in_callback);
    call_request const request = {.api = s->api,
                                  .space = on->space,
                                  .user = &c->base,
                                  .timeout_ms = chance(random, 5) ? 1 : 0,
                                  .op_numbers = op_number_count,
                                  .random = random,
                                  .memory = &memory};
    call_kind const* const kind =
        chance(random, 40) ? &ingest_kind : &call_kinds[random_below(random, call_kind_count)];
    uint64_t number;
    API(number = kind->start(&request));
    scratch_spoil(&memory);
    note_number(s, c, number);
    if (chance(random, 10))
        API(s->api->cancel_call(s->database->handle, number));
}

/* False: it is being opened already. */
static int start_open(stress* s, slot* on, prng* random) {
    if (atomic_exchange(&on->opening, 1))
        return 0;
    pthread_rwlock_rdlock(&on->lock);
    int const is_open = on->space != NULL;
    pthread_rwlock_unlock(&on->lock);
    if (is_open) {
        atomic_store(&on->opening, 0);
        return 1;
    }
    format_context* const context = calloc(1, sizeof *context);
    CHECK(context != NULL);
    context->next = atomic_load(&s->formats);
    while (!atomic_compare_exchange_weak(&s->formats, &context->next, context)) {
    }
    opstore_op_format const format = host_format(context);
    opstore_space_options options = {.struct_size = sizeof options, .format = &format, .slices = on->slices};
    options.key = (opstore_bytes){(uint8_t const*)on->key, strlen(on->key)};
    stress_call* const c = new_call(s, on, random, follow_up_depth_max, in_open_callback);
    uint64_t number;
    API(number = s->api->open_space(s->database->handle, &options, 0, on_space, &c->base));
    note_number(s, c, number);
    if (chance(random, 10))
        API(s->api->cancel_call(s->database->handle, number));
    return 1;
}

static void close_slot(stress* s, slot* on) {
    pthread_rwlock_wrlock(&on->lock);
    API(s->api->close_space(on->space));
    on->space = NULL;
    pthread_rwlock_unlock(&on->lock);
}

static void start_database_call(stress* s, prng* random) {
    slot* const doomed = &s->slots[doomed_space];
    stress_call* const c = new_call(s, doomed, random, follow_up_depth_max, in_database_callback);
    uint64_t number;
    if (chance(random, 50)) {
        API(number = s->api->list_spaces(s->database->handle, 0, on_space_list, &c->base));
    } else {
        opstore_bytes const key = {(uint8_t const*)doomed->key, strlen(doomed->key)};
        API(number = s->api->drop_space(s->database->handle, key, 0, on_done, &c->base));
    }
    note_number(s, c, number);
}

/* False: there was nothing to do on the space that the dice chose. */
static int act(stress* s, prng* random) {
    slot* const on = &s->slots[random_below(random, space_count)];
    if (chance(random, 1)) {
        start_database_call(s, random);
    } else if (chance(random, 1)) {
        close_slot(s, on);
    } else if (chance(random, 5)) {
        /* One that ended, one under way, or one that was not given yet. */
        API(s->api->cancel_call(s->database->handle,
                                atomic_load(&s->last_number) + random_below(random, 20) - 15));
    } else {
        pthread_rwlock_rdlock(&on->lock);
        int const is_open = on->space != NULL;
        if (is_open)
            start_random_call(s, on, random, 0);
        pthread_rwlock_unlock(&on->lock);
        return is_open || start_open(s, on, random);
    }
    return 1;
}

/* ------------------------------------------------------------------------------------------------- rounds */

typedef struct worker {
    stress* owner;
    pthread_t thread;
    prng random;
} worker;

static void wait_a_moment(void) {
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* So that the calls in flight stay below what one server and a slow machine get done. */
static void let_calls_end(stress* s) {
    unsigned const in_flight_max = 200;
    for (;; wait_a_moment()) {
        unsigned in_flight = 0;
        for (stress_call* c = atomic_load(&s->calls); c && in_flight < in_flight_max; c = c->next)
            in_flight += atomic_load(&c->base.callbacks) == 0;
        if (in_flight < in_flight_max)
            return;
    }
}

static void* work(void* context) {
    worker* const w = context;
    on_host_thread = 1;
    for (unsigned i = 0; i < w->owner->calls_per_thread; ++i) {
        while (!act(w->owner, &w->random))
            wait_a_moment();
        if (i % 16 == 0)
            let_calls_end(w->owner);
    }
    return NULL;
}

static void hammer(stress* s, prng* random) {
    worker workers[thread_count];
    for (size_t i = 0; i < thread_count; ++i) {
        workers[i] = (worker){.owner = s, .random = {next_random(random)}};
        CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    }
    for (size_t i = 0; i < thread_count; ++i)
        pthread_join(workers[i].thread, NULL);
    /* Something to do when the round ends. */
    for (unsigned i = 0; i < 100; ++i)
        act(s, random);
}

static void check_closing(stress* s) {
    call refused;
    init_call(&refused, s->database);
    API(refused.number = s->api->list_spaces(s->database->handle, 0, on_space_list, &refused));
    CHECK(await_call(&refused) == OPSTORE_CLOSING);
    int32_t drained;
    API(drained = s->api->drain_database(s->database->handle, 0));
    CHECK(drained == 0);
}

static void drain(stress* s, uint32_t timeout_ms) {
    int32_t result;
    do {
        API(result = s->api->drain_database(s->database->handle, timeout_ms));
        CHECK(result == 0 || (timeout_ms > 0 && result == OPSTORE_TIMED_OUT));
    } while (result != 0);
    for (stress_call* c = atomic_load(&s->calls); c; c = c->next)
        CHECK(atomic_load(&c->base.callbacks) == 1);
    check_closing(s);
}

static int compare_numbers(void const* a, void const* b) {
    uint64_t const x = *(uint64_t const*)a, y = *(uint64_t const*)b;
    return (x > y) - (x < y);
}

/* One callback each, one number each. Frees them. */
static size_t check_calls(stress* s) {
    size_t count = 0;
    for (stress_call* c = atomic_load(&s->calls); c; c = c->next)
        ++count;
    uint64_t* const numbers = calloc(count + 1, sizeof *numbers);
    CHECK(numbers != NULL);
    size_t i = 0;
    for (stress_call *c = atomic_load(&s->calls), *next; c; c = next) {
        CHECK(atomic_load(&c->base.callbacks) == 1);
        numbers[i++] = c->base.number;
        next = c->next;
        free(c);
    }
    atomic_store(&s->calls, NULL);
    qsort(numbers, count, sizeof *numbers, compare_numbers);
    for (i = 1; i < count; ++i)
        CHECK(numbers[i - 1] != numbers[i]);
    free(numbers);
    return count;
}

static void check_formats(stress* s) {
    for (format_context *f = atomic_load(&s->formats), *next; f; f = next) {
        CHECK(atomic_load(&f->released) == 1);
        next = f->next;
        free(f);
    }
    atomic_store(&s->formats, NULL);
}

static void run_round(stress* s, unsigned round, prng* random) {
    opstore_database_options options = test_options();
    options.callback_threads = 4;
    options.connections = 4;
    s->database = connect_host_database(s->api, &options);
    hammer(s, random);
    static char const* const endings[] = {"drained", "drained with time-outs", "destroyed while busy"};
    if (round % LENGTH(endings) == 0)
        drain(s, 0);
    else if (round % LENGTH(endings) == 1)
        drain(s, 1);
    destroy_host_database(s->database);
    for (size_t i = 0; i < space_count; ++i) {
        s->slots[i].space = NULL;
        CHECK(atomic_load(&s->slots[i].opening) == 0);
    }
    size_t const calls = check_calls(s);
    check_formats(s);
    free_host_database(s->database);
    printf("round %u: %zu calls, %s\n", round, calls, endings[round % LENGTH(endings)]);
}

/* ------------------------------------------------------------------------------------------ what must stay
 */

static void check_acknowledged(stress* s, slot const* on) {
    opstore_database_options const options = test_options();
    host_database* const database = connect_host_database(s->api, &options);
    format_context context = {0};
    opstore_op_format const format = host_format(&context);
    opstore_space_options wanted = {.struct_size = sizeof wanted, .must_exist = 1, .format = &format};
    wanted.key = (opstore_bytes){(uint8_t const*)on->key, strlen(on->key)};
    call opening;
    init_call(&opening, database);
    API(opening.number = s->api->open_space(database->handle, &wanted, 0, on_space, &opening));
    CHECK(await_call(&opening) == 0);

    opstore_bytes* const ids = calloc(on->acknowledged_count + 1, sizeof *ids);
    CHECK(ids != NULL);
    for (size_t i = 0; i < on->acknowledged_count; ++i)
        ids[i] = (opstore_bytes){on->acknowledged[i], HOST_ID_BYTES};
    call missing, damaged;
    init_call(&missing, database);
    init_call(&damaged, database);
    API(missing.number =
            s->api->filter_out_existing_ops(opening.space, ids, on->acknowledged_count, 0, on_ids, &missing));
    API(damaged.number = s->api->verify(opening.space, 0, on_verify, &damaged));
    CHECK(await_call(&missing) == 0);
    CHECK(missing.count == 0);
    CHECK(await_call(&damaged) == 0);
    CHECK(damaged.count == 0);
    CHECK(on->acknowledged_count > 0);
    destroy_host_database(database);
    CHECK(atomic_load(&context.released) == 1);
    free_host_database(database);
    free(ids);
    printf("space %s: all of %zu acknowledgements hold\n", on->key, on->acknowledged_count);
}

int main(int argc, char** argv) {
    if (argc < 2 || argc > 5) {
        fprintf(stderr, "usage: stress_host LIBRARY [ROUNDS [CALLS_PER_THREAD [SEED]]]\n");
        return 2;
    }
    on_host_thread = 1;
    unsigned const rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 6;
    static stress s;
    s.calls_per_thread = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 400;
    s.seed = argc > 4 ? strtoull(argv[4], NULL, 10) : (uint64_t)time(NULL);
    printf("seed %llu, %u rounds, %u calls a thread\n", (unsigned long long)s.seed, rounds,
           s.calls_per_thread);
    fflush(stdout);

    host_library library = load_library(argv[1], RTLD_NOW | RTLD_LOCAL);
    s.api = library.api;
    for (size_t i = 0; i < space_count; ++i) {
        pthread_rwlock_init(&s.slots[i].lock, NULL);
        pthread_mutex_init(&s.slots[i].acknowledged_mutex, NULL);
        snprintf(s.slots[i].key, sizeof s.slots[i].key, "stress %zu", i);
        s.slots[i].slices = i == 0 ? OPSTORE_SLICES_BY_HOST : OPSTORE_SLICES_BY_STORE;
    }
    prng random = {s.seed};
    for (unsigned round = 0; round < rounds; ++round)
        run_round(&s, round, &random);
    for (size_t i = 0; i < space_count; ++i) {
        if (i != doomed_space)
            check_acknowledged(&s, &s.slots[i]);
        free(s.slots[i].acknowledged);
    }
    unload_library(&library);
    for (size_t code = 0; code < LENGTH(s.codes); ++code) {
        if (atomic_load(&s.codes[code]) > 0)
            printf("code %zu: %u times\n", code, atomic_load(&s.codes[code]));
    }
    return 0;
}
