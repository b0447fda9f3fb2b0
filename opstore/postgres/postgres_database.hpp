#pragma once

#include <opstore/op_store.hpp>
#include <opstore/postgres/postgres_op_store.hpp>
#include <opstore/postgres/postgres_peer_meta.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace opstore {

namespace postgres::detail {
class connection_pool;
class earliest_delegate;
class held_ids_of_spaces;
}  // namespace postgres::detail

/// How to reach a database and how hard to use it.
struct database_options {
    /// A libpq conninfo string or URI; what it leaves out comes from the PG* environment, as with psql.
    std::string conninfo;
    /// The PostgreSQL schema that holds the tables: one word of letters, digits and underscores.
    std::string schema = "opstore";
    /// Connections, each with a thread of its own. At least 2: one stays free of ingest, for reads. One more
    /// is made where earliest ops are asked for often, by this process or by others that use a space.
    std::size_t connections = 4;
    /// For a call without a deadline of its own.
    std::chrono::milliseconds default_timeout{30'000};
    /// The wall clock of stored_at; empty: the server's, which all writers share. Tests and simulators own
    /// time.
    std::function<arc::timestamp()> clock;
    /// Held ids that may be remembered, by all spaces together, where ids are filtered or ops retrieved
    /// often; each takes up to 32 bytes. A space that would need more asks the server for each id. 0: none
    /// are.
    std::size_t remembered_ids_max = 4'000'000;
    /// Concurrent ingests of one space share a transaction. Off only to measure what that is worth.
    bool group_commit = true;

    database_options() = default;
    explicit database_options(std::string where) : conninfo(std::move(where)) {}
};

struct migration_report {
    int version_before = 0;  ///< 0: the schema did not exist.
    int version_after = 0;
};

/// Brings the schema to the version that this binary knows; idempotent. Any number of processes may do so at
/// once: an advisory lock, polled, lets one in at a time. Blocks the calling thread.
/// Throws store_error: schema_mismatch (newer than this binary, or a released migration was edited),
/// unavailable, timed_out (another migration holds the lock), rejected_by_database (no DDL right).
migration_report migrate(database_options const& options);

/// The SQL that makes the three roles (opstore_owner, opstore_writer, opstore_reader) and grants them what
/// they need on the schema; idempotent; needs CREATEROLE.
std::string roles_sql(database_options const& options);

/// Runs roles_sql(). Blocks. Throws store_error(rejected_by_database) if the user may not.
void create_roles(database_options const& options);

struct space_listing {
    std::string key;
    std::string format;
    std::size_t id_length = 0;
    slice_mode slices = slice_mode::store;
    std::uint64_t max_op_bytes = 0;
    std::uint64_t op_count = 0;
    std::uint64_t op_bytes = 0;

    space_listing() = default;
};

/// What an operator wants to know of the server under the spaces.
struct database_stat {
    std::string server_version;
    int schema_version = 0;
    std::uint64_t database_bytes = 0;  ///< Tables and indexes of the schema.
    /// Age of the oldest open transaction of the database: while it lasts, dead rows of the sequencer pile up
    /// and ingest slows down.
    std::chrono::milliseconds oldest_transaction{0};
    bool fsync = true;  ///< Off: acknowledged ops may be lost when the machine fails.
    std::string synchronous_commit;

    database_stat() = default;
};

/// A database with the schema of sql/, and the pool of connections to it; makes and opens its spaces.
///
/// Statements run on the pool's threads, never on the caller's executor; a coroutine resumes on the executor
/// it came from. The rules of op_store for cancellation, errors and deadlines hold here too.
///
/// Thread safety: every method from any thread at once. It must outlive the stores that it opened: they hold
/// it alive. Destroying it waits for the statements in flight.
class postgres_database : public std::enable_shared_from_this<postgres_database> {
public:
    /// Connects and checks the schema version. Throws store_error: unavailable, schema_mismatch; then it
    /// blocks the executor until a connect under way has ended, which takes up to ten seconds for each
    /// address.
    static boost::asio::awaitable<std::shared_ptr<postgres_database>> open(database_options options);

    ~postgres_database();

    /// Opens a space that exists, with the options it was created with; `format` is needed for a format that
    /// is not built in. Refusals: no_such_space, space_differs (another format than `format`).
    boost::asio::awaitable<result<std::unique_ptr<postgres_op_store>>> open_space(
        std::string key, std::shared_ptr<const op_format> format = nullptr, deadline until = {});

    /// Opens the space, creating it first if it is absent; any number of callers may race.
    /// Refusals: invalid_argument, space_differs (it exists with other values; the message names which).
    boost::asio::awaitable<result<std::unique_ptr<postgres_op_store>>> open_or_create_space(
        space_options options, deadline until = {});

    /// What a peer remembers of the other peers of a space that exists; it is dropped with the space.
    /// Refusals: no_such_space, space_differs.
    boost::asio::awaitable<result<std::unique_ptr<postgres_peer_meta>>> open_peer_meta(std::string space_key,
                                                                                       deadline until = {});

    /// All spaces, by key.
    boost::asio::awaitable<std::vector<space_listing>> list_spaces(deadline until = {});

    /// Deletes a space with all its ops. Refusal: no_such_space. Calls on stores of it fail from then on.
    boost::asio::awaitable<result<void>> drop_space(std::string key, deadline until = {});

    boost::asio::awaitable<database_stat> stat(deadline until = {});

private:
    explicit postgres_database(database_options options);

    database_options options_;
    std::unique_ptr<postgres::detail::held_ids_of_spaces> held_ids_;
    std::unique_ptr<postgres::detail::earliest_delegate> delegate_;
    std::unique_ptr<postgres::detail::connection_pool> pool_;  ///< Its jobs ask the delegate.

    friend class postgres_op_store;
    friend class postgres_peer_meta;
};

}  // namespace opstore
