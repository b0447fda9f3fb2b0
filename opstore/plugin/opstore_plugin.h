#ifndef OPSTORE_PLUGIN_H
#define OPSTORE_PLUGIN_H

/*
 * opstore_plugin.h - the op store of a gossip peer, for hosts in any language that can call C.
 *
 * libopstore_postgres.so exports one symbol, opstore_plugin_v1(), which answers a table of functions. A host
 * loads the library, checks the table, and calls through it; it links nothing.
 *
 *     void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
 *     opstore_plugin_entry entry;
 *     *(void**)&entry = dlsym(library, OPSTORE_PLUGIN_SYMBOL);
 *     opstore_plugin const* api = entry();
 *     if (api->magic != OPSTORE_PLUGIN_MAGIC || api->abi_version != OPSTORE_PLUGIN_ABI_VERSION)
 *         ...not this plugin, or not this version of it: use nothing else of the table.
 *
 * `path` is the whole path: the library lies in a folder of its own, where dlopen() does not look by itself.
 * The Debian package has it in /usr/lib/MACHINE/opstore/, MACHINE being x86_64-linux-gnu or the like;
 * `pkg-config --variable=plugin opstore-plugin` prints it, CMake's find_package(opstore) sets opstore_PLUGIN.
 * RTLD_LOCAL keeps the libraries that it stands on, libpq and OpenSSL among them, out of the host's name
 * space. A host that exports functions of their names itself adds RTLD_DEEPBIND, so that the plugin's
 * libraries find their own first.
 *
 * This header says how the methods are called. What they promise is in contract.md, with the bytes of the
 * built-in formats, slices and stretches; embedding.md is a guide, and peer_host.c a complete host. They are
 * in docs/ of the sources, and in /usr/share/doc/libopstore-dev of the Debian package.
 *
 *
 * LIFE OF A HOST
 *
 *     create_database()      allocates, starts the callback threads; no I/O
 *     connect_database()     asynchronous; reaches the server, migrates if asked
 *     open_space()           asynchronous; as many spaces as wanted
 *     process_incoming_ops(), retrieve_ops(), ...
 *     close_space()          at any time; calls in flight go on
 *     drain_database()       optional: no new calls, wait for those in flight
 *     destroy_database()     cancels what is left, waits for the last callback, frees everything
 *
 * Do not dlclose() the library before destroy_database() has returned for each database.
 *
 *
 * CALLS AND CALLBACKS
 *
 * A function that takes a callback starts a call and returns at once; it never blocks on I/O. It copies all
 * that it is given before it returns: the host may free or change its buffers then.
 *
 * It returns the number of the call, for cancel_call(), unique within the database. Then the callback is
 * called EXACTLY ONCE, whatever happens: an answer, an error, a cancel, destroy_database(). It is called
 * - on one of the callback threads of the database (opstore_database_options.callback_threads), never on a
 *   thread of the host and never before the function that takes it was entered; it MAY come before that
 *   function has returned on its own thread;
 * - never inline: a callback that starts calls is not entered again from within them;
 * - in no promised order relative to the callbacks of other calls; with one callback thread one at a time.
 *
 * It returns 0 if the call could not begin; the callback is never called then. That is so only if the handle
 * or the callback is NULL, or no memory is left.
 *
 * A callback gets the `user` pointer of its call, an error or NULL, and an answer. If there is an error, the
 * answer is NULL or zero; else the answer is there. Error and answer, with all they point to, belong to the
 * plugin and end when the callback returns: copy what has to stay. A callback must return (no longjmp, no
 * exception) and should not wait: it holds up others. It may start calls, cancel calls and close spaces; it
 * must not call drain_database() or destroy_database() of its own database (they refuse).
 *
 * Thread safety: every function may be called from any thread at once. But once destroy_database() is called,
 * only callbacks of that database may still use it, until it returns: no other thread may still be inside a
 * function, not even in one that began a call whose callback has come. And nothing uses a space during or
 * after its close_space(). A callback that answers each OPSTORE_CLOSING with a new call would keep it from
 * ever returning.
 *
 * fork(): a child must not use handles of its parent; it may exit, or make a database of its own. A process
 * may exit without destroy_database(). Signals: the plugin's threads block all of them.
 *
 *
 * DATA
 *
 * - Bytes and texts are pointer + length. Texts are UTF-8 where people read them, and those that the plugin
 *   hands out are followed by a zero byte that is not counted. Length 0 allows a NULL pointer.
 * - Arrays are pointer + count; count 0 allows a NULL pointer. Lengths and counts are at most 2^32.
 * - Times are int64 microseconds since the Unix epoch. Time-outs are uint32 milliseconds for the whole call
 *   with all its waiting; 0 is the database's default_timeout_ms.
 * - Truth values are uint32: 0 is no, anything else yes; the plugin gives 0 or 1.
 * - Byte sums are 64 bit; `..._narrow` beside them is the same number, at most 2^31-1, for hosts whose own
 *   interface keeps it in 32 bits. A host that adds to it before it casts (kitsune2 does) cuts it lower.
 *
 *
 * VERSIONS
 *
 * Every struct that may grow begins with struct_size. Who fills the struct sets it to sizeof of the struct
 * as it knows it; who reads it uses no field beyond. New fields come at the end. All zero is the default of
 * every option, so a host begins with `opstore_space_options options = {.struct_size = sizeof options};`.
 * A struct from a host that is longer than the plugin knows is taken if all bytes beyond are zero, and
 * refused (OPSTORE_INVALID_ARGUMENT) if not: what the plugin does not know was asked for. One shorter than
 * in the first version is refused too. Structs without struct_size, the elements of arrays, never change.
 * A table function that the host knows and the plugin does not lies beyond the table's struct_size: see
 * OPSTORE_HAS(). abi_version changes only if something that was there changes its meaning.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "opstore", then the byte 1, in the order of the machine's memory on little-endian. */
