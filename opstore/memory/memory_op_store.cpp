#include <opstore/memory/memory_op_store.hpp>

#include <opstore/memory/detail/memory_space.hpp>

#include <algorithm>
#include <chrono>

namespace asio = boost::asio;

namespace opstore {

memory_op_store::memory_op_store(space_options options, clock_function clock, std::shared_ptr<op_pool> pool)
    : space_(std::make_unique<memory::detail::memory_space>(std::move(options), std::move(clock),
                                                            std::move(pool))) {}

memory_op_store::~memory_op_store() = default;

arc::timestamp memory_op_store::system_clock_now() {
    using namespace std::chrono;
    return arc::from_micros(duration_cast<microseconds>(system_clock::now().time_since_epoch()).count());
}

space_options const& memory_op_store::options() const {
    return space_->options();
}

asio::awaitable<result<ingest_report>> memory_op_store::process_incoming_ops(std::vector<incoming_op> ops,
                                                                             deadline) {
    co_return space_->ingest(std::move(ops));
}

asio::awaitable<result<id_list>> memory_op_store::retrieve_op_hashes_in_time_slice(arc::dht_arc arc,
                                                                                   arc::timestamp start,
                                                                                   arc::timestamp end,
                                                                                   deadline) {
    co_return space_->time_slice(arc, start, end);
}

asio::awaitable<result<std::vector<stored_op>>> memory_op_store::retrieve_ops(std::vector<op_id> ids,
                                                                              deadline) {
    co_return space_->find(ids);
}

asio::awaitable<result<std::vector<op_id>>> memory_op_store::filter_out_existing_ops(std::vector<op_id> ids,
                                                                                     deadline) {
    co_return space_->missing(ids);
}

asio::awaitable<result<id_page>> memory_op_store::retrieve_op_ids_bounded(arc::dht_arc arc,
                                                                          arc::timestamp start,
                                                                          std::uint64_t limit_bytes,
                                                                          deadline) {
    auto const holds = [&](arc::location at) { return arc.contains(at); };
    co_return space_->page(holds, start, limit_bytes);
}

asio::awaitable<result<std::optional<arc::timestamp>>> memory_op_store::earliest_timestamp_in_arc(
    arc::dht_arc arc, deadline) {
    std::vector<arc::dht_arc> const one{arc};
    co_return space_->earliest(one)[0];
}

asio::awaitable<result<void>> memory_op_store::store_slice_hash(arc::dht_arc arc, std::uint64_t index,
                                                                std::vector<std::byte> hash, deadline) {
    co_return space_->put_slice_hash(arc, index, std::move(hash));
}

asio::awaitable<result<std::uint64_t>> memory_op_store::slice_hash_count(arc::dht_arc arc, deadline) {
    std::vector<arc::dht_arc> const one{arc};
    auto const hashes = space_->slice_hashes(one)[0];
    co_return hashes.empty() ? 0 : hashes.back().index + 1;
}

asio::awaitable<result<std::optional<std::vector<std::byte>>>> memory_op_store::retrieve_slice_hash(
    arc::dht_arc arc, std::uint64_t index, deadline) {
    std::vector<arc::dht_arc> const one{arc};
    auto const hashes = space_->slice_hashes(one)[0];
    auto const at = std::ranges::find(hashes, index, &slice_hash::index);
    co_return at == hashes.end() ? std::nullopt : std::optional(at->hash);
}

asio::awaitable<result<std::vector<slice_hash>>> memory_op_store::retrieve_slice_hashes(arc::dht_arc arc,
                                                                                        deadline) {
    std::vector<arc::dht_arc> const one{arc};
    co_return space_->slice_hashes(one)[0];
}

asio::awaitable<result<std::uint64_t>> memory_op_store::query_total_op_count(deadline) {
    co_return space_->stat().op_count;
}

asio::awaitable<result<std::vector<std::vector<slice_hash>>>> memory_op_store::retrieve_slice_hashes_of_arcs(
    std::vector<arc::dht_arc> arcs, deadline) {
    co_return space_->slice_hashes(arcs);
}

asio::awaitable<result<std::vector<std::optional<arc::timestamp>>>>
memory_op_store::earliest_timestamps_in_arcs(std::vector<arc::dht_arc> arcs, deadline) {
    co_return space_->earliest(arcs);
}

asio::awaitable<result<std::vector<std::vector<sector_hash>>>> memory_op_store::combined_hashes(
    arc::arc_set sectors, std::vector<arc::time_range> ranges, deadline) {
    co_return space_->combine(sectors, ranges);
}

asio::awaitable<result<store_summary>> memory_op_store::summarize(arc::arc_set sectors, arc::timestamp now,
                                                                  deadline) {
    co_return space_->summarize(sectors, now);
}

asio::awaitable<result<space_hashes>> memory_op_store::retrieve_space_hashes(std::uint64_t full_slices,
                                                                             deadline) {
    co_return space_->hashes(full_slices);
}

asio::awaitable<result<op_tail>> memory_op_store::retrieve_tail(arc::timestamp start, std::size_t ops_max,
                                                                deadline) {
    co_return space_->tail(start, ops_max);
}

asio::awaitable<result<id_page>> memory_op_store::retrieve_op_ids_of_sectors(arc::arc_set sectors,
                                                                             arc::timestamp start,
                                                                             std::uint64_t limit_bytes,
                                                                             deadline) {
    auto const holds = [&](arc::location at) { return sectors.includes(arc::sector_of(at)); };
    co_return space_->page(holds, start, limit_bytes);
}

asio::awaitable<result<std::vector<sector_slices>>> memory_op_store::retrieve_disc_slices(
    arc::arc_set sectors, std::uint64_t full_slices, deadline) {
    co_return space_->disc_slices(sectors, full_slices);
}

asio::awaitable<result<std::vector<region_ids>>> memory_op_store::retrieve_region_ids(
    std::vector<op_region> regions, std::uint64_t limit_bytes, deadline) {
    co_return space_->regions(regions, limit_bytes);
}

asio::awaitable<result<region_page>> memory_op_store::retrieve_region_page(op_region region,
                                                                           std::optional<op_position> after,
                                                                           std::uint64_t limit_bytes,
                                                                           deadline) {
    co_return space_->page_of_region(region, after, limit_bytes);
}

asio::awaitable<result<op_batch>> memory_op_store::retrieve_ops_bounded(std::vector<op_id> ids,
                                                                        std::uint64_t limit_bytes, deadline) {
    co_return space_->find_bounded(ids, limit_bytes);
}

asio::awaitable<result<seal_report>> memory_op_store::seal(arc::timestamp now, std::uint64_t slices_max,
                                                           deadline) {
    co_return space_->seal(now, slices_max);
}

asio::awaitable<result<verify_report>> memory_op_store::verify(deadline) {
    co_return space_->verify(false);
}

asio::awaitable<result<verify_report>> memory_op_store::repair(deadline) {
    co_return space_->verify(true);
}

asio::awaitable<result<space_stat>> memory_op_store::stat(deadline) {
    co_return space_->stat();
}

}  // namespace opstore
