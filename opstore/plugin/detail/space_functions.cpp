#include <opstore/plugin/detail/calls.hpp>
#include <opstore/plugin/detail/functions.hpp>

#include <fmt/format.h>

namespace opstore::plugin::detail {
namespace {

std::size_t read_ops_max(std::size_t ops_max) {
    if (ops_max < 1 || ops_max > op_store::page_ids_max)
        refuse("ops_max", fmt::format("{}, possible are 1 to {}", ops_max, op_store::page_ids_max));
    return ops_max;
}

std::optional<op_position> read_after(opstore_position const* after) {
    return after ? std::optional(read_position(*after)) : std::nullopt;
}

/// As part of an answer, like retrieve_ops_bounded(): the C interface has one shape for both.
boost::asio::awaitable<result<op_batch>> retrieve_all(op_store& store, std::vector<op_id> ids,
                                                      deadline until) {
    op_batch batch;
    batch.ids_read = ids.size();
    auto ops = co_await store.retrieve_ops(std::move(ids), until);
    if (ops.has_error())
        co_return ops.error();
    batch.ops = std::move(*ops);
    co_return batch;
}

std::uint64_t retrieve_ops(opstore_space* space, opstore_bytes const* ids, std::size_t count,
                           std::uint32_t timeout_ms, opstore_ops_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [ids = read_ids(ids, count), until = read_timeout(timeout_ms)](space_state& s) mutable {
            return retrieve_all(*s.store, std::move(ids), until);
        };
    });
}

std::uint64_t process_incoming_ops(opstore_space* space, opstore_incoming_op const* ops, std::size_t count,
                                   std::uint32_t timeout_ms, opstore_ingest_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [ops = read_ops(ops, count), until = read_timeout(timeout_ms)](space_state& s) mutable {
            return s.store->process_incoming_ops(std::move(ops), until);
        };
    });
}

std::uint64_t retrieve_op_hashes_in_time_slice(opstore_space* space, opstore_arc arc, std::int64_t start,
                                               std::int64_t end, std::uint32_t timeout_ms,
                                               opstore_ids_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [arc = read_arc(arc), start = arc::from_micros(start), end = arc::from_micros(end),
                until = read_timeout(timeout_ms)](space_state& s) {
            return s.store->retrieve_op_hashes_in_time_slice(arc, start, end, until);
        };
    });
}

std::uint64_t filter_out_existing_ops(opstore_space* space, opstore_bytes const* ids, std::size_t count,
                                      std::uint32_t timeout_ms, opstore_ids_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [ids = read_ids(ids, count), until = read_timeout(timeout_ms)](space_state& s) mutable {
            return s.store->filter_out_existing_ops(std::move(ids), until);
        };
    });
}

std::uint64_t retrieve_op_ids_bounded(opstore_space* space, opstore_arc arc, std::int64_t start,
                                      std::uint64_t limit_bytes, std::uint32_t timeout_ms,
                                      opstore_page_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [arc = read_arc(arc), start = arc::from_micros(start), limit_bytes,
                until = read_timeout(timeout_ms)](space_state& s) {
            return s.store->retrieve_op_ids_bounded(arc, start, limit_bytes, until);
        };
    });
}

std::uint64_t earliest_timestamp_in_arc(opstore_space* space, opstore_arc arc, std::uint32_t timeout_ms,
                                        opstore_times_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [arc = read_arc(arc), until = read_timeout(timeout_ms)](space_state& s) {
            return s.store->earliest_timestamp_in_arc(arc, until);
        };
    });
}

std::uint64_t store_slice_hash(opstore_space* space, opstore_arc arc, std::uint64_t index, opstore_bytes hash,
                               std::uint32_t timeout_ms, opstore_done_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [arc = read_arc(arc), index, hash = read_bytes(hash, "hash"),
                until = read_timeout(timeout_ms)](space_state& s) mutable {
            return s.store->store_slice_hash(arc, index, std::move(hash), until);
        };
    });
}

std::uint64_t slice_hash_count(opstore_space* space, opstore_arc arc, std::uint32_t timeout_ms,
                               opstore_count_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [arc = read_arc(arc), until = read_timeout(timeout_ms)](space_state& s) {
            return s.store->slice_hash_count(arc, until);
        };
    });
}

