// Goal: sets of sectors are made, refused, combined and sent exactly as kitsune2 does it.
// Method: values seen from its code; then random sets against std::set, and random arcs against the rule in
// other words: an arc passes if its length is a number of whole sectors.

#include <arc/arc_set.hpp>

#include <tests/arc/ring_samples.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>

namespace opstore::arc {
namespace {

using testing::random_source;
using arcs = std::vector<dht_arc>;
using words = std::array<std::uint32_t, arc_set::encoded_words>;
using model = std::set<sector_index>;

constexpr std::uint32_t u32_max = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t s = sector_size;

dht_arc arc_of(std::uint32_t start, std::uint32_t end) {
    return dht_arc::between({start}, {end});
}

arc_set set_of(arcs const& parts) {
    auto const made = arc_set::from_arcs(parts);
    REQUIRE(std::holds_alternative<arc_set>(made));
    return std::get<arc_set>(made);
}

misaligned_arc refusal_of(arcs const& parts) {
    auto const made = arc_set::from_arcs(parts);
    REQUIRE(std::holds_alternative<misaligned_arc>(made));
    return std::get<misaligned_arc>(made);
}

arc_set set_of(model const& sectors) {
    arc_set set;
    for (auto const sector : sectors) {
        set.insert(sector);
    }
    return set;
}

model model_of(arc_set const& set) {
    auto const sectors = set.sectors();
    return {sectors.begin(), sectors.end()};
}

/// Sparse, dense, or runs of sectors, with the first and the last often among them.
model sample_sectors(random_source& random) {
    model sectors;
    auto const runs = random.below(6);
    for (std::uint64_t run = 0; run < runs; ++run) {
        auto const first = random.one_in(3) ? 500 : random.below(sector_count);
        auto const length = random.one_in(2) ? 1 : random.below(300);
        for (std::uint64_t i = 0; i < length; ++i) {
            sectors.insert(static_cast<sector_index>((first + i) % sector_count));
        }
    }
    return sectors;
}

TEST_CASE("nothing makes the empty set") {
    for (arcs const& parts : {arcs{}, arcs{dht_arc::empty()}, arcs{dht_arc::empty(), dht_arc::empty()}}) {
        auto const set = set_of(parts);
        CHECK(set.count() == 0);
        CHECK(set.empty());
        CHECK(set == arc_set{});
        CHECK(set.encode() == words{});
        CHECK(set.as_arcs().empty());
        CHECK(set.sectors().empty());
    }
}

TEST_CASE("the whole circle makes the full set, however it is cut") {
    words all;
    all.fill(u32_max);
    for (arcs const& parts : {arcs{dht_arc::full()}, arcs{arc_of(0, 255 * s - 1), arc_of(255 * s, u32_max)},
                              arcs{arc_of(s, 2 * s - 1), arc_of(2 * s, s - 1)}, arcs{arc_of(42, 41)},
                              arcs{arc_of(0, 2 * s - 1), arc_of(s, u32_max)}}) {
        auto const set = set_of(parts);
        CHECK(set == arc_set::full());
        CHECK(set.count() == sector_count);
        CHECK_FALSE(set.empty());
        CHECK(set.encode() == all);
        CHECK(set.as_arcs() == arcs{dht_arc::full()});
        CHECK(set.sectors().back() == 511);
    }
}

TEST_CASE("arcs of whole sectors, golden") {
    auto const sparse = set_of(arcs{arc_of(0, s - 1), arc_of(20 * s, 21 * s - 1)});
    CHECK(sparse.count() == 2);
    CHECK(sparse.encode() == words{0x00100001});
    CHECK(sparse.as_arcs() == arcs{arc_of(0, 8388607), arc_of(167772160, 176160767)});

    auto const across_zero = set_of(arcs{arc_of(510 * s, 2 * s - 1)});
    CHECK(across_zero.count() == 4);
    CHECK(across_zero.encode() == words{3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xc0000000});
    CHECK(across_zero.as_arcs() == arcs{arc_of(0, 16777215), arc_of(4278190080, u32_max)});

    auto const five = set_of(arcs{arc_of(510 * s, 3 * s - 1)});
    CHECK(five.sectors() == std::vector<sector_index>{0, 1, 2, 510, 511});

    CHECK(set_of(arcs{arc_of(510 * s, 3 * s - 1), arc_of(2 * s, 4 * s - 1)}).count() == 6);
    CHECK(set_of(arcs{arc_of(0, 3 * s - 1), arc_of(2 * s, 4 * s - 1)}).count() == 4);

    auto const last = set_of(arcs{arc_of(511 * s, u32_max)});
    CHECK(last.count() == 1);
    CHECK(last.encode() == words{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80000000});
    CHECK(last.as_arcs() == arcs{arc_of(4286578688, u32_max)});
}

TEST_CASE("only the length of an arc is checked, golden") {
    CHECK(set_of(arcs{arc_of(5, s + 4)}) == set_of(model{0}));
    CHECK(set_of(arcs{arc_of(1, s)}) == set_of(model{0}));
    CHECK(set_of(arcs{arc_of(5, 2 * s + 4)}) == set_of(model{0, 1}));
    CHECK(set_of(arcs{arc_of(u32_max, s - 2)}) == set_of(model{511}));
    CHECK(set_of(arcs{arc_of(5, s + 4)}).as_arcs() == arcs{arc_of(0, 8388607)});
    CHECK(set_of(arcs{arc_of(5, 2 * s + 4)}).as_arcs() == arcs{arc_of(0, 16777215)});
    CHECK(set_of(arcs{arc_of(u32_max, s - 2)}).as_arcs() == arcs{arc_of(4286578688, u32_max)});
}

TEST_CASE("other lengths are refused with kitsune2's numbers, golden") {
    CHECK(refusal_of(arcs{arc_of(0, 50)}) == misaligned_arc{8388608, 50});
    CHECK(refusal_of(arcs{arc_of(0, 0)}) == misaligned_arc{8388608, 0});
    CHECK(refusal_of(arcs{arc_of(0, s - 1), arc_of(u32_max, u32_max)}) == misaligned_arc{8388607, u32_max});
    CHECK(refusal_of(arcs{arc_of(0, 2 * s)}) == misaligned_arc{25165824, 16777216});
    CHECK(refusal_of(arcs{arc_of(0, 50)}).message() ==
          "Invalid arc, expected end at 8388608 but arc specifies 50");
}

TEST_CASE("a full set takes anything after it, but an arc that fills it is checked") {
    CHECK(set_of(arcs{dht_arc::full(), arc_of(0, 50)}) == arc_set::full());
    CHECK(refusal_of(arcs{arc_of(0, u32_max - 5)}) == misaligned_arc{0, u32_max - 5});
    CHECK(refusal_of(arcs{arc_of(0, 50), dht_arc::full()}) == misaligned_arc{8388608, 50});
}

TEST_CASE("intersections, golden") {
    auto const both = [](dht_arc a, dht_arc b) { return set_of(arcs{a}).intersection(set_of(arcs{b})); };
    CHECK(both(arc_of(0, s - 1), arc_of(2 * s, 3 * s - 1)).empty());
    CHECK(both(arc_of(0, 2 * s - 1), arc_of(s, 3 * s - 1)) == set_of(model{1}));
    CHECK(both(arc_of(0, 10 * s - 1), arc_of(s, 3 * s - 1)) == set_of(model{1, 2}));
    CHECK(both(dht_arc::full(), dht_arc::full()) == arc_set::full());
    CHECK(both(dht_arc::empty(), dht_arc::full()).empty());
}

TEST_CASE("from_whole_sectors takes borders only") {
    CHECK(arc_set::from_whole_sectors(dht_arc::empty()) == arc_set{});
    CHECK(arc_set::from_whole_sectors(dht_arc::full()) == arc_set::full());
    CHECK(arc_set::from_whole_sectors(arc_of(42, 41)) == arc_set::full());
    CHECK(arc_set::from_whole_sectors(arc_of(s, s - 1)) == arc_set::full());
    CHECK(arc_set::from_whole_sectors(arc_of(s, 3 * s - 1)) == set_of(model{1, 2}));
    CHECK(arc_set::from_whole_sectors(arc_of(510 * s, s - 1)) == set_of(model{0, 510, 511}));
    for (dht_arc const arc : {arc_of(5, s + 4), arc_of(1, s), arc_of(u32_max, s - 2), arc_of(0, 50),
                              arc_of(0, s), arc_of(1, s - 1), arc_of(0, s - 2), arc_of(7, 7),
                              arc_of(510 * s, s), arc_of(510 * s + 1, s - 1), arc_of(5 * s + 9, 5 * s + 7)}) {
        CAPTURE(to_string(arc));
        CHECK_FALSE(arc_set::from_whole_sectors(arc).has_value());
    }
}

TEST_CASE("decode needs exactly 16 words") {
    std::vector<std::uint32_t> sent(17, 1);
    CHECK_FALSE(arc_set::decode({}).has_value());
    CHECK_FALSE(arc_set::decode(std::span(sent).first(15)).has_value());
    CHECK_FALSE(arc_set::decode(sent).has_value());
    auto const set = arc_set::decode(std::span(sent).first(16));
    REQUIRE(set.has_value());
    CHECK(set->count() == 16);
    CHECK(set->includes(32));
    CHECK_FALSE(set->includes(33));
}

TEST_CASE("an index that is no sector is in no set") {
    CHECK(arc_set::full().includes(511));
    CHECK_FALSE(arc_set::full().includes(512));
    CHECK_FALSE(arc_set::full().includes(std::numeric_limits<sector_index>::max()));
}

TEST_CASE("random sets behave as std::set") {
    constexpr std::uint64_t seed = 0xa2c5e7;
    INFO("seed ", seed);
    random_source random(seed);
    for (int round = 0; round < 200; ++round) {
        CAPTURE(round);
        model const a = sample_sectors(random);
        model const b = sample_sectors(random);
        arc_set const a_set = set_of(a);
        arc_set const b_set = set_of(b);
        model both, either, only_a;
        std::ranges::set_intersection(a, b, std::inserter(both, both.end()));
        std::ranges::set_union(a, b, std::inserter(either, either.end()));
        std::ranges::set_difference(a, b, std::inserter(only_a, only_a.end()));
        CHECK(model_of(a_set.intersection(b_set)) == both);
        CHECK(model_of(a_set.union_with(b_set)) == either);
        CHECK(model_of(a_set.without(b_set)) == only_a);
        CHECK(a_set.count() == a.size());
        CHECK(a_set.empty() == a.empty());
        CHECK((a_set == b_set) == (a == b));
        CHECK(std::ranges::equal(a_set.sectors(), a));
        CHECK(arc_set::decode(a_set.encode()) == a_set);
        CHECK(set_of(a_set.as_arcs()) == a_set);
        for (std::uint32_t i = 0; i < sector_count; ++i) {
            auto const sector = static_cast<sector_index>(i);
            if (a_set.includes(sector) != a.contains(sector)) {
                FAIL_CHECK("includes is wrong for ", i);
            }
        }
    }
}

TEST_CASE("as_arcs gives the fewest arcs, ascending, none across 0") {
    constexpr std::uint64_t seed = 0xa5a2c5;
    INFO("seed ", seed);
    random_source random(seed);
    for (int round = 0; round < 200; ++round) {
        CAPTURE(round);
        auto const found = set_of(sample_sectors(random)).as_arcs();
        for (std::size_t i = 0; i < found.size(); ++i) {
            CHECK(found[i].start() <= found[i].end());
            if (i > 0) {
                CHECK(found[i].start().value > found[i - 1].end().value + 1);
            }
        }
    }
}

TEST_CASE("random arcs pass if their length is a number of whole sectors") {
    constexpr std::uint64_t seed = 0x1e46;
    INFO("seed ", seed);
    random_source random(seed);
    int passed = 0;
    for (int round = 0; round < 2'000; ++round) {
        dht_arc arc = testing::sample_arc(random);
        if (!arc.is_empty() && random.one_in(2)) {
            auto const sectors = static_cast<std::uint32_t>(random.below(sector_count)) + 1;
            arc = dht_arc::between(arc.start(), {arc.start().value + sectors * s - 1});
        }
        CAPTURE(to_string(arc));
        auto const made = arc_set::from_arcs(std::span(&arc, 1));
        if (arc.is_empty()) {
            CHECK(std::get<arc_set>(made).empty());
            continue;
        }
        std::uint64_t const length = std::uint64_t{arc.span()} + 1;
        std::uint64_t const sectors = (length + s - 1) / s;
        if (length % s != 0) {
            auto const end = static_cast<std::uint32_t>(arc.start().value + sectors * s);
            CHECK(std::get<misaligned_arc>(made) == misaligned_arc{end, arc.end().value});
            CHECK_FALSE(arc_set::from_whole_sectors(arc).has_value());
            continue;
        }
        ++passed;
        model expected;
        for (std::uint64_t i = 0; i < sectors; ++i) {
            expected.insert(static_cast<sector_index>((sector_of(arc.start()) + i) % sector_count));
        }
        CHECK(model_of(std::get<arc_set>(made)) == expected);
        bool const on_borders = arc.start().value % s == 0 || arc.is_full();
        CHECK(arc_set::from_whole_sectors(arc).has_value() == on_borders);
        if (on_borders) {
            CHECK(arc_set::from_whole_sectors(arc) == std::get<arc_set>(made));
        }
    }
    CHECK(passed > 500);
}

}  // namespace
}  // namespace opstore::arc
