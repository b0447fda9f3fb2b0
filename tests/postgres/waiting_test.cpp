// Goal: deadlines and cancellation hold wherever a call waits, nothing is half-done, and the pool is whole
// afterwards. Method: a session of the test holds the space's row, so that ingest waits in the server for as
// long as we like.
#include <tests/postgres/numbered_ops.hpp>
#include <tests/postgres/test_database.hpp>
#include <tests/support/run.hpp>

#include <opstore/postgres/detail/connection.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace opstore::testing {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

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
void wait_for_lock_waiters(std::string const& name, int count) {
    auto const sql = fmt::format(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}' AND "
        "wait_event_type = 'Lock'",
        locked_space::application(name));
    for (int i = 0; i < 500; ++i) {
        if (run_sql(sql) == std::to_string(count))
            return;
        std::this_thread::sleep_for(10ms);
    }
    FAIL("the number of statements that wait for a lock never was ", count);
}

/// A call in the background, which can be cancelled.
template <class T>
class background_call {
public:
    explicit background_call(asio::awaitable<T> call) {
        asio::co_spawn(
            io_, std::move(call),
            asio::bind_cancellation_slot(signal_.slot(), [this](std::exception_ptr e, T) { error_ = e; }));
        thread_ = std::thread([this] { io_.run(); });
    }
    ~background_call() { finish(); }

    void cancel() {
        asio::post(io_, [this] { signal_.emit(asio::cancellation_type::terminal); });
    }
    /// What it threw, if it did.
    std::exception_ptr finish() {
        if (thread_.joinable())
            thread_.join();
        return error_;
    }

private:
    asio::io_context io_;
    asio::cancellation_signal signal_;
    std::exception_ptr error_;
    std::thread thread_;
};

using ingest_call = background_call<result<ingest_report>>;

void check_pool_is_whole(op_store& store) {
    for (int i = 0; i < 12; ++i)
        CHECK(run(store.stat()).has_value());
    CHECK(run(store.process_incoming_ops(numbered_batch(1000, 5))).value().held.size() == 5);
}

template <class Check>
void check_store_error(std::exception_ptr error, Check check) {
    REQUIRE(error);
    try {
        std::rethrow_exception(error);
    } catch (store_error const& e) {
        check(e);
    } catch (std::exception const& e) {
        FAIL("not a store_error: ", e.what());
    }
}

bool is_operation_aborted(std::exception_ptr error) {
    try {
        if (error)
            std::rethrow_exception(error);
    } catch (boost::system::system_error const& e) {
        return e.code() == asio::error::operation_aborted;
    } catch (std::exception const&) {
    }
    return false;
}

}  // namespace

TEST_CASE("waiting: a deadline passes while the statement waits, and while the call waits for its turn") {
    locked_space space("deadlines");
    ingest_call flushing(space.store->process_incoming_ops(numbered_batch(0, 3), deadline::after(600ms)));
    wait_for_lock_waiters("deadlines", 1);
    ingest_call waiting(space.store->process_incoming_ops(numbered_batch(100, 3), deadline::after(150ms)));
    check_store_error(waiting.finish(), [](store_error const& e) {
        CHECK(e.code() == errc::timed_out);
        CHECK_FALSE(e.commit_in_doubt());
    });
    check_store_error(flushing.finish(), [](store_error const& e) {
        CHECK(e.code() == errc::timed_out);
        CHECK(e.commit_in_doubt());
    });
    // Reads do not wait behind it.
    CHECK(run(space.store->query_total_op_count(deadline::after(5s))).value() == 0);
    space.release();
    check_pool_is_whole(*space.store);
    CHECK(run(space.store->filter_out_existing_ops({id_of_numbered_op(100)})).value().size() == 1);
}

TEST_CASE("waiting: a deadline in the past") {
    auto const store = locked_space::make("past", 2);
    deadline const past(deadline::clock::now() - 1s);
    for (auto const& error : {ingest_call(store->process_incoming_ops(numbered_batch(0, 1), past)).finish(),
                              background_call(store->query_total_op_count(past)).finish()})
        check_store_error(error, [](store_error const& e) { CHECK(e.code() == errc::timed_out); });
    CHECK(run(store->query_total_op_count()).value() == 0);
    check_pool_is_whole(*store);
}

TEST_CASE("waiting: a cancelled call that waits stores nothing; one that is under way is in doubt") {
    locked_space space("cancelled");
    ingest_call flushing(space.store->process_incoming_ops(numbered_batch(0, 3)));
    wait_for_lock_waiters("cancelled", 1);
    ingest_call waiting(space.store->process_incoming_ops(numbered_batch(100, 3)));
    ingest_call other(space.store->process_incoming_ops(numbered_batch(200, 3)));
    waiting.cancel();
    CHECK(is_operation_aborted(waiting.finish()));
    flushing.cancel();
    check_store_error(flushing.finish(), [](store_error const& e) {
        CHECK(e.code() == errc::cancelled_in_doubt);
        CHECK(e.commit_in_doubt());
    });
    space.release();
    CHECK_FALSE(other.finish());
    // The statement went on for the others: its ops are stored once the lock is gone.
    CHECK(run(space.store->filter_out_existing_ops(
                  {id_of_numbered_op(0), id_of_numbered_op(100), id_of_numbered_op(200)}))
              .value() == std::vector<op_id>{id_of_numbered_op(100)});
    check_pool_is_whole(*space.store);
}

TEST_CASE("waiting: a cancelled statement ends in the server, and its connection is not used again") {
    locked_space space("server-side");
    // repair() waits for the row that is held.
    background_call repairing(space.store->repair());
    wait_for_lock_waiters("server-side", 1);
    repairing.cancel();
    CHECK(is_operation_aborted(repairing.finish()));
    wait_for_lock_waiters("server-side", 0);
    space.release();
    check_pool_is_whole(*space.store);
}

TEST_CASE("waiting: reads go on while every writer waits") {
    locked_space space("starving", 2);
    std::vector<std::unique_ptr<ingest_call>> calls;
    for (std::uint64_t i = 0; i < 20; ++i)
        calls.push_back(
            std::make_unique<ingest_call>(space.store->process_incoming_ops(numbered_batch(i, 1))));
    wait_for_lock_waiters("starving", 1);
    for (int i = 0; i < 20; ++i)
        CHECK(run(space.store->query_total_op_count(deadline::after(5s))).value() == 0);
    space.release();
    for (auto const& call : calls)
        CHECK_FALSE(call->finish());
    CHECK(run(space.store->query_total_op_count()).value() == 20);
}

}  // namespace opstore::testing
