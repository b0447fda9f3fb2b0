#pragma once

#include <arc/arc_set.hpp>
#include <gossip/simulator/network.hpp>
#include <gossip/simulator/plan.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace opstore::simulator {

/// The well-known place where peers announce themselves and hear of others. It has no part in the faults:
/// it is reached by every peer at any time, at once.
///
/// Thread safety: none.
class bootstrap {
public:
    explicit bootstrap(plan const& p);

    /// Replaces what was announced before. `holds`: what the info says.
    void announce(peer_number peer, std::string info, arc::arc_set const& holds);

    /// It has left: it is told of no more, but its tombstone is, for a while.
    void withdraw(peer_number peer, std::string tombstone);

    /// What a peer is told that means to hold `wanted`: by the plan's topology and number of contacts, never
    /// itself. When sharded, whoever asks again is told of some at random, whatever the topology: a round
    /// makes known its two participants only, and neighbours need not share an arc. What is told stays good
    /// until the next announcement.
    std::vector<std::string const*> contacts(peer_number peer, arc::arc_set const& wanted);

    static constexpr std::size_t tombstones_max = 8;

private:
    struct entry {
        std::string info;
        arc::arc_set holds;
    };

    std::vector<std::string const*> known_to(peer_number peer) const;
    std::vector<std::string const*> some(peer_number peer, arc::arc_set const& wanted);

    topology known_;
    arc_choice arcs_;
    std::uint32_t contacts_;
    random_source random_;
    std::map<peer_number, entry> entries_;
    std::set<peer_number> asked_;
    std::vector<std::string> tombstones_;  ///< The newest last.
};

}  // namespace opstore::simulator
