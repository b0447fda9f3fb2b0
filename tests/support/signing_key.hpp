#pragma once

#include <opstore/op_id.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace opstore::testing {

/// The secret key of RFC 8032, 7.1, test 1: seed, then public key, as libsodium keeps it.
inline std::array<std::byte, 64> signing_key() {
    auto const parsed = op_id::from_text(
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        64);
    std::array<std::byte, 64> key;
    std::ranges::copy(parsed->bytes(), key.begin());
    return key;
}

}  // namespace opstore::testing
