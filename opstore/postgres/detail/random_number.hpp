#pragma once

#include <sodium.h>

#include <cstdint>

namespace opstore::postgres::detail {

/// A number that nobody else draws: 63 random bits. Precondition: sodium_init().
inline std::int64_t random_number() {
    std::uint64_t value = 0;
    randombytes_buf(&value, sizeof value);
    return static_cast<std::int64_t>(value >> 1);
}

}  // namespace opstore::postgres::detail