std::uint64_t retrieve_slice_hash(opstore_space* space, opstore_arc arc, std::uint64_t index,
                                  std::uint32_t timeout_ms, opstore_hash_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [arc = read_arc(arc), index, until = read_timeout(timeout_ms)](space_state& s) {
            return s.store->retrieve_slice_hash(arc, index, until);
        };
    });
}

std::uint64_t retrieve_slice_hashes(opstore_space* space, opstore_arc arc, std::uint32_t timeout_ms,
                                    opstore_slice_hashes_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [arc = read_arc(arc), until = read_timeout(timeout_ms)](space_state& s) {
            return s.store->retrieve_slice_hashes(arc, until);
        };
    });
}

std::uint64_t query_total_op_count(opstore_space* space, std::uint32_t timeout_ms, opstore_count_fn done,
                                   void* user) {
    return start_space_call(space, done, user, [&] {
        return [until = read_timeout(timeout_ms)](space_state& s) {
            return s.store->query_total_op_count(until);
        };
    });
}

std::uint64_t retrieve_slice_hashes_of_arcs(opstore_space* space, opstore_arc const* arcs, std::size_t count,
                                            std::uint32_t timeout_ms, opstore_slice_hashes_fn done,
                                            void* user) {
    return start_space_call(space, done, user, [&] {
        return [arcs = read_arcs(arcs, count), until = read_timeout(timeout_ms)](space_state& s) mutable {
            return s.store->retrieve_slice_hashes_of_arcs(std::move(arcs), until);
        };
    });
}

std::uint64_t earliest_timestamps_in_arcs(opstore_space* space, opstore_arc const* arcs, std::size_t count,
                                          std::uint32_t timeout_ms, opstore_times_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [arcs = read_arcs(arcs, count), until = read_timeout(timeout_ms)](space_state& s) mutable {
            return s.store->earliest_timestamps_in_arcs(std::move(arcs), until);
        };
    });
}

std::uint64_t combined_hashes(opstore_space* space, opstore_sector_set const* sectors,
                              opstore_time_range const* ranges, std::size_t count, std::uint32_t timeout_ms,
                              opstore_sector_hashes_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [sectors = read_sectors(sectors), ranges = read_ranges(ranges, count),
                until = read_timeout(timeout_ms)](space_state& s) mutable {
            return s.store->combined_hashes(sectors, std::move(ranges), until);
        };
    });
}

std::uint64_t summarize(opstore_space* space, opstore_sector_set const* sectors, std::int64_t now,
                        std::uint32_t timeout_ms, opstore_summary_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [sectors = read_sectors(sectors), now = arc::from_micros(now),
                until = read_timeout(timeout_ms)](space_state& s) {
            return s.store->summarize(sectors, now, until);
        };
    });
}

std::uint64_t retrieve_space_hashes(opstore_space* space, std::uint64_t full_slices, std::uint32_t timeout_ms,
                                    opstore_space_hashes_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [full_slices, until = read_timeout(timeout_ms)](space_state& s) {
            return s.store->retrieve_space_hashes(full_slices, until);
        };
    });
}

std::uint64_t retrieve_tail(opstore_space* space, std::int64_t start, std::size_t ops_max,
                            std::uint32_t timeout_ms, opstore_tail_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [start = arc::from_micros(start), ops_max = read_ops_max(ops_max),
                until = read_timeout(timeout_ms)](space_state& s) {
            return s.store->retrieve_tail(start, ops_max, until);
        };
    });
}

std::uint64_t retrieve_op_ids_of_sectors(opstore_space* space, opstore_sector_set const* sectors,
                                         std::int64_t start, std::uint64_t limit_bytes,
                                         std::uint32_t timeout_ms, opstore_page_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [sectors = read_sectors(sectors), start = arc::from_micros(start), limit_bytes,
                until = read_timeout(timeout_ms)](space_state& s) {
            return s.store->retrieve_op_ids_of_sectors(sectors, start, limit_bytes, until);
        };
    });
}

std::uint64_t retrieve_disc_slices(opstore_space* space, opstore_sector_set const* sectors,
                                   std::uint64_t full_slices, std::uint32_t timeout_ms,
                                   opstore_disc_slices_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [sectors = read_sectors(sectors), full_slices, until = read_timeout(timeout_ms)](
                   space_state& s) { return s.store->retrieve_disc_slices(sectors, full_slices, until); };
    });
}

