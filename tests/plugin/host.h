#ifndef OPSTORE_TESTS_PLUGIN_HOST_H
#define OPSTORE_TESTS_PLUGIN_HOST_H

/*
 * What the C hosts of the tests share: loading the library, calls whose callbacks are counted, and buffers
 * that are spoilt as soon as a function of the plugin has returned.
 *
 * Nothing here links the plugin, or anything that the plugin links. A broken promise ends the process with
 * the place where it was seen.
 */

#include <opstore/plugin/opstore_plugin.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/* ------------------------------------------------------------------------------------------------- checks */

#define CHECK(condition)                                     \
    do {                                                     \
        if (!(condition))                                    \
            host_fail(__FILE__, __LINE__, "%s", #condition); \
    } while (0)

__attribute__((noreturn, format(printf, 3, 4))) void host_fail(char const* file, int line, char const* format,
                                                               ...);

/* ------------------------------------------------------------------------------------------------ threads */

/* Whether this thread was made by the host. A callback must never come on one. */
extern _Thread_local int on_host_thread;

/* How many functions of the plugin this thread is inside of. A callback must never come in one. */
extern _Thread_local int api_depth;

/* Calls a function of the table, as an expression statement. */
#define API(statement) \
    do {               \
        ++api_depth;   \
        statement;     \
        --api_depth;   \
    } while (0)

/* ----------------------------------------------------------------------------------------------- library */

typedef struct host_library {
    void* handle;
    opstore_plugin const* api;
} host_library;

/* Loads and checks; `mode` as of dlopen(). */
host_library load_library(char const* path, int mode);
void unload_library(host_library* library);

/* A handle of a database under test. */
typedef struct host_database {
    opstore_plugin const* api;
    opstore_database* handle;
    atomic_int destroyed; /* destroy_database() has returned: no callback may come. */
} host_database;

/* The options for the server of the tests, from the environment; see with_schema.sh. */
opstore_database_options test_options(void);

/* Creates; fails the test if it cannot. */
host_database* create_host_database(opstore_plugin const* api, opstore_database_options const* options);
/* Creates and connects. */
host_database* connect_host_database(opstore_plugin const* api, opstore_database_options const* options);
/* Destroys the handle. The struct stays, for callbacks that should not come, until free_host_database(). */
void destroy_host_database(host_database* database);
void free_host_database(host_database* database);

/* -------------------------------------------------------------------------------------------------- calls */

/* A call that was started, and what its callback brought. Must be kept until the database is destroyed. */
typedef struct call {
    host_database* database;
    uint64_t number;       /* As the function returned it. */
    atomic_uint callbacks; /* How often the callback came: 1 in the end. */

    /* Set before `callbacks` is. */
    int32_t code; /* 0: an answer. */
    uint32_t retryable, commit_in_doubt;
    char message[256];
    uint64_t count;                      /* The number answered, or the number of elements. */
    opstore_space* space;                /* Of open_space(). */
    opstore_ingest_report const* report; /* During `inside` only. */

    /* Called in the callback, if not NULL, before `callbacks` is set. */
    void (*inside)(struct call*);
    void* context;
    struct call* next; /* For lists of them. */
} call;

void init_call(call* c, host_database* database);
/* Waits for the callback, at most two minutes. Answers the code. */
int32_t await_call(call* c);

/* Checks what holds for every callback and notes the rest; what the callbacks below have in common. */
void note_callback(void* user, opstore_error const* error, int answered, uint64_t count);

void on_done(void* user, opstore_error const* error);
void on_space(void* user, opstore_error const* error, opstore_space* space);
void on_space_list(void* user, opstore_error const* error, opstore_space_list const* list);
void on_ingest(void* user, opstore_error const* error, opstore_ingest_report const* report);
void on_ids(void* user, opstore_error const* error, opstore_ids const* ids);
void on_page(void* user, opstore_error const* error, opstore_page const* page);
void on_ops(void* user, opstore_error const* error, opstore_ops const* ops);
void on_times(void* user, opstore_error const* error, opstore_times const* times);
void on_count(void* user, opstore_error const* error, uint64_t count);
void on_hash(void* user, opstore_error const* error, opstore_bytes hash);
void on_slice_hashes(void* user, opstore_error const* error, opstore_slice_hash_lists const* lists);
void on_sector_hashes(void* user, opstore_error const* error, opstore_sector_hash_lists const* lists);
void on_summary(void* user, opstore_error const* error, opstore_summary const* summary);
void on_space_hashes(void* user, opstore_error const* error, opstore_space_hashes const* hashes);
void on_tail(void* user, opstore_error const* error, opstore_tail const* tail);
void on_disc_slices(void* user, opstore_error const* error, opstore_disc_slices const* slices);
void on_region_ids(void* user, opstore_error const* error, opstore_region_id_lists const* lists);
void on_region_page(void* user, opstore_error const* error, opstore_region_page const* page);
void on_seal(void* user, opstore_error const* error, opstore_seal_report const* report);
void on_verify(void* user, opstore_error const* error, opstore_verify_report const* report);
void on_stat(void* user, opstore_error const* error, opstore_stat const* stat);
void on_peer_entries(void* user, opstore_error const* error, opstore_peer_entries const* entries);

/* ------------------------------------------------------------------------------------- random numbers, data
 */

/* A seed gives the same numbers everywhere. Not for several threads at once. */
typedef struct prng {
    uint64_t state;
} prng;

uint64_t next_random(prng* r);
/* 0 to bound - 1. */
uint64_t random_below(prng* r, uint64_t bound);
/* True in `percent` of 100 cases. */
int chance(prng* r, unsigned percent);

/* Memory handed to one function of the plugin, and spoilt as soon as that has returned. */
typedef struct scratch {
    struct scratch_block* blocks;
} scratch;

/* Zeroed; never NULL. */
void* scratch_take(scratch* s, size_t size);
void scratch_spoil(scratch* s);

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define TEXT(literal) ((opstore_text){(literal), sizeof(literal) - 1})
#define BYTES(literal) ((opstore_bytes){(uint8_t const*)(literal), sizeof(literal) - 1})

#endif
