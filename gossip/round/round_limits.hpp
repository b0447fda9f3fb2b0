#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace opstore::gossip {

/// How often and how much a peer gossips. The defaults are kitsune2's.
struct round_limits {
    /// Bytes of ops whose ids one round may list, in each direction: what is asked of the other side.
    std::uint32_t op_bytes_max = 104'857'600;
    /// The same, for what is listed to the other side in the comparison of slices.
    std::uint32_t request_op_bytes_max = 104'857'600;
    /// The pause before the next round while this peer still lacks ops that it knows of, or still grows.
    std::chrono::microseconds initial_interval = std::chrono::seconds(1);
    /// The pause between rounds otherwise, and a random time up to the jitter on top.
    std::chrono::microseconds interval = std::chrono::seconds(120);
    std::chrono::microseconds jitter = std::chrono::seconds(10);
    /// Rounds that one peer may start here: burst_factor * burst_windows in burst_windows * interval.
    std::uint32_t burst_factor = 3;
    std::uint32_t burst_windows = 5;
    std::chrono::microseconds timeout = std::chrono::seconds(15);
    std::size_t accepted_rounds_max = 10;  ///< At once; 0: no limit.
    /// Slice hashes in one message of disc details; more sectors wait for the next round.
    std::size_t slice_hashes_max = 65'536;
    /// Agents named in Initiate and Accept: this peer's, and others that it knows, so that peers hear of each
    /// other without a bootstrap server.
    std::size_t agents_named_max = 16;
    /// Agents asked for, and told, in one message.
    std::size_t agents_per_message_max = 64;
};

}  // namespace opstore::gossip