#define OPSTORE_PLUGIN_MAGIC UINT64_C(0x0165726f7473706f)
#define OPSTORE_PLUGIN_ABI_VERSION 1u
#define OPSTORE_PLUGIN_SYMBOL "opstore_plugin_v1"

/* Whether a struct with a struct_size, behind pointer `s`, reaches as far as its field. */
#define OPSTORE_HAS(s, field) \
    ((s)->struct_size >= (size_t)((char const*)&(s)->field - (char const*)(s)) + sizeof((s)->field))

/* ------------------------------------------------------------------------------------------------ values */

typedef struct opstore_bytes {
    uint8_t const* data;
    size_t size;
} opstore_bytes;

typedef struct opstore_text {
    char const* data;
    size_t size; /* Bytes, without the zero byte behind them. */
} opstore_text;

/* An arc of the ring of 2^32 locations, both ends inclusive, wrapping where start > end. All zero is Empty.
 */
typedef struct opstore_arc {
    uint32_t kind; /* OPSTORE_ARC_... */
    uint32_t start;
    uint32_t end;
} opstore_arc;

#define OPSTORE_ARC_EMPTY 0u
#define OPSTORE_ARC_RANGE 1u

/* A set of the 512 sectors of 2^23 locations: sector k is bit k % 32, from the lowest, of word k / 32. */
typedef struct opstore_sector_set {
    uint32_t words[16];
} opstore_sector_set;

/* A span of creation time, [start, end). */
typedef struct opstore_time_range {
    int64_t start;
    int64_t end;
} opstore_time_range;

typedef struct opstore_maybe_time {
    uint32_t present;
    int64_t value; /* 0 if it is not present. */
} opstore_maybe_time;

/* ------------------------------------------------------------------------------------------------ errors */

/* Codes of opstore_error. Never renumbered; a host takes one that it does not know as OPSTORE_INTERNAL. */
enum {
    OPSTORE_NO_SUCH_SPACE = 1,        /* Never created, or dropped. */
    OPSTORE_SPACE_DIFFERS = 2,        /* It exists with other options; the message names which. */
    OPSTORE_INVALID_ARGUMENT = 3,     /* The message names it. */
    OPSTORE_SLICES_KEPT_BY_STORE = 4, /* A slice hash of a sector, in slice mode store. */
    OPSTORE_SCHEMA_MISMATCH = 5,      /* Run `opstore init` of the newer version; the message has both. */
    OPSTORE_UNAVAILABLE = 6,          /* The server cannot be reached, or went away. Or: no threads. */
    OPSTORE_TIMED_OUT = 7,            /* Look at commit_in_doubt. */
    /* Cancelled when the write was under way: it may have happened, or may happen shortly, even behind a
       later call. Every write may be repeated. */
    OPSTORE_CANCELLED_IN_DOUBT = 8,
    OPSTORE_REJECTED_BY_DATABASE = 9, /* The sqlstate tells why. */
    OPSTORE_OVERLOADED = 10, /* 65 536 ingests of the space wait, or as many calls for a connection. */

    OPSTORE_CANCELLED = 100,     /* By cancel_call() or destroy_database(); nothing was changed. */
    OPSTORE_CLOSING = 101,       /* Begun after drain_database() or destroy_database(). */
    OPSTORE_NOT_CONNECTED = 102, /* connect_database() has not succeeded yet. */
    OPSTORE_WRONG_THREAD = 103,  /* A function that waits for callbacks was called from one. */
    OPSTORE_OUT_OF_MEMORY = 104,
    OPSTORE_INTERNAL = 105 /* A bug in the plugin; report the message. */
};

typedef struct opstore_error {
    uint32_t struct_size;
    int32_t code;
    uint32_t retryable;       /* The same call may succeed later, unchanged; also one that was cancelled. */
    uint32_t commit_in_doubt; /* A write may have happened although no answer came, or a part of one. */
    opstore_text message;     /* A sentence that names the offending thing. */
    opstore_text sqlstate;    /* Five characters, or empty if no server said anything. */
    opstore_text statement;   /* Name of the statement that failed, or empty. */
} opstore_error;

/* For functions without a callback: filled in if they fail. The host sets struct_size, and an older plugin
   lowers it to what it fills in; with one that is less than in the first version, it is left alone. */
typedef struct opstore_failure {
    uint32_t struct_size;
    int32_t code;
    char message[512]; /* Ends with a zero byte; cut if longer. */
} opstore_failure;

/* --------------------------------------------------------------------------------------------- op format */

