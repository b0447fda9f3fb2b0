#pragma once

#include <arc/timestamp.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace opstore::arc {

// How creation time is cut into slices, each of which has one combined hash that two peers compare.
//
// History is the disc: full slices of equal length, which never move, so that a hash computed once serves
// for ever. The time since then is the ring: slices that get shorter towards the present, so that new ops
// disturb short slices only and a difference found there costs little. Both follow from the clock and the
// factor alone: peers whose clocks agree have the same slices and need to exchange hashes only. That is why
// every bound here is exact to the microsecond, and equal to kitsune2's.
//
// A factor outside [0, factor_max] is a bug of the caller (asserted) unless a function says otherwise.

/// The shortest slice, 15 minutes.
inline constexpr std::chrono::microseconds unit{900'000'000};

/// What kitsune2 uses: full slices of 2^9 units, 128 hours.
inline constexpr int factor_default = 9;

/// The largest factor for which all lengths are int64 microseconds: the ring may grow to just below two full
/// slices, 2^(factor + 1) units, and 2^33 units are 7.7e18 microseconds; 2^34 units are above 9.2e18.
inline constexpr int factor_max = 32;

/// start inclusive, end exclusive.
struct time_range {
    timestamp start;
    timestamp end;

    friend bool operator==(time_range const&, time_range const&) = default;
};

/// 2^factor units: the length of a full slice.
std::chrono::microseconds slice_length(int factor);

/// 2^factor - 1 units: the least time that stays out of the disc, enough for one ring slice of each size.
std::chrono::microseconds reserved_time(int factor);

/// The number of full slices at `now`: floor((now - reserved_time) / slice_length), or 0 while that is
/// negative. Any timestamp is allowed.
std::uint64_t full_slice_count(timestamp now, int factor);

/// The index of the slice of full length that contains this time, whether it is part of the disc yet or not.
/// Precondition: created_at >= 0, that is not before the Unix epoch.
std::uint64_t slice_index(timestamp created_at, int factor);

/// The inverse: [index * slice_length, (index + 1) * slice_length). Any index is allowed: an end beyond the
/// last timestamp becomes the last timestamp, and so does a start, which leaves an empty range.
time_range slice_range(std::uint64_t index, int factor);

/// kitsune2's residual time: one slice of every size from 2^0 to 2^factor units, together 2^(factor + 1) - 1
/// units. The time since the disc's end is always less; residual_time(factor - 1) is reserved_time(factor).
/// Any factor is allowed: none if it is negative or the sum is beyond int64 seconds, which starts at 53.
/// (kitsune2 counts in u64 and refuses from 54 on.)
std::optional<std::chrono::seconds> residual_time(int factor);

/// One slice of the ring: 2^size_log2 units from `start` on.
struct ring_slice {
    timestamp start;
    int size_log2 = 0;

    time_range range() const;

    friend bool operator==(ring_slice const&, ring_slice const&) = default;
};

/// All slices at one moment: the disc [0, full_slices), then the ring, without a gap, oldest first. What
/// follows the ring, more than nothing and at most one unit, is in no slice yet.
struct slice_layout {
    int factor = factor_default;
    std::uint64_t full_slices = 0;

    /// At most 2 of each size; sizes from factor - 1 down to 0, never increasing.
    std::vector<ring_slice> rings;

    /// When the layout is due to be made anew: one unit after the end of the last ring slice. That is the
    /// moment the layout was made for, if it falls on a border of units: a slice counts only once it lies
    /// wholly in the past, so the next microsecond has another layout. The Unix epoch, as in kitsune2, if
    /// there is no ring.
    timestamp next_update_at;

    /// Where the disc ends and the ring starts: full_slices * slice_length.
    timestamp disc_boundary() const;

    friend bool operator==(slice_layout const&, slice_layout const&) = default;
};

/// The layout at `now`. From the disc's end on, the ring takes for each i from factor - 1 down to 0 slices of
/// 2^i units: two if more than (2^(i + 1) - 1) + 2^i units are left, else one if more than 2^i units are
/// left, else none. Any timestamp is allowed; before the epoch there are no slices at all.
slice_layout layout_at(timestamp now, int factor);

/// The first unit of the stretch of time that holds this unit (created_at / arc::unit). No layout whose disc
/// has `full_slices` slices or more tells the units of one stretch apart: they lie in one slice of it, or in
/// none. So one hash of them serves all of these layouts. The stretches behind the disc are of 2^(factor - 1)
/// units, half of that, and so on down to one: the ring slices of the first layout with that disc, of which
/// those of later ones consist. From 2^factor - 1 units behind the disc on, and before its end, each unit is
/// a stretch; so are all where there is no disc, since then a ring may be shorter than that.
std::uint64_t stretch_start(std::uint64_t unit_number, std::uint64_t full_slices, int factor);

}  // namespace opstore::arc
