#include <tests/plugin/host.h>

#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Thread_local int on_host_thread = 0;
_Thread_local int api_depth = 0;

void host_fail(char const* file, int line, char const* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: broken: ", file, line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    fflush(stdout);
    abort();
}

/* ------------------------------------------------------------------------------------------------ library */

host_library load_library(char const* path, int mode) {
    host_library library = {.handle = dlopen(path, mode)};
    if (!library.handle)
        host_fail(__FILE__, __LINE__, "dlopen: %s", dlerror());
    /* ISO C has no cast from an object pointer to a function pointer; POSIX says that this works. */
    void* const symbol = dlsym(library.handle, OPSTORE_PLUGIN_SYMBOL);
    CHECK(symbol != NULL);
    opstore_plugin_entry entry;
    memcpy(&entry, &symbol, sizeof entry);
    library.api = entry();
    CHECK(library.api->magic == OPSTORE_PLUGIN_MAGIC);
    CHECK(library.api->abi_version == OPSTORE_PLUGIN_ABI_VERSION);
    CHECK(OPSTORE_HAS(library.api, remove_peer_meta));
    return library;
}

void unload_library(host_library* library) {
    CHECK(dlclose(library->handle) == 0);
    library->handle = NULL;
    library->api = NULL;
}

static opstore_text text_of(char const* variable) {
    char const* const value = getenv(variable);
    if (!value || !*value)
        host_fail(__FILE__, __LINE__, "%s is not set; run this through with_schema.sh", variable);
    return (opstore_text){value, strlen(value)};
}

opstore_database_options test_options(void) {
    opstore_database_options options = {.struct_size = sizeof options, .migrate = 1};
    options.conninfo = text_of("OPSTORE_HOST_CONNINFO");
    options.schema = text_of("OPSTORE_HOST_SCHEMA");
    return options;
}

host_database* create_host_database(opstore_plugin const* api, opstore_database_options const* options) {
    host_database* const database = calloc(1, sizeof *database);
    CHECK(database != NULL);
    database->api = api;
    opstore_failure failure = {.struct_size = sizeof failure};
    API(database->handle = api->create_database(options, &failure));
    if (!database->handle)
        host_fail(__FILE__, __LINE__, "create_database: %s", failure.message);
    return database;
}

host_database* connect_host_database(opstore_plugin const* api, opstore_database_options const* options) {
    host_database* const database = create_host_database(api, options);
    call connecting;
    init_call(&connecting, database);
    API(connecting.number = api->connect_database(database->handle, on_done, &connecting));
    if (await_call(&connecting) != 0)
        host_fail(__FILE__, __LINE__, "connect_database: %s", connecting.message);
    return database;
}

void destroy_host_database(host_database* database) {
    int32_t result;
    API(result = database->api->destroy_database(database->handle));
    CHECK(result == 0);
    atomic_store(&database->destroyed, 1);
}

void free_host_database(host_database* database) {
    CHECK(atomic_load(&database->destroyed));
    free(database);
}

/* -------------------------------------------------------------------------------------------------- calls */

static pthread_mutex_t arrival_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrival = PTHREAD_COND_INITIALIZER;

void init_call(call* c, host_database* database) {
    memset(c, 0, sizeof *c);
    c->database = database;
}

int32_t await_call(call* c) {
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 120;
    CHECK(c->number != 0);
    pthread_mutex_lock(&arrival_mutex);
    while (atomic_load(&c->callbacks) == 0) {
        if (pthread_cond_timedwait(&arrival, &arrival_mutex, &limit) != 0)
            host_fail(__FILE__, __LINE__, "no callback within two minutes");
    }
    pthread_mutex_unlock(&arrival_mutex);
    return c->code;
}

static void check_text(opstore_text text) {
    CHECK(text.data != NULL || text.size == 0);
    CHECK(text.size == 0 || text.data[text.size] == '\0');
    /* No control characters, and of UTF-8 at least the structure. */
    unsigned more = 0;
    for (size_t i = 0; i < text.size; ++i) {
        unsigned const byte = (uint8_t)text.data[i];
        if (more > 0) {
            CHECK(byte >> 6 == 2);
            --more;
        } else {
            CHECK(byte >= 0x20 && byte != 0x7f && (byte < 0x80 || byte >= 0xc2));
            more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
        }
    }
    CHECK(more == 0);
}

static void note_error(call* c, opstore_error const* error) {
    CHECK(error->struct_size == sizeof *error);
    CHECK((error->code >= OPSTORE_NO_SUCH_SPACE && error->code <= OPSTORE_OVERLOADED) ||
          (error->code >= OPSTORE_CANCELLED && error->code <= OPSTORE_INTERNAL));
    CHECK(error->retryable <= 1 && error->commit_in_doubt <= 1);
    CHECK(error->message.size > 0);
    check_text(error->message);
    check_text(error->sqlstate);
    check_text(error->statement);
    CHECK(error->sqlstate.size == 0 || error->sqlstate.size == 5);
    c->code = error->code;
    c->retryable = error->retryable;
    c->commit_in_doubt = error->commit_in_doubt;
    snprintf(c->message, sizeof c->message, "%s", error->message.data);
}