/* Reasons of rejections. Never renumbered. An op with several faults has any one of them. */
enum {
    OPSTORE_UNREADABLE = 1,           /* The bytes do not follow the space's format. */
    OPSTORE_WRONG_ID = 2,             /* The claimed id is not the id of the bytes. */
    OPSTORE_WRONG_ID_LENGTH = 3,      /* An id of another length than the space's. */
    OPSTORE_CREATED_BEFORE_EPOCH = 4, /* created_at < 0. */
    OPSTORE_TOO_LARGE = 5,            /* More bytes than the space's max_op_bytes. */
    OPSTORE_TOO_FAR_IN_FUTURE = 6,    /* created_at beyond the space's max_future. */
    OPSTORE_BAD_SIGNATURE = 7,        /* The signature does not cover the bytes. */
    OPSTORE_REFUSED_BY_HOST = 8       /* The host's own format said no. */
};

#define OPSTORE_ID_BYTES_MAX 64

/* What a host's decode() fills in; all zero before. */
typedef struct opstore_decoded_op {
    uint8_t id[OPSTORE_ID_BYTES_MAX];
    uint32_t id_size;
    int64_t created_at;
    char message[256]; /* Of a rejection: a sentence in UTF-8, ended by a zero byte; may stay empty. */
} opstore_decoded_op;

/*
 * A host's own op format: how the bytes of an op tell its id and its time, and how an id tells its place.
 *
 * The functions are pure: the same input gives the same answer, on every peer and in every run. They are
 * called on threads of the plugin, several at once, for the ops of a process_incoming_ops(): those of a small
 * batch on a callback thread, which they hold up. What a cancelled call began may go on behind its callback,
 * but never behind release(). They call nothing of the plugin; drain_database() and destroy_database() would
 * wait for themselves and refuse. The bytes they get end when they return.
 * decode() trusts no length inside the op: peers send what they like.
 */
typedef struct opstore_op_format {
    uint32_t struct_size;
    uint32_t id_size;  /* Of every id that decode() computes, 1 to OPSTORE_ID_BYTES_MAX. */
    opstore_text name; /* 1 to 63 bytes, copied, remembered by the space; none of the built-in ones. */
    void* context;     /* Passed to the functions. */

    /* 0: *decoded is filled in; an id of another size than id_size has the op rejected. Else the reason to
       reject this op (OPSTORE_UNREADABLE, ...; any other number counts as OPSTORE_REFUSED_BY_HOST), and the
       message if there is more to say. `metadata` is what came with the op in opstore_incoming_op. */
    int32_t (*decode)(void* context, opstore_bytes op, opstore_bytes metadata, opstore_decoded_op* decoded);

    /* The location of an id of id_size bytes. NULL: XOR of its successive 4-byte groups, read as
       little-endian, as kitsune2 does it. */
    uint32_t (*locate)(void* context, opstore_bytes id);

    /* Called once, when the plugin will use context no more: behind an open_space() that failed, or when the
       space is closed and its last call has ended; before destroy_database() returns. On any thread, also on
       that of the host, before open_space(), close_space() or destroy_database() returns: hold no lock there
       that it takes. May be NULL.
       Not called if open_space() returned 0, nor if the struct_size of the format, or of the options around
       it, is less than in the first version; whatever else is refused, it is called. */
    void (*release)(void* context);
} opstore_op_format;

/* --------------------------------------------------------------------------------------- database, spaces */

typedef struct opstore_database opstore_database;
typedef struct opstore_space opstore_space;

typedef struct opstore_database_options {
    uint32_t struct_size;
    uint32_t migrate; /* connect_database() brings the schema to this version first; else it must be there. */

    /* A libpq conninfo string or URI; what it leaves out comes from the PG* environment, as with psql. */
    opstore_text conninfo;
    /* Instead: a directory for a private server, which is made, started and migrated as needed, and outlives
       the process: `OPSTORE_HOME=<directory> opstore server stop` ends it. As root it runs as user postgres,
       who must be able to enter the directory. Empty: no such server. Needs PostgreSQL's programs, which
       connect_database() runs as child processes and waits for. Not together with conninfo. */
    opstore_text embedded_home;
    /* The PostgreSQL schema of the tables: up to 63 lower-case letters, digits and underscores, not beginning
       with a digit or pg_; connect_database() checks it. Empty: "opstore". */
    opstore_text schema;

    uint32_t connections;        /* Each with a thread of its own. 0: 4. At least 2, at most 1000. One more is made
                                    where earliest ops are asked for often. */
    uint32_t callback_threads;   /* 0: 1. At most 64. */
    uint32_t default_timeout_ms; /* Of calls that give 0. 0: 30 000. */

    /* The wall clock of stored_at, us, 0 to 2^62; it may step back. Called on any thread, several at once; it
       calls nothing of the plugin. NULL: the server's, which all writers share. For simulators and tests,
       which own time. */
    int64_t (*clock)(void* clock_context);
    void* clock_context;

    /* Held ids that may be remembered, by all spaces together, where ids are filtered or ops retrieved often; each
       takes up to 32 bytes. A space that would need more asks the server for each id. NULL: 4 000 000. 0: none are. */
    uint64_t const* remembered_ids_max;
} opstore_database_options;

/* Who computes the hashes of full time slices. */
enum {
    OPSTORE_SLICES_BY_HOST = 0, /* The store is a plain keyed store for them, as a kitsune2 node needs it. */
    OPSTORE_SLICES_BY_STORE = 1 /* The store keeps those of the sectors, in the transaction of the ops. */
};

