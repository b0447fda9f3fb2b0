#pragma once

#include <arc/timestamp.hpp>

#include <sodium.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace opstore::simulator {

/// A hash of whatever is added, in order: BLAKE2b-256 over numbers in little-endian and bytes behind their
/// length, so two runs have the same hash exactly if all of that was the same.
///
/// Thread safety: none.
class running_hash {
public:
    running_hash();

    void add(std::uint64_t number);
    void add(std::span<const std::byte> bytes);

    /// In hex. Nothing may be added after it.
    std::string finish();

private:
    crypto_generichash_state state_;
};

/// The hash of all that happened: each event with its time, its kind, whom it concerns and, for a frame, the
/// bytes.
class event_log {
public:
    void add(arc::timestamp at, std::string_view kind, std::uint32_t from, std::uint32_t to,
             std::span<const std::byte> frame = {});
    std::uint64_t event_count() const { return event_count_; }
    std::string finish() { return hash_.finish(); }

private:
    running_hash hash_;
    std::uint64_t event_count_ = 0;
};

}  // namespace opstore::simulator
