// Goal: a server that hangs costs a call its deadline and nothing more, and all is well once it goes on.
// Method: a proxy that falls silent, so that statements, connects and cancels alike get no answer.
#include <tests/postgres/cutting_proxy.hpp>
#include <tests/postgres/locked_space.hpp>
#include <tests/postgres/numbered_ops.hpp>
#include <tests/postgres/test_database.hpp>
#include <tests/support/run.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <memory>

namespace opstore::testing {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// What became of calls, all of them on one executor.
struct outcomes {
    int answered = 0, timed_out = 0, in_doubt = 0, other = 0;
    int all() const { return answered + timed_out + in_doubt + other; }
};

template <class T>
asio::awaitable<void> note_outcome(asio::awaitable<T> call, outcomes& seen) {
    try {
        co_await std::move(call);
        ++seen.answered;
    } catch (store_error const& e) {
        ++(e.code() != errc::timed_out ? seen.other : e.commit_in_doubt() ? seen.in_doubt : seen.timed_out);
    }
}

template <class T>
void start(asio::io_context& io, asio::awaitable<T> call, outcomes& seen) {
    asio::co_spawn(io, note_outcome(std::move(call), seen), asio::detached);
}

/// Runs until `count` calls have an outcome, but not for long: a call that is stuck is let go by the caller.
void run_until(asio::io_context& io, outcomes const& seen, int count) {
    auto const give_up = std::chrono::steady_clock::now() + 20s;
    io.restart();
    while (seen.all() < count && std::chrono::steady_clock::now() < give_up)
        io.run_one_for(100ms);
    CHECK(seen.all() == count);
}

}  // namespace

TEST_CASE("hung server: every call ends at its deadline, and the pool is whole afterwards") {
    cutting_proxy proxy;
    auto where = test_database_options();
    where.conninfo = proxy.conninfo() + " application_name=" + locked_space::application("hung");
    where.connections = 2;
    auto const store = run(open_test_database(where)->open_or_create_space(space_options("hung"))).value();
    run(store->process_incoming_ops(numbered_batch(0, 5))).value();

    // A statement is under way when the server falls silent: at its deadline it is cancelled, in vain.
    postgres::detail::connection holder(locked_space::settings());
    holder.begin();
    holder.execute_text("hold", "SELECT 1 FROM space WHERE key = 'hung' FOR UPDATE");
    asio::io_context io;
    outcomes repairs, reads, ingests, late;
    start(io, store->repair(deadline::after(1s)), repairs);
    io.poll();
    wait_for_lock_waiters("hung", 1);
    proxy.freeze();
    run_until(io, repairs, 1);
    CHECK(repairs.in_doubt == 1);

    for (int i = 0; i < 8; ++i)
        start(io, store->query_total_op_count(deadline::after((100 + 50 * i) * 1ms)), reads);
    for (std::uint64_t i = 0; i < 3; ++i)
        start(io, store->process_incoming_ops(numbered_batch(100 + i, 1), deadline::after(300ms)), ingests);
    run_until(io, reads, 8);
    run_until(io, ingests, 3);
    CHECK(reads.timed_out == 8);
    CHECK(ingests.timed_out + ingests.in_doubt == 3);
    // Nor does a cancel that gets no answer hold up the caller's own thread.
    start(io, store->query_total_op_count(deadline(deadline::clock::now() - 1s)), late);
    run_until(io, late, 1);
    CHECK(late.timed_out == 1);

    proxy.thaw();
    holder.rollback();
    // At once, since calls one after the other would all get the same connection.
    outcomes healed;
    for (int i = 0; i < 12; ++i)
        start(io, store->query_total_op_count(), healed);
    run_until(io, healed, 12);
    CHECK(healed.answered == 12);
    CHECK(run(store->query_total_op_count()).value() >= 5);
    CHECK(run(store->process_incoming_ops(numbered_batch(100, 5))).value().held.size() == 5);
    CHECK(run(store->verify()).value().damage_count == 0);
}

}  // namespace opstore::testing
