/* Arguments that cannot be: NULL, out of bounds, or at the edge of them. */

#include <tests/plugin/host_calls.h>
#include <tests/plugin/rules.h>

#include <stdio.h>
#include <string.h>

static void nothing_begins_without_handle_or_callback(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    format_context context = {0};
    opstore_space* const space = open_test_space(database, "nothing begins", &context);
    call never;
    init_call(&never, database);
    prng random = {1};
    for (size_t i = 0; i < call_kind_count; ++i) {
        for (int without_callback = 0; without_callback <= 1; ++without_callback) {
            scratch memory = {0};
            call_request const request = {.api = api,
                                          .space = without_callback ? space : NULL,
                                          .user = &never,
                                          .without_callback = without_callback,
                                          .op_numbers = 10,
                                          .random = &random,
                                          .memory = &memory};
            uint64_t number;
            API(number = call_kinds[i].start(&request));
            CHECK(number == 0);
            scratch_spoil(&memory);
        }
    }
    format_context untaken = {0};
    opstore_op_format const format = host_format(&untaken);
    opstore_space_options const options = space_options_of("nothing begins", &format);
    opstore_bytes const key = BYTES("nothing begins");
    API(CHECK(api->connect_database(NULL, on_done, &never) == 0));
    API(CHECK(api->connect_database(database->handle, NULL, &never) == 0));
    API(CHECK(api->list_spaces(NULL, 0, on_space_list, &never) == 0));
    API(CHECK(api->list_spaces(database->handle, 0, NULL, &never) == 0));
    API(CHECK(api->drop_space(NULL, key, 0, on_done, &never) == 0));
    API(CHECK(api->drop_space(database->handle, key, 0, NULL, &never) == 0));
    API(CHECK(api->open_space(NULL, &options, 0, on_space, &never) == 0));
    API(CHECK(api->open_space(database->handle, &options, 0, NULL, &never) == 0));
    API(api->cancel_call(NULL, 1));
    API(api->close_space(NULL));
    API(CHECK(api->destroy_database(NULL) == 0));
    API(CHECK(api->drain_database(NULL, 1) == OPSTORE_INVALID_ARGUMENT));
    destroy_host_database(database);
    free_host_database(database);
    CHECK(atomic_load(&never.callbacks) == 0);
    CHECK(atomic_load(&untaken.released) == 0);
}

/* Starts a call with these arguments, which has to be refused by a message with this name in it. */
#define REFUSED(name, function, callback, ...)                                        \
    do {                                                                              \
        call c;                                                                       \
        init_call(&c, database);                                                      \
        API(c.number = database->api->function(space, __VA_ARGS__, 0, callback, &c)); \
        CHECK_REFUSED(&c, name);                                                      \
    } while (0)

static opstore_arc const full = {OPSTORE_ARC_RANGE, 0, UINT32_MAX};
static opstore_arc const no_arc = {2, 0, 0};
static opstore_bytes const nowhere = {NULL, 3};
static opstore_bytes const hash = {(uint8_t const*)"hash", 4};

static void arrays_at_null(host_database* database, opstore_space* space) {
    opstore_sector_set const sectors = {{0}};
    size_t const counts[] = {1, SIZE_MAX / sizeof(opstore_incoming_op), SIZE_MAX};
    for (size_t i = 0; i < LENGTH(counts); ++i) {
        size_t const n = counts[i];
        REFUSED("ops", process_incoming_ops, on_ingest, NULL, n);
        REFUSED("ids", retrieve_ops, on_ops, NULL, n);
        REFUSED("ids", retrieve_ops_bounded, on_ops, NULL, n, 1);
        REFUSED("ids", filter_out_existing_ops, on_ids, NULL, n);
        REFUSED("arcs", retrieve_slice_hashes_of_arcs, on_slice_hashes, NULL, n);
        REFUSED("arcs", earliest_timestamps_in_arcs, on_times, NULL, n);
        REFUSED("ranges", combined_hashes, on_sector_hashes, &sectors, NULL, n);
        REFUSED("regions", retrieve_region_ids, on_region_ids, NULL, n, 1);
        REFUSED("entries", put_peer_meta, on_done, NULL, n, 0);
    }
    REFUSED("sectors", combined_hashes, on_sector_hashes, NULL, NULL, 0);
    REFUSED("sectors", summarize, on_summary, NULL, 0);
    REFUSED("sectors", retrieve_op_ids_of_sectors, on_page, NULL, 0, 1);
    REFUSED("sectors", retrieve_disc_slices, on_disc_slices, NULL, 1);
}