/*
 * What a space is, fixed when it is created: opening it with other values is OPSTORE_SPACE_DIFFERS.
 */
typedef struct opstore_space_options {
    uint32_t struct_size;
    uint32_t must_exist; /* Do not create it; then only key and format count, and the rest is what it has. */

    opstore_bytes key;               /* 1 to 255 bytes of any value. */
    opstore_text built_in_format;    /* "plain" (if empty), "signed" or "located"; or: */
    opstore_op_format const* format; /* the host's own. Copied, but for what its context points to. */
    uint64_t max_op_bytes;           /* 0: 16 MiB. At most 256 MiB. */
    uint32_t const* slice_factor;    /* NULL: 9. A full slice is 15 min * 2^factor. */
    uint32_t slices;                 /* OPSTORE_SLICES_... */
    int64_t const* max_future_us;    /* How far created_at may lie ahead of the clock. NULL: any. */
} opstore_space_options;

/* What a space was created with. The host sets struct_size, and an older plugin lowers it to what it fills
   in; the rest is filled in as far as it reaches. What it points to lives as long as the handle of the space.
 */
typedef struct opstore_space_info {
    uint32_t struct_size;
    uint32_t slices; /* OPSTORE_SLICES_... */
    opstore_bytes key;
    opstore_text format;
    uint32_t id_size;
    uint32_t slice_factor;
    uint64_t max_op_bytes;
    opstore_maybe_time max_future_us; /* A length of time; not present: none. */
} opstore_space_info;

typedef struct opstore_space_listing {
    opstore_bytes key;
    opstore_text format;
    uint32_t slices; /* OPSTORE_SLICES_... */
    uint64_t max_op_bytes;
    uint64_t op_count;
    uint64_t op_bytes;
} opstore_space_listing;

typedef struct opstore_space_list {
    uint32_t struct_size;
    opstore_space_listing const* spaces; /* By key. */
    size_t count;
} opstore_space_list;

/* ------------------------------------------------------------------------------------------- requests */

/* An op as a peer or an author hands it over. */
typedef struct opstore_incoming_op {
    opstore_bytes data;
    opstore_bytes claimed_id; /* Checked, never trusted. Size 0: none, and nothing is checked. */
    opstore_bytes metadata;   /* For the host's format; size 0: none. */
} opstore_incoming_op;

/* The ops of one sector that were created in one span of time. */
typedef struct opstore_region {
    uint32_t sector; /* 0 to 511; any other holds no ops. */
    opstore_time_range range;
} opstore_region;

/* A place between the ops of a region: just behind this op in (created_at, id) order. */
typedef struct opstore_position {
    int64_t created_at;
    opstore_bytes id;
} opstore_position;

/* One thing a peer remembers of another one. */
typedef struct opstore_peer_entry {
    opstore_bytes peer;            /* Its address as it announces it, 1 to 1024 bytes. */
    opstore_bytes key;             /* 1 to 255 bytes. */
    opstore_bytes value;           /* At most 65 536 bytes. */
    opstore_maybe_time expires_at; /* Absent from then on, by the asker's `now`. Not present: it stays. */
} opstore_peer_entry;

/* -------------------------------------------------------------------------------------------- answers */

/* What became of one op of a batch. */
enum { OPSTORE_REJECTED = 0, OPSTORE_STORED = 1, OPSTORE_DUPLICATE = 2 };

typedef struct opstore_outcome {
    uint32_t what;    /* OPSTORE_REJECTED, OPSTORE_STORED by this call, or OPSTORE_DUPLICATE (held before). */
    opstore_bytes id; /* Of the op; empty if it was rejected. */
} opstore_outcome;

/* An op that this call made part of the space, or a call before it through the same opstore_space that ended
 * with commit_in_doubt or OPSTORE_CANCELLED_IN_DOUBT, of which it is mostly the repeat. No other call lists it. */
typedef struct opstore_new_op {
    opstore_bytes id;
    int64_t created_at;
} opstore_new_op;

typedef struct opstore_rejection {
    size_t index;   /* Position in the batch. */
    int32_t reason; /* OPSTORE_UNREADABLE, ... */
    opstore_text message;
} opstore_rejection;

typedef struct opstore_ingest_report {
    uint32_t struct_size;
    opstore_outcome const* outcomes; /* One for each op given, by position: for hosts that zip. */
    size_t outcome_count;
    opstore_bytes const* held; /* Ids now in the space; input order, rejected ops left out. */
    size_t held_count;
    opstore_new_op const* newly_stored; /* Input order. */
    size_t newly_stored_count;
    uint64_t newly_stored_bytes;
    opstore_rejection const* rejected; /* Ascending by index. */
    size_t rejected_count;
} opstore_ingest_report;

typedef struct opstore_ids {
    uint32_t struct_size;
    uint32_t bytes_narrow;
    uint64_t bytes; /* Sum of the sizes of the ops; 0 for filter_out_existing_ops(). */
    opstore_bytes const* ids;
    size_t count;
} opstore_ids;

