/*
 * A small peer in C that keeps its ops in PostgreSQL: it loads the plugin, stores a batch of ops of a format
 * of its own, walks what there is page by page, and fetches the ops as it would for another peer.
 *
 *     peer_host LIBRARY CONNINFO [SCHEMA]
 *     peer_host ./libopstore_postgres.so "host=localhost dbname=gossip user=peer"
 *
 * All that it needs is opstore_plugin.h; it links nothing but libdl.
 */

#include <opstore/plugin/opstore_plugin.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------- the own format
 */

/*
 * What this peer gossips: created_at in microseconds (8 bytes, little-endian), then a text. A real peer
 * checks a signature here, and takes a cryptographic hash as the id: who can choose ids can take the place of
 * an op.
 */
enum { header_size = 8, id_size = 16 };

static uint64_t read_le64(uint8_t const* from) {
    uint64_t value = 0;
    for (int i = 7; i >= 0; --i)
        value = value << 8 | from[i];
    return value;
}

static void write_le64(uint8_t* to, uint64_t value) {
    for (int i = 0; i < 8; ++i, value >>= 8)
        to[i] = (uint8_t)value;
}

/* FNV-1a. */
static uint64_t hash_bytes(opstore_bytes bytes, uint64_t hash) {
    for (size_t i = 0; i < bytes.size; ++i)
        hash = (hash ^ bytes.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Pure: the same bytes give the same answer, on each peer and on whatever thread of the plugin this runs. */
static int32_t decode(void* context, opstore_bytes op, opstore_bytes metadata, opstore_decoded_op* decoded) {
    (void)context;
    (void)metadata;
    if (op.size < header_size) {
        snprintf(decoded->message, sizeof decoded->message, "an op of %zu bytes has no time", op.size);
        return OPSTORE_UNREADABLE;
    }
    decoded->created_at = (int64_t)read_le64(op.data);
    decoded->id_size = id_size;
    write_le64(decoded->id, hash_bytes(op, UINT64_C(0xcbf29ce484222325)));
    write_le64(decoded->id + 8, hash_bytes(op, UINT64_C(0x84222325cbf29ce4)));
    return 0;
}

/* -------------------------------------------------------------------------------------- waiting for an
 * answer */

/*
 * The plugin answers on a thread of its own. A host with an event loop would wake that; this one waits.
 * What a callback gets ends when it returns, so `take` copies what has to stay.
 */
typedef struct answer {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int arrived;
    int32_t code; /* 0: no error. */
    char message[512];
} answer;

#define ANSWER \
    { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, "" }

/* The last thing that a callback does: the waiting thread may return right then. */
static void arrive(answer* a, opstore_error const* error) {
    pthread_mutex_lock(&a->mutex);
    if (error) {
        a->code = error->code;
        snprintf(a->message, sizeof a->message, "%s", error->message.data);
    }
    a->arrived = 1;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->mutex);
}

/* Ends the program if the call could not begin, or ended with an error. */
static void await(answer* a, uint64_t call, char const* what) {
    if (call == 0) {
        fprintf(stderr, "%s did not begin\n", what);
        exit(1);
    }
    pthread_mutex_lock(&a->mutex);
    while (!a->arrived)
        pthread_cond_wait(&a->changed, &a->mutex);
    pthread_mutex_unlock(&a->mutex);
    if (a->code != 0) {
        fprintf(stderr, "%s: error %d: %s\n", what, a->code, a->message);
        exit(1);
    }
}

static void* allocate(size_t size) {
    void* const memory = malloc(size > 0 ? size : 1);
    if (!memory) {
        fprintf(stderr, "no memory\n");
        exit(1);
    }
    return memory;
}

/* ------------------------------------------------------------------------------------------------- a
 * database */

static opstore_plugin const* load_plugin(char const* path, void** library) {
    *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!*library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    void* const symbol = dlsym(*library, OPSTORE_PLUGIN_SYMBOL);
    opstore_plugin const* api = NULL;
    if (symbol) {
        /* ISO C casts no object pointer to a function; POSIX promises that the bytes are the same. */
        opstore_plugin_entry entry;
        memcpy(&entry, &symbol, sizeof entry);
        api = entry();
    }
    if (!api || api->magic != OPSTORE_PLUGIN_MAGIC || api->abi_version != OPSTORE_PLUGIN_ABI_VERSION) {
        fprintf(stderr, "%s is not the plugin that this program knows\n", path);
        exit(1);
    }
    return api;
}

static void on_done(void* user, opstore_error const* error) {
    arrive(user, error);
}

static opstore_database* connect_database(opstore_plugin const* api, char const* conninfo,
                                          char const* schema) {
    opstore_database_options options = {.struct_size = sizeof options, .migrate = 1};
    options.conninfo = (opstore_text){conninfo, strlen(conninfo)};
    options.schema = (opstore_text){schema, strlen(schema)};
    opstore_failure failure = {.struct_size = sizeof failure};
    opstore_database* const database = api->create_database(&options, &failure);
    if (!database) {
        fprintf(stderr, "create_database: %s\n", failure.message);
        exit(1);
    }
    answer connected = ANSWER;
    await(&connected, api->connect_database(database, on_done, &connected), "connect_database");
    return database;
}

typedef struct space_answer {
    answer answer;
    opstore_space* space;
} space_answer;

static void on_space(void* user, opstore_error const* error, opstore_space* space) {
    space_answer* const a = user;
    a->space = space;
    arrive(&a->answer, error);
}

static opstore_space* open_space(opstore_plugin const* api, opstore_database* database, char const* key) {
    opstore_op_format const format = {
        .struct_size = sizeof format, .id_size = id_size, .name = {"peer_host", 9}, .decode = decode};
    opstore_space_options options = {.struct_size = sizeof options, .format = &format};
    options.key = (opstore_bytes){(uint8_t const*)key, strlen(key)};
    space_answer opened = {ANSWER, NULL};
    await(&opened.answer, api->open_space(database, &options, 0, on_space, &opened), "open_space");
    return opened.space;
}

/* ------------------------------------------------------------------------------------------------- the
 * methods */

static opstore_incoming_op make_op(int64_t created_at, char const* text) {
    size_t const size = header_size + strlen(text);
    uint8_t* const bytes = allocate(size);
    write_le64(bytes, (uint64_t)created_at);
    memcpy(bytes + header_size, text, size - header_size);
    return (opstore_incoming_op){.data = {bytes, size}};
}

/* One outcome for each op, by position: so a rejected op in the middle shifts nothing. */
static void on_ingest(void* user, opstore_error const* error, opstore_ingest_report const* report) {
    static char const* const words[] = {"rejected", "stored", "held before"};
    for (size_t i = 0; report && i < report->outcome_count; ++i)
        printf("op %zu: %s\n", i, words[report->outcomes[i].what]);
    for (size_t i = 0; report && i < report->rejected_count; ++i)
        printf("op %zu: %s\n", report->rejected[i].index, report->rejected[i].message.data);
    arrive(user, error);
}

static void ingest(opstore_plugin const* api, opstore_space* space) {
    opstore_incoming_op ops[] = {make_op(1700000000000000, "hello, ring"), make_op(0, "spoilt on the way"),
                                 make_op(1700000000000001, "hello again")};
    enum { count = sizeof ops / sizeof *ops };
    ops[1].data.size = 3;
    answer stored = ANSWER;
    uint64_t const call = api->process_incoming_ops(space, ops, count, 0, on_ingest, &stored);
    /* The plugin has copied them. */
    for (size_t i = 0; i < count; ++i)
        free((void*)ops[i].data.data);
    await(&stored, call, "process_incoming_ops");
}

typedef struct page_answer {
    answer answer;
    uint8_t (*ids)[id_size];
    size_t count;
    int64_t next;
    int cut;
} page_answer;

static void on_page(void* user, opstore_error const* error, opstore_page const* page) {
    page_answer* const a = user;
    if (page) {
        a->ids = allocate(page->count * sizeof *a->ids);
        a->count = page->count;
        for (size_t i = 0; i < page->count; ++i)
            memcpy(a->ids[i], page->ids[i].data, id_size);
        a->next = page->next;
        a->cut = page->cut != 0;
    }
    arrive(&a->answer, error);
}

static void on_ops(void* user, opstore_error const* error, opstore_ops const* ops) {
    for (size_t i = 0; ops && i < ops->count; ++i) {
        opstore_op const* const op = &ops->ops[i];
        printf("  created at %lld: %.*s\n", (long long)op->created_at, (int)(op->data.size - header_size),
               (char const*)op->data.data + header_size);
    }
    arrive(user, error);
}

static void fetch(opstore_plugin const* api, opstore_space* space, page_answer const* page) {
    opstore_bytes* const ids = allocate(page->count * sizeof *ids);
    for (size_t i = 0; i < page->count; ++i)
        ids[i] = (opstore_bytes){page->ids[i], id_size};
    answer fetched = ANSWER;
    uint64_t const call = api->retrieve_ops(space, ids, page->count, 0, on_ops, &fetched);
    free(ids);
    await(&fetched, call, "retrieve_ops");
}

/*
 * Visits every op once, in the order in which they came to be seen. What `next` says at the end is worth
 * keeping (put_peer_meta() does): from there on the next walk sees what is new, and nothing else.
 */
static int64_t walk(opstore_plugin const* api, opstore_space* space, int64_t start) {
    opstore_arc const whole_ring = {OPSTORE_ARC_RANGE, 0, UINT32_MAX};
    uint64_t const limit_bytes = 20; /* A page for each of our ops. A real peer takes a megabyte. */
    for (int cut = 1; cut;) {
        page_answer page = {ANSWER, NULL, 0, 0, 0};
        await(&page.answer,
              api->retrieve_op_ids_bounded(space, whole_ring, start, limit_bytes, 0, on_page, &page),
              "retrieve_op_ids_bounded");
        printf("a page of %zu\n", page.count);
        fetch(api, space, &page);
        free(page.ids);
        start = page.next;
        cut = page.cut;
    }
    return start;
}

int main(int argc, char** argv) {
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: peer_host LIBRARY CONNINFO [SCHEMA]\n");
        return 2;
    }
    void* library;
    opstore_plugin const* const api = load_plugin(argv[1], &library);
    printf("opstore %s\n", api->version);
    opstore_database* const database = connect_database(api, argv[2], argc == 4 ? argv[3] : "");
    opstore_space* const space = open_space(api, database, "a peer in C");

    ingest(api, space);
    int64_t const seen = walk(api, space, 0);
    ingest(api, space);     /* The same ops again: nothing is new, */
    walk(api, space, seen); /* so there is nothing to see. */

    api->close_space(space);
    api->drain_database(database, 0); /* Lets calls end; without it they would be cancelled here: */
    api->destroy_database(database);
    dlclose(library);
    return 0;
}
