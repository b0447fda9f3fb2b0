// Goal: following pages visits every op exactly once, however late commits come. Method: writers with
// overlapping ops, somebody who holds the sequencer at random moments, and readers of several arcs, and
// followers that start from the hashes of the space; then what they saw against the table.
#include <arc/time_slices.hpp>
#include <tests/postgres/numbered_ops.hpp>
#include <tests/postgres/test_database.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <thread>

namespace opstore::testing {
namespace {

std::unique_ptr<op_store> open(std::string const& space) {
    auto where = test_database_options();
    where.connections = 2;
    return run(open_test_database(where)->open_or_create_space(space_options(space))).value();
}

/// Between two looks that found nothing. Readers that ask again at once take both cores of a small machine
/// from those who store ops, and from new sessions: seen to keep one from the server for ten seconds.
void pause() {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
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
        if (page.ids.empty() && !page.next_op_bytes)
            pause();
    }
}

/// What a follower has seen of a space.
struct followed {
    combined_hash hash;
    std::uint64_t op_count = 0;
};

/// Waits for `start_ops` ops, takes the hashes of the space, then follows the tail until `done` and the end.
followed follow_from_hashes(op_store& store, std::uint64_t start_ops, std::atomic<bool> const& done,
                            std::uint64_t seed) {
    random_source random(seed);
    while (run(store.query_total_op_count()).value() < start_ops)
        pause();
    auto const boundary = arc::full_slice_count(numbered_op_start, arc::factor_default);
    auto const start = run(store.retrieve_space_hashes(boundary)).value();
    followed seen;
    for (sector_hash const& h : start.disc) {
        seen.hash.add(h.hash);
        seen.op_count += h.op_count;
    }
    for (unit_hash const& h : start.recent) {
        seen.hash.add(h.hash);
        seen.op_count += h.op_count;
    }
    CHECK(seen.op_count == start.op_count);
    CHECK(seen.op_count >= start_ops);
    auto from = start.watermark + std::chrono::microseconds(1);
    for (;;) {
        bool const last = done;
        auto const tail = run(store.retrieve_tail(from, 1 + random.below(50))).value();
        CHECK(tail.next >= from);
        for (tail_op const& op : tail.ops) {
            seen.hash.add(op.id);
            ++seen.op_count;
        }
        from = tail.next;
        if (last && tail.complete)
            return seen;
        if (tail.ops.empty())
            pause();
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

TEST_CASE("visibility: hashes of the space, then its tail, hold every op once under late commits") {
    constexpr std::uint64_t ops = 2000;
    constexpr int writers = 3, followers = 3;
    std::string const space = "followed";
    std::atomic<bool> done{false};
    std::vector<std::thread> threads, readers;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] {
            random_source random(static_cast<std::uint64_t>(writer) + 50);
            auto const store = open(space);
            for (std::uint64_t first = 0; first < ops;) {
                std::uint64_t const size = std::min<std::uint64_t>(1 + random.below(40), ops - first);
                run(store->process_incoming_ops(numbered_batch(first, size))).value();
                first += size;
            }
        });
    }
    std::thread delayer([&] {
        random_source random(8);
        while (!done)
            run_sql("BEGIN; SELECT 1 FROM space WHERE key = 'followed' FOR UPDATE; SELECT pg_sleep(" +
                    std::to_string(static_cast<double>(random.below(15)) / 1000) + "); COMMIT");
    });
    // Followers start at different moments: the first in a space without ops, the others under way.
    std::vector<followed> seen(followers);
    for (std::size_t i = 0; i < followers; ++i)
        readers.emplace_back([&, i] { seen[i] = follow_from_hashes(*open(space), i * ops / 4, done, i); });
    for (auto& thread : threads)
        thread.join();
    done = true;
    delayer.join();
    for (auto& reader : readers)
        reader.join();
    combined_hash truth;
    for (std::uint64_t number = 0; number < ops; ++number)
        truth.add(id_of_numbered_op(number));
    for (auto const& follower : seen) {
        CHECK(follower.hash == truth);
        CHECK(follower.op_count == ops);
    }
}

TEST_CASE("visibility: the ids of regions are those of their sums, whatever is stored between the two") {
    auto const store = open("regions");
    std::atomic<bool> done{false};
    std::thread writer([&] {
        auto const other = open("regions");
        for (std::uint64_t first = 0; first < 4000; first += 10)
            run(other->process_incoming_ops(numbered_batch(first, 10))).value();
        done = true;
    });
    std::vector<op_region> everything;
    for (arc::sector_index sector = 0; sector < arc::sector_count; ++sector)
        everything.push_back({sector, {arc::timestamp::min(), arc::timestamp::max()}});
    std::size_t seen = 0;
    for (bool last = false; !last;) {
        last = done;
        std::size_t ops = 0;
        auto const answers = run(store->retrieve_region_ids(everything, UINT64_MAX)).value();
        CHECK(std::ranges::all_of(answers, [](region_ids const& answer) {
            return answer.taken && answer.ids.size() == answer.op_count;
        }));
        for (region_ids const& answer : answers)
            ops += answer.ids.size();
        CHECK(ops >= seen);
        // The ops of one call become visible at once.
        CHECK(ops % 10 == 0);
        seen = ops;
    }
    writer.join();
    CHECK(seen == 4000);
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
