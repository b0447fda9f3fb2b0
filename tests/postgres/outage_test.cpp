// Goal: while a server is away, a call goes on trying for as long as its deadline allows, and no longer.
// Method: a proxy that breaks the connection under the call, then refuses more connections than a few quick
// attempts would make.
#include <tests/postgres/cutting_proxy.hpp>
#include <tests/postgres/numbered_ops.hpp>
#include <tests/postgres/test_database.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

namespace opstore::testing {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// Being refused that often takes at least 3.6 s: from 20 ms on the pauses double up to one second, and at
/// least half of each is waited for.
constexpr int outage_connections = 12;
constexpr auto outage_time = 3s;

struct store_behind_proxy {
    cutting_proxy proxy;
    std::unique_ptr<op_store> store;

    explicit store_behind_proxy(std::string const& name) {
        auto where = test_database_options();
        where.conninfo = proxy.conninfo();
        where.connections = 2;
        store = run(open_test_database(where)->open_or_create_space(space_options(name))).value();
        run(store->process_incoming_ops(numbered_batch(0, 5))).value();
        // From here on every answer on the wire is to a call of the test.
        wait_until_folded(name);
    }

    /// The next answer is lost, and the server is away from then on.
    void break_off(int connections) {
        proxy.refuse(connections);
        proxy.cut_answer(1);
    }
};

}  // namespace

TEST_CASE("outage: a call outlasts a server that is away for longer than a few attempts") {
    store_behind_proxy space("outage");
    space.break_off(outage_connections);
    auto const start = steady::now();
    CHECK(run(space.store->query_total_op_count(deadline::after(60s))).value() == 5);
    CHECK(steady::now() - start > outage_time);
    CHECK(space.proxy.left_to_refuse() == 0);

    // A write whose answer was lost before: what it stored is found, and is new for this call.
    space.break_off(outage_connections);
    auto const report =
        run(space.store->process_incoming_ops(numbered_batch(3, 5), deadline::after(60s))).value();
    CHECK(report.held.size() == 5);
    CHECK(report.newly_stored.size() == 3);
    CHECK(space.proxy.left_to_refuse() == 0);
    CHECK(run(space.store->query_total_op_count()).value() == 8);
}

TEST_CASE("outage: the deadline ends the attempts, and the error may be tried again") {
    store_behind_proxy space("long outage");
    space.break_off(1'000'000);
    auto const start = steady::now();
    try {
        run(space.store->query_total_op_count(deadline::after(1500ms))).value();
        FAIL("it answered");
    } catch (store_error const& e) {
        CHECK(e.retryable());
        CHECK((e.code() == errc::unavailable || e.code() == errc::timed_out));
    }
    // Not before there was no time left for another attempt.
    CHECK(steady::now() - start > 400ms);
    CHECK(steady::now() - start < 20s);
    space.proxy.refuse(0);
    CHECK(run(space.store->query_total_op_count()).value() == 5);
}

TEST_CASE("outage: a list that two connections share fails as one call, with the cause") {
    store_behind_proxy space("shared outage");
    std::vector<op_id> const ids(4000, id_of_numbered_op(1));
    space.break_off(1'000'000);
    try {
        run(space.store->filter_out_existing_ops(ids, deadline::after(1500ms))).value();
        FAIL("it answered");
    } catch (store_error const& e) {
        CHECK(e.retryable());
        CHECK((e.code() == errc::unavailable || e.code() == errc::timed_out));
    }
    space.proxy.refuse(0);
    CHECK(run(space.store->filter_out_existing_ops(ids)).value().empty());
    CHECK(run(space.store->retrieve_ops(ids)).value().size() == ids.size());
}

}  // namespace opstore::testing
