#pragma once

#include <arc/timestamp.hpp>
#include <gossip/simulator/plan.hpp>
#include <opstore/random.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace opstore::simulator {

using peer_number = std::uint32_t;

/// When frames arrive, if they do: the network as arithmetic, without the frames.
///
/// Each peer sends through one uplink of limited bandwidth, with a bounded queue in front of it. Each link
/// has a latency of its own, and keeps frames in order, unless one is held back on purpose.
///
/// Thread safety: none.
class network {
public:
    explicit network(plan const& p);

    struct outcome {
        /// False: the sender's queue is full, and it knows.
        bool taken = false;
        /// When copies of the frame arrive; `arrival_count` of them. None: lost, and nobody knows.
        std::array<arc::timestamp, 2> arrivals;
        std::size_t arrival_count = 0;
    };

    /// Precondition: `now` does not go back.
    outcome send(peer_number from, peer_number to, std::size_t bytes, arc::timestamp now);

    /// Splits the network in two; frames between the sides are lost. `sides`: one for each peer.
    void split(std::vector<bool> sides);
    /// Ends a split.
    void join();
    bool connects(peer_number from, peer_number to) const;

    /// From now on nothing is lost, doubled, held back or split. Latency and bandwidth stay.
    void heal();

private:
    arc::timestamp arrival(peer_number from, peer_number to, arc::timestamp departure);

    microseconds latency_, jitter_;
    std::uint64_t bandwidth_, queue_bytes_;
    share loss_, duplicate_, reorder_;
    random_source random_;
    std::uint64_t seed_;
    std::vector<bool> sides_;  ///< Empty: not split.
    std::vector<arc::timestamp> uplink_free_at_;
    /// By sender and receiver: the arrival that later frames do not overtake.
    std::map<std::pair<peer_number, peer_number>, arc::timestamp> last_arrival_;
};

}  // namespace opstore::simulator
