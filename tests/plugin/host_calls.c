#include <tests/plugin/host_calls.h>

#include <tests/plugin/host_format.h>

#include <string.h>

#define START(function, callback, ...) \
    r->api->function(r->space, __VA_ARGS__ r->timeout_ms, r->without_callback ? NULL : callback, r->user)

/* ---------------------------------------------------------------------------------------------- arguments */

static uint32_t random_location(call_request const* r) {
    switch (random_below(r->random, 4)) {
        case 0:
            return 0;
        case 1:
            return UINT32_MAX;
        case 2:
            return (uint32_t)random_below(r->random, 512) << 23;
        default:
            return (uint32_t)next_random(r->random);
    }
}

static opstore_arc random_arc(call_request const* r) {
    if (chance(r->random, 10))
        return (opstore_arc){0};
    if (chance(r->random, 40))
        return (opstore_arc){OPSTORE_ARC_RANGE, 0, UINT32_MAX};
    uint32_t const start = random_location(r);
    return (opstore_arc){OPSTORE_ARC_RANGE, start, random_location(r)};
}

static int64_t random_time(call_request const* r) {
    switch (random_below(r->random, 6)) {
        case 0:
            return INT64_MIN;
        case 1:
            return INT64_MAX;
        case 2:
            return 0;
        case 3:
            return -1;
        default:
            return 1700000000000000 + (int64_t)random_below(r->random, r->op_numbers + 1);
    }
}

static opstore_time_range random_range(call_request const* r) {
    int64_t const start = random_time(r);
    return (opstore_time_range){start, random_time(r)};
}

static uint64_t random_number(call_request const* r) {
    switch (random_below(r->random, 5)) {
        case 0:
            return 0;
        case 1:
            return UINT64_MAX;
        case 2:
            return UINT64_C(1) << 63;
        case 3:
            return INT64_MAX;
        default:
            return random_below(r->random, 5000);
    }
}

static uint64_t random_limit(call_request const* r) {
    return chance(r->random, 20) ? random_number(r) : random_below(r->random, 1 << 16);
}

static opstore_bytes random_id(call_request const* r) {
    if (chance(r->random, 10)) {
        size_t const size = random_below(r->random, 200);
        return (opstore_bytes){scratch_take(r->memory, size), size};
    }
    scratch op_memory = {0};
    opstore_incoming_op const* const op =
        write_ops(&op_memory, random_below(r->random, r->op_numbers), 1, 40);
    uint8_t* const id = scratch_take(r->memory, HOST_ID_BYTES);
    id_of_op(op->data, id);
    scratch_spoil(&op_memory);
    return (opstore_bytes){id, HOST_ID_BYTES};
}

static opstore_bytes const* random_ids(call_request const* r, size_t* count) {
    *count = random_below(r->random, 30);
    opstore_bytes* const ids = scratch_take(r->memory, *count * sizeof *ids);
    for (size_t i = 0; i < *count; ++i)
        ids[i] = random_id(r);
    return ids;
}

static opstore_sector_set const* random_sectors(call_request const* r) {
    opstore_sector_set* const sectors = scratch_take(r->memory, sizeof *sectors);
    int const full = chance(r->random, 30), empty = chance(r->random, 10);
    for (size_t i = 0; i < LENGTH(sectors->words); ++i)
        sectors->words[i] = full ? UINT32_MAX : empty ? 0 : (uint32_t)next_random(r->random);
    return sectors;
}

static opstore_arc const* random_arcs(call_request const* r, size_t* count) {
    *count = random_below(r->random, 6);
    opstore_arc* const arcs = scratch_take(r->memory, *count * sizeof *arcs);
    for (size_t i = 0; i < *count; ++i)
        arcs[i] = random_arc(r);
    return arcs;
}

static opstore_region random_region(call_request const* r) {
    uint32_t const sector = (uint32_t)random_below(r->random, 520);
    return (opstore_region){chance(r->random, 5) ? UINT32_MAX : sector, random_range(r)};
}

static opstore_bytes random_bytes(call_request const* r, size_t size_min, size_t size_max) {
    size_t const size = size_min + random_below(r->random, size_max - size_min + 1);
    uint8_t* const bytes = scratch_take(r->memory, size);
    for (size_t i = 0; i < size; ++i)
        bytes[i] = (uint8_t)next_random(r->random);
    return (opstore_bytes){bytes, size};
}

