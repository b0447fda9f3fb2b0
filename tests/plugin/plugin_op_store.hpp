#pragma once

#include <opstore/op_store.hpp>
#include <opstore/peer_meta.hpp>
#include <tests/plugin/plugin_database.hpp>

#include <cstdint>
#include <memory>

namespace opstore::testing {

/// The milliseconds of the C interface for a deadline: 0 for none, and at least 1 else.
std::uint32_t c_timeout(deadline until);

/// A space of the plugin as an op_store: so the contract suite drives the C table.
///
/// Every method starts the call of its name and awaits the callback; what the C interface says with an error
/// code is a refusal, a store_error or operation_aborted again.
/// Thread safety: op_store's. The handle of the space is closed with this object.
class plugin_op_store final : public op_store {
public:
    /// Opens or creates the space.
    static std::unique_ptr<plugin_op_store> open(std::shared_ptr<plugin_database> database,
                                                 space_options options);
    ~plugin_op_store() override;

    plugin_op_store(plugin_op_store const&) = delete;
    plugin_op_store& operator=(plugin_op_store const&) = delete;

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
    plugin_op_store(std::shared_ptr<plugin_database> database, opstore_space* space, space_options options)
        : database_(std::move(database)), space_(space), options_(std::move(options)) {}

    std::shared_ptr<plugin_database> database_;
    opstore_space* const space_;
    space_options const options_;
};

}  // namespace opstore::testing
