// Goal: calls that run at once share transactions, and each is told about its own ops only. Method: the
// space's row is held while calls pile up; transactions are counted by the rows' xmin.
#include <tests/postgres/locked_space.hpp>
#include <tests/postgres/numbered_ops.hpp>
#include <tests/postgres/test_database.hpp>
#include <tests/support/run.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

namespace opstore::testing {
namespace {

/// Calls that are made one after the other on one thread while nothing can be stored, and end after
/// release().
class piled_calls {
public:
    piled_calls(locked_space& space, std::string const& name, std::vector<std::vector<incoming_op>> batches)
        : reports(batches.size()), errors(batches.size()) {
        for (std::size_t i = 0; i < batches.size(); ++i) {
            boost::asio::co_spawn(io_, space.store->process_incoming_ops(std::move(batches[i])),
                                  [this, i](std::exception_ptr error, result<ingest_report> report) {
                                      errors[i] = error;
                                      if (!error)
                                          reports[i] = report.value();
                                  });
        }
        io_.poll();
        wait_for_lock_waiters(name, 1);
        space.release();
        io_.run();
    }

private:
    boost::asio::io_context io_;

public:
    std::vector<ingest_report> reports;
    std::vector<std::exception_ptr> errors;
};

std::string transactions_of(std::string const& name) {
    return run_sql(
        "SELECT count(DISTINCT o.xmin::text) FROM op o JOIN space s USING (space_id) WHERE s.key = '" + name +
        "'");
}

}  // namespace

TEST_CASE("group commit: 64 calls, two transactions") {
    locked_space space("grouped");
    std::vector<std::vector<incoming_op>> batches;
    for (std::uint64_t i = 0; i < 64; ++i)
        batches.push_back(numbered_batch(i, 1));
    piled_calls calls(space, "grouped", std::move(batches));
    for (std::uint64_t i = 0; i < 64; ++i) {
        REQUIRE(calls.reports[i].newly_stored.size() == 1);
        CHECK(calls.reports[i].newly_stored.front().id == id_of_numbered_op(i));
    }
    // The first went alone, while the others gathered.
    CHECK(transactions_of("grouped") == "2");
}

TEST_CASE("group commit: an op of two calls is new for the earlier one") {
    locked_space space("shared-op");
    std::vector<std::vector<incoming_op>> batches;
    batches.push_back(numbered_batch(0, 1));
    batches.push_back(numbered_batch(10, 5));
    batches.push_back(numbered_batch(12, 5));
    batches.push_back(numbered_batch(0, 8));
    piled_calls calls(space, "shared-op", std::move(batches));
    std::vector<std::size_t> newly_stored, held;
    for (auto const& report : calls.reports) {
        newly_stored.push_back(report.newly_stored.size());
        held.push_back(report.held.size());
    }
    CHECK(newly_stored == std::vector<std::size_t>{1, 5, 2, 7});
    CHECK(held == std::vector<std::size_t>{1, 5, 5, 8});
}

TEST_CASE("group commit: a call whose data the database refuses costs no other call its ops") {
    std::string hex;
    op_id const poison = id_of_numbered_op(666);
    for (std::byte const b : poison.bytes())
        hex += fmt::format("{:02x}", std::to_integer<int>(b));
    run_sql("ALTER TABLE op ADD CONSTRAINT refuse_poison CHECK (op_id <> '\\x" + hex + "')");
    locked_space space("poisoned");
    std::vector<std::vector<incoming_op>> batches;
    batches.push_back(numbered_batch(0, 1));
    batches.push_back(numbered_batch(600, 50));
    batches.push_back(numbered_batch(660, 10));
    batches.push_back(numbered_batch(640, 15));
    piled_calls calls(space, "poisoned", std::move(batches));
    run_sql("ALTER TABLE op DROP CONSTRAINT refuse_poison");
    CHECK(calls.reports[1].held.size() == 50);
    CHECK(calls.reports[3].held.size() == 15);
    CHECK(calls.reports[1].newly_stored.size() + calls.reports[3].newly_stored.size() == 55);
    REQUIRE(calls.errors[2]);
    try {
        std::rethrow_exception(calls.errors[2]);
    } catch (store_error const& e) {
        CHECK(e.code() == errc::rejected_by_database);
        CHECK_FALSE(e.commit_in_doubt());
        CHECK(e.sqlstate() == "23514");
    }
    CHECK(run(space.store->query_total_op_count()).value() == 56);
}

TEST_CASE("group commit: a batch of several statements among small ones is one transaction") {
    locked_space space("large-among-small");
    std::vector<std::vector<incoming_op>> batches;
    batches.push_back(numbered_batch(0, 1));
    batches.push_back(numbered_batch(100, 3));
    batches.push_back(numbered_batch(1000, 20'000));
    batches.push_back(numbered_batch(50'000, 3));
    piled_calls calls(space, "large-among-small", std::move(batches));
    CHECK(calls.reports[2].newly_stored.size() == 20'000);
    CHECK(calls.reports[3].newly_stored.size() == 3);
    CHECK(run_sql("SELECT count(DISTINCT o.xmin::text) FROM op o JOIN space s USING (space_id) "
                  "WHERE s.key = 'large-among-small' AND o.created_at BETWEEN 1700001000000000 AND "
                  "1700020999000000") == "1");
}

}  // namespace opstore::testing
