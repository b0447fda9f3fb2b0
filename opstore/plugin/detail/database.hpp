#pragma once

#include <opstore/plugin/opstore_plugin.h>
#include <opstore/plugin/detail/call_registry.hpp>
#include <opstore/postgres/postgres_database.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace opstore::plugin::detail {

/// What an open space stands on; calls in flight share it with the handle.
struct space_state {
    std::unique_ptr<postgres_op_store> store;
    std::unique_ptr<postgres_peer_meta> peers;
    std::string format_name;  ///< The text that describe_space() points to.

    space_state() = default;
};

/// What a host asked for in opstore_database_options.
struct host_options {
    database_options database;
    std::optional<std::string> embedded_home;
    bool migrate = false;
    std::size_t callback_threads = 1;

    host_options() = default;
};

/// Throws refused (invalid_argument).
host_options read_database_options(opstore_database_options const* given);

}  // namespace opstore::plugin::detail

/// The handle of a space: what the host holds of it.
struct opstore_space {
    opstore_database& database;
    std::shared_ptr<opstore::plugin::detail::space_state> const state;
};

/// The handle of a database: its callback threads, the calls that run on them, and its open spaces.
///
/// The threads run an io_context; each call is a coroutine on a strand of it. They end when the handle does.
/// Thread safety: every method from any thread.
struct opstore_database {
public:
    /// Starts the threads. Throws std::system_error if there are none to be had.
    explicit opstore_database(opstore::plugin::detail::host_options options);

    /// Precondition: not on a callback thread. See destroy_database().
    ~opstore_database();

    opstore_database(opstore_database const&) = delete;
    opstore_database& operator=(opstore_database const&) = delete;

    opstore::plugin::detail::call_registry& calls() { return calls_; }
    bool on_callback_thread() { return io_.get_executor().running_in_this_thread(); }

    /// See connect_database(). Blocks its callback thread while a server is started or migrated: nothing
    /// else is there to be done before.
    boost::asio::awaitable<opstore::result<void>> connect();

    /// Null before connect() succeeded.
    std::shared_ptr<opstore::postgres_database> connected() const;

    opstore_space* add_space(std::shared_ptr<opstore::plugin::detail::space_state> state);
    void remove_space(opstore_space* space);

private:
    opstore::plugin::detail::host_options options_;
    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    opstore::plugin::detail::call_registry calls_;

    mutable std::mutex mutex_;
    std::shared_ptr<opstore::postgres_database> connected_;
    std::map<opstore_space*, std::unique_ptr<opstore_space>> spaces_;

    std::vector<std::thread> threads_;
};
