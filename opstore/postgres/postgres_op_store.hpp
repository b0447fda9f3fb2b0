#pragma once

#include <opstore/op_store.hpp>

#include <memory>

namespace opstore {

class postgres_database;

namespace postgres::detail {
class held_ids;
class ingest_queue;
enum class lane;
}  // namespace postgres::detail

/// One space of a PostgreSQL database. Get one from postgres_database::open_space().
///
/// Round trips: one for each method, but for pages and id lists longer than a statement should be, two for
/// the ids of regions, and none for earliest ops of whole sectors that are asked for often (see
/// docs/design.md, "Earliest times in memory"). Filtering ids and retrieving ops read which ids are held,
/// where they are called often, 16 384 at a time at most; retrieving takes a second one for ops that are not
/// where they were, or not held (see there, "Held ids in memory"). Ingest joins the calls that run at the
/// same time into one transaction (see there, "The path of an op").
class postgres_op_store final : public op_store {
public:
    ~postgres_op_store() override;

    space_options const& options() const override { return *options_; }

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
    friend class postgres_database;
    postgres_op_store(std::shared_ptr<postgres_database> database, std::int64_t space_id,
                      std::int64_t incarnation, space_options options);

    template <class Query>
    auto run(postgres::detail::lane l, deadline until, Query query);
    template <class Fetch>
    auto look_up(std::vector<op_id> ids, deadline until, Fetch fetch);

    std::shared_ptr<postgres_database> database_;
    std::int64_t space_id_;
    std::int64_t incarnation_;
    std::shared_ptr<space_options const> options_;  ///< Shared with jobs that outlive a cancelled call.
    std::shared_ptr<postgres::detail::ingest_queue> ingest_;
    std::shared_ptr<postgres::detail::held_ids> held_;  ///< As the options.
};

}  // namespace opstore
