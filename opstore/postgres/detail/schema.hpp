#pragma once

#include <opstore/postgres/detail/connection.hpp>

#include <string>

namespace opstore::postgres::detail {

/// The schema version that this binary knows: the number of its last migration.
int newest_migration();

/// The name, if it is one word of letters, digits and underscores; it stands in SQL text. Throws
/// store_error(invalid_argument).
std::string checked_schema_name(std::string const& name);

/// Throws store_error(schema_mismatch), with both versions, unless the schema is of newest_migration().
void require_current_schema(connection& c, std::string const& schema);

}  // namespace opstore::postgres::detail
