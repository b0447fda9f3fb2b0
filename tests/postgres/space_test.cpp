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
        "     + (SELECT count(*) FROM fold WHERE space_id NOT IN (SELECT space_id FROM space))"
        "     + (SELECT count(*) FROM sector_list WHERE space_id NOT IN (SELECT space_id FROM space))"
        "     + (SELECT count(*) FROM sector_hash WHERE space_id NOT IN (SELECT space_id FROM space))"
        "     + (SELECT count(*) FROM unit_hash WHERE space_id NOT IN (SELECT space_id FROM space))"
        "     + (SELECT count(*) FROM space_total WHERE space_id NOT IN (SELECT space_id FROM space))"
        "     + (SELECT count(*) FROM ingest_mark WHERE space_id NOT IN (SELECT space_id FROM space))"
        "     + (SELECT count(*) FROM peer_meta WHERE space_id NOT IN (SELECT space_id FROM space))");
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

TEST_CASE("space: who makes it gets it, however often it is dropped meanwhile") {
    std::atomic<int> at_work{2};
    std::vector<std::thread> makers;
    for (int i = 0; i < 2; ++i) {
        makers.emplace_back([&] {
            auto const database = open_test_database();
            for (int k = 0; k < 500; ++k)
                CHECK(run(database->open_or_create_space(space_options("dropped often"))).has_value());
            --at_work;
        });
    }
    auto const database = open_test_database();
    while (at_work > 0)
        run(database->drop_space("dropped often"));
    for (auto& maker : makers)
        maker.join();
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

    CHECK(run(database->open_peer_meta("dropped")).error().code() == errc::no_such_space);

    auto const anew = run(database->open_or_create_space(space_options("dropped"))).value();
    CHECK(run(old->process_incoming_ops(numbered_batch(0, 1))).error().code() == errc::no_such_space);
    CHECK(run(anew->query_total_op_count()).value() == 0);
}

namespace {

/// Calls every method of a store, and says which of them answered.
std::vector<std::string> methods_that_answer(op_store& store) {
    std::vector<std::string> answered;
    auto const ask = [&](char const* name, auto call) {
        auto const answer = run(std::move(call));
        if (!answer.has_error())
            answered.emplace_back(name);
        else
            CHECK(answer.error().code() == errc::no_such_space);
    };
    auto const ring = arc::dht_arc::full();
    auto const sector = arc::sector_arc(3);
    auto const all = arc::arc_set::full();
    auto const some = arc::arc_set::full().without(arc::arc_set::from_whole_sectors(sector).value());
    op_region const region{3, {arc::timestamp::min(), arc::timestamp::max()}};
    std::vector<op_id> const ids{id_of_numbered_op(0)};
    ask("process_incoming_ops", store.process_incoming_ops(numbered_batch(0, 1)));
    ask("process_incoming_ops of none", store.process_incoming_ops({}));
    ask("retrieve_op_hashes_in_time_slice", store.retrieve_op_hashes_in_time_slice(ring, {}, {}));
    ask("retrieve_ops", store.retrieve_ops(ids));
    ask("filter_out_existing_ops", store.filter_out_existing_ops(ids));
    ask("retrieve_op_ids_bounded", store.retrieve_op_ids_bounded(ring, {}, 100));
    ask("retrieve_op_ids_bounded of a sector", store.retrieve_op_ids_bounded(sector, {}, 100));
    ask("retrieve_op_ids_bounded of nothing", store.retrieve_op_ids_bounded(arc::dht_arc::empty(), {}, 100));
    ask("earliest_timestamp_in_arc", store.earliest_timestamp_in_arc(ring));
    ask("store_slice_hash", store.store_slice_hash(ring, 1, std::vector<std::byte>(1)));
    ask("slice_hash_count", store.slice_hash_count(ring));
    ask("retrieve_slice_hash", store.retrieve_slice_hash(ring, 1));
    ask("retrieve_slice_hashes", store.retrieve_slice_hashes(ring));
    ask("query_total_op_count", store.query_total_op_count());
    ask("retrieve_slice_hashes_of_arcs", store.retrieve_slice_hashes_of_arcs({ring}));
    ask("earliest_timestamps_in_arcs", store.earliest_timestamps_in_arcs({ring}));
    ask("combined_hashes", store.combined_hashes(all, {region.range}));
    ask("summarize", store.summarize(all, {}));
    ask("retrieve_space_hashes", store.retrieve_space_hashes(1));
    ask("retrieve_tail", store.retrieve_tail({}, 1));
    ask("retrieve_op_ids_of_sectors", store.retrieve_op_ids_of_sectors(some, {}, 100));
    ask("retrieve_op_ids_of_sectors of all", store.retrieve_op_ids_of_sectors(all, {}, 100));
    ask("retrieve_op_ids_of_sectors of none", store.retrieve_op_ids_of_sectors({}, {}, 100));
    ask("retrieve_disc_slices", store.retrieve_disc_slices(all, 1));
    ask("retrieve_region_ids", store.retrieve_region_ids({region}, 100));
    ask("retrieve_region_ids of none", store.retrieve_region_ids({}, 100));
    ask("retrieve_region_page", store.retrieve_region_page(region, {}, 100));
    ask("retrieve_ops_bounded", store.retrieve_ops_bounded(ids, 100));
    ask("seal", store.seal({}, 1));
    ask("verify", store.verify());
    ask("repair", store.repair());
    ask("stat", store.stat());
    return answered;
}

std::vector<std::string> methods_that_answer(peer_meta& meta) {
    std::vector<std::string> answered;
    peer_meta_entry entry;
    entry.peer = "peer";
    entry.key = "key";
    auto const ask = [&](char const* name, auto call) {
        auto const answer = run(std::move(call));
        if (!answer.has_error())
            answered.emplace_back(name);
        else
            CHECK(answer.error().code() == errc::no_such_space);
    };
    ask("put", meta.put({entry}, {}));
    ask("put of none", meta.put({}, {}));
    ask("get", meta.get("peer", "key", {}));
    ask("get_all", meta.get_all({}));
    ask("remove", meta.remove("peer", "other"));
    return answered;
}

}  // namespace

TEST_CASE("space: what was opened before a drop finds no space, also where one of that name was made anew") {
    auto const database = open_test_database();
    auto const old = run(database->open_or_create_space(space_options("anew"))).value();
    auto const old_meta = run(database->open_peer_meta("anew")).value();
    CHECK(methods_that_answer(*old).size() == 32);
    CHECK(methods_that_answer(*old_meta).size() == 5);
    run(database->drop_space("anew")).value();
    CHECK(methods_that_answer(*old).empty());
    CHECK(methods_that_answer(*old_meta).empty());
    CHECK(orphan_rows() == "0");
    auto const anew = run(database->open_or_create_space(space_options("anew"))).value();
    CHECK(methods_that_answer(*old).empty());
    CHECK(methods_that_answer(*old_meta).empty());
    CHECK(run(anew->query_total_op_count()).value() == 0);
    CHECK(run(anew->slice_hash_count(arc::dht_arc::full())).value() == 0);
    CHECK(methods_that_answer(*anew).size() == 32);
    CHECK(run(run(database->open_peer_meta("anew")).value()->get_all({})).value().empty());
}

}  // namespace opstore::testing
