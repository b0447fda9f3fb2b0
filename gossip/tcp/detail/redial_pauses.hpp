#pragma once

#include <gossip/fetch/fetch_queue.hpp>
#include <gossip/tcp/detail/event.hpp>
#include <opstore/random.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>

namespace opstore::gossip::detail {

/// How long to leave alone who could not be reached: a pause that doubles, each drawn from its upper half, so
/// that peers that lost each other at the same moment do not dial at the same moment.
///
/// Thread safety: none.
class redial_pauses {
public:
    using clock = event::clock;

    /// Urls remembered; beyond, the one that may be dialled soonest is forgotten.
    static constexpr std::size_t urls_max = 1024;

    /// Preconditions: 0 < shortest <= longest.
    redial_pauses(std::chrono::milliseconds shortest, std::chrono::milliseconds longest, std::uint64_t seed)
        : shortest_(shortest), longest_(longest), random_(seed) {}

    /// The pause after so many failures in a row; of 0 the shortest.
    clock::duration draw(unsigned failures);

    bool may_dial(peer_url const& url, clock::time_point now) const;
    /// How often in a row, with this time.
    unsigned failed(peer_url const& url, clock::time_point now);
    void reached(peer_url const& url) { by_url_.erase(url); }

private:
    struct entry {
        unsigned failures = 0;
        clock::time_point until;
    };

    std::chrono::milliseconds const shortest_, longest_;
    random_source random_;
    std::map<peer_url, entry> by_url_;
};

}  // namespace opstore::gossip::detail
