// Goal: arcs contain, measure, cut and print themselves as kitsune2's do, also around 0 and at both ends.
// Method: the values kitsune2's tests assert; then every arc and location of a small picture of the ring, in
// which 12 locations on each side of 0 stand for themselves and one step spans the rest, walked step by step;
// then random arcs against 64-bit arithmetic, and through text and back.

#include <arc/dht_arc.hpp>

#include <tests/arc/ring_samples.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace opstore::arc {
namespace {

using testing::random_source;
using testing::sample_arc;
using testing::sample_location;

constexpr std::uint32_t u32_max = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t circle = std::uint64_t{1} << 32;

constexpr dht_arc arc_of(std::uint32_t start, std::uint32_t end) {
    return dht_arc::between({start}, {end});
}

static_assert(std::is_trivially_copyable_v<dht_arc>);
static_assert(dht_arc{}.is_empty() && dht_arc{} == dht_arc::empty());
static_assert(dht_arc::full() == arc_of(0, u32_max));

TEST_CASE("span, golden") {
    CHECK(dht_arc::empty().span() == 0);
    CHECK(arc_of(0, 0).span() == 0);
    CHECK(arc_of(0, 1).span() == 1);
    CHECK(arc_of(u32_max, 0).span() == 1);
    CHECK(arc_of(42, 44).span() == 2);
    CHECK(arc_of(42, 41).span() == u32_max);
    CHECK(dht_arc::full().span() == u32_max);
    CHECK(arc_of(u32_max, u32_max - 1).span() == u32_max);
}

TEST_CASE("contains, golden") {
    for (std::uint32_t const at : {0u, u32_max / 2, u32_max}) {
        CHECK(dht_arc::full().contains({at}));
        CHECK_FALSE(dht_arc::empty().contains({at}));
    }
    CHECK(arc_of(32, 64).contains({32}));
    CHECK(arc_of(32, 64).contains({64}));
    CHECK_FALSE(arc_of(32, 64).contains({31}));
    CHECK_FALSE(arc_of(32, 64).contains({65}));

    dht_arc const wrapping = arc_of(u32_max - 32, 32);
    CHECK_FALSE(wrapping.contains({u32_max - 33}));
    for (std::uint32_t const at : {u32_max - 32, u32_max - 1, u32_max, 0u, 20u, 32u}) {
        CHECK(wrapping.contains({at}));
    }
    CHECK_FALSE(wrapping.contains({33}));
}

TEST_CASE("distance, golden") {
    for (std::uint32_t const at : {0u, u32_max / 2, u32_max}) {
        CHECK(dht_arc::empty().distance({at}) == u32_max);
    }
    CHECK(arc_of(u32_max, u32_max).distance({0}) == 1);
    CHECK(arc_of(u32_max, u32_max).distance({u32_max / 2}) == 2147483648);
    CHECK(arc_of(0, 0).distance({u32_max}) == 1);
    CHECK(arc_of(0, 0).distance({u32_max / 2}) == 2147483647);
    CHECK(arc_of(0, 1).distance({0}) == 0);
    CHECK(arc_of(u32_max - 1, u32_max).distance({u32_max - 1}) == 0);
    CHECK(arc_of(1, 2).distance({0}) == 1);
    CHECK(arc_of(0, 1).distance({u32_max}) == 1);
    CHECK(arc_of(u32_max - 1, u32_max).distance({0}) == 1);
    CHECK(arc_of(u32_max, 0).distance({0}) == 0);
    CHECK(arc_of(u32_max, 0).distance({1}) == 1);
    CHECK(arc_of(u32_max, 0).distance({u32_max - 1}) == 1);
    CHECK(arc_of(u32_max, 1).distance({u32_max - 1}) == 1);
    CHECK(arc_of(u32_max, 1).distance({0}) == 0);
    CHECK(arc_of(10, 20).distance({5}) == 5);
    CHECK(arc_of(10, 20).distance({25}) == 5);
    CHECK(arc_of(10, 20).distance({u32_max}) == 11);
    CHECK(arc_of(4294967290, 5).distance({100}) == 95);
    CHECK(arc_of(4294967290, 5).distance({1u << 31}) == 2147483642);
}

TEST_CASE("overlaps, golden") {
    constexpr std::uint32_t m = u32_max;
    CHECK_FALSE(arc_of(0, 0).overlaps(arc_of(1, 1)));
    CHECK_FALSE(arc_of(0, 0).overlaps(arc_of(m, m)));
    std::pair<dht_arc, dht_arc> const overlapping[] = {
        {arc_of(0, 0), arc_of(0, 0)},     {arc_of(m, m), arc_of(m, m)},     {arc_of(m, 0), arc_of(0, 0)},
        {arc_of(m, 0), arc_of(m, m)},     {arc_of(0, 3), arc_of(1, 2)},     {arc_of(1, 3), arc_of(2, 4)},
        {arc_of(m - 1, 1), arc_of(m, 0)}, {arc_of(m - 1, 0), arc_of(m, 1)},
    };
    for (auto const& [a, b] : overlapping) {
        CAPTURE(to_string(a));
        CAPTURE(to_string(b));
        CHECK(a.overlaps(b));
        CHECK(b.overlaps(a));
    }
    CHECK_FALSE(dht_arc::empty().overlaps(dht_arc::full()));
    CHECK_FALSE(dht_arc::full().overlaps(dht_arc::empty()));
    CHECK_FALSE(dht_arc::empty().overlaps(dht_arc::empty()));
}

TEST_CASE("the circle is full from every start, but a key of its own") {
    CHECK(dht_arc::full().is_full());
    CHECK(arc_of(42, 41).is_full());
    CHECK(arc_of(u32_max, u32_max - 1).is_full());
    CHECK(arc_of(1, 0).is_full());
    CHECK(arc_of(42, 41) != dht_arc::full());
    CHECK(arc_of(42, 41) != arc_of(43, 42));
    CHECK_FALSE(dht_arc::empty().is_full());
    CHECK_FALSE(arc_of(0, u32_max - 1).is_full());
    CHECK_FALSE(arc_of(1, u32_max).is_full());
    CHECK_FALSE(arc_of(5, 5).is_full());

    CHECK(dht_arc::empty() != arc_of(0, 0));
    CHECK(dht_arc::empty() < arc_of(0, 0));
    CHECK(arc_of(0, 9) < arc_of(1, 0));
    CHECK(arc_of(1, 0) < arc_of(1, 1));
}

/// The small picture: positions 0 to 23, of which 12 is location 0. A set of positions is a bit mask.
constexpr std::uint32_t picture_size = 24;
using picture = std::uint32_t;

constexpr picture bit(std::uint32_t position) {
    return picture{1} << position;
}

location seen_at(std::uint32_t position) {
    return {position - picture_size / 2};
}

picture walk(std::uint32_t start, std::uint32_t end) {
    picture inside = bit(end);
    for (std::uint32_t at = start; at != end; at = (at + 1) % picture_size) {
        inside |= bit(at);
    }
    return inside;
}

/// Never takes the step that spans the rest of the ring: on the real one it is longer than all others.
std::uint32_t walk_distance(picture inside, std::uint32_t at) {
    for (std::uint32_t steps = 0; steps < picture_size; ++steps) {
        bool const up = at + steps < picture_size && (inside & bit(at + steps)) != 0;
        bool const down = steps <= at && (inside & bit(at - steps)) != 0;
        if (up || down) {
            return steps;
        }
    }
    return u32_max;
}

TEST_CASE("every arc of the small picture contains and measures what a walk finds") {
    for (std::uint32_t start = 0; start < picture_size; ++start) {
        for (std::uint32_t end = 0; end < picture_size; ++end) {
            dht_arc const arc = dht_arc::between(seen_at(start), seen_at(end));
            picture const inside = walk(start, end);
            CAPTURE(to_string(arc));
            picture found = 0;
            picture in_pieces = 0;
            for (std::uint32_t at = 0; at < picture_size; ++at) {
                location const seen = seen_at(at);
                found |= arc.contains(seen) ? bit(at) : 0;
                for (auto const piece : arc.pieces()) {
                    in_pieces |= piece.first <= seen.value && seen.value <= piece.last ? bit(at) : 0;
                }
                CHECK(arc.distance(seen) == walk_distance(inside, at));
            }
            CHECK(found == inside);
            CHECK(in_pieces == inside);
        }
    }
}

TEST_CASE("arcs of the small picture overlap if they share a position") {
    for (std::uint32_t a_start = 0; a_start < picture_size; ++a_start) {
        for (std::uint32_t a_end = 0; a_end < picture_size; ++a_end) {
            dht_arc const a = dht_arc::between(seen_at(a_start), seen_at(a_end));
            picture const a_inside = walk(a_start, a_end);
            for (std::uint32_t b_start = 0; b_start < picture_size; ++b_start) {
                for (std::uint32_t b_end = 0; b_end < picture_size; ++b_end) {
                    dht_arc const b = dht_arc::between(seen_at(b_start), seen_at(b_end));
                    if (a.overlaps(b) != ((a_inside & walk(b_start, b_end)) != 0)) {
                        FAIL_CHECK("overlaps is wrong for ", to_string(a), " and ", to_string(b));
                    }
                }
            }
        }
    }
}

TEST_CASE("random arcs agree with arithmetic on an unrolled ring") {
    constexpr std::uint64_t seed = 0xa2c5;
    INFO("seed ", seed);
    random_source random(seed);
    for (int round = 0; round < 5'000; ++round) {
        dht_arc const arc = sample_arc(random);
        location const at = sample_location(random);
        CAPTURE(to_string(arc));
        CAPTURE(at.value);
        if (arc.is_empty()) {
            CHECK_FALSE(arc.contains(at));
            CHECK(arc.pieces().empty());
            continue;
        }
        std::uint64_t const first = arc.start().value;
        std::uint64_t last = arc.end().value;
        last += last < first ? circle : 0;
        std::uint64_t const unrolled = at.value + (at.value < first ? circle : 0);
        CHECK(arc.span() == last - first);
        CHECK(arc.is_full() == (last - first + 1 == circle));
        CHECK(arc.contains(at) == (unrolled <= last));
        if (unrolled > last) {
            CHECK(arc.distance(at) == std::min(unrolled - last, first + circle - unrolled));
        } else {
            CHECK(arc.distance(at) == 0);
        }

        std::uint64_t count = 0;
        for (auto const piece : arc.pieces()) {
            REQUIRE(piece.first <= piece.last);
            count += std::uint64_t{piece.last} - piece.first + 1;
        }
        CHECK(count == last - first + 1);
    }
}

TEST_CASE("pieces ascend and do not wrap") {
    CHECK(dht_arc::empty().pieces().empty());
    CHECK(arc_of(7, 7).pieces() == std::vector<location_range>{{7, 7}});
    CHECK(arc_of(3, 9).pieces() == std::vector<location_range>{{3, 9}});
    CHECK(arc_of(9, 3).pieces() == std::vector<location_range>{{0, 3}, {9, u32_max}});
    CHECK(arc_of(u32_max, 0).pieces() == std::vector<location_range>{{0, 0}, {u32_max, u32_max}});
    CHECK(arc_of(5, 3).pieces() == std::vector<location_range>{{0, 3}, {5, u32_max}});
    CHECK(arc_of(5, u32_max).pieces() == std::vector<location_range>{{5, u32_max}});
    CHECK(dht_arc::full().pieces() == std::vector<location_range>{{0, u32_max}});
    CHECK(arc_of(42, 41).pieces() == std::vector<location_range>{{0, u32_max}});
}

TEST_CASE("arcs print as they are typed") {
    CHECK(to_string(dht_arc::empty()) == "empty");
    CHECK(to_string(dht_arc::full()) == "full");
    CHECK(to_string(arc_of(0, 0)) == "0..0");
    CHECK(to_string(arc_of(42, 330382099)) == "42..330382099");
    CHECK(to_string(arc_of(u32_max, 7)) == "4294967295..7");
    CHECK(to_string(arc_of(42, 41)) == "42..41");
}

TEST_CASE("parse_arc reads both bases") {
    CHECK(parse_arc("empty") == dht_arc::empty());
    CHECK(parse_arc("full") == dht_arc::full());
    CHECK(parse_arc("0..4294967295") == dht_arc::full());
    CHECK(parse_arc("0..0xffffffff") == dht_arc::full());
    CHECK(parse_arc("0xFF..0xfFfFfFfF") == arc_of(255, u32_max));
    CHECK(parse_arc("0x0..16") == arc_of(0, 16));
    CHECK(parse_arc("010..0x0010") == arc_of(10, 16));
}

TEST_CASE("parse_arc refuses what is not wholly an arc") {
    for (char const* const text : {"",
                                   " ",
                                   "Empty",
                                   "FULL",
                                   "full ",
                                   " full",
                                   "fullx",
                                   "5",
                                   "5.",
                                   "5..",
                                   "..5",
                                   "..",
                                   "5...6",
                                   "5..6..7",
                                   "5.6",
                                   "-1..5",
                                   "1..-5",
                                   "+1..5",
                                   "1..+5",
                                   " 1..5",
                                   "1 ..5",
                                   "1.. 5",
                                   "1..5 ",
                                   "1..5\n",
                                   "1..5x",
                                   "x1..5",
                                   "0x..5",
                                   "1..0x",
                                   "0X1..5",
                                   "0x1g..5",
                                   "1a..5",
                                   "0x-1..5",
                                   "0x0x1..5",
                                   "1,5",
                                   "1-5",
                                   "[1,5]",
                                   "4294967296..5",
                                   "5..4294967296",
                                   "5..0x100000000",
                                   "99999999999999999999..5",
                                   "5..99999999999999999999",
                                   "1e3..5",
                                   "0b1..5"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_arc(text).has_value());
    }
    CHECK_FALSE(parse_arc(std::string_view("1..5\0", 5)).has_value());
}

TEST_CASE("arcs come back from their text unchanged") {
    constexpr std::uint64_t seed = 0x7e47;
    INFO("seed ", seed);
    random_source random(seed);
    for (int round = 0; round < 2'000; ++round) {
        dht_arc const arc = sample_arc(random);
        CAPTURE(to_string(arc));
        CHECK(parse_arc(to_string(arc)) == arc);
    }
}

}  // namespace
}  // namespace opstore::arc
