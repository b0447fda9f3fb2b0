#pragma once

#include <opstore/op_store.hpp>
#include <opstore/postgres/postgres_database.hpp>
#include <opstore/tool/command_line.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <memory>
#include <string>
#include <thread>

namespace opstore::tool {

/// A command's link to the database: coroutines run on a thread of its own, the command waits for them.
class session {
public:
    explicit session(command_line const& line);
    ~session();

    session(session const&) = delete;
    session& operator=(session const&) = delete;

    /// Starts a call.
    template <class T>
    std::future<T> start(boost::asio::awaitable<T> call) {
        return boost::asio::co_spawn(io_, std::move(call), boost::asio::use_future);
    }
    /// Runs a call to its end.
    template <class T>
    T wait(boost::asio::awaitable<T> call) {
        return start(std::move(call)).get();
    }
    /// Runs a call that must not be refused; a refusal ends the command.
    template <class T>
    T get(boost::asio::awaitable<result<T>> call) {
        return wait(std::move(call)).value();
    }

    /// Of the one thread that runs the coroutines.
    boost::asio::any_io_executor executor() { return io_.get_executor(); }

    /// Connects on first use. The embedded cluster is started and migrated first, a named database is not.
    postgres_database& database();

    /// The space for reading. One that does not exist reads as an empty one.
    std::unique_ptr<op_store> open_for_reading();
    /// The space if it exists, else null.
    std::unique_ptr<op_store> open_existing();
    /// The space for writing, made if it is absent.
    std::unique_ptr<op_store> open_for_writing();
    /// The same for new ops: of a format that this program can make.
    std::unique_ptr<op_store> open_for_storing();

    /// For work that takes as long as it takes: --timeout, else a day.
    deadline patient() const;

    /// Where the database is, by the rules of docs/command-line.md; starts nothing.
    bool uses_embedded_cluster() const { return embedded_; }
    /// Starts the embedded cluster if it is that one, without migrating it.
    database_options reach_server();

private:
    command_line const& line_;
    std::string conninfo_;
    bool embedded_;
    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::thread thread_;
    std::shared_ptr<postgres_database> database_;
};

}  // namespace opstore::tool
