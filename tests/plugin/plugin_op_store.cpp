#include <tests/plugin/plugin_op_store.hpp>

#include <tests/plugin/plugin_answers.hpp>
#include <tests/plugin/plugin_call.hpp>
#include <tests/support/run.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace opstore::testing {
namespace {

using boost::asio::awaitable;

/// Longer than any id: how the C interface says a claimed id that no op can have. Size 0 says none there.
constexpr std::array<std::uint8_t, OPSTORE_ID_BYTES_MAX + 1> impossible_id{};

std::vector<opstore_bytes> c_ids(std::vector<op_id> const& ids) {
    std::vector<opstore_bytes> result;
    for (op_id const& id : ids)
        result.push_back(c_bytes(id.bytes()));
    return result;
}

std::vector<opstore_incoming_op> c_ops(std::vector<incoming_op> const& ops) {
    std::vector<opstore_incoming_op> result;
    for (incoming_op const& op : ops) {
        opstore_incoming_op c{};
        c.data = c_bytes(op.data);
        if (op.claimed_id) {
            c.claimed_id = op.claimed_id->empty() ? opstore_bytes{impossible_id.data(), impossible_id.size()}
                                                  : c_bytes(op.claimed_id->bytes());
        }
        c.metadata = c_bytes(op.metadata);
        result.push_back(c);
    }
    return result;
}

template <class From, class Convert>
auto c_list(std::vector<From> const& list, Convert convert) {
    std::vector<decltype(convert(list.front()))> result;
    std::ranges::transform(list, std::back_inserter(result), convert);
    return result;
}

std::vector<stored_op> read_all_ops(opstore_ops const* ops) {
    return read_ops(ops).ops;
}

std::optional<arc::timestamp> read_one_time(opstore_times const* times) {
    return read_times(times).at(0);
}

std::vector<slice_hash> read_one_list(opstore_slice_hash_lists const* lists) {
    return read_slice_hashes(lists).at(0);
}

}  // namespace

std::uint32_t c_timeout(deadline until) {
    using std::chrono::milliseconds;
    if (!until.at())
        return 0;
    auto const left = std::chrono::ceil<milliseconds>(*until.at() - deadline::clock::now()).count();
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(left, 1, std::numeric_limits<std::uint32_t>::max()));
}

std::unique_ptr<plugin_op_store> plugin_op_store::open(std::shared_ptr<plugin_database> database,
                                                       space_options options) {
    auto* const space = run(database->open_space(options)).value();
    return std::unique_ptr<plugin_op_store>(
        new plugin_op_store(std::move(database), space, std::move(options)));
}

plugin_op_store::~plugin_op_store() {
    plugin_library().close_space(space_);
}

awaitable<result<ingest_report>> plugin_op_store::process_incoming_ops(std::vector<incoming_op> ops,
                                                                       deadline until) {
    auto const c = c_ops(ops);
    auto start = [&](opstore_ingest_fn done, void* user) {
        return plugin_library().process_incoming_ops(space_, c.data(), c.size(), c_timeout(until), done,
                                                     user);
    };
    co_return co_await call_plugin<ingest_report, read_report, opstore_ingest_fn>(database_->handle(), start);
}

awaitable<result<id_list>> plugin_op_store::retrieve_op_hashes_in_time_slice(arc::dht_arc arc,
                                                                             arc::timestamp start_at,
                                                                             arc::timestamp end,
                                                                             deadline until) {
    auto start = [&](opstore_ids_fn done, void* user) {
        return plugin_library().retrieve_op_hashes_in_time_slice(
            space_, c_arc(arc), arc::to_micros(start_at), arc::to_micros(end), c_timeout(until), done, user);
    };
    co_return co_await call_plugin<id_list, read_id_list, opstore_ids_fn>(database_->handle(), start);
}

