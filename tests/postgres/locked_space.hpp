#pragma once

#include <opstore/postgres/detail/connection.hpp>
#include <tests/postgres/test_database.hpp>
#include <tests/support/run.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

namespace opstore::testing {

/// A space whose sequencer a session of the test holds, so that ingest waits in the server until release().
struct locked_space {
    std::unique_ptr<op_store> store;
    postgres::detail::connection holder;

    explicit locked_space(std::string const& name, std::size_t connections = 3)
        : store(make(name, connections)), holder(settings()) {
        holder.begin();
        holder.execute_text("hold", fmt::format("SELECT 1 FROM space WHERE key = '{}' FOR UPDATE", name));
    }

    void release() { holder.rollback(); }

    static std::unique_ptr<op_store> make(std::string const& name, std::size_t connections) {
        auto where = test_database_options();
        where.connections = connections;
        where.conninfo += " application_name=" + application(name);
        return run(open_test_database(where)->open_or_create_space(space_options(name))).value();
    }
    static std::string application(std::string const& name) { return "opstore_" + name; }
    static postgres::detail::connection_settings settings() {
        postgres::detail::connection_settings s;
        s.conninfo = test_database_options().conninfo;
        s.schema = test_database_options().schema;
        return s;
    }
};

/// Polls until the space's sessions have `count` statements waiting for a lock.
inline void wait_for_lock_waiters(std::string const& name, int count) {
    auto const sql = fmt::format(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}' AND "
        "wait_event_type = 'Lock'",
        locked_space::application(name));
    for (int i = 0; i < 500; ++i) {
        if (run_sql(sql) == std::to_string(count))
            return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL("the number of statements that wait for a lock never was ", count);
}

/// A call in the background, which can be cancelled.
template <class T>
class background_call {
public:
    explicit background_call(boost::asio::awaitable<T> call) {
        boost::asio::co_spawn(io_, std::move(call),
                              boost::asio::bind_cancellation_slot(
                                  signal_.slot(), [this](std::exception_ptr e, T) { error_ = e; }));
        thread_ = std::thread([this] { io_.run(); });
    }
    ~background_call() { finish(); }

    void cancel() {
        boost::asio::post(io_, [this] { signal_.emit(boost::asio::cancellation_type::terminal); });
    }
    /// What it threw, if it did.
    std::exception_ptr finish() {
        if (thread_.joinable())
            thread_.join();
        return error_;
    }

private:
    boost::asio::io_context io_;
    boost::asio::cancellation_signal signal_;
    std::exception_ptr error_;
    std::thread thread_;
};

using ingest_call = background_call<result<ingest_report>>;

}  // namespace opstore::testing
