#pragma once

#include <opstore/postgres/postgres_database.hpp>

#include <memory>
#include <string>

namespace opstore::testing {

/// The server that the tests share: OPSTORE_TEST_DATABASE (a conninfo string) if set, else the embedded
/// cluster of this build, started if it does not run. Throws if it cannot start: a test without its server
/// fails.
std::string const& test_conninfo();

/// A schema of this process, made and migrated on first use, dropped when the process ends.
database_options test_database_options();

/// A database on that schema.
std::shared_ptr<postgres_database> open_test_database(database_options options = test_database_options());

/// Polls until what a space holds is folded, and until the next commit nothing is done behind the calls of
/// the test. Throws if it never is.
void wait_until_folded(std::string const& space, database_options const& options = test_database_options());

/// psql's role: runs SQL text in the schema of this process, on a connection of its own, and returns the
/// first field of the first row, or nothing.
std::string run_sql(std::string const& sql, database_options const& options = test_database_options());

}  // namespace opstore::testing
