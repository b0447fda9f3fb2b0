// Goal: deadlines and cancellation hold wherever a call waits, nothing is half-done, and the pool is whole
// afterwards. Method: a session of the test holds the space's row, so that ingest waits in the server for as
// long as we like.
#include <tests/postgres/locked_space.hpp>
#include <tests/postgres/numbered_ops.hpp>
#include <tests/postgres/test_database.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <vector>

namespace opstore::testing {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

void check_pool_is_whole(op_store& store) {
    // At once, since calls one after the other would all get the same connection.
    std::vector<std::unique_ptr<background_call<result<space_stat>>>> calls;
    for (int i = 0; i < 12; ++i)
        calls.push_back(std::make_unique<background_call<result<space_stat>>>(store.stat()));
    for (auto const& call : calls)
        CHECK_FALSE(call->finish());
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
    check_store_error(repairing.finish(), [](store_error const& e) {
        CHECK(e.code() == errc::cancelled_in_doubt);
        CHECK(e.commit_in_doubt());
    });
    wait_for_lock_waiters("server-side", 0);
    background_call late(space.store->repair(deadline::after(300ms)));
    check_store_error(late.finish(), [](store_error const& e) {
        CHECK(e.code() == errc::timed_out);
        CHECK(e.commit_in_doubt());
    });
    wait_for_lock_waiters("server-side", 0);
    space.release();
    check_pool_is_whole(*space.store);
}

TEST_CASE("waiting: a write that never began is not in doubt") {
    locked_space space("queued", 2);
    background_call repairing(space.store->repair());  // Takes the one connection that writes have.
    wait_for_lock_waiters("queued", 1);
    background_call cancelled(space.store->seal(numbered_op_start, 1));
    background_call late(space.store->seal(numbered_op_start, 1, deadline::after(300ms)));
    check_store_error(late.finish(), [](store_error const& e) {
        CHECK(e.code() == errc::timed_out);
        CHECK_FALSE(e.commit_in_doubt());
    });
    cancelled.cancel();
    CHECK(is_operation_aborted(cancelled.finish()));
    space.release();
    CHECK_FALSE(repairing.finish());
    check_pool_is_whole(*space.store);
}

TEST_CASE("waiting: a list that two connections share is cancelled as one call") {
    locked_space space("shared");
    std::vector<op_id> const ids(1'000'000, id_of_numbered_op(1));
    background_call retrieving(space.store->retrieve_ops(ids));
    retrieving.cancel();
    CHECK(is_operation_aborted(retrieving.finish()));
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

namespace {

asio::awaitable<void> read_until(op_store& store, bool const& done) {
    while (!done)
        (co_await store.query_total_op_count()).value();
}

asio::awaitable<void> ingest_once(op_store& store, bool& done) {
    auto batch = numbered_batch(0, 1);
    auto const report = co_await store.process_incoming_ops(std::move(batch), deadline::after(10s));
    CHECK(report.value().newly_stored.size() == 1);
    done = true;
}

}  // namespace

TEST_CASE("waiting: a flood of reads does not keep a write from its turn") {
    auto const store = locked_space::make("flooded", 2);
    asio::io_context io;
    bool done = false;
    for (int i = 0; i < 50; ++i)
        asio::co_spawn(io, read_until(*store, done), asio::use_future);
    auto const ingest = asio::co_spawn(io, ingest_once(*store, done), asio::use_future);
    io.run_for(20s);
    CHECK(done);
}

}  // namespace opstore::testing
