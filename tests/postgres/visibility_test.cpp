// Goal: following pages visits every op exactly once, however late commits come. Method: writers with
// overlapping ops, somebody who holds the sequencer at random moments, and readers of several arcs; then the
// union of the pages against the table.
#include <tests/postgres/numbered_ops.hpp>
#include <tests/postgres/test_database.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

namespace opstore::testing {
namespace {

std::unique_ptr<op_store> open(std::string const& space) {
    auto where = test_database_options();
    where.connections = 2;
    return run(open_test_database(where)->open_or_create_space(space_options(space))).value();
}

/// Follows pages with random limits until `done` and the end.
std::vector<op_id> follow(op_store& store, arc::dht_arc arc, std::atomic<bool> const& done,
                          std::uint64_t seed) {
    random_source random(seed);
    std::vector<op_id> seen;
    arc::timestamp from;
    for (;;) {
        bool const last = done;
        auto const page = run(store.retrieve_op_ids_bounded(arc, from, 16 + random.below(4000))).value();
        CHECK(page.next >= from);
        seen.insert(seen.end(), page.ids.begin(), page.ids.end());
        from = page.next;
        if (last && !page.next_op_bytes)
            return seen;
    }
}

}  // namespace

TEST_CASE("visibility: writers with late commits, readers of several arcs") {
    constexpr std::uint64_t ops = 3000;
    constexpr int writers = 4;
    std::string const space = "visibility";
    std::atomic<bool> done{false};
    std::vector<arc::dht_arc> const arcs = {arc::dht_arc::full(),
                                            arc::dht_arc::between({0x10000005}, {0x7fffffff}),
                                            arc::dht_arc::between({0xf0000000}, {0x08000000})};
    // Nobody made the space before: writers and readers race for it.
    std::vector<std::vector<op_id>> seen(arcs.size());
    std::vector<std::thread> readers;
    for (std::size_t i = 0; i < arcs.size(); ++i)
        readers.emplace_back([&, i] { seen[i] = follow(*open(space), arcs[i], done, i); });
    std::vector<std::vector<new_op>> stored(writers);
    std::vector<std::thread> threads;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] {
            random_source random(static_cast<std::uint64_t>(writer) + 100);
            auto const store = open(space);
            for (std::uint64_t first = 0; first < ops;) {
                std::uint64_t const size = std::min<std::uint64_t>(1 + random.below(60), ops - first);
                auto const report = run(store->process_incoming_ops(numbered_batch(first, size))).value();
                auto& mine = stored[static_cast<std::size_t>(writer)];
                mine.insert(mine.end(), report.newly_stored.begin(), report.newly_stored.end());
                first += size;
            }
        });
    }
    std::thread delayer([&] {
        random_source random(7);
        while (!done)
            run_sql("BEGIN; SELECT 1 FROM space WHERE key = 'visibility' FOR UPDATE; SELECT pg_sleep(" +
                    std::to_string(static_cast<double>(random.below(15)) / 1000) + "); COMMIT");
    });
    for (auto& thread : threads)
        thread.join();
    done = true;
    delayer.join();
    for (auto& reader : readers)
        reader.join();

    auto const store = open(space);
    std::atomic<bool> const at_once{true};
    for (std::size_t i = 0; i < arcs.size(); ++i) {
        CHECK(seen[i] == follow(*store, arcs[i], at_once, 99));
        std::set<op_id> expected;
        for (std::uint64_t number = 0; number < ops; ++number) {
            auto const id = id_of_numbered_op(number);
            if (arcs[i].contains(plain_format()->locate(id)))
                expected.insert(id);
        }
        CHECK(std::set<op_id>(seen[i].begin(), seen[i].end()) == expected);
        CHECK(seen[i].size() == expected.size());
    }
    std::set<op_id> newly_stored;
    std::size_t reports = 0;
    for (auto const& mine : stored) {
        for (new_op const& op : mine)
            newly_stored.insert(op.id);
        reports += mine.size();
    }
    CHECK(reports == ops);
    CHECK(newly_stored.size() == ops);
}

TEST_CASE("visibility: a transaction left open elsewhere changes no page") {
    auto const store = open("left-open");
    std::atomic<bool> stop{false};
    std::thread sleeper([] { run_sql("BEGIN; SELECT count(*) FROM op; SELECT pg_sleep(2); COMMIT"); });
    std::vector<op_id> seen;
    arc::timestamp from;
    for (std::uint64_t i = 0; i < 50; ++i) {
        run(store->process_incoming_ops(numbered_batch(i, 1))).value();
        auto const page = run(store->retrieve_op_ids_bounded(arc::dht_arc::full(), from, 1 << 20)).value();
        CHECK(page.ids == std::vector<op_id>{id_of_numbered_op(i)});
        from = page.next;
    }
    CHECK(run(open_test_database()->stat()).oldest_transaction > std::chrono::milliseconds(0));
    sleeper.join();
}

}  // namespace opstore::testing
