#pragma once

#include <arc/timestamp.hpp>
#include <gossip/fetch/fetch_queue.hpp>
#include <gossip/round/round_limits.hpp>

#include <deque>
#include <map>

namespace opstore::gossip {

/// Counts the rounds of each peer in a sliding window, burst_windows * interval long: burst_factor *
/// burst_windows of them are allowed. Both sides keep the rule: who accepts refuses more, and who initiates
/// does not ask for more.
///
/// Thread safety: none.
class burst_guard {
public:
    /// Peers whose rounds are counted. Who comes by more urls than that is not held up by a limit for each:
    /// then all are forgotten.
    static constexpr std::size_t peers_max = 65'536;

    explicit burst_guard(round_limits const& limits);

    /// Whether one more round is allowed now.
    bool allows(peer_url const& url, arc::timestamp now);
    void count(peer_url const& url, arc::timestamp now);

private:
    void forget_old(arc::timestamp now);

    std::size_t rounds_max_;
    std::chrono::microseconds window_;
    std::map<peer_url, std::deque<arc::timestamp>> rounds_;
    arc::timestamp swept_at_;
};

}  // namespace opstore::gossip
