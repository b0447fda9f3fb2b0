#pragma once

#include <opstore/postgres/detail/connection.hpp>
#include <opstore/postgres/detail/query_parts.hpp>

#include <cstdint>
#include <functional>
#include <optional>

namespace opstore::sql {
struct statement;
}

/// The delegates of a space are the sessions that may answer for its earliest ops from memory
/// (earliest_delegate.hpp). Each has a number, which stands in the space's row, and holds the advisory lock
/// of that number for as long as it answers. Whoever changes a space in a way that makes such an answer wrong
/// comes through here (docs/design.md, "Earliest times in memory").
namespace opstore::postgres::detail {

/// Begins a transaction and locks the space in it by `lock`: lock_space, lock_space_to_drop or
/// try_lock_space. Nothing: the statement found no row, and no transaction is open.
///
/// `contradicts` says whether the transaction may make an earliest time wrong. It is called behind the lock,
/// and only where delegates could answer that time; if it may, they are recalled before this returns. That
/// takes them about a round trip; one that does not react is ended by the server, see
/// earliest_delegate::silence_max. Nobody is asked if `vouches` is a delegate of the space: by its times the
/// transaction makes none wrong. 0: there is none.
///
/// Returns a delegate that goes on answering, for ingest.sql; 0: there is none.
std::optional<std::int64_t> lock_against_delegates(connection& c, sql::statement const& lock,
                                                   space_identity space, std::int64_t vouches,
                                                   std::function<bool()> const& contradicts);

}  // namespace opstore::postgres::detail