awaitable<result<std::vector<stored_op>>> plugin_op_store::retrieve_ops(std::vector<op_id> ids,
                                                                        deadline until) {
    auto const c = c_ids(ids);
    auto start = [&](opstore_ops_fn done, void* user) {
        return plugin_library().retrieve_ops(space_, c.data(), c.size(), c_timeout(until), done, user);
    };
    co_return co_await call_plugin<std::vector<stored_op>, read_all_ops, opstore_ops_fn>(database_->handle(),
                                                                                         start);
}

awaitable<result<std::vector<op_id>>> plugin_op_store::filter_out_existing_ops(std::vector<op_id> ids,
                                                                               deadline until) {
    auto const c = c_ids(ids);
    auto start = [&](opstore_ids_fn done, void* user) {
        return plugin_library().filter_out_existing_ops(space_, c.data(), c.size(), c_timeout(until), done,
                                                        user);
    };
    co_return co_await call_plugin<std::vector<op_id>, read_missing_ids, opstore_ids_fn>(database_->handle(),
                                                                                         start);
}

awaitable<result<id_page>> plugin_op_store::retrieve_op_ids_bounded(arc::dht_arc arc, arc::timestamp start_at,
                                                                    std::uint64_t limit_bytes,
                                                                    deadline until) {
    auto start = [&](opstore_page_fn done, void* user) {
        return plugin_library().retrieve_op_ids_bounded(space_, c_arc(arc), arc::to_micros(start_at),
                                                        limit_bytes, c_timeout(until), done, user);
    };
    co_return co_await call_plugin<id_page, read_page, opstore_page_fn>(database_->handle(), start);
}

awaitable<result<std::optional<arc::timestamp>>> plugin_op_store::earliest_timestamp_in_arc(arc::dht_arc arc,
                                                                                            deadline until) {
    auto start = [&](opstore_times_fn done, void* user) {
        return plugin_library().earliest_timestamp_in_arc(space_, c_arc(arc), c_timeout(until), done, user);
    };
    co_return co_await call_plugin<std::optional<arc::timestamp>, read_one_time, opstore_times_fn>(
        database_->handle(), start);
}

awaitable<result<void>> plugin_op_store::store_slice_hash(arc::dht_arc arc, std::uint64_t index,
                                                          std::vector<std::byte> hash, deadline until) {
    auto start = [&](opstore_done_fn done, void* user) {
        return plugin_library().store_slice_hash(space_, c_arc(arc), index, c_bytes(hash), c_timeout(until),
                                                 done, user);
    };
    co_return co_await call_plugin<void, read_done, opstore_done_fn>(database_->handle(), start);
}

awaitable<result<std::uint64_t>> plugin_op_store::slice_hash_count(arc::dht_arc arc, deadline until) {
    auto start = [&](opstore_count_fn done, void* user) {
        return plugin_library().slice_hash_count(space_, c_arc(arc), c_timeout(until), done, user);
    };
    co_return co_await call_plugin<std::uint64_t, read_count, opstore_count_fn>(database_->handle(), start);
}

awaitable<result<std::optional<std::vector<std::byte>>>> plugin_op_store::retrieve_slice_hash(
    arc::dht_arc arc, std::uint64_t index, deadline until) {
    auto start = [&](opstore_hash_fn done, void* user) {
        return plugin_library().retrieve_slice_hash(space_, c_arc(arc), index, c_timeout(until), done, user);
    };
    co_return co_await call_plugin<std::optional<std::vector<std::byte>>, read_hash, opstore_hash_fn>(
        database_->handle(), start);
}

awaitable<result<std::vector<slice_hash>>> plugin_op_store::retrieve_slice_hashes(arc::dht_arc arc,
                                                                                  deadline until) {
    auto start = [&](opstore_slice_hashes_fn done, void* user) {
        return plugin_library().retrieve_slice_hashes(space_, c_arc(arc), c_timeout(until), done, user);
    };
    co_return co_await call_plugin<std::vector<slice_hash>, read_one_list, opstore_slice_hashes_fn>(
        database_->handle(), start);
}

awaitable<result<std::uint64_t>> plugin_op_store::query_total_op_count(deadline until) {
    auto start = [&](opstore_count_fn done, void* user) {
        return plugin_library().query_total_op_count(space_, c_timeout(until), done, user);
    };
    co_return co_await call_plugin<std::uint64_t, read_count, opstore_count_fn>(database_->handle(), start);
}

