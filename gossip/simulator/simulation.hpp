#pragma once

#include <gossip/simulator/ledger.hpp>
#include <gossip/simulator/peer_stores.hpp>
#include <gossip/simulator/plan.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace opstore::simulator {

/// How a simulation ended. Of the same plan it is the same, on any machine.
struct outcome {
    bool converged = false;  ///< Every present peer holds every surviving op of its arcs.
    std::uint64_t lost = 0;
    std::uint64_t invented = 0;
    std::uint64_t missing = 0;         ///< Pairs of a surviving op and a peer that lacks it.
    std::uint64_t violations = 0;      ///< Of all kinds: see ledger.hpp.
    std::vector<std::string> details;  ///< The first of them.

    microseconds virtual_time{0};  ///< From the start to the end.
    microseconds healed_time{0};   ///< Behind the fault phase.
    std::uint64_t rounds = 0;      ///< Initiated.
    std::uint64_t messages = 0;    ///< Frames that left a peer.
    std::uint64_t bytes = 0;
    std::uint64_t messages_lost = 0;
    std::uint64_t events = 0;

    std::uint64_t ops_created = 0;  ///< Those of the plan that were stored anywhere.
    std::uint64_t ops_surviving = 0;
    std::uint64_t ops_fetched = 0;
    std::uint64_t ops_served = 0;  ///< Checked as they left.
    std::uint64_t rounds_completed = 0, rounds_timed_out = 0;
    std::uint64_t protocol_errors = 0, store_errors = 0, ops_refused = 0;
    std::uint64_t peers_present = 0, crashes = 0, joined_late = 0, left = 0;

    std::string state_hash;
    std::string event_hash;

    outcome() = default;

    bool good() const { return converged && lost == 0 && invented == 0 && violations == 0; }
};

/// What a watcher is told now and then.
struct progress {
    microseconds virtual_time{0};
    bool healed = false;
    std::uint64_t events = 0;
    std::uint64_t missing = 0;  ///< Known once healed.
};

/// One simulation from its plan to its outcome: virtual time, the network, the peers' fates, and the checker.
///
/// Thread safety: none.
class simulation {
public:
    /// Precondition: complete(p). The provider must outlive it.
    simulation(plan const& p, store_provider& stores);
    ~simulation();

    void on_progress(std::function<void(progress const&)> listener);
    /// Hears of what the peers log; costs time.
    void on_log(std::function<void(std::string_view)> listener);

    /// Once. Throws what the provider and the stores throw.
    outcome run();

private:
    class state;
    std::unique_ptr<state> state_;
};

}  // namespace opstore::simulator
