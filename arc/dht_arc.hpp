#pragma once

#include <arc/location.hpp>

#include <cassert>
#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace opstore::arc {

/// Locations first to last, both inclusive, first <= last: a part of the ring that does not cross 0.
struct location_range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;

    friend constexpr bool operator==(location_range, location_range) = default;
};

/// The part of the ring that a peer keeps or asks about: nothing, or start to end, both inclusive, going up
/// and across 0 where start > end.
///
/// It is a key as well as a set. Slice hashes are stored by the pair (start, end), so the order and equality
/// here compare that pair: between(x, x - 1) covers the whole circle for every x, yet equals full() for x = 0
/// only. The default value is empty; empty orders before every other arc, the others by start, then by end.
///
/// Thread safety: a trivially copyable value; distinct objects are independent.
class dht_arc {
public:
    constexpr dht_arc() = default;

    static constexpr dht_arc empty() { return {}; }
    static constexpr dht_arc full() { return {{0}, {std::numeric_limits<std::uint32_t>::max()}}; }

    /// Both ends inclusive; wraps where start > end. Never empty: between(x, x) is the one location x.
    static constexpr dht_arc between(location start, location end) { return {start, end}; }

    constexpr bool is_empty() const { return !holds_any_; }

    /// Whether every location is inside: true of full() and of every arc whose end is just before its start.
    constexpr bool is_full() const { return holds_any_ && end_.value + 1 == start_.value; }

    /// Inclusive. Precondition: not empty.
    constexpr location start() const {
        assert(holds_any_);
        return start_;
    }

    /// Inclusive. Precondition: not empty.
    constexpr location end() const {
        assert(holds_any_);
        return end_;
    }

    constexpr bool contains(location at) const { return holds_any_ && at.value - start_.value <= span(); }

    /// Steps along the ring, the shorter way, from `at` to the nearest location inside: 0 if `at` is inside,
    /// 2^32 - 1 if the arc is empty.
    std::uint32_t distance(location at) const;

    /// Whether any location is inside both.
    constexpr bool overlaps(dht_arc other) const {
        return holds_any_ && other.holds_any_ && (contains(other.start_) || other.contains(start_));
    }

    /// Steps from start to end, as kitsune2 counts them: one less than the number of locations inside, and 0
    /// for the empty arc as for a single location.
    constexpr std::uint32_t span() const { return end_.value - start_.value; }

    /// The same locations without wrapping, as a range query needs them: none if empty, two if the arc
    /// crosses 0, else one (one, [0, 2^32 - 1], for every arc that is_full()). Ascending, disjoint.
    std::vector<location_range> pieces() const;

    friend constexpr auto operator<=>(dht_arc, dht_arc) = default;

private:
    constexpr dht_arc(location start, location end) : holds_any_(true), start_(start), end_(end) {}

    // In the order they are compared; the ends of the empty arc stay 0.
    bool holds_any_ = false;
    location start_;
    location end_;
};

/// `empty`, `full` or `START..END` in decimal. Exact: an arc that covers the circle from another start than 0
/// is written with its ends.
std::string to_string(dht_arc arc);

/// Reads what to_string() writes, and START and END also as 0x followed by hex digits of either case. Leading
/// zeros do not change a number's meaning. None for anything else: a value above 2^32 - 1, a sign, white
/// space, other capitals, text before or after.
std::optional<dht_arc> parse_arc(std::string_view text);

}  // namespace opstore::arc
