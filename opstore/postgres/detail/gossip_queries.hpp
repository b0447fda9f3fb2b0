#pragma once

#include <opstore/op_store.hpp>
#include <opstore/postgres/detail/query_parts.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

/// What a gossip peer asks in each round, as blocking functions on one connection. All of them read, so they
/// may be repeated; all refuse with no_such_space; the rest of their contract stands in op_store.hpp.
namespace opstore::postgres::detail {

result<space_hashes> fetch_space_hashes(connection& c, space_view space, std::uint64_t full_slices);
result<op_tail> fetch_tail(connection& c, space_view space, arc::timestamp start, std::size_t ops_max);
result<std::vector<sector_slices>> fetch_disc_slices(connection& c, space_view space,
                                                     arc::arc_set const& sectors, std::uint64_t full_slices);
result<std::vector<region_ids>> fetch_region_ids(connection& c, space_view space,
                                                 std::vector<op_region> const& regions,
                                                 std::uint64_t limit_bytes);
result<region_page> fetch_region_page(connection& c, space_view space, op_region const& region,
                                      std::optional<op_position> const& after, std::uint64_t limit_bytes);

}  // namespace opstore::postgres::detail