static void arcs_of_no_kind(host_database* database, opstore_space* space) {
    opstore_arc const arcs[] = {full, no_arc};
    REFUSED("arc", retrieve_op_hashes_in_time_slice, on_ids, no_arc, 0, 1);
    REFUSED("arc", retrieve_op_ids_bounded, on_page, no_arc, 0, 1);
    REFUSED("arc", earliest_timestamp_in_arc, on_times, no_arc);
    REFUSED("arc", store_slice_hash, on_done, no_arc, 1, hash);
    REFUSED("arc", slice_hash_count, on_count, no_arc);
    REFUSED("arc", retrieve_slice_hash, on_hash, no_arc, 1);
    REFUSED("arc", retrieve_slice_hashes, on_slice_hashes, no_arc);
    REFUSED("arc", retrieve_slice_hashes_of_arcs, on_slice_hashes, arcs, 2);
    REFUSED("arc", earliest_timestamps_in_arcs, on_times, arcs, 2);
}

static void bytes_at_null(host_database* database, opstore_space* space) {
    opstore_bytes const ids[] = {hash, nowhere};
    opstore_incoming_op op = {.data = nowhere};
    opstore_position const after = {0, nowhere};
    opstore_region const region = {0, {0, 1}};
    opstore_peer_entry entry = {.peer = nowhere, .key = hash};
    REFUSED("data", process_incoming_ops, on_ingest, &op, 1);
    op = (opstore_incoming_op){.data = hash, .claimed_id = nowhere};
    REFUSED("claimed_id", process_incoming_ops, on_ingest, &op, 1);
    op = (opstore_incoming_op){.data = hash, .metadata = nowhere};
    REFUSED("metadata", process_incoming_ops, on_ingest, &op, 1);
    REFUSED("id", retrieve_ops, on_ops, ids, 2);
    REFUSED("id", retrieve_ops_bounded, on_ops, ids, 2, 1);
    REFUSED("id", filter_out_existing_ops, on_ids, ids, 2);
    REFUSED("hash", store_slice_hash, on_done, full, 1, nowhere);
    REFUSED("after", retrieve_region_page, on_region_page, region, &after, 1);
    REFUSED("peer", put_peer_meta, on_done, &entry, 1, 0);
    entry = (opstore_peer_entry){.peer = hash, .key = nowhere};
    REFUSED("key", put_peer_meta, on_done, &entry, 1, 0);
    entry = (opstore_peer_entry){.peer = hash, .key = hash, .value = nowhere};
    REFUSED("value", put_peer_meta, on_done, &entry, 1, 0);
    REFUSED("peer", get_peer_meta, on_peer_entries, nowhere, hash, 0);
    REFUSED("key", get_peer_meta, on_peer_entries, hash, nowhere, 0);
    REFUSED("peer", remove_peer_meta, on_done, nowhere, hash);
    REFUSED("key", remove_peer_meta, on_done, hash, nowhere);
}

