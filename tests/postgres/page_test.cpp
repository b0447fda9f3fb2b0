// Goal: a page ends where the sum of sizes says, however the sizes of the ops lie in the space: the statement
// reads most of a page without them, on the guess that ops are about as large here as everywhere. Method:
// spaces with even sizes, and with ones that make the guess wrong either way, beside the same in memory;
// pages from any op with any limit, and with each limit around the sums at which pages end.
#include <opstore/memory/memory_op_store.hpp>
#include <tests/postgres/test_database.hpp>
#include <tests/support/manual_clock.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace opstore::testing {
namespace {

constexpr auto start = arc::from_micros(1'700'000'000'000'000);
constexpr std::size_t op_count = 3000;

/// The same ops, in memory and on the server, stored under the same stamps.
struct twins {
    twins(std::string name, std::vector<std::size_t> const& payload_sizes) : clock(start) {
        space_options options(std::move(name));
        memory = std::make_unique<memory_op_store>(options, clock);
        auto where = test_database_options();
        where.clock = clock;
        where.connections = 1;
        server = run(open_test_database(where)->open_or_create_space(options)).value();
        random_source random(payload_sizes.size());
        std::vector<incoming_op> batch;
        for (std::size_t const size : payload_sizes)
            batch.emplace_back(encode_plain(start, random.bytes(size)));
        auto const stored = run(memory->process_incoming_ops(batch)).value();
        REQUIRE(stored.newly_stored.size() == payload_sizes.size());
        run(server->process_incoming_ops(std::move(batch))).value();
        wait_until_folded(options.key);
    }

    void compare(arc::dht_arc arc, arc::timestamp from, std::uint64_t limit_bytes) {
        auto const expected = run(memory->retrieve_op_ids_bounded(arc, from, limit_bytes)).value();
        auto const page = run(server->retrieve_op_ids_bounded(arc, from, limit_bytes)).value();
        INFO("from op ", (from - start).count(), ", limit ", limit_bytes);
        REQUIRE(page.ids == expected.ids);
        REQUIRE(page.bytes == expected.bytes);
        REQUIRE(page.next == expected.next);
        REQUIRE(page.next_op_bytes == expected.next_op_bytes);
    }

    manual_clock clock;
    std::unique_ptr<op_store> memory, server;
};

/// `large` for ops [first, last), else `small`.
std::vector<std::size_t> burst(std::size_t first, std::size_t last, std::size_t large, std::size_t small) {
    std::vector<std::size_t> sizes(op_count, small);
    std::fill(sizes.begin() + static_cast<std::ptrdiff_t>(first),
              sizes.begin() + static_cast<std::ptrdiff_t>(last), large);
    return sizes;
}

}  // namespace

TEST_CASE("page: the sums of sizes decide, however sizes are spread") {
    random_source random(11);
    std::vector<std::size_t> drawn;
    for (std::size_t i = 0; i < op_count; ++i)
        drawn.push_back(random.below(20) == 0 ? random.below(2000) : 16 + random.below(16));
    std::vector<std::vector<std::size_t>> const spreads = {
        std::vector<std::size_t>(op_count, 24), burst(0, op_count / 2, 100, 16),
        burst(op_count / 2, op_count, 100, 16), burst(900, 901, 20'000, 16), drawn};
    for (std::size_t i = 0; i < spreads.size(); ++i) {
        twins both("page-spread-" + std::to_string(i), spreads[i]);
        auto const all =
            run(both.memory->retrieve_op_ids_bounded(arc::dht_arc::full(), start, UINT64_MAX)).value();
        for (int round = 0; round < 60; ++round) {
            auto const from = start + std::chrono::microseconds(random.below(op_count + 10));
            auto const limit = random.below(all.bytes + all.bytes / 4);
            both.compare(arc::dht_arc::full(), from, limit);
            both.compare(arc::dht_arc::between({1u << 20}, {0xf0000000u}), from, limit);
        }
        both.compare(arc::dht_arc::full(), arc::timestamp::min(), UINT64_MAX);
        both.compare(arc::dht_arc::full(), all.next, UINT64_MAX);
    }
}

TEST_CASE("page: a limit of n - 1, n, n + 1 bytes, where n is a sum of sizes") {
    twins both("page-limits", burst(0, 1200, 40, 16));
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < 1400; ++i) {
        sum += i < 1200 ? 48 : 24;
        if (i >= 300 && i % 97 < 2) {
            for (auto const limit : {sum - 1, sum, sum + 1})
                both.compare(arc::dht_arc::full(), start, limit);
        }
    }
}

}  // namespace opstore::testing
