#pragma once

#include <opstore/op_store.hpp>
#include <opstore/postgres/detail/query_parts.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

/// The methods of op_store but for ingest, pages (page_queries.hpp), ops by id (op_retrieval.hpp) and what
/// gossip_queries.hpp has, as blocking functions on one connection. Each reads and may be repeated, or says
/// why it may. All refuse with no_such_space; the rest of their contract stands in op_store.hpp.
namespace opstore::postgres::detail {

result<id_list> fetch_time_slice(connection& c, space_view space, arc::dht_arc arc, arc::time_range range);
/// Precondition: all of the space's id length.
result<std::vector<op_id>> fetch_missing(connection& c, space_view space, std::vector<op_id> const& ids);
result<std::vector<std::optional<arc::timestamp>>> fetch_earliest(connection& c, space_identity space,
                                                                  std::vector<arc::dht_arc> const& arcs);

/// A repeat overwrites with the same hash.
result<void> put_slice_hash(connection& c, space_view space, arc::dht_arc arc, std::uint64_t index,
                            std::vector<std::byte> const& hash);
result<std::uint64_t> fetch_slice_hash_count(connection& c, space_view space, arc::dht_arc arc);
result<std::optional<std::vector<std::byte>>> fetch_slice_hash(connection& c, space_view space,
                                                               arc::dht_arc arc, std::uint64_t index);
result<std::vector<std::vector<slice_hash>>> fetch_slice_hashes(connection& c, space_view space,
                                                                std::vector<arc::dht_arc> const& arcs);

result<std::vector<std::vector<sector_hash>>> fetch_combined_hashes(
    connection& c, space_view space, arc::arc_set const& sectors, std::vector<arc::time_range> const& ranges);
result<store_summary> fetch_summary(connection& c, space_view space, arc::arc_set const& sectors,
                                    arc::timestamp now);
result<space_stat> fetch_stat(connection& c, space_view space);

/// A repeat goes on from the boundary that it finds. An empty `clock`: the server's.
result<seal_report> seal_slices(connection& c, space_view space, arc::timestamp now, std::uint64_t slices_max,
                                std::function<arc::timestamp()> const& clock);
result<verify_report> verify_space(connection& c, space_view space);
/// A repeat finds nothing left to mend.
result<verify_report> repair_space(connection& c, space_view space);

}  // namespace opstore::postgres::detail
