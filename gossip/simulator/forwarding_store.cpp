#include <gossip/simulator/forwarding_store.hpp>

#include <utility>

namespace asio = boost::asio;

namespace opstore::simulator {

asio::awaitable<result<ingest_report>> forwarding_store::process_incoming_ops(std::vector<incoming_op> ops,
                                                                              deadline until) {
    return inner_.process_incoming_ops(std::move(ops), until);
}

asio::awaitable<result<id_list>> forwarding_store::retrieve_op_hashes_in_time_slice(arc::dht_arc arc,
                                                                                    arc::timestamp start,
                                                                                    arc::timestamp end,
                                                                                    deadline until) {
    return inner_.retrieve_op_hashes_in_time_slice(arc, start, end, until);
}

asio::awaitable<result<std::vector<stored_op>>> forwarding_store::retrieve_ops(std::vector<op_id> ids,
                                                                               deadline until) {
    return inner_.retrieve_ops(std::move(ids), until);
}

asio::awaitable<result<std::vector<op_id>>> forwarding_store::filter_out_existing_ops(std::vector<op_id> ids,
                                                                                      deadline until) {
    return inner_.filter_out_existing_ops(std::move(ids), until);
}

asio::awaitable<result<id_page>> forwarding_store::retrieve_op_ids_bounded(arc::dht_arc arc,
                                                                           arc::timestamp start,
                                                                           std::uint64_t limit_bytes,
                                                                           deadline until) {
    return inner_.retrieve_op_ids_bounded(arc, start, limit_bytes, until);
}

asio::awaitable<result<std::optional<arc::timestamp>>> forwarding_store::earliest_timestamp_in_arc(
    arc::dht_arc arc, deadline until) {
    return inner_.earliest_timestamp_in_arc(arc, until);
}

asio::awaitable<result<void>> forwarding_store::store_slice_hash(arc::dht_arc arc, std::uint64_t index,
                                                                 std::vector<std::byte> hash,
                                                                 deadline until) {
    return inner_.store_slice_hash(arc, index, std::move(hash), until);
}

asio::awaitable<result<std::uint64_t>> forwarding_store::slice_hash_count(arc::dht_arc arc, deadline until) {
    return inner_.slice_hash_count(arc, until);
}

asio::awaitable<result<std::optional<std::vector<std::byte>>>> forwarding_store::retrieve_slice_hash(
    arc::dht_arc arc, std::uint64_t index, deadline until) {
    return inner_.retrieve_slice_hash(arc, index, until);
}

asio::awaitable<result<std::vector<slice_hash>>> forwarding_store::retrieve_slice_hashes(arc::dht_arc arc,
                                                                                         deadline until) {
    return inner_.retrieve_slice_hashes(arc, until);
}

asio::awaitable<result<std::uint64_t>> forwarding_store::query_total_op_count(deadline until) {
    return inner_.query_total_op_count(until);
}

asio::awaitable<result<std::vector<std::vector<slice_hash>>>> forwarding_store::retrieve_slice_hashes_of_arcs(
    std::vector<arc::dht_arc> arcs, deadline until) {
    return inner_.retrieve_slice_hashes_of_arcs(std::move(arcs), until);
}

asio::awaitable<result<std::vector<std::optional<arc::timestamp>>>>
forwarding_store::earliest_timestamps_in_arcs(std::vector<arc::dht_arc> arcs, deadline until) {
    return inner_.earliest_timestamps_in_arcs(std::move(arcs), until);
}

asio::awaitable<result<std::vector<std::vector<sector_hash>>>> forwarding_store::combined_hashes(
    arc::arc_set sectors, std::vector<arc::time_range> ranges, deadline until) {
    return inner_.combined_hashes(sectors, std::move(ranges), until);
}

asio::awaitable<result<store_summary>> forwarding_store::summarize(arc::arc_set sectors, arc::timestamp now,
                                                                   deadline until) {
    return inner_.summarize(sectors, now, until);
}

asio::awaitable<result<space_hashes>> forwarding_store::retrieve_space_hashes(std::uint64_t full_slices,
                                                                              deadline until) {
    return inner_.retrieve_space_hashes(full_slices, until);
}

asio::awaitable<result<op_tail>> forwarding_store::retrieve_tail(arc::timestamp start, std::size_t ops_max,
                                                                 deadline until) {
    return inner_.retrieve_tail(start, ops_max, until);
}

asio::awaitable<result<id_page>> forwarding_store::retrieve_op_ids_of_sectors(arc::arc_set sectors,
                                                                              arc::timestamp start,
                                                                              std::uint64_t limit_bytes,
                                                                              deadline until) {
    return inner_.retrieve_op_ids_of_sectors(sectors, start, limit_bytes, until);
}

asio::awaitable<result<std::vector<sector_slices>>> forwarding_store::retrieve_disc_slices(
    arc::arc_set sectors, std::uint64_t full_slices, deadline until) {
    return inner_.retrieve_disc_slices(sectors, full_slices, until);
}

asio::awaitable<result<std::vector<region_ids>>> forwarding_store::retrieve_region_ids(
    std::vector<op_region> regions, std::uint64_t limit_bytes, deadline until) {
    return inner_.retrieve_region_ids(std::move(regions), limit_bytes, until);
}

asio::awaitable<result<region_page>> forwarding_store::retrieve_region_page(op_region region,
                                                                            std::optional<op_position> after,
                                                                            std::uint64_t limit_bytes,
                                                                            deadline until) {
    return inner_.retrieve_region_page(region, after, limit_bytes, until);
}

asio::awaitable<result<op_batch>> forwarding_store::retrieve_ops_bounded(std::vector<op_id> ids,
                                                                         std::uint64_t limit_bytes,
                                                                         deadline until) {
    return inner_.retrieve_ops_bounded(std::move(ids), limit_bytes, until);
}

asio::awaitable<result<seal_report>> forwarding_store::seal(arc::timestamp now, std::uint64_t slices_max,
                                                            deadline until) {
    return inner_.seal(now, slices_max, until);
}

asio::awaitable<result<verify_report>> forwarding_store::verify(deadline until) {
    return inner_.verify(until);
}

asio::awaitable<result<verify_report>> forwarding_store::repair(deadline until) {
    return inner_.repair(until);
}

asio::awaitable<result<space_stat>> forwarding_store::stat(deadline until) {
    return inner_.stat(until);
}

}  // namespace opstore::simulator