static void values_out_of_bounds(host_database* database, opstore_space* space) {
    static uint8_t const long_id[OPSTORE_ID_BYTES_MAX + 1];
    opstore_region const region = {0, {0, 1}};
    opstore_position const after = {0, {long_id, sizeof long_id}};
    REFUSED("ops_max", retrieve_tail, on_tail, 0, 0);
    REFUSED("ops_max", retrieve_tail, on_tail, 0, 65537);
    REFUSED("after", retrieve_region_page, on_region_page, region, &after, 1);
    REFUSED("hash", store_slice_hash, on_done, full, 1, ((opstore_bytes){0}));
    REFUSED("arc", store_slice_hash, on_done, ((opstore_arc){0}), 1, hash);
    REFUSED("index", store_slice_hash, on_done, full, UINT64_C(1) << 63, hash);
    REFUSED("seal", seal, on_seal, 0, 1);
}

/* Nothing behind the pointers is read. */
static void counts_out_of_bounds(host_database* database, opstore_space* space) {
    opstore_sector_set const sectors = {{0}};
    opstore_incoming_op const op = {.data = hash};
    opstore_time_range const range = {0, 1};
    opstore_region const region = {0, range};
    opstore_peer_entry const entry = {.peer = hash, .key = hash};
    size_t const counts[] = {((size_t)1 << 32) + 1, SIZE_MAX / sizeof op, SIZE_MAX};
    for (size_t i = 0; i < LENGTH(counts); ++i) {
        size_t const n = counts[i];
        opstore_incoming_op const long_op = {.data = {hash.data, n}};
        REFUSED("ops", process_incoming_ops, on_ingest, &op, n);
        REFUSED("data", process_incoming_ops, on_ingest, &long_op, 1);
        REFUSED("ids", retrieve_ops, on_ops, &hash, n);
        REFUSED("ids", retrieve_ops_bounded, on_ops, &hash, n, 1);
        REFUSED("ids", filter_out_existing_ops, on_ids, &hash, n);
        REFUSED("arcs", retrieve_slice_hashes_of_arcs, on_slice_hashes, &full, n);
        REFUSED("arcs", earliest_timestamps_in_arcs, on_times, &full, n);
        REFUSED("ranges", combined_hashes, on_sector_hashes, &sectors, &range, n);
        REFUSED("regions", retrieve_region_ids, on_region_ids, &region, n, 1);
        REFUSED("entries", put_peer_meta, on_done, &entry, n, 0);
    }
}

static void put_entries(host_database* database, opstore_space* space, opstore_peer_entry const* entries,
                        size_t count) {
    call c;
    init_call(&c, database);
    API(c.number = database->api->put_peer_meta(space, entries, count, 0, 0, on_done, &c));
    CHECK(await_call(&c) == 0);
}

static void peer_entries_at_their_bounds(host_database* database, opstore_space* space) {
    enum { count_max = 65536, bytes_max = 64 << 20, long_count = 1024 };
    static opstore_peer_entry entries[count_max + 1];
    static uint8_t value[bytes_max / long_count];
    for (size_t i = 0; i < LENGTH(entries); ++i)
        entries[i] = (opstore_peer_entry){.peer = {value, 1}, .key = {value, 1}};
    put_entries(database, space, entries, count_max);
    REFUSED("entries", put_peer_meta, on_done, entries, count_max + 1, 0);
    for (size_t i = 0; i < long_count; ++i)
        entries[i].value = (opstore_bytes){value, sizeof value - 2};
    put_entries(database, space, entries, long_count);
    ++entries[long_count - 1].value.size;
    REFUSED("entries", put_peer_meta, on_done, entries, long_count, 0);
}

static void bad_arguments_are_named(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    format_context context = {0};
    opstore_space* const space = open_test_space(database, "bad arguments", &context);
    arrays_at_null(database, space);
    arcs_of_no_kind(database, space);
    bytes_at_null(database, space);
    values_out_of_bounds(database, space);
    counts_out_of_bounds(database, space);
    peer_entries_at_their_bounds(database, space);
    call c;
    init_call(&c, database);
    API(c.number = api->drop_space(database->handle, nowhere, 0, on_done, &c));
    CHECK_REFUSED(&c, "key");
    destroy_host_database(database);
    free_host_database(database);
}

