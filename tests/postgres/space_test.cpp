// Goal: spaces share nothing, may have any name, and go as a whole. Method: names that attack, creation and
// dropping under running calls, rows counted by SQL.
#include <tests/postgres/numbered_ops.hpp>
#include <tests/postgres/test_database.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

namespace opstore::testing {
namespace {

std::string orphan_rows() {
    return run_sql(
        "SELECT (SELECT count(*) FROM op WHERE space_id NOT IN (SELECT space_id FROM space))"
        "     + (SELECT count(*) FROM slice_hash WHERE space_id NOT IN (SELECT space_id FROM space))"
        "     + (SELECT count(*) FROM space_total WHERE space_id NOT IN (SELECT space_id FROM space))"
        "     + (SELECT count(*) FROM ingest_mark WHERE space_id NOT IN (SELECT space_id FROM space))");
}

}  // namespace

TEST_CASE("space: names that attack") {
    auto const database = open_test_database();
    std::vector<std::string> names = {
        "'; DROP TABLE op; --", std::string("a\0b", 3), "\\",      "\"", "\xff\xfe", "%s%n",
        std::string(255, 'x'),  std::string(1, '\0'),   "\xc3\xa4"};
    std::uint64_t number = 0;
    for (auto const& name : names) {
        auto const store = run(database->open_or_create_space(space_options(name))).value();
        CHECK(run(store->process_incoming_ops(numbered_batch(++number, 1))).value().newly_stored.size() == 1);
    }
    for (auto const& name : names)
        CHECK(run(run(database->open_space(name)).value()->query_total_op_count()).value() == 1);
    auto const listed = run(database->list_spaces());
    for (auto const& name : names)
        CHECK(std::count_if(listed.begin(), listed.end(), [&](auto const& s) { return s.key == name; }) == 1);
    for (auto const* view :
         {"op_readable", "space_readable", "ops_per_sector", "ops_per_day", "slice_hash_readable"})
        CHECK_NOTHROW(run_sql(std::string("SELECT * FROM ") + view));
    for (auto const& name : names)
        CHECK(run(database->drop_space(name)).has_value());
    CHECK(run(database->open_or_create_space(space_options(std::string(256, 'x')))).error().code() ==
          errc::invalid_argument);
    CHECK(run(database->open_or_create_space(space_options(""))).error().code() == errc::invalid_argument);
    CHECK(orphan_rows() == "0");
}

TEST_CASE("space: opened with other values it is refused, and the value is named") {
    auto const database = open_test_database();
    space_options const made("as-made");
    run(database->open_or_create_space(made)).value();
    auto const refusal_with = [&](auto change) {
        auto options = made;
        change(options);
        auto const answer = run(database->open_or_create_space(options));
        REQUIRE(answer.has_error());
        CHECK(answer.error().code() == errc::space_differs);
        return answer.error().message();
    };
    auto const contains = [](std::string const& text, char const* part) {
        return text.find(part) != text.npos;
    };
    CHECK(contains(refusal_with([](auto& o) { o.format = located_format(); }), "format plain"));
    CHECK(contains(refusal_with([](auto& o) { o.max_op_bytes = 17; }), "max_op_bytes 16777216"));
    CHECK(contains(refusal_with([](auto& o) { o.slice_factor = 7; }), "slice factor 9"));
    CHECK(contains(refusal_with([](auto& o) { o.slices = slice_mode::host; }), "slice mode store"));
    CHECK(contains(refusal_with([](auto& o) { o.max_future = std::chrono::hours(1); }), "max_future none"));
    CHECK(run(database->open_space("as-made", located_format())).error().code() == errc::space_differs);
    CHECK(run(database->open_space("never made")).error().code() == errc::no_such_space);
}

TEST_CASE("space: made by many at once") {
    std::vector<std::thread> threads;
    std::atomic<int> opened{0};
    for (int i = 0; i < 12; ++i) {
        threads.emplace_back([&] {
            auto const store =
                run(open_test_database()->open_or_create_space(space_options("raced"))).value();
            opened +=
                run(store->process_incoming_ops(numbered_batch(0, 1))).value().newly_stored.empty() ? 0 : 1;
        });
    }
    for (auto& thread : threads)
        thread.join();
    CHECK(opened == 1);
}

TEST_CASE("space: dropped under a running writer, and made again") {
    auto const database = open_test_database();
    auto const old = run(database->open_or_create_space(space_options("dropped"))).value();
    std::atomic<bool> gone{false};
    std::thread writer([&] {
        for (std::uint64_t i = 0; !gone; ++i) {
            auto const report = run(old->process_incoming_ops(numbered_batch(i * 10, 10)));
            if (report.has_error()) {
                CHECK(report.error().code() == errc::no_such_space);
                gone = true;
            } else {
                CHECK(report->held.size() == 10);
            }
        }
    });
    while (run(old->query_total_op_count()).value() < 50) {
    }
    CHECK(run(database->drop_space("dropped")).has_value());
    writer.join();
    CHECK(run(database->drop_space("dropped")).error().code() == errc::no_such_space);
    CHECK(run(old->retrieve_op_ids_bounded(arc::dht_arc::full(), {}, 100)).error().code() ==
          errc::no_such_space);
    CHECK(run(old->retrieve_op_ids_bounded(arc::dht_arc::empty(), {}, 100)).error().code() ==
          errc::no_such_space);
    CHECK(run(old->filter_out_existing_ops({})).error().code() == errc::no_such_space);
    CHECK(run(old->process_incoming_ops({})).error().code() == errc::no_such_space);
    CHECK(run(old->verify()).error().code() == errc::no_such_space);
    CHECK(orphan_rows() == "0");

    auto const anew = run(database->open_or_create_space(space_options("dropped"))).value();
    CHECK(run(old->process_incoming_ops(numbered_batch(0, 1))).error().code() == errc::no_such_space);
    CHECK(run(anew->query_total_op_count()).value() == 0);
}

}  // namespace opstore::testing
