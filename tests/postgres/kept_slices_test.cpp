// Goal: kept hashes and counters stay what the ops say, whoever writes, seals and repairs at once; and what
// is wrong is found and mended. Method: all of them at once on overlapping ops; damage done by SQL.
#include <tests/postgres/numbered_ops.hpp>
#include <tests/postgres/test_database.hpp>
#include <tests/support/manual_clock.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

#include <set>
#include <thread>

namespace opstore::testing {
namespace {

constexpr auto start = arc::from_micros(1'700'000'000'000'000);

std::unique_ptr<op_store> open(std::string const& name, manual_clock clock) {
    auto where = test_database_options();
    where.clock = clock;
    space_options options(name);
    options.slice_factor = 2;  // Slices of an hour, so that some are sealed, and stretches of 30 minutes.
    return run(open_test_database(where)->open_or_create_space(options)).value();
}

std::set<std::string> damages(op_store& store) {
    std::set<std::string> names;
    for (damage const& d : run(store.verify()).value().damages)
        names.insert(d.what);
    return names;
}

}  // namespace

TEST_CASE("kept slices: writers, seals and repairs at once") {
    manual_clock clock(start);
    open("all-at-once", clock);
    std::vector<std::thread> threads;
    for (std::uint64_t writer = 0; writer < 4; ++writer) {
        threads.emplace_back([&, writer] {
            auto const store = open("all-at-once", clock);
            random_source random(writer);
            for (int i = 0; i < 60; ++i)
                run(store->process_incoming_ops(numbered_batch(random.below(4000), 40, 1 + random.below(3))))
                    .value();
        });
    }
    threads.emplace_back([&] {
        auto const store = open("all-at-once", clock);
        for (int i = 0; i < 60; ++i) {
            clock.step(std::chrono::minutes(7));
            run(store->seal(clock.now(), 2)).value();
        }
    });
    threads.emplace_back([&] {
        auto const store = open("all-at-once", clock);
        for (int i = 0; i < 15; ++i)
            CHECK(run(store->repair()).value().damage_count == 0);
    });
    for (auto& thread : threads)
        thread.join();
    auto const store = open("all-at-once", clock);
    auto const report = run(store->verify()).value();
    CHECK(report.damage_count == 0);
    CHECK(report.slice_hashes > 100);
    CHECK(report.ops == run(store->query_total_op_count()).value());
}

TEST_CASE("kept slices: damage is named and mended") {
    manual_clock clock(start + std::chrono::hours(10));
    auto const store = open("damaged", clock);
    run(store->process_incoming_ops(numbered_batch(0, 2000))).value();
    // Up to the full slices' end and behind it.
    run(store->process_incoming_ops(numbered_batch(31'000, 200, 45))).value();
    REQUIRE(run(store->verify()).value().slice_hashes > 100);
    run(store->seal(clock.now(), 1)).value();  // All is folded in.
    auto const here = std::string(" WHERE space_id = (SELECT space_id FROM space WHERE key = 'damaged')");
    auto const summary = [&] { return run(store->summarize(arc::arc_set::full(), clock.now())).value(); };
    auto const whole = summary();

    std::vector<std::pair<std::string, std::string>> const spoilings = {
        {"UPDATE slice_hash SET hash = op_id FROM op o" + here.substr(0, 7) +
             "slice_hash.space_id = o.space_id AND "
             "slice_hash.space_id = (SELECT space_id FROM space WHERE key = 'damaged')",
         "slice_hash"},
        {"DELETE FROM slice_hash" + here + " AND arc_start < 1000000000", "slice_hash"},
        {"UPDATE slice_hash SET op_count = op_count + 1" + here, "slice_hash"},
        {"INSERT INTO slice_hash SELECT space_id, 0, 8388607, 5, '\\x01', 1 FROM space WHERE key = 'damaged'",
         "slice_hash"},
        {"UPDATE space_total SET op_count = 7" + here, "op_count"},
        {"UPDATE space_total SET op_bytes = 7" + here, "op_bytes"},
        {"UPDATE space SET last_stored_at = 7" + here, "watermark"},
        {"UPDATE fold SET folded_to = folded_to + 1000000" + here, "folded_to"},
        {"UPDATE fold SET folded_to = 1" + here, "slice_hash"},
        {"INSERT INTO op SELECT space_id, location, created_at, stored_at - 1000000, size, sector, op_id, "
         "payload "
         "FROM op" +
             here + " ORDER BY stored_at LIMIT 7",
         "op_twice"},
        {"UPDATE op SET sector = (sector + 1) % 512" + here, "op_columns"},
        {"DELETE FROM sector_hash" + here + " AND sector < 50", "sector_hash"},
        {"UPDATE sector_hash SET op_count = op_count - 1" + here, "sector_hash"},
        {"UPDATE sector_hash SET hash = set_byte(hash, 3, get_byte(hash, 3) # 1)" + here, "sector_hash"},
        {"UPDATE sector_hash SET sector = sector + 600" + here + " AND sector % 2 = 1", "sector_hash"},
        {"DELETE FROM unit_hash" + here + " AND sector < 50", "unit_hash"},
        {"UPDATE unit_hash SET op_count = op_count - 1" + here, "unit_hash"},
        {"UPDATE unit_hash SET hash = set_byte(hash, 3, get_byte(hash, 3) # 1)" + here, "unit_hash"},
        {"UPDATE unit_hash SET hash = hash || '\\x00'" + here, "unit_hash"},
        {"UPDATE unit_hash SET sector = sector + 600" + here + " AND sector % 2 = 1", "unit_hash"},
        {"UPDATE unit_hash SET unit = unit + 1000000" + here + " AND sector % 2 = 1", "unit_hash"},
        {"UPDATE unit_hash SET unit = unit - 1000000" + here + " AND sector % 2 = 1", "unit_hash"},
        {"DELETE FROM sector_list" + here + " AND sector % 3 = 1", "sector_list"},
        {"UPDATE sector_list SET stamps = stamps[2:]" + here, "sector_list"},
        {"UPDATE sector_list SET stamps = stamps || stamps" + here, "sector_list"},
        {"UPDATE sector_list SET first_stored_at = first_stored_at - 1" + here, "sector_list"},
        {"UPDATE sector_list SET op_ids = set_byte(op_ids, 7, get_byte(op_ids, 7) # 1)" + here,
         "sector_list"},
        {"UPDATE sector_list SET op_ids = op_ids || '\\x00'" + here, "sector_list"},
        {"UPDATE sector_list SET sizes[1] = sizes[1] + 1" + here, "sector_list"},
        {"UPDATE sector_list SET offsets[1] = offsets[1] + 1" + here, "sector_list"},
        {"UPDATE sector_list SET sector = (sector + 256) % 512" + here, "sector_list"},
    };
    for (auto const& [sql, name] : spoilings) {
        INFO(sql);
        run_sql(sql);
        CHECK(damages(*store).contains(name));
        CHECK(run(store->repair()).value().damage_count > 0);
        CHECK(damages(*store).empty());
        CHECK(summary() == whole);
    }
    CHECK(run(store->process_incoming_ops(numbered_batch(0, 2100))).value().newly_stored.size() == 100);
}

TEST_CASE("kept slices: a space that has grown quickly is compared and repaired as quickly") {
    // The server's statistics know nothing of these ops yet.
    manual_clock clock(numbered_op_start + std::chrono::hours(24));
    auto const store = open("grown", clock);
    constexpr std::uint64_t count = 60'000, step = 6'000;
    for (std::uint64_t first = 0; first < count; first += step)
        run(store->process_incoming_ops(numbered_batch(first, step))).value();
    run(store->seal(clock.now(), 100)).value();
    std::string const here = " WHERE space_id = (SELECT space_id FROM space WHERE key = 'grown')";
    run_sql(
        "INSERT INTO op SELECT space_id, location, created_at, stored_at + 1000000000000, size, sector, "
        "op_id, "
        "payload FROM op" +
        here + " AND sector % 2 = 0");
    for (char const* table : {"slice_hash", "sector_hash", "unit_hash", "sector_list"})
        run_sql(std::string("DELETE FROM ") + table + here);
    // Comparing all with all takes minutes.
    CHECK(run(store->verify(deadline::after(std::chrono::seconds(20)))).value().damage_count > 0);
    CHECK(run(store->repair(deadline::after(std::chrono::seconds(20)))).value().damage_count > 0);
    auto const report = run(store->verify(deadline::after(std::chrono::seconds(20)))).value();
    CHECK(report.damage_count == 0);
    CHECK(report.ops == count);
}

}  // namespace opstore::testing
