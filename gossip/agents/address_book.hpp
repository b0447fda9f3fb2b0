#pragma once

#include <gossip/agents/agent_info.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace opstore::gossip {

/// The agents that a peer knows of, each by its newest valid info.
///
/// Bounded: when full, it takes a new agent only for one that has expired, or a proven one for one that is
/// not: keys cost nothing, so whoever makes them up by the thousand must not shut out who is there. In
/// memory; the infos live 20 minutes and come back from any peer. An info expires at its expires_at, or an
/// hour after it was taken, which is the first moment at which it holds no more; from then on it is as
/// unknown, whether it was dropped or not.
///
/// Thread safety: none.
class address_book {
public:
    static constexpr std::size_t agents_max = 16'384;
    /// How long an info is held, whatever its agent says: three times what peers use.
    static constexpr std::chrono::microseconds lifetime_max = std::chrono::hours(1);

    /// Judges a signed text: verify_agent_info(), or the same with a memory in a simulator.
    using verifier = std::function<protocol_result<agent_info>(std::string const&)>;

    struct entry {
        agent_info info;  ///< As signed, but for an earlier expires_at.
        std::string signed_json;
        bool proven = false;
    };

    explicit address_book(std::vector<std::byte> space, verifier verify = verify_signed);

    /// Takes an info that verifies, is for this space, has not expired and is newer than the one held; true
    /// if it was taken. `proven`: its agent was met, or somebody that we chose says so; others pass on what
    /// they like. An agent stays proven for as long as its infos follow each other. One that is older, equal,
    /// expired or too many is no error. A tombstone is an info like any other: it hides the agent until it
    /// expires. Errors: bad_agent_info, too_large, other_space.
    protocol_result<bool> add(std::string const& signed_json, arc::timestamp now, bool proven = false);

    /// Null if unknown or expired. Good until the next add() or expire().
    entry const* find(agent_id const& agent, arc::timestamp now) const;

    /// Everyone who has not expired, by agent; tombstones included. Good until the next add() or expire().
    std::vector<entry const*> all(arc::timestamp now) const;

    /// Drops what has expired.
    void expire(arc::timestamp now);

    /// Those who expired and were not dropped yet included.
    std::size_t size() const { return by_agent_.size(); }

private:
    static protocol_result<agent_info> verify_signed(std::string const& signed_json);
    bool make_room(arc::timestamp now, bool proven);

    std::vector<std::byte> space_;
    verifier verify_;
    std::map<agent_id, entry> by_agent_;
    /// So that a full book finds who has expired or is not proven, without looking at all; the proven apart.
    std::array<std::set<std::pair<arc::timestamp, agent_id>>, 2> by_expiry_;
};

}  // namespace opstore::gossip
