#pragma once

#include <opstore/op_store.hpp>
#include <tests/support/manual_clock.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace opstore::testing {

/// The contract once more, as plainly as it can be said: a list of ops, read from end to end for every
/// answer. It keeps no index, no counter and no slice hash, and shares no rule with the library (ring
/// geometry, slices and admission are spelled out in numbers), so that the oracle itself has something to be
/// compared with.
///
/// Thread safety: none.
class dumb_op_store final : public op_store {
public:
    dumb_op_store(space_options options, manual_clock clock);

    space_options const& options() const override { return options_; }

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
    struct given_hash {
        arc::dht_arc arc;
        std::uint64_t index;
        std::vector<std::byte> hash;
    };

    std::int64_t slice_micros() const;
    std::int64_t stretch_of(std::int64_t created_at, std::uint64_t full_slices) const;
    std::int64_t full_slices_at(arc::timestamp now) const;
    bool holds(op_id const& id) const;
    bool keeps(arc::dht_arc arc) const;
    std::optional<rejection_reason> judge(incoming_op const& op, arc::timestamp now) const;
    std::map<std::uint64_t, std::vector<std::byte>> hashes_of(arc::dht_arc arc) const;
    std::vector<slice_hash> listed_hashes_of(arc::dht_arc arc) const;
    std::optional<arc::timestamp> earliest_in(arc::dht_arc arc) const;
    combined_hash top_hash(arc::arc_set const& sectors, std::int64_t start, std::int64_t end) const;
    std::vector<stored_op> ops_of(op_region const& region) const;
    verify_report whole() const;

    space_options options_;
    manual_clock clock_;
    std::vector<stored_op> ops_;  ///< In the order of their stamps.
    std::int64_t watermark_ = 0;
    std::int64_t full_slices_ = 0;
    std::vector<given_hash> given_;
};

}  // namespace opstore::testing
