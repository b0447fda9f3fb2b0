#pragma once

#include <opstore/op_store.hpp>

#include <functional>
#include <memory>

namespace opstore::memory::detail {
class memory_space;
}

namespace opstore {

class op_pool;

/// A space in memory: the oracle of the tests, and the store of thousands of simulated peers.
///
/// Deterministic: the same calls at the same times of `clock` give the same answers, on any machine. It is
/// durable for as long as it lives. Calls complete without suspending; deadlines are ignored.
///
/// Thread safety: as op_store demands, by one mutex.
class memory_op_store final : public op_store {
public:
    /// The wall clock of stored_at and of sealing.
    using clock_function = std::function<arc::timestamp()>;

    /// Precondition: check(options). A space in slice mode store starts with the full slices of clock().
    /// `pool`: shared by the stores that are to hold their common ops once; null: a pool of its own.
    explicit memory_op_store(space_options options, clock_function clock = system_clock_now,
                             std::shared_ptr<op_pool> pool = nullptr);
    ~memory_op_store() override;

    static arc::timestamp system_clock_now();

    space_options const& options() const override;

    // The rest as op_store says; see there.
    boost::asio::awaitable<result<ingest_report>> process_incoming_ops(std::vector<incoming_op> ops,
                                                                       deadline until = {}) override;
    boost::asio::awaitable<result<id_list>> retrieve_op_hashes_in_time_slice(arc::dht_arc arc,
                                                                             arc::timestamp start,
                                                                             arc::timestamp end,
                                                                             deadline until = {}) override;
    boost::asio::awaitable<result<std::vector<stored_op>>> retrieve_ops(std::vector<op_id> ids,
                                                                        deadline until = {}) override;
    boost::asio::awaitable<result<std::vector<op_id>>> filter_out_existing_ops(std::vector<op_id> ids,
                                                                               deadline until = {}) override;
    boost::asio::awaitable<result<id_page>> retrieve_op_ids_bounded(arc::dht_arc arc, arc::timestamp start,
                                                                    std::uint64_t limit_bytes,
                                                                    deadline until = {}) override;
    boost::asio::awaitable<result<std::optional<arc::timestamp>>> earliest_timestamp_in_arc(
        arc::dht_arc arc, deadline until = {}) override;
    boost::asio::awaitable<result<void>> store_slice_hash(arc::dht_arc arc, std::uint64_t index,
                                                          std::vector<std::byte> hash,
                                                          deadline until = {}) override;
    boost::asio::awaitable<result<std::uint64_t>> slice_hash_count(arc::dht_arc arc,
                                                                   deadline until = {}) override;
    boost::asio::awaitable<result<std::optional<std::vector<std::byte>>>> retrieve_slice_hash(
        arc::dht_arc arc, std::uint64_t index, deadline until = {}) override;
    boost::asio::awaitable<result<std::vector<slice_hash>>> retrieve_slice_hashes(
        arc::dht_arc arc, deadline until = {}) override;
    boost::asio::awaitable<result<std::uint64_t>> query_total_op_count(deadline until = {}) override;
    boost::asio::awaitable<result<std::vector<std::vector<slice_hash>>>> retrieve_slice_hashes_of_arcs(
        std::vector<arc::dht_arc> arcs, deadline until = {}) override;
    boost::asio::awaitable<result<std::vector<std::optional<arc::timestamp>>>> earliest_timestamps_in_arcs(
        std::vector<arc::dht_arc> arcs, deadline until = {}) override;
    boost::asio::awaitable<result<std::vector<std::vector<sector_hash>>>> combined_hashes(
        arc::arc_set sectors, std::vector<arc::time_range> ranges, deadline until = {}) override;
    boost::asio::awaitable<result<store_summary>> summarize(arc::arc_set sectors, arc::timestamp now,
                                                            deadline until = {}) override;
    boost::asio::awaitable<result<space_hashes>> retrieve_space_hashes(std::uint64_t full_slices,
                                                                       deadline until = {}) override;
    boost::asio::awaitable<result<op_tail>> retrieve_tail(arc::timestamp start, std::size_t ops_max,
                                                          deadline until = {}) override;
    boost::asio::awaitable<result<id_page>> retrieve_op_ids_of_sectors(arc::arc_set sectors,
                                                                       arc::timestamp start,
                                                                       std::uint64_t limit_bytes,
                                                                       deadline until = {}) override;
    boost::asio::awaitable<result<std::vector<sector_slices>>> retrieve_disc_slices(
        arc::arc_set sectors, std::uint64_t full_slices, deadline until = {}) override;
    boost::asio::awaitable<result<std::vector<region_ids>>> retrieve_region_ids(
        std::vector<op_region> regions, std::uint64_t limit_bytes, deadline until = {}) override;
    boost::asio::awaitable<result<region_page>> retrieve_region_page(op_region region,
                                                                     std::optional<op_position> after,
                                                                     std::uint64_t limit_bytes,
                                                                     deadline until = {}) override;
    boost::asio::awaitable<result<op_batch>> retrieve_ops_bounded(std::vector<op_id> ids,
                                                                  std::uint64_t limit_bytes,
                                                                  deadline until = {}) override;
    boost::asio::awaitable<result<seal_report>> seal(arc::timestamp now, std::uint64_t slices_max,
                                                     deadline until = {}) override;
    boost::asio::awaitable<result<verify_report>> verify(deadline until = {}) override;
    boost::asio::awaitable<result<verify_report>> repair(deadline until = {}) override;
    boost::asio::awaitable<result<space_stat>> stat(deadline until = {}) override;

private:
    std::unique_ptr<memory::detail::memory_space> space_;
};

}  // namespace opstore
