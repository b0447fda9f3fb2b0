#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace opstore {

/// Random numbers: the same from one seed with every compiler and library, which std distributions do not
/// promise, so that a printed seed is all it takes to repeat a failure. The generator is splitmix64 (Steele,
/// Lea, Flood 2014), whose whole state is the 64-bit seed.
///
/// Thread safety: none; one per thread.
class random_source {
public:
    explicit random_source(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
        return mixed ^ mixed >> 31;
    }

    /// 0 to n - 1, each equally likely. Precondition: n > 0.
    std::uint64_t below(std::uint64_t n) {
        assert(n > 0);
        // 2^64 mod n: what is left above the last whole multiple of n.
        std::uint64_t const surplus = (0 - n) % n;
        std::uint64_t value = next();
        while (value < surplus) {
            value = next();
        }
        return value % n;
    }

    /// first to last, both inclusive, each equally likely. Precondition: first <= last.
    std::int64_t between(std::int64_t first, std::int64_t last) {
        assert(first <= last);
        std::uint64_t const width = static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first);
        bool const any = width == std::numeric_limits<std::uint64_t>::max();
        std::uint64_t const step = any ? next() : below(width + 1);
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(first) + step);
    }

    std::uint32_t u32() { return static_cast<std::uint32_t>(next() >> 32); }

    /// True once in n calls on average. Precondition: n > 0.
    bool one_in(std::uint64_t n) { return below(n) == 0; }

    std::vector<std::byte> bytes(std::size_t count) {
        std::vector<std::byte> result(count);
        for (auto& byte : result) {
            byte = static_cast<std::byte>(next() & 0xff);
        }
        return result;
    }

private:
    std::uint64_t state_;
};

}  // namespace opstore
