// Goal: two peers with the same clock, one of them kitsune2, lay out the same slices, to the microsecond.
// Method: layouts seen from kitsune2's code; then random moments of every factor against closed forms: the
// covered units are counted with 128-bit arithmetic, and how often each size occurs is read off their binary
// digits. The ends of int64 run under the sanitizers.

#include <arc/time_slices.hpp>

#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <limits>
#include <string>

namespace opstore::arc {
namespace {

using std::chrono::microseconds;
using testing::random_source;

constexpr std::int64_t micros_min = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t micros_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t u = unit.count();

/// Exact for all that follows from an int64.
__extension__ typedef __int128 wide;

wide floor_div(wide a, wide b) {
    return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

/// "8,6x2,0": the sizes from the oldest slice on.
std::string sizes_of(slice_layout const& layout) {
    std::string text;
    for (std::size_t i = 0; i < layout.rings.size(); ++i) {
        int const size = layout.rings[i].size_log2;
        bool const twice = i + 1 < layout.rings.size() && layout.rings[i + 1].size_log2 == size;
        text += (text.empty() ? "" : ",") + std::to_string(size) + (twice ? "x2" : "");
        i += twice ? 1 : 0;
    }
    return text;
}

struct golden_layout {
    std::int64_t now;
    std::uint64_t full_slices;
    std::int64_t disc_boundary;
    std::size_t rings;
    std::string sizes;
    std::int64_t last_end;
    std::int64_t next_update_at;
};

TEST_CASE("lengths, golden") {
    CHECK(slice_length(factor_default) == std::chrono::seconds(460'800));
    CHECK(reserved_time(factor_default) == std::chrono::seconds(459'900));
    CHECK(slice_length(0) == unit);
    CHECK(reserved_time(0) == microseconds(0));
    CHECK(reserved_time(4) == 15 * unit);
    CHECK(slice_length(factor_max).count() == (std::int64_t{1} << 32) * u);
}

TEST_CASE("residual time, golden, and up to where seconds end") {
    CHECK(residual_time(0) == unit);
    CHECK(residual_time(1) == 3 * unit);
    CHECK(residual_time(2) == 7 * unit);
    CHECK(residual_time(5) == 63 * unit);
    CHECK_FALSE(residual_time(54).has_value());

    CHECK(residual_time(52) == std::chrono::seconds(((std::int64_t{1} << 53) - 1) * 900));
    CHECK_FALSE(residual_time(53).has_value());
    CHECK_FALSE(residual_time(-1).has_value());
    using ints = std::numeric_limits<int>;
    for (int const factor : {61, 62, 63, 64, 255, ints::max(), ints::min()}) {
        CHECK_FALSE(residual_time(factor).has_value());
    }
    for (int factor = 1; factor <= factor_max; ++factor) {
        CHECK(residual_time(factor - 1) == reserved_time(factor));
    }
}

TEST_CASE("layouts of factor 9, golden") {
    std::string const singles = "8,7,6,5,4,3,2,1,0";
    std::string const doubles = "8x2,7x2,6x2,5x2,4x2,3x2,2x2,1x2,0x2";
    golden_layout const table[] = {
        {0, 0, 0, 0, "", 0, 0},
        {900000000, 0, 0, 0, "", 0, 0},
        {900000001, 0, 0, 1, "0", 900000000, 1800000000},
        {1800000001, 0, 0, 1, "1", 1800000000, 2700000000},
        {2700000001, 0, 0, 2, "1,0", 2700000000, 3600000000},
        {459900000000, 0, 0, 8, "8,7,6,5,4,3,2,1", 459000000000, 459900000000},
        {459900000001, 0, 0, 9, singles, 459900000000, 460800000000},
        {460800000001, 0, 0, 10, "8,7,6,5,4,3,2,1,0x2", 460800000000, 461700000000},
        {920699999999, 0, 0, 18, doubles, 919800000000, 920700000000},
        {920700000000, 1, 460800000000, 8, "8,7,6,5,4,3,2,1", 919800000000, 920700000000},
        {920700000001, 1, 460800000000, 9, singles, 920700000000, 921600000000},
        {1700000000000000, 3688, 1699430400000000, 14, "8,7,6x2,5x2,4x2,3x2,2,1,0x2", 1699999200000000,
         1700000100000000},
        {1735689600000000, 3765, 1734912000000000, 12, "8x2,7,6x2,5x2,4,3,2,1,0", 1735688700000000,
         1735689600000000},
        {1750000000000000, 3796, 1749196800000000, 16, "8x2,7,6x2,5x2,4x2,3x2,2x2,1,0x2", 1749999600000000,
         1750000500000000},
    };
    for (auto const& expected : table) {
        auto const layout = layout_at(from_micros(expected.now), 9);
        CAPTURE(expected.now);
        CHECK(layout.factor == 9);
        CHECK(layout.full_slices == expected.full_slices);
        CHECK(full_slice_count(from_micros(expected.now), 9) == expected.full_slices);
        CHECK(to_micros(layout.disc_boundary()) == expected.disc_boundary);
        CHECK(layout.rings.size() == expected.rings);
        CHECK(sizes_of(layout) == expected.sizes);
        if (!layout.rings.empty()) {
            CHECK(to_micros(layout.rings.back().range().end) == expected.last_end);
        }
        CHECK(to_micros(layout.next_update_at) == expected.next_update_at);
    }
}

TEST_CASE("layouts of other factors, golden") {
    auto const at = [](std::int64_t units) { return from_micros(units * u + 1'000'000); };
    CHECK(sizes_of(layout_at(at(127), 7)) == "6,5,4,3,2,1,0");
    CHECK(sizes_of(layout_at(at(127 + 64), 7)) == "6x2,5,4,3,2,1,0");
    CHECK(sizes_of(layout_at(at(254), 7)) == "6x2,5x2,4x2,3x2,2x2,1x2,0x2");

    auto const first_full = layout_at(at(255), 7);
    CHECK(first_full.full_slices == 1);
    CHECK(to_micros(first_full.disc_boundary()) == 115'200'000'000);
    CHECK(sizes_of(first_full) == "6,5,4,3,2,1,0");

    auto const long_slices = layout_at(from_micros(1'700'000'000'000'000), 14);
    CHECK(long_slices.full_slices == 114);
    CHECK(to_micros(long_slices.disc_boundary()) == 1'680'998'400'000'000);
    CHECK(long_slices.rings.size() == 21);
}

TEST_CASE("a slice becomes full at (k + 2) slices less one unit, not a microsecond earlier") {
    for (int factor = 0; factor <= factor_max; ++factor) {
        CAPTURE(factor);
        std::int64_t const length = slice_length(factor).count();
        std::int64_t const second = length - u + length;
        CHECK(full_slice_count(from_micros(second - 1), factor) == 0);
        CHECK(full_slice_count(from_micros(second), factor) == 1);
    }
}

TEST_CASE("times before the epoch have no slices") {
    for (int factor = 0; factor <= factor_max; ++factor) {
        for (std::int64_t const now : {std::int64_t{-1}, -u, micros_min + 1, micros_min}) {
            auto const layout = layout_at(from_micros(now), factor);
            CHECK(layout.full_slices == 0);
            CHECK(layout.rings.empty());
            CHECK(to_micros(layout.disc_boundary()) == 0);
            CHECK(to_micros(layout.next_update_at) == 0);
        }
    }
}

/// Any int64, or near the present, or within a microsecond of a border of units.
std::int64_t sample_now(random_source& random) {
    switch (random.below(4)) {
        case 0:
            return random.between(0, micros_max);
        case 1:
            return random.between(0, 3'000'000'000'000'000);
        case 2:
            return random.between(0, 2'000) * u + random.between(0, 2) - 1;
        default:
            return random.between(0, 3'000'000) * u + random.between(0, 2) - 1;
    }
}

/// The ring follows the disc without a gap and reaches the last border of units before `now`.
void check_continuity(slice_layout const& layout, std::int64_t now) {
    timestamp end = layout.disc_boundary();
    int size = layout.factor;
    for (auto const& ring : layout.rings) {
        auto const range = ring.range();
        CHECK(range.start == end);
        CHECK(range.end - range.start == unit * (std::int64_t{1} << ring.size_log2));
        CHECK(ring.size_log2 <= size);
        size = ring.size_log2;
        end = range.end;
    }
    if (layout.factor > 0) {
        CHECK(to_micros(end) < now);
        CHECK(now - to_micros(end) <= u);
    }
    if (layout.rings.empty()) {
        CHECK(to_micros(layout.next_update_at) == 0);
    } else {
        wide const due = wide{to_micros(end)} + u;
        CHECK(to_micros(layout.next_update_at) == static_cast<std::int64_t>(std::min<wide>(due, micros_max)));
    }
}

/// How often each size occurs, from the binary digits of the number of units the ring covers: once each and
/// the digits of what is above that; below one of each, just the digits.
void check_sizes(slice_layout const& layout, std::int64_t now) {
    wide const borders_passed = floor_div(wide{now} - 1, u);
    auto const covered =
        static_cast<std::uint64_t>(borders_passed - wide{layout.full_slices} * (wide{1} << layout.factor));
    std::uint64_t const one_each = (std::uint64_t{1} << layout.factor) - 1;
    bool const plain = covered < one_each;
    std::uint64_t const digits = plain ? covered : covered - one_each;
    REQUIRE(digits <= one_each);
    std::vector<int> counts(static_cast<std::size_t>(layout.factor), 0);
    for (auto const& ring : layout.rings) {
        ++counts.at(static_cast<std::size_t>(ring.size_log2));
    }
    for (std::size_t i = 0; i < counts.size(); ++i) {
        CHECK(counts[i] == static_cast<int>(digits >> i & 1) + (plain ? 0 : 1));
    }
    auto const rings = std::popcount(digits) + (plain ? 0 : layout.factor);
    CHECK(layout.rings.size() == static_cast<std::size_t>(rings));
}

TEST_CASE("random layouts agree with the closed forms") {
    constexpr std::uint64_t seed = 0x1a704;
    INFO("seed ", seed);
    random_source random(seed);
    for (int round = 0; round < 3'000; ++round) {
        int const factor = random.one_in(2) ? 9 : static_cast<int>(random.below(factor_max + 1));
        std::int64_t const now = std::max(std::int64_t{1}, sample_now(random));
        CAPTURE(now);
        CAPTURE(factor);
        auto const layout = layout_at(from_micros(now), factor);
        wide const length = wide{u} << factor;
        wide const full = std::max<wide>(0, floor_div(wide{now} - (length - u), length));
        CHECK(layout.full_slices == static_cast<std::uint64_t>(full));
        CHECK(wide{to_micros(layout.disc_boundary())} == full * length);
        check_continuity(layout, now);
        if (factor > 0) {
            check_sizes(layout, now);
        }
    }
}

TEST_CASE("every layout between two promotions of a small factor") {
    constexpr int factor = 4;
    for (std::int64_t units = 0; units < 3 * 16; ++units) {
        for (std::int64_t const step : {0, 1, 2}) {
            std::int64_t const now = units * u + step;
            if (now > 0) {
                CAPTURE(now);
                auto const layout = layout_at(from_micros(now), factor);
                check_continuity(layout, now);
                check_sizes(layout, now);
            }
        }
    }
}

TEST_CASE("a layout stays as it is until its update is due, and changes right after") {
    constexpr std::uint64_t seed = 0x0dde;
    INFO("seed ", seed);
    random_source random(seed);
    for (int round = 0; round < 500; ++round) {
        int const factor = static_cast<int>(random.between(2, 16));
        timestamp const now = from_micros(random.between(2 * u, 2'000'000'000'000'000));
        auto const layout = layout_at(now, factor);
        CAPTURE(to_micros(now));
        CAPTURE(factor);
        REQUIRE_FALSE(layout.rings.empty());
        CHECK(layout.next_update_at >= now);
        CHECK(layout_at(layout.next_update_at - microseconds(1), factor) == layout);
        CHECK(layout_at(layout.next_update_at + microseconds(1), factor) != layout);
    }
}

TEST_CASE("the last timestamp has a layout for every factor") {
    for (int factor = 0; factor <= factor_max; ++factor) {
        CAPTURE(factor);
        auto const layout = layout_at(timestamp::max(), factor);
        check_continuity(layout, micros_max);
    }
}

TEST_CASE("stretches, golden") {
    constexpr std::uint64_t disc = 3688;
    constexpr std::uint64_t end = disc * 512;
    for (auto const& [unit, start] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 0},
                                                                                          {1, 0},
                                                                                          {255, 0},
                                                                                          {256, 256},
                                                                                          {383, 256},
                                                                                          {384, 384},
                                                                                          {507, 504},
                                                                                          {508, 508},
                                                                                          {509, 508},
                                                                                          {510, 510},
                                                                                          {511, 511},
                                                                                          {512, 512},
                                                                                          {513, 513},
                                                                                          {1023, 1023}}) {
        CHECK(stretch_start(end + unit, disc, 9) == end + start);
    }
    CHECK(stretch_start(end - 1, disc, 9) == end - 1);
    CHECK(stretch_start(300, 0, 9) == 300);
    CHECK(stretch_start(7, 7, 0) == 7);
    CHECK(stretch_start(UINT64_MAX, UINT64_MAX, 9) == UINT64_MAX);
}

TEST_CASE("no layout tells the units of a stretch apart") {
    constexpr std::uint64_t seed = 0x57e7c4;
    INFO("seed ", seed);
    random_source random(seed);
    auto const check = [](std::uint64_t full_slices, timestamp now, int factor) {
        CAPTURE(full_slices);
        CAPTURE(to_micros(now));
        CAPTURE(factor);
        auto const layout = layout_at(now, factor);
        REQUIRE(layout.full_slices >= full_slices);
        // Every border of slices is one of stretches.
        auto const is_border = [&](timestamp at) {
            auto const unit_at = static_cast<std::uint64_t>(at.time_since_epoch() / unit);
            return stretch_start(unit_at, full_slices, factor) == unit_at;
        };
        CHECK(is_border(layout.disc_boundary()));
        for (auto const& ring : layout.rings) {
            CHECK(is_border(ring.start));
        }
        if (!layout.rings.empty()) {
            CHECK(is_border(layout.rings.back().range().end));
        }
    };
    for (int factor = 0; factor <= 4; ++factor) {
        for (std::uint64_t full_slices = 0; full_slices < 4; ++full_slices) {
            auto const due =
                slice_length(factor) * static_cast<std::int64_t>(full_slices) + reserved_time(factor);
            auto const from = timestamp(full_slices == 0 ? std::chrono::microseconds(0) : due);
            for (auto now = from; now < from + 4 * slice_length(factor); now += unit / 2) {
                check(full_slices, now, factor);
                check(full_slices, now + std::chrono::microseconds(1), factor);
            }
        }
    }
    for (int round = 0; round < 3'000; ++round) {
        int const factor = static_cast<int>(random.below(factor_max + 1));
        timestamp const now = from_micros(std::max(std::int64_t{0}, sample_now(random)));
        auto const full = full_slice_count(now, factor);
        check(random.one_in(2) ? full : random.below(full + 1), now, factor);
    }
}

TEST_CASE("slice_index and slice_range are each other's inverse") {
    CHECK(slice_index(from_micros(0), 9) == 0);
    CHECK(slice_index(from_micros(460'799'999'999), 9) == 0);
    CHECK(slice_index(from_micros(460'800'000'000), 9) == 1);
    CHECK(slice_range(1, 9) == time_range{from_micros(460'800'000'000), from_micros(921'600'000'000)});

    constexpr std::uint64_t seed = 0x511ce;
    INFO("seed ", seed);
    random_source random(seed);
    for (int round = 0; round < 2'000; ++round) {
        int const factor = static_cast<int>(random.below(factor_max + 1));
        timestamp const at = from_micros(std::max(std::int64_t{0}, sample_now(random)));
        auto const range = slice_range(slice_index(at, factor), factor);
        CAPTURE(to_micros(at));
        CAPTURE(factor);
        CHECK(range.start <= at);
        CHECK((at < range.end || range.end == timestamp::max()));
        CHECK(to_micros(range.start) % slice_length(factor).count() == 0);
        CHECK((range.end - range.start == slice_length(factor) || range.end == timestamp::max()));
    }
}

TEST_CASE("slices beyond the last timestamp are cut to it") {
    for (int factor = 0; factor <= factor_max; ++factor) {
        CAPTURE(factor);
        std::uint64_t const last = slice_index(timestamp::max(), factor);
        auto const cut = slice_range(last, factor);
        CHECK(cut.start < timestamp::max());
        CHECK(cut.end == timestamp::max());
        CHECK(slice_range(last - 1, factor).end == cut.start);
        time_range const nothing{timestamp::max(), timestamp::max()};
        CHECK(slice_range(last + 1, factor) == nothing);
        CHECK(slice_range(std::uint64_t{1} << 63, factor) == nothing);
        CHECK(slice_range(std::numeric_limits<std::uint64_t>::max(), factor) == nothing);
    }
}

}  // namespace
}  // namespace opstore::arc
