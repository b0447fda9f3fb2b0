#pragma once

#include <opstore/op_id.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace opstore::gossip::testing {

/// The number's eight bytes, so that an order of ids is unlike the order of their numbers.
inline op_id numbered_id(std::uint64_t number) {
    std::array<std::byte, 8> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::byte>(number >> 8 * i);
    }
    return op_id(bytes);
}

/// From `first`, `count` of them.
inline std::vector<op_id> numbered_ids(std::uint64_t first, std::uint64_t count) {
    std::vector<op_id> ids;
    for (std::uint64_t number = first; number < first + count; ++number) {
        ids.push_back(numbered_id(number));
    }
    return ids;
}

}  // namespace opstore::gossip::testing
