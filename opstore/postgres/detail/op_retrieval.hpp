#pragma once

#include <opstore/op_store.hpp>
#include <opstore/postgres/detail/held_ids.hpp>
#include <opstore/postgres/detail/query_parts.hpp>

#include <vector>

namespace opstore::postgres::detail {

/// op_store::retrieve_ops() on one connection. Reads the rows of which `held` knows the places there, and the
/// others by the index. May be repeated.
result<std::vector<stored_op>> fetch_ops(connection& c, space_view space, held_ids& held,
                                         std::vector<op_id> const& ids);

/// op_store::retrieve_ops_bounded() on one connection. May be repeated.
result<op_batch> fetch_ops_bounded(connection& c, space_view space, std::vector<op_id> const& ids,
                                   std::uint64_t limit_bytes);

}  // namespace opstore::postgres::detail