/* One of a few, so that they meet. */
static opstore_bytes random_peer(call_request const* r) {
    uint8_t* const name = scratch_take(r->memory, 1);
    *name = (uint8_t)random_below(r->random, 4);
    return (opstore_bytes){name, 1};
}

/* -------------------------------------------------------------------------------------------------- kinds */

static uint64_t start_ingest(call_request const* r) {
    /* Small batches are decoded elsewhere than large ones. */
    size_t const count = random_below(r->random, chance(r->random, 50) ? 9 : 40);
    opstore_incoming_op* const ops = write_ops(r->memory, random_below(r->random, r->op_numbers), count, 40);
    for (size_t i = 0; i < count; ++i) {
        if (chance(r->random, 5))
            ops[i].data.size = random_below(r->random, HOST_OP_HEADER);
        if (chance(r->random, 5))
            ops[i].metadata = BYTES(HOST_REFUSE);
        if (chance(r->random, 5))
            ops[i].claimed_id = random_id(r);
    }
    return START(process_incoming_ops, on_ingest, ops, count, );
}

static uint64_t start_time_slice(call_request const* r) {
    opstore_time_range const range = random_range(r);
    return START(retrieve_op_hashes_in_time_slice, on_ids, random_arc(r), range.start, range.end, );
}

static uint64_t start_retrieve_ops(call_request const* r) {
    size_t count;
    opstore_bytes const* const ids = random_ids(r, &count);
    return START(retrieve_ops, on_ops, ids, count, );
}

static uint64_t start_filter(call_request const* r) {
    size_t count;
    opstore_bytes const* const ids = random_ids(r, &count);
    return START(filter_out_existing_ops, on_ids, ids, count, );
}

static uint64_t start_page(call_request const* r) {
    return START(retrieve_op_ids_bounded, on_page, random_arc(r), random_time(r), random_limit(r), );
}

static uint64_t start_earliest(call_request const* r) {
    return START(earliest_timestamp_in_arc, on_times, random_arc(r), );
}

static uint64_t start_store_slice_hash(call_request const* r) {
    return START(store_slice_hash, on_done, random_arc(r), random_number(r), random_bytes(r, 0, 40), );
}

static uint64_t start_slice_hash_count(call_request const* r) {
    return START(slice_hash_count, on_count, random_arc(r), );
}

static uint64_t start_retrieve_slice_hash(call_request const* r) {
    return START(retrieve_slice_hash, on_hash, random_arc(r), random_number(r), );
}

static uint64_t start_retrieve_slice_hashes(call_request const* r) {
    return START(retrieve_slice_hashes, on_slice_hashes, random_arc(r), );
}

static uint64_t start_total_count(call_request const* r) {
    return START(query_total_op_count, on_count, );
}

static uint64_t start_slice_hashes_of_arcs(call_request const* r) {
    size_t count;
    opstore_arc const* const arcs = random_arcs(r, &count);
    return START(retrieve_slice_hashes_of_arcs, on_slice_hashes, arcs, count, );
}

static uint64_t start_earliest_in_arcs(call_request const* r) {
    size_t count;
    opstore_arc const* const arcs = random_arcs(r, &count);
    return START(earliest_timestamps_in_arcs, on_times, arcs, count, );
}

static uint64_t start_combined_hashes(call_request const* r) {
    size_t const count = random_below(r->random, 5);
    opstore_time_range* const ranges = scratch_take(r->memory, count * sizeof *ranges);
    for (size_t i = 0; i < count; ++i)
        ranges[i] = random_range(r);
    return START(combined_hashes, on_sector_hashes, random_sectors(r), ranges, count, );
}

static uint64_t start_summarize(call_request const* r) {
    return START(summarize, on_summary, random_sectors(r), random_time(r), );
}

static uint64_t start_space_hashes(call_request const* r) {
    return START(retrieve_space_hashes, on_space_hashes, random_number(r), );
}

static uint64_t start_tail(call_request const* r) {
    size_t const ops_max = chance(r->random, 10) ? 65536 : 1 + random_below(r->random, 100);
    return START(retrieve_tail, on_tail, random_time(r), ops_max, );
}

static uint64_t start_page_of_sectors(call_request const* r) {
    return START(retrieve_op_ids_of_sectors, on_page, random_sectors(r), random_time(r), random_limit(r), );
}

static uint64_t start_disc_slices(call_request const* r) {
    return START(retrieve_disc_slices, on_disc_slices, random_sectors(r), random_number(r), );
}