/* One page of a walk in stored_at order. */
typedef struct opstore_page {
    uint32_t struct_size;
    uint32_t bytes_narrow;
    uint64_t bytes; /* Sum of the sizes of the ops, <= the limit asked for. */
    opstore_bytes const* ids;
    size_t count;
    int64_t next;           /* Where the walk goes on: the `start` of the next call. */
    uint32_t cut;           /* There is more from `next` on. */
    uint64_t next_op_bytes; /* Cut: size of the first op not returned. An empty page that is cut: the limit
                               is smaller than that op. */
} opstore_page;

typedef struct opstore_op {
    opstore_bytes id;
    uint32_t location;
    int64_t created_at;
    int64_t stored_at;
    opstore_bytes data; /* As received. */
} opstore_op;

typedef struct opstore_ops {
    uint32_t struct_size;
    opstore_op const* ops;
    size_t count;
    size_t ids_read; /* The answer covers ids [0, ids_read) of the request. */
} opstore_ops;

typedef struct opstore_times {
    uint32_t struct_size;
    opstore_maybe_time const* times; /* One for each arc given. */
    size_t count;
} opstore_times;

typedef struct opstore_slice_hash {
    uint64_t index;
    opstore_bytes hash;
} opstore_slice_hash;

/* An array element: those of one arc, ascending by index. */
typedef struct opstore_slice_hash_list {
    opstore_slice_hash const* hashes;
    size_t count;
} opstore_slice_hash_list;

typedef struct opstore_slice_hash_lists {
    uint32_t struct_size;
    opstore_slice_hash_list const* lists; /* One for each arc given. */
    size_t count;
} opstore_slice_hash_lists;

/* XOR of the ids of the ops of one sector in one span of time; never of none. */
typedef struct opstore_sector_hash {
    uint32_t sector;
    opstore_bytes hash;
    uint64_t op_count;
} opstore_sector_hash;

typedef struct opstore_sector_hash_list {
    opstore_sector_hash const* hashes; /* Ascending by sector; sectors without ops left out. */
    size_t count;
} opstore_sector_hash_list;

typedef struct opstore_sector_hash_lists {
    uint32_t struct_size;
    opstore_sector_hash_list const* lists; /* One for each range given. */
    size_t count;
} opstore_sector_hash_lists;

/* Disc and rings of a set of sectors at one moment. A hash of no ops is empty. */
typedef struct opstore_summary {
    uint32_t struct_size;
    int64_t disc_boundary;
    opstore_bytes disc_top_hash;
    opstore_bytes const* ring_top_hashes; /* One for each ring, oldest first. */
    size_t ring_count;
} opstore_summary;

/* XOR of the ids of the ops of one sector in the stretch of time that begins at unit * 15 min (contract.md). */
typedef struct opstore_unit_hash {
    uint64_t unit;
    uint32_t sector;
    opstore_bytes hash;
    uint64_t op_count;
} opstore_unit_hash;

typedef struct opstore_space_hashes {
    uint32_t struct_size;
    int64_t watermark; /* The ops with stored_at <= watermark are in these hashes, and no others. */
    uint64_t op_count;
    opstore_sector_hash const* disc; /* Ascending by sector. */
    size_t disc_count;
    opstore_unit_hash const* recent; /* Ascending by (unit, sector). */
    size_t recent_count;
} opstore_space_hashes;

typedef struct opstore_tail_op {
    opstore_bytes id;
    uint32_t location;
    int64_t created_at;
} opstore_tail_op;

typedef struct opstore_tail {
    uint32_t struct_size;
    uint32_t complete; /* Nothing was held at or behind `next` when the end was read. */
    int64_t next;      /* The `start` of the next call. */
    opstore_tail_op const* ops;
    size_t count;
} opstore_tail;

typedef struct opstore_sector_slices {
    uint32_t sector;
    opstore_slice_hash_list slices;
} opstore_sector_slices;

typedef struct opstore_disc_slices {
    uint32_t struct_size;
    opstore_sector_slices const* sectors; /* One for each sector of the set, ascending. */
    size_t count;
} opstore_disc_slices;

typedef struct opstore_region_ids {
    uint64_t op_count;
    uint64_t bytes;           /* Sum of the sizes of all ops of the region. */
    uint32_t taken;           /* Whether the ids are here. */
    opstore_bytes const* ids; /* By (created_at, id). */
    size_t count;
} opstore_region_ids;

typedef struct opstore_region_id_lists {
    uint32_t struct_size;
    opstore_region_ids const* regions; /* One for each region given. */
    size_t count;
} opstore_region_id_lists;

typedef struct opstore_region_page {
    uint32_t struct_size;
    uint32_t bytes_narrow;
    uint64_t bytes;
    opstore_bytes const* ids; /* By (created_at, id). */
    size_t count;
    opstore_position const* next; /* The `after` of the next call; NULL: the region ends here. */
} opstore_region_page;

typedef struct opstore_seal_report {
    uint32_t struct_size;
    uint64_t full_slices; /* Slices [0, full_slices) are kept now. */
    uint64_t sealed;      /* How many of them this call added. */
} opstore_seal_report;

/* One difference between what is kept and what the ops say. */
typedef struct opstore_damage {
    /* "slice_hash", "op_count", "op_bytes", "watermark", "folded_to", "op_twice",
       "op_columns", "sector_hash", "unit_hash" or "sector_list". */
    opstore_text what;
    opstore_text where; /* Such as "sector 17 slice 3688". */
    opstore_text kept;
    opstore_text computed;
} opstore_damage;

