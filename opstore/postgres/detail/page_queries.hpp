#pragma once

#include <opstore/op_store.hpp>
#include <opstore/postgres/detail/query_parts.hpp>

#include <cstdint>

/// Pages of op ids, as blocking functions on one connection. A page is put together from chunks, each of one
/// statement: of the whole ring (page_full.sql), of a part of it as far as that is folded (page_sectors.sql),
/// and of the tail behind that (page_tail.sql). All read and may be repeated; all refuse with no_such_space.
/// The rest of their contract stands in op_store.hpp.
namespace opstore::postgres::detail {

/// op_store::retrieve_op_ids_bounded().
result<id_page> fetch_page(connection& c, space_view space, arc::dht_arc arc, arc::timestamp start,
                           std::uint64_t limit_bytes);
/// op_store::retrieve_op_ids_of_sectors().
result<id_page> fetch_page(connection& c, space_view space, arc::arc_set const& sectors, arc::timestamp start,
                           std::uint64_t limit_bytes);

}  // namespace opstore::postgres::detail