static uint64_t start_region_ids(call_request const* r) {
    size_t const count = random_below(r->random, 10);
    opstore_region* const regions = scratch_take(r->memory, count * sizeof *regions);
    for (size_t i = 0; i < count; ++i)
        regions[i] = random_region(r);
    return START(retrieve_region_ids, on_region_ids, regions, count, random_limit(r), );
}

static uint64_t start_region_page(call_request const* r) {
    opstore_position* after = NULL;
    if (chance(r->random, 50)) {
        after = scratch_take(r->memory, sizeof *after);
        after->created_at = random_time(r);
        after->id = random_bytes(r, 0, OPSTORE_ID_BYTES_MAX);
    }
    return START(retrieve_region_page, on_region_page, random_region(r), after, random_limit(r), );
}

static uint64_t start_ops_bounded(call_request const* r) {
    size_t count;
    opstore_bytes const* const ids = random_ids(r, &count);
    return START(retrieve_ops_bounded, on_ops, ids, count, random_limit(r), );
}

static uint64_t start_seal(call_request const* r) {
    return START(seal, on_seal, random_time(r), random_number(r), );
}

static uint64_t start_verify(call_request const* r) {
    return START(verify, on_verify, );
}

static uint64_t start_repair(call_request const* r) {
    return START(repair, on_verify, );
}

static uint64_t start_stat(call_request const* r) {
    return START(stat, on_stat, );
}

static uint64_t start_get_all_peer_meta(call_request const* r) {
    return START(get_all_peer_meta, on_peer_entries, random_time(r), );
}

static uint64_t start_get_peer_meta(call_request const* r) {
    opstore_bytes const peer = random_peer(r);
    return START(get_peer_meta, on_peer_entries, peer, random_peer(r), random_time(r), );
}

static uint64_t start_put_peer_meta(call_request const* r) {
    size_t const count = random_below(r->random, 5);
    opstore_peer_entry* const entries = scratch_take(r->memory, count * sizeof *entries);
    for (size_t i = 0; i < count; ++i) {
        entries[i].peer = random_peer(r);
        entries[i].key = random_peer(r);
        entries[i].value = random_bytes(r, 0, 300);
        if (chance(r->random, 50))
            entries[i].expires_at = (opstore_maybe_time){1, random_time(r)};
    }
    return START(put_peer_meta, on_done, entries, count, random_time(r), );
}

static uint64_t start_remove_peer_meta(call_request const* r) {
    opstore_bytes const peer = random_peer(r);
    return START(remove_peer_meta, on_done, peer, random_peer(r), );
}

call_kind const ingest_kind = {"process_incoming_ops", start_ingest};
call_kind const seal_kind = {"seal", start_seal};

call_kind const call_kinds[] = {
    {"process_incoming_ops", start_ingest},
    {"retrieve_op_hashes_in_time_slice", start_time_slice},
    {"retrieve_ops", start_retrieve_ops},
    {"filter_out_existing_ops", start_filter},
    {"retrieve_op_ids_bounded", start_page},
    {"earliest_timestamp_in_arc", start_earliest},
    {"store_slice_hash", start_store_slice_hash},
    {"slice_hash_count", start_slice_hash_count},
    {"retrieve_slice_hash", start_retrieve_slice_hash},
    {"retrieve_slice_hashes", start_retrieve_slice_hashes},
    {"query_total_op_count", start_total_count},
    {"retrieve_slice_hashes_of_arcs", start_slice_hashes_of_arcs},
    {"earliest_timestamps_in_arcs", start_earliest_in_arcs},
    {"combined_hashes", start_combined_hashes},
    {"summarize", start_summarize},
    {"retrieve_space_hashes", start_space_hashes},
    {"retrieve_tail", start_tail},
    {"retrieve_op_ids_of_sectors", start_page_of_sectors},
    {"retrieve_disc_slices", start_disc_slices},
    {"retrieve_region_ids", start_region_ids},
    {"retrieve_region_page", start_region_page},
    {"retrieve_ops_bounded", start_ops_bounded},
    {"seal", start_seal},
    {"verify", start_verify},
    {"repair", start_repair},
    {"stat", start_stat},
    {"get_all_peer_meta", start_get_all_peer_meta},
    {"get_peer_meta", start_get_peer_meta},
    {"put_peer_meta", start_put_peer_meta},
    {"remove_peer_meta", start_remove_peer_meta},
};
size_t const call_kind_count = LENGTH(call_kinds);