typedef struct opstore_verify_report {
    uint32_t struct_size;
    uint64_t ops;          /* Read. */
    uint64_t slice_hashes; /* Compared. */
    uint64_t damage_count;
    opstore_damage const* damages; /* The first of them, at most 1000. */
    size_t listed_count;
} opstore_verify_report;

typedef struct opstore_stat {
    uint32_t struct_size;
    uint64_t op_count;
    uint64_t op_bytes;
    int64_t watermark; /* At or above the stored_at of every op; 0 in a space that never stored one. */
    uint64_t full_slices;
} opstore_stat;

typedef struct opstore_peer_entries {
    uint32_t struct_size;
    opstore_peer_entry const* entries; /* By (peer, key). */
    size_t count;
} opstore_peer_entries;

/* ------------------------------------------------------------------------------------------ callbacks */

typedef void (*opstore_done_fn)(void* user, opstore_error const* error);
typedef void (*opstore_space_fn)(void* user, opstore_error const* error, opstore_space* space);
typedef void (*opstore_space_list_fn)(void* user, opstore_error const* error, opstore_space_list const* list);
typedef void (*opstore_ingest_fn)(void* user, opstore_error const* error,
                                  opstore_ingest_report const* report);
typedef void (*opstore_ids_fn)(void* user, opstore_error const* error, opstore_ids const* ids);
typedef void (*opstore_page_fn)(void* user, opstore_error const* error, opstore_page const* page);
typedef void (*opstore_ops_fn)(void* user, opstore_error const* error, opstore_ops const* ops);
typedef void (*opstore_times_fn)(void* user, opstore_error const* error, opstore_times const* times);
typedef void (*opstore_count_fn)(void* user, opstore_error const* error, uint64_t count);
/* Size 0: there is none. */
typedef void (*opstore_hash_fn)(void* user, opstore_error const* error, opstore_bytes hash);
typedef void (*opstore_slice_hashes_fn)(void* user, opstore_error const* error,
                                        opstore_slice_hash_lists const* lists);
typedef void (*opstore_sector_hashes_fn)(void* user, opstore_error const* error,
                                         opstore_sector_hash_lists const* lists);
typedef void (*opstore_summary_fn)(void* user, opstore_error const* error, opstore_summary const* summary);
typedef void (*opstore_space_hashes_fn)(void* user, opstore_error const* error,
                                        opstore_space_hashes const* hashes);
typedef void (*opstore_tail_fn)(void* user, opstore_error const* error, opstore_tail const* tail);
typedef void (*opstore_disc_slices_fn)(void* user, opstore_error const* error,
                                       opstore_disc_slices const* slices);
typedef void (*opstore_region_ids_fn)(void* user, opstore_error const* error,
                                      opstore_region_id_lists const* lists);
typedef void (*opstore_region_page_fn)(void* user, opstore_error const* error,
                                       opstore_region_page const* page);
typedef void (*opstore_seal_fn)(void* user, opstore_error const* error, opstore_seal_report const* report);
typedef void (*opstore_verify_fn)(void* user, opstore_error const* error,
                                  opstore_verify_report const* report);
typedef void (*opstore_stat_fn)(void* user, opstore_error const* error, opstore_stat const* stat);
typedef void (*opstore_peer_entries_fn)(void* user, opstore_error const* error,
                                        opstore_peer_entries const* entries);

/* ---------------------------------------------------------------------------------------- the functions */