awaitable<result<std::vector<std::vector<slice_hash>>>> plugin_op_store::retrieve_slice_hashes_of_arcs(
    std::vector<arc::dht_arc> arcs, deadline until) {
    auto const c = c_list(arcs, c_arc);
    auto start = [&](opstore_slice_hashes_fn done, void* user) {
        return plugin_library().retrieve_slice_hashes_of_arcs(space_, c.data(), c.size(), c_timeout(until),
                                                              done, user);
    };
    co_return co_await call_plugin<std::vector<std::vector<slice_hash>>, read_slice_hashes,
                                   opstore_slice_hashes_fn>(database_->handle(), start);
}

awaitable<result<std::vector<std::optional<arc::timestamp>>>> plugin_op_store::earliest_timestamps_in_arcs(
    std::vector<arc::dht_arc> arcs, deadline until) {
    auto const c = c_list(arcs, c_arc);
    auto start = [&](opstore_times_fn done, void* user) {
        return plugin_library().earliest_timestamps_in_arcs(space_, c.data(), c.size(), c_timeout(until),
                                                            done, user);
    };
    co_return co_await call_plugin<std::vector<std::optional<arc::timestamp>>, read_times, opstore_times_fn>(
        database_->handle(), start);
}

awaitable<result<std::vector<std::vector<sector_hash>>>> plugin_op_store::combined_hashes(
    arc::arc_set sectors, std::vector<arc::time_range> ranges, deadline until) {
    auto const set = c_sectors(sectors);
    auto const c = c_list(ranges, c_range);
    auto start = [&](opstore_sector_hashes_fn done, void* user) {
        return plugin_library().combined_hashes(space_, &set, c.data(), c.size(), c_timeout(until), done,
                                                user);
    };
    co_return co_await call_plugin<std::vector<std::vector<sector_hash>>, read_sector_hashes,
                                   opstore_sector_hashes_fn>(database_->handle(), start);
}

awaitable<result<store_summary>> plugin_op_store::summarize(arc::arc_set sectors, arc::timestamp now,
                                                            deadline until) {
    auto const set = c_sectors(sectors);
    auto start = [&](opstore_summary_fn done, void* user) {
        return plugin_library().summarize(space_, &set, arc::to_micros(now), c_timeout(until), done, user);
    };
    co_return co_await call_plugin<store_summary, read_summary, opstore_summary_fn>(database_->handle(),
                                                                                    start);
}

awaitable<result<space_hashes>> plugin_op_store::retrieve_space_hashes(std::uint64_t full_slices,
                                                                       deadline until) {
    auto start = [&](opstore_space_hashes_fn done, void* user) {
        return plugin_library().retrieve_space_hashes(space_, full_slices, c_timeout(until), done, user);
    };
    co_return co_await call_plugin<space_hashes, read_space_hashes, opstore_space_hashes_fn>(
        database_->handle(), start);
}

awaitable<result<op_tail>> plugin_op_store::retrieve_tail(arc::timestamp start_at, std::size_t ops_max,
                                                          deadline until) {
    auto start = [&](opstore_tail_fn done, void* user) {
        return plugin_library().retrieve_tail(space_, arc::to_micros(start_at), ops_max, c_timeout(until),
                                              done, user);
    };
    co_return co_await call_plugin<op_tail, read_tail, opstore_tail_fn>(database_->handle(), start);
}

awaitable<result<id_page>> plugin_op_store::retrieve_op_ids_of_sectors(arc::arc_set sectors,
                                                                       arc::timestamp start_at,
                                                                       std::uint64_t limit_bytes,
                                                                       deadline until) {
    auto const set = c_sectors(sectors);
    auto start = [&](opstore_page_fn done, void* user) {
        return plugin_library().retrieve_op_ids_of_sectors(space_, &set, arc::to_micros(start_at),
                                                           limit_bytes, c_timeout(until), done, user);
    };
    co_return co_await call_plugin<id_page, read_page, opstore_page_fn>(database_->handle(), start);
}

