#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>

namespace opstore::arc {

/// A point on the ring of 2^32 locations, where 2^32 - 1 is followed by 0.
///
/// Peers agree on who keeps an op by its location, so all of them must derive the same one from the same id.
/// The order is that of the numbers, from 0; on the ring itself nothing comes first.
struct location {
    std::uint32_t value = 0;

    friend constexpr auto operator<=>(location, location) = default;
};

/// The location that kitsune2 gives an id unless the host brings a rule of its own: the XOR of the id's
/// successive 4-byte groups, read as little-endian; a last group shorter than 4 bytes is filled up with
/// zeros. An id of no bytes lies at 0.
location fold_location(std::span<const std::byte> id);

}  // namespace opstore::arc