std::uint64_t retrieve_region_ids(opstore_space* space, opstore_region const* regions, std::size_t count,
                                  std::uint64_t limit_bytes, std::uint32_t timeout_ms,
                                  opstore_region_ids_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [regions = read_regions(regions, count), limit_bytes,
                until = read_timeout(timeout_ms)](space_state& s) mutable {
            return s.store->retrieve_region_ids(std::move(regions), limit_bytes, until);
        };
    });
}

std::uint64_t retrieve_region_page(opstore_space* space, opstore_region region, opstore_position const* after,
                                   std::uint64_t limit_bytes, std::uint32_t timeout_ms,
                                   opstore_region_page_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [region = read_region(region), after = read_after(after), limit_bytes,
                until = read_timeout(timeout_ms)](space_state& s) {
            return s.store->retrieve_region_page(region, after, limit_bytes, until);
        };
    });
}

std::uint64_t retrieve_ops_bounded(opstore_space* space, opstore_bytes const* ids, std::size_t count,
                                   std::uint64_t limit_bytes, std::uint32_t timeout_ms, opstore_ops_fn done,
                                   void* user) {
    return start_space_call(space, done, user, [&] {
        return [ids = read_ids(ids, count), limit_bytes,
                until = read_timeout(timeout_ms)](space_state& s) mutable {
            return s.store->retrieve_ops_bounded(std::move(ids), limit_bytes, until);
        };
    });
}

std::uint64_t seal(opstore_space* space, std::int64_t now, std::uint64_t slices_max, std::uint32_t timeout_ms,
                   opstore_seal_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [now = arc::from_micros(now), slices_max, until = read_timeout(timeout_ms)](space_state& s) {
            return s.store->seal(now, slices_max, until);
        };
    });
}

std::uint64_t verify(opstore_space* space, std::uint32_t timeout_ms, opstore_verify_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [until = read_timeout(timeout_ms)](space_state& s) { return s.store->verify(until); };
    });
}

std::uint64_t repair(opstore_space* space, std::uint32_t timeout_ms, opstore_verify_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [until = read_timeout(timeout_ms)](space_state& s) { return s.store->repair(until); };
    });
}

std::uint64_t stat(opstore_space* space, std::uint32_t timeout_ms, opstore_stat_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [until = read_timeout(timeout_ms)](space_state& s) { return s.store->stat(until); };
    });
}

}  // namespace

void add_space_functions(opstore_plugin& table) {
    table.retrieve_ops = retrieve_ops;
    table.process_incoming_ops = process_incoming_ops;
    table.retrieve_op_hashes_in_time_slice = retrieve_op_hashes_in_time_slice;
    table.filter_out_existing_ops = filter_out_existing_ops;
    table.retrieve_op_ids_bounded = retrieve_op_ids_bounded;
    table.earliest_timestamp_in_arc = earliest_timestamp_in_arc;
    table.store_slice_hash = store_slice_hash;
    table.slice_hash_count = slice_hash_count;
    table.retrieve_slice_hash = retrieve_slice_hash;
    table.retrieve_slice_hashes = retrieve_slice_hashes;
    table.query_total_op_count = query_total_op_count;
    table.retrieve_slice_hashes_of_arcs = retrieve_slice_hashes_of_arcs;
    table.earliest_timestamps_in_arcs = earliest_timestamps_in_arcs;
    table.combined_hashes = combined_hashes;
    table.summarize = summarize;
    table.retrieve_space_hashes = retrieve_space_hashes;
    table.retrieve_tail = retrieve_tail;
    table.retrieve_op_ids_of_sectors = retrieve_op_ids_of_sectors;
    table.retrieve_disc_slices = retrieve_disc_slices;
    table.retrieve_region_ids = retrieve_region_ids;
    table.retrieve_region_page = retrieve_region_page;
    table.retrieve_ops_bounded = retrieve_ops_bounded;
    table.seal = seal;
    table.verify = verify;
    table.repair = repair;
    table.stat = stat;
}

}  // namespace opstore::plugin::detail
