#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace opstore::arc {

/// A point in time: int64 microseconds since the Unix epoch, without leap seconds. The unit that ops carry,
/// tables store and peers exchange, so nothing is rounded on the way.
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

static_assert(std::is_same_v<timestamp::rep, std::int64_t>);

constexpr timestamp from_micros(std::int64_t micros) {
    return timestamp{std::chrono::microseconds{micros}};
}
constexpr std::int64_t to_micros(timestamp at) {
    return at.time_since_epoch().count();
}

/// Reads a whole text as one of
///   - decimal microseconds since the epoch, with '-' before it if negative: -1500
///   - an RFC 3339 date-time: 2025-01-31T23:59:59.25Z, 2025-01-31T23:59:59+05:30
/// where T and Z are capitals, the fraction has 1 to 6 digits, hours end at 23, minutes at 59 (both in the
/// offset too) and the day exists in its month. None for anything else: a value outside int64, a plus sign
/// before microseconds, white space, more digits than microseconds have, and the leap second 60, which the
/// Unix time scale cannot tell from the next second.
std::optional<timestamp> parse_timestamp(std::string_view text);

/// RFC 3339 in UTC, always with 6 fractional digits: 2025-01-31T23:59:59.250000Z. Outside of the years 0000
/// to 9999, which is all that RFC 3339 can write, decimal microseconds. parse_timestamp() reads both back.
std::string to_rfc3339(timestamp at);

}  // namespace opstore::arc