void note_callback(void* user, opstore_error const* error, int answered, uint64_t count) {
    call* const c = user;
    CHECK(!on_host_thread);
    CHECK(api_depth == 0);
    CHECK(!atomic_load(&c->database->destroyed));
    CHECK((error != NULL) == !answered);
    if (error) {
        note_error(c, error);
        CHECK(count == 0);
    }
    c->count = count;
    if (c->inside)
        c->inside(c);
    pthread_mutex_lock(&arrival_mutex);
    CHECK(atomic_fetch_add(&c->callbacks, 1) == 0);
    pthread_cond_broadcast(&arrival);
    pthread_mutex_unlock(&arrival_mutex);
}

/* An answer behind a pointer: it has its size, and there is one exactly if there is no error. */
#define NOTE(answer, count_field)                                                                     \
    do {                                                                                              \
        CHECK(!(answer) || (answer)->struct_size == sizeof *(answer));                                \
        note_callback(user, error, (answer) != NULL, (answer) ? (uint64_t)(answer)->count_field : 0); \
    } while (0)

void on_done(void* user, opstore_error const* error) {
    note_callback(user, error, error == NULL, 0);
}

void on_space(void* user, opstore_error const* error, opstore_space* space) {
    ((call*)user)->space = space;
    note_callback(user, error, space != NULL, 0);
}

void on_ingest(void* user, opstore_error const* error, opstore_ingest_report const* report) {
    ((call*)user)->report = report;
    NOTE(report, held_count);
}

void on_count(void* user, opstore_error const* error, uint64_t count) {
    note_callback(user, error, error == NULL, count);
}

void on_hash(void* user, opstore_error const* error, opstore_bytes hash) {
    CHECK(!error || (hash.data == NULL && hash.size == 0));
    note_callback(user, error, error == NULL, hash.size);
}

void on_space_list(void* user, opstore_error const* error, opstore_space_list const* list) {
    NOTE(list, count);
}

void on_ids(void* user, opstore_error const* error, opstore_ids const* ids) {
    NOTE(ids, count);
}

void on_page(void* user, opstore_error const* error, opstore_page const* page) {
    NOTE(page, count);
}

void on_ops(void* user, opstore_error const* error, opstore_ops const* ops) {
    NOTE(ops, count);
}

void on_times(void* user, opstore_error const* error, opstore_times const* times) {
    NOTE(times, count);
}

void on_slice_hashes(void* user, opstore_error const* error, opstore_slice_hash_lists const* lists) {
    NOTE(lists, count);
}

void on_sector_hashes(void* user, opstore_error const* error, opstore_sector_hash_lists const* lists) {
    NOTE(lists, count);
}

void on_summary(void* user, opstore_error const* error, opstore_summary const* summary) {
    NOTE(summary, ring_count);
}

void on_space_hashes(void* user, opstore_error const* error, opstore_space_hashes const* hashes) {
    NOTE(hashes, op_count);
}

void on_tail(void* user, opstore_error const* error, opstore_tail const* tail) {
    NOTE(tail, count);
}

void on_disc_slices(void* user, opstore_error const* error, opstore_disc_slices const* slices) {
    NOTE(slices, count);
}

void on_region_ids(void* user, opstore_error const* error, opstore_region_id_lists const* lists) {
    NOTE(lists, count);
}

void on_region_page(void* user, opstore_error const* error, opstore_region_page const* page) {
    NOTE(page, count);
}

void on_seal(void* user, opstore_error const* error, opstore_seal_report const* report) {
    NOTE(report, sealed);
}

void on_verify(void* user, opstore_error const* error, opstore_verify_report const* report) {
    NOTE(report, damage_count);
}

void on_stat(void* user, opstore_error const* error, opstore_stat const* stat) {
    NOTE(stat, op_count);
}

void on_peer_entries(void* user, opstore_error const* error, opstore_peer_entries const* entries) {
    NOTE(entries, count);
}

/* ------------------------------------------------------------------------------------- random numbers, data
 */

uint64_t next_random(prng* r) {
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t random_below(prng* r, uint64_t bound) {
    return next_random(r) % bound;
}

int chance(prng* r, unsigned percent) {
    return random_below(r, 100) < percent;
}

struct scratch_block {
    struct scratch_block* next;
    size_t size;
    max_align_t data[];
};

void* scratch_take(scratch* s, size_t size) {
    struct scratch_block* const block = calloc(1, sizeof *block + size + 1);
    CHECK(block != NULL);
    block->next = s->blocks;
    block->size = size;
    s->blocks = block;
    return block->data;
}

void scratch_spoil(scratch* s) {
    while (s->blocks) {
        struct scratch_block* const block = s->blocks;
        s->blocks = block->next;
        memset(block->data, 0xa5, block->size);
        free(block);
    }
}