typedef struct opstore_plugin {
    uint32_t struct_size;
    uint32_t abi_version; /* OPSTORE_PLUGIN_ABI_VERSION */
    uint64_t magic;       /* OPSTORE_PLUGIN_MAGIC */
    char const* version;  /* Of the plugin, such as "0.1.0"; for people. */

    /* ---- Database ---- */

    /* A handle with its callback threads, not connected. NULL: *failure says why: OPSTORE_INVALID_ARGUMENT,
       OPSTORE_OUT_OF_MEMORY or, without threads, OPSTORE_UNAVAILABLE; `failure` may be NULL. */
    opstore_database* (*create_database)(opstore_database_options const* options, opstore_failure* failure);

    /* Reaches the server and checks the schema; with embedded_home or `migrate` starts or migrates it first,
       which a cancel does not interrupt. default_timeout_ms bounds each step but the start of a private
       server: its recovery may take minutes. May be repeated after an error; once connected it succeeds at
       once, and connections that die later are replaced by themselves. */
    uint64_t (*connect_database)(opstore_database* database, opstore_done_fn done, void* user);

    /* Asks a call to end. It ends soon with OPSTORE_CANCELLED, or OPSTORE_CANCELLED_IN_DOUBT, or as it would
       have: its callback still comes, exactly once. Never waits. A call that ended, and a number that was
       never given, are no error. */
    void (*cancel_call)(opstore_database* database, uint64_t call);

    /* From now on new calls end with OPSTORE_CLOSING; waits until the callbacks of all others have returned,
       but no longer than `timeout_ms` (0: without limit). 0: all have. OPSTORE_TIMED_OUT: not yet; may be
       repeated. OPSTORE_WRONG_THREAD: called from a callback, a host's format or its clock; nothing was done.
       OPSTORE_INVALID_ARGUMENT: NULL. */
    int32_t (*drain_database)(opstore_database* database, uint32_t timeout_ms);

    /* In this order: new calls end with OPSTORE_CLOSING; those in flight are cancelled; waits until each
       callback has returned; closes all spaces and connections; ends the threads; frees. The database and
       all spaces of it are invalid then. 0, or OPSTORE_WRONG_THREAD: called from a callback, a host's format
       or its clock; nothing was done. NULL is no error. To let calls finish instead, drain first. A host that
       counts references, where the last may go within a callback or a release(), hands the handle to a thread
       of its own for this. */
    int32_t (*destroy_database)(opstore_database* database);

    uint64_t (*list_spaces)(opstore_database* database, uint32_t timeout_ms, opstore_space_list_fn done,
                            void* user);

    /* Deletes a space with all its ops; calls on open handles of it end with OPSTORE_NO_SUCH_SPACE from then
       on. */
    uint64_t (*drop_space)(opstore_database* database, opstore_bytes key, uint32_t timeout_ms,
                           opstore_done_fn done, void* user);

    /* Opens a space, creating it first if it is absent (any number of callers may race). The handle is the
       host's, to close. */
    uint64_t (*open_space)(opstore_database* database, opstore_space_options const* options,
                           uint32_t timeout_ms, opstore_space_fn done, void* user);

    /* Gives up the handle; calls on it that are in flight go on to their end. Never waits. NULL is no error.
       Handles that were not closed end with destroy_database(). */
    void (*close_space)(opstore_space* space);

    /* 0, or OPSTORE_INVALID_ARGUMENT: NULL, or info->struct_size is less than in the first version. */
    int32_t (*describe_space)(opstore_space* space, opstore_space_info* info);

    /* ---- The eleven methods of the contract ---- */

    /* Stores what is new of the batch, atomically; bad ops are rejected alone. On return the ops are durable
       and visible to every method. */
    uint64_t (*process_incoming_ops)(opstore_space* space, opstore_incoming_op const* ops, size_t count,
                                     uint32_t timeout_ms, opstore_ingest_fn done, void* user);

    /* Ids of the ops with created_at in [start, end) in the arc, by (created_at, id). No byte limit. */
    uint64_t (*retrieve_op_hashes_in_time_slice)(opstore_space* space, opstore_arc arc, int64_t start,
                                                 int64_t end, uint32_t timeout_ms, opstore_ids_fn done,
                                                 void* user);

    /* In input order; ids that are not held are absent, repeated ones are answered each time. */
    uint64_t (*retrieve_ops)(opstore_space* space, opstore_bytes const* ids, size_t count,
                             uint32_t timeout_ms, opstore_ops_fn done, void* user);

    /* Those not held, in input order; ids of another length than the space's are dropped. */
    uint64_t (*filter_out_existing_ops)(opstore_space* space, opstore_bytes const* ids, size_t count,
                                        uint32_t timeout_ms, opstore_ids_fn done, void* user);

    /* The next page of the ops with stored_at >= start in the arc, in stored_at order, while their sizes sum
       up to at most limit_bytes and their number to 65 536. */
    uint64_t (*retrieve_op_ids_bounded)(opstore_space* space, opstore_arc arc, int64_t start,
                                        uint64_t limit_bytes, uint32_t timeout_ms, opstore_page_fn done,
                                        void* user);

    /* The smallest created_at in the arc: one time, or not present. */
    uint64_t (*earliest_timestamp_in_arc)(opstore_space* space, opstore_arc arc, uint32_t timeout_ms,
                                          opstore_times_fn done, void* user);

    /* Overwrites. Empty hash, Empty arc, index >= 2^63: OPSTORE_INVALID_ARGUMENT, nothing stored. */
    uint64_t (*store_slice_hash)(opstore_space* space, opstore_arc arc, uint64_t index, opstore_bytes hash,
                                 uint32_t timeout_ms, opstore_done_fn done, void* user);

    /* The highest stored index + 1; 0 if there is none. */
    uint64_t (*slice_hash_count)(opstore_space* space, opstore_arc arc, uint32_t timeout_ms,
                                 opstore_count_fn done, void* user);

    uint64_t (*retrieve_slice_hash)(opstore_space* space, opstore_arc arc, uint64_t index,
                                    uint32_t timeout_ms, opstore_hash_fn done, void* user);

    /* One list. */
    uint64_t (*retrieve_slice_hashes)(opstore_space* space, opstore_arc arc, uint32_t timeout_ms,
                                      opstore_slice_hashes_fn done, void* user);

    uint64_t (*query_total_op_count)(opstore_space* space, uint32_t timeout_ms, opstore_count_fn done,
                                     void* user);

    /* ---- Batched forms: each in one statement and so from one snapshot ---- */

    uint64_t (*retrieve_slice_hashes_of_arcs)(opstore_space* space, opstore_arc const* arcs, size_t count,
                                              uint32_t timeout_ms, opstore_slice_hashes_fn done, void* user);

    uint64_t (*earliest_timestamps_in_arcs)(opstore_space* space, opstore_arc const* arcs, size_t count,
                                            uint32_t timeout_ms, opstore_times_fn done, void* user);

    /* The combined hash of each sector for each range of creation time. */
    uint64_t (*combined_hashes)(opstore_space* space, opstore_sector_set const* sectors,
                                opstore_time_range const* ranges, size_t count, uint32_t timeout_ms,
                                opstore_sector_hashes_fn done, void* user);

    /* Disc and rings of the sectors as they lie at `now`. */
    uint64_t (*summarize)(opstore_space* space, opstore_sector_set const* sectors, int64_t now,
                          uint32_t timeout_ms, opstore_summary_fn done, void* user);

    /* ---- What a gossip peer asks in each round: one or two statements each ---- */

    /* The hashes of all ops: those before `full_slices` slices by sector, all else by sector and stretch. */
    uint64_t (*retrieve_space_hashes)(opstore_space* space, uint64_t full_slices, uint32_t timeout_ms,
                                      opstore_space_hashes_fn done, void* user);

    /* At most ops_max (1 to 65 536) ops with stored_at >= start, whole ring, in stored_at order. */
    uint64_t (*retrieve_tail)(opstore_space* space, int64_t start, size_t ops_max, uint32_t timeout_ms,
                              opstore_tail_fn done, void* user);

    /* retrieve_op_ids_bounded() for a set of sectors, in one walk with one continuation. */
    uint64_t (*retrieve_op_ids_of_sectors)(opstore_space* space, opstore_sector_set const* sectors,
                                           int64_t start, uint64_t limit_bytes, uint32_t timeout_ms,
                                           opstore_page_fn done, void* user);

    /* The combined hashes of the slices [0, full_slices) of each sector; hashes that a host stored play no
       part. So in slice mode host it is how to audit them. */
    uint64_t (*retrieve_disc_slices)(opstore_space* space, opstore_sector_set const* sectors,
                                     uint64_t full_slices, uint32_t timeout_ms, opstore_disc_slices_fn done,
                                     void* user);

    /* The ids of whole regions, in their order, as far as they fit into limit_bytes and 65 536 ids; a region
       that does not is skipped, a later one may still fit. */
    uint64_t (*retrieve_region_ids)(opstore_space* space, opstore_region const* regions, size_t count,
                                    uint64_t limit_bytes, uint32_t timeout_ms, opstore_region_ids_fn done,
                                    void* user);

    /* A part of one region, from `after` on (NULL: from its start), at least one op if there is one left. */
    uint64_t (*retrieve_region_page)(opstore_space* space, opstore_region region,
                                     opstore_position const* after, uint64_t limit_bytes, uint32_t timeout_ms,
                                     opstore_region_page_fn done, void* user);

    /* retrieve_ops() of as many ids, from the first on, as keep the sum of sizes <= limit_bytes, but of at
       least one that is held. */
    uint64_t (*retrieve_ops_bounded)(opstore_space* space, opstore_bytes const* ids, size_t count,
                                     uint64_t limit_bytes, uint32_t timeout_ms, opstore_ops_fn done,
                                     void* user);

    /* ---- Upkeep ---- */

    /* Slice mode store: moves the boundary of the kept slices on to the full slices of `now`, at most
       slices_max further; repeat until `sealed` is 0. Slice mode host: OPSTORE_INVALID_ARGUMENT. */
    uint64_t (*seal)(opstore_space* space, int64_t now, uint64_t slices_max, uint32_t timeout_ms,
                     opstore_seal_fn done, void* user);

    /* Recomputes every kept hash and counter from the ops and compares; changes nothing. It reads all ops:
       give it and repair() a time-out of their own, minutes for millions. */
    uint64_t (*verify)(opstore_space* space, uint32_t timeout_ms, opstore_verify_fn done, void* user);

    /* Replaces what verify() would report by what the ops say, and reports it. */
    uint64_t (*repair)(opstore_space* space, uint32_t timeout_ms, opstore_verify_fn done, void* user);

    uint64_t (*stat)(opstore_space* space, uint32_t timeout_ms, opstore_stat_fn done, void* user);

    /* ---- What a peer remembers of other peers; `now` decides what has expired ---- */

    uint64_t (*get_all_peer_meta)(opstore_space* space, int64_t now, uint32_t timeout_ms,
                                  opstore_peer_entries_fn done, void* user);

    /* One entry or none. */
    uint64_t (*get_peer_meta)(opstore_space* space, opstore_bytes peer, opstore_bytes key, int64_t now,
                              uint32_t timeout_ms, opstore_peer_entries_fn done, void* user);

    /* Adds or overwrites, all or none; of a repeated (peer, key) the last one counts. At most 65 536 entries,
       whose peers, keys and values have at most 64 MiB in all. */
    uint64_t (*put_peer_meta)(opstore_space* space, opstore_peer_entry const* entries, size_t count,
                              int64_t now, uint32_t timeout_ms, opstore_done_fn done, void* user);

    /* Not an error if there is none. */
    uint64_t (*remove_peer_meta)(opstore_space* space, opstore_bytes peer, opstore_bytes key,
                                 uint32_t timeout_ms, opstore_done_fn done, void* user);
} opstore_plugin;

typedef opstore_plugin const* (*opstore_plugin_entry)(void);

/* The one symbol of the library. The table lives as long as the library is loaded. */
opstore_plugin const* opstore_plugin_v1(void);

#ifdef __cplusplus
}
#endif

#endif
