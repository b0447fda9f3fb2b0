// Goal: pages of any part of the ring are right whatever part of the ops is folded: whole lists,
// begun ones, none, and while folds go on. Method: few sectors with many ops each, batches and folds whose
// sizes lie around that of a list, random arcs, starts and limits, beside the same ops in memory.
#include <opstore/memory/memory_op_store.hpp>
#include <opstore/postgres/detail/query_parts.hpp>
#include <sql/statements.hpp>
#include <tests/postgres/locked_space.hpp>
#include <tests/support/manual_clock.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>

namespace opstore::testing {
namespace {

using postgres::detail::connection;
using postgres::detail::parameters;

constexpr auto start = arc::from_micros(1'700'000'000'000'000);
/// Neighbours, and the last one: arcs cross borders, and the end of the ring.
constexpr std::array<arc::sector_index, 4> used_sectors{0, 1, 2, 511};

arc::location random_location(random_source& random) {
    std::uint32_t const first = std::uint32_t{used_sectors[random.below(used_sectors.size())]} << 23;
    std::uint32_t const last = first + (1u << 23) - 1;
    switch (random.below(8)) {
        case 0:
            return arc::location{first};
        case 1:
            return arc::location{last};
        default:
            return arc::location{first + static_cast<std::uint32_t>(random.below(1u << 23))};
    }
}

/// The same ops in memory and on the server, under the same stamps.
class twins {
public:
    twins(std::string name, std::uint64_t seed) : random(seed), name_(std::move(name)), clock_(start) {
        space_options options(name_);
        options.format = located_format();
        memory_ = std::make_unique<memory_op_store>(options, clock_);
        auto where = test_database_options();
        where.clock = clock_;
        server_ = run(open_test_database(where)->open_or_create_space(options)).value();
    }

    void store(std::size_t count) {
        std::vector<incoming_op> batch;
        for (std::size_t i = 0; i < count; ++i) {
            auto const payload = random.bytes(8 + random.below(100));
            batch.emplace_back(encode_located(start, random_location(random), payload));
        }
        CHECK(run(memory_->process_incoming_ops(batch)).value().newly_stored.size() == count);
        CHECK(run(server_->process_incoming_ops(std::move(batch))).value().newly_stored.size() == count);
    }

    /// Folds up to so many ops.
    void fold(connection& c, std::int64_t ops_max) const {
        auto const space = c.execute_text(
            "find", fmt::format("SELECT space_id, incarnation FROM space WHERE key = '{}'", name_));
        c.execute(sql::fold,
                  parameters().bigint(space.bigint(0, 0)).bigint(space.bigint(0, 1)).bigint(ops_max));
    }

    void compare_page() {
        std::array<std::uint64_t, 4> const limits{0, 300, 4'000, 1 << 20};
        auto const limit = limits[random.below(limits.size())];
        auto const from = random_start();
        if (random.one_in(3)) {
            arc::arc_set sectors;
            for (auto const sector : used_sectors) {
                if (random.one_in(2))
                    sectors.insert(sector);
            }
            sectors.insert(static_cast<arc::sector_index>(random.below(arc::sector_count)));
            check_equal(run(server_->retrieve_op_ids_of_sectors(sectors, from, limit)).value(),
                        run(memory_->retrieve_op_ids_of_sectors(sectors, from, limit)).value());
        } else {
            auto const arc = arc::dht_arc::between(random_location(random), random_location(random));
            INFO(to_string(arc));
            check_equal(run(server_->retrieve_op_ids_bounded(arc, from, limit)).value(),
                        run(memory_->retrieve_op_ids_bounded(arc, from, limit)).value());
        }
    }

    void check_undamaged() { CHECK(run(server_->verify()).value().damage_count == 0); }

    random_source random;

private:
    arc::timestamp random_start() {
        auto const watermark = run(memory_->stat()).value().watermark;
        switch (random.below(4)) {
            case 0:
                return arc::timestamp{};
            case 1:
                return watermark + std::chrono::microseconds(random.below(3));
            default:
                return arc::from_micros(random.between(arc::to_micros(start), arc::to_micros(watermark)));
        }
    }
    static void check_equal(id_page const& page, id_page const& expected) {
        CHECK(page.ids == expected.ids);
        CHECK(page.bytes == expected.bytes);
        CHECK(page.next == expected.next);
        CHECK(page.next_op_bytes == expected.next_op_bytes);
    }

    std::string const name_;
    manual_clock clock_;
    std::unique_ptr<op_store> memory_;
    std::unique_ptr<op_store> server_;
};

}  // namespace

TEST_CASE("sector pages: lists of any length, folded up to any op") {
    connection c(locked_space::settings());
    constexpr std::array<std::size_t, 8> sizes{1, 5, 31, 32, 33, 64, 65, 150};
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        INFO("seed ", seed);
        twins pair(fmt::format("lists {}", seed), seed);
        for (int round = 0; round < 20; ++round) {
            pair.store(sizes[pair.random.below(sizes.size())]);
            if (pair.random.one_in(2))
                pair.fold(c, static_cast<std::int64_t>(sizes[pair.random.below(sizes.size())]));
            for (int i = 0; i < 12; ++i)
                pair.compare_page();
        }
        pair.check_undamaged();
        pair.fold(c, 1 << 20);
        for (int i = 0; i < 50; ++i)
            pair.compare_page();
        pair.check_undamaged();
    }
}

TEST_CASE("sector pages: a tail of several chunks") {
    twins pair("long tail of pages", 7);
    connection c(locked_space::settings());
    pair.store(100);
    wait_until_folded("long tail of pages");
    c.begin();
    c.execute_text("hold", "SELECT 1 FROM fold FOR UPDATE");
    for (int i = 0; i < 3; ++i)
        pair.store(3000);
    for (int i = 0; i < 60; ++i)
        pair.compare_page();
    c.rollback();
    pair.fold(c, 1 << 20);
    for (int i = 0; i < 60; ++i)
        pair.compare_page();
    pair.check_undamaged();
}

TEST_CASE("sector pages: folds go on while pages are read") {
    twins pair("folds amid pages", 8);
    for (int i = 0; i < 4; ++i)
        pair.store(1500);
    std::atomic<bool> done{false};
    std::thread folding([&] {
        connection c(locked_space::settings());
        while (!done)
            pair.fold(c, 7);
    });
    for (int i = 0; i < 150; ++i)
        pair.compare_page();
    done = true;
    folding.join();
    pair.check_undamaged();
}

}  // namespace opstore::testing