awaitable<result<std::vector<sector_slices>>> plugin_op_store::retrieve_disc_slices(arc::arc_set sectors,
                                                                                    std::uint64_t full_slices,
                                                                                    deadline until) {
    auto const set = c_sectors(sectors);
    auto start = [&](opstore_disc_slices_fn done, void* user) {
        return plugin_library().retrieve_disc_slices(space_, &set, full_slices, c_timeout(until), done, user);
    };
    co_return co_await call_plugin<std::vector<sector_slices>, read_disc_slices, opstore_disc_slices_fn>(
        database_->handle(), start);
}

awaitable<result<std::vector<region_ids>>> plugin_op_store::retrieve_region_ids(
    std::vector<op_region> regions, std::uint64_t limit_bytes, deadline until) {
    auto const c = c_list(regions, c_region);
    auto start = [&](opstore_region_ids_fn done, void* user) {
        return plugin_library().retrieve_region_ids(space_, c.data(), c.size(), limit_bytes, c_timeout(until),
                                                    done, user);
    };
    co_return co_await call_plugin<std::vector<region_ids>, read_region_ids, opstore_region_ids_fn>(
        database_->handle(), start);
}

awaitable<result<region_page>> plugin_op_store::retrieve_region_page(op_region region,
                                                                     std::optional<op_position> after,
                                                                     std::uint64_t limit_bytes,
                                                                     deadline until) {
    opstore_position position{};
    if (after)
        position = {arc::to_micros(after->created_at), c_bytes(after->id.bytes())};
    auto start = [&](opstore_region_page_fn done, void* user) {
        return plugin_library().retrieve_region_page(space_, c_region(region), after ? &position : nullptr,
                                                     limit_bytes, c_timeout(until), done, user);
    };
    co_return co_await call_plugin<region_page, read_region_page, opstore_region_page_fn>(database_->handle(),
                                                                                          start);
}

awaitable<result<op_batch>> plugin_op_store::retrieve_ops_bounded(std::vector<op_id> ids,
                                                                  std::uint64_t limit_bytes, deadline until) {
    auto const c = c_ids(ids);
    auto start = [&](opstore_ops_fn done, void* user) {
        return plugin_library().retrieve_ops_bounded(space_, c.data(), c.size(), limit_bytes,
                                                     c_timeout(until), done, user);
    };
    co_return co_await call_plugin<op_batch, read_ops, opstore_ops_fn>(database_->handle(), start);
}

awaitable<result<seal_report>> plugin_op_store::seal(arc::timestamp now, std::uint64_t slices_max,
                                                     deadline until) {
    auto start = [&](opstore_seal_fn done, void* user) {
        return plugin_library().seal(space_, arc::to_micros(now), slices_max, c_timeout(until), done, user);
    };
    co_return co_await call_plugin<seal_report, read_seal, opstore_seal_fn>(database_->handle(), start);
}

awaitable<result<verify_report>> plugin_op_store::verify(deadline until) {
    auto start = [&](opstore_verify_fn done, void* user) {
        return plugin_library().verify(space_, c_timeout(until), done, user);
    };
    co_return co_await call_plugin<verify_report, read_verify, opstore_verify_fn>(database_->handle(), start);
}

awaitable<result<verify_report>> plugin_op_store::repair(deadline until) {
    auto start = [&](opstore_verify_fn done, void* user) {
        return plugin_library().repair(space_, c_timeout(until), done, user);
    };
    co_return co_await call_plugin<verify_report, read_verify, opstore_verify_fn>(database_->handle(), start);
}

awaitable<result<space_stat>> plugin_op_store::stat(deadline until) {
    auto start = [&](opstore_stat_fn done, void* user) {
        return plugin_library().stat(space_, c_timeout(until), done, user);
    };
    co_return co_await call_plugin<space_stat, read_stat, opstore_stat_fn>(database_->handle(), start);
}

}  // namespace opstore::testing
