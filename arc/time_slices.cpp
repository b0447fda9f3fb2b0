#include <arc/time_slices.hpp>

#include <bit>
#include <cassert>
#include <limits>

namespace opstore::arc {
namespace {

constexpr std::int64_t micros_max = std::numeric_limits<std::int64_t>::max();

static_assert((std::int64_t{2} << factor_max) <= micros_max / unit.count());
static_assert((std::int64_t{4} << factor_max) > micros_max / unit.count());

/// Precondition: length >= 0.
timestamp saturating_add(timestamp at, std::chrono::microseconds length) {
    return at > timestamp::max() - length ? timestamp::max() : at + length;
}

}  // namespace

std::chrono::microseconds slice_length(int factor) {
    assert(factor >= 0 && factor <= factor_max);
    return unit * (std::int64_t{1} << factor);
}

std::chrono::microseconds reserved_time(int factor) {
    return slice_length(factor) - unit;
}

std::uint64_t full_slice_count(timestamp now, int factor) {
    auto const age = now.time_since_epoch();
    auto const reserved = reserved_time(factor);
    if (age < reserved) {
        return 0;
    }
    return static_cast<std::uint64_t>((age - reserved) / slice_length(factor));
}

std::uint64_t slice_index(timestamp created_at, int factor) {
    assert(created_at >= timestamp{});
    return static_cast<std::uint64_t>(created_at.time_since_epoch() / slice_length(factor));
}

time_range slice_range(std::uint64_t index, int factor) {
    auto const length = slice_length(factor);
    auto const index_max = static_cast<std::uint64_t>(micros_max / length.count());
    if (index > index_max) {
        return {timestamp::max(), timestamp::max()};
    }
    timestamp const start{length * static_cast<std::int64_t>(index)};
    return {start, saturating_add(start, length)};
}

std::optional<std::chrono::seconds> residual_time(int factor) {
    constexpr auto unit_seconds = std::chrono::duration_cast<std::chrono::seconds>(unit);
    static_assert(unit_seconds == unit);
    constexpr std::int64_t units_max = std::chrono::seconds::max() / unit_seconds;
    if (factor < 0 || factor >= 62) {
        return std::nullopt;
    }
    std::int64_t const units = (std::int64_t{2} << factor) - 1;
    if (units > units_max) {
        return std::nullopt;
    }
    return unit_seconds * units;
}

time_range ring_slice::range() const {
    return {start, saturating_add(start, slice_length(size_log2))};
}

timestamp slice_layout::disc_boundary() const {
    return slice_range(full_slices, factor).start;
}

slice_layout layout_at(timestamp now, int factor) {
    slice_layout layout;
    layout.factor = factor;
    layout.full_slices = full_slice_count(now, factor);

    timestamp const boundary = layout.disc_boundary();
    timestamp end = boundary;
    for (int size_log2 = factor - 1; size_log2 >= 0; --size_log2) {
        auto const length = slice_length(size_log2);
        // Two only where one of each smaller size still fits behind them.
        auto const enough_for_two = reserved_time(size_log2 + 1) + length;
        auto const left = now - end;
        int const slices = left > enough_for_two ? 2 : left > length ? 1 : 0;
        for (int i = 0; i < slices; ++i) {
            layout.rings.push_back({end, size_log2});
            end += length;
        }
    }
    if (!layout.rings.empty()) {
        layout.next_update_at = saturating_add(end, unit);
    }
    return layout;
}

std::uint64_t stretch_start(std::uint64_t unit_number, std::uint64_t full_slices, int factor) {
    assert(factor >= 0 && factor <= factor_max);
    if (full_slices == 0 || unit_number >> factor != full_slices) {
        return unit_number;
    }
    // What is left up to the end of the next full slice halves from stretch to stretch.
    auto const end = (full_slices + 1) << factor;
    return end - std::bit_ceil(end - unit_number);
}

}  // namespace opstore::arc