static void check_space_refused(host_database* database, opstore_space_options const* options,
                                char const* name) {
    call opening;
    open_space_with(database, options, &opening);
    CHECK_REFUSED(&opening, name);
    CHECK(opening.space == NULL);
}

static void bad_spaces_are_named(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    static uint8_t const key[256] = {1};
    uint32_t const factors[] = {UINT32_MAX, 64};
    int64_t const past = -1;
    opstore_space_options const good = space_options_of("bad space", NULL);
    opstore_space_options options = good;
    options.key = (opstore_bytes){key, 0};
    check_space_refused(database, &options, "key");
    options.key.size = sizeof key;
    check_space_refused(database, &options, "key");
    options.key = nowhere;
    check_space_refused(database, &options, "key");
    options = good;
    options.max_op_bytes = (256u << 20) + 1;
    check_space_refused(database, &options, "max_op_bytes");
    options = good;
    options.slices = 2;
    check_space_refused(database, &options, "slices");
    for (size_t i = 0; i < LENGTH(factors); ++i) {
        options = good;
        options.slice_factor = &factors[i];
        check_space_refused(database, &options, "slice_factor");
    }
    options = good;
    options.max_future_us = &past;
    check_space_refused(database, &options, "max_future");
    options = good;
    options.built_in_format = TEXT("plane");
    check_space_refused(database, &options, "built_in_format");
    options.built_in_format = (opstore_text){NULL, 1};
    check_space_refused(database, &options, "built_in_format");
    options = good;
    options.key.size = 255;
    options.key.data = key;
    options.max_op_bytes = 256u << 20;
    call opening;
    CHECK(open_space_with(database, &options, &opening) == 0);
    destroy_host_database(database);
    free_host_database(database);
}

static void edges_are_no_bugs(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options where = test_options();
    where.default_timeout_ms = UINT32_MAX;
    host_database* const database = connect_host_database(api, &where);
    prng random = {3};
    format_context contexts[2] = {0};
    for (uint32_t mode = OPSTORE_SLICES_BY_HOST; mode <= OPSTORE_SLICES_BY_STORE; ++mode) {
        opstore_op_format const format = host_format(&contexts[mode]);
        opstore_space_options options = space_options_of(mode ? "edges 1" : "edges 0", &format);
        options.slices = mode;
        call opening;
        CHECK(open_space_with(database, &options, &opening) == 0);
        for (size_t i = 0; i < call_kind_count * 20; ++i) {
            call_kind const* const kind = &call_kinds[i % call_kind_count];
            scratch memory = {0};
            call c;
            init_call(&c, database);
            call_request const request = {.api = api,
                                          .space = opening.space,
                                          .user = &c,
                                          .timeout_ms = chance(&random, 50) ? UINT32_MAX : 0,
                                          .op_numbers = 200,
                                          .random = &random,
                                          .memory = &memory};
            API(c.number = kind->start(&request));
            scratch_spoil(&memory);
            int32_t const code = await_call(&c);
            if (code != 0 && code != OPSTORE_INVALID_ARGUMENT && code != OPSTORE_SLICES_KEPT_BY_STORE)
                host_fail(__FILE__, __LINE__, "%s: error %d: %s", kind->name, code, c.message);
        }
        API(api->close_space(opening.space));
    }
    destroy_host_database(database);
    free_host_database(database);
    CHECK(atomic_load(&contexts[0].released) == 1);
    CHECK(atomic_load(&contexts[1].released) == 1);
}

rule const argument_rules[] = {
    {"arguments: nothing begins without a handle or a callback", nothing_begins_without_handle_or_callback},
    {"arguments: bad ones are named", bad_arguments_are_named},
    {"arguments: bad ones of a space are named", bad_spaces_are_named},
    {"arguments: edges are no bugs", edges_are_no_bugs},
    {0},
};
