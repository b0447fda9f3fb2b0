#pragma once

#include <gossip/fetch/fetch_queue.hpp>
#include <gossip/round/accepted_round.hpp>
#include <gossip/round/burst_guard.hpp>
#include <gossip/round/initiated_round.hpp>
#include <opstore/random.hpp>

#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace opstore::gossip {

enum class round_role { initiator, acceptor };

/// What a round of `role` with the peer in question has to have done now.
struct round_step {
    round_role role = round_role::initiator;
    round_actions actions;
    /// Our own round with this peer gave way to the one it began.
    bool superseded = false;
    /// The other side began this round, and it was accepted.
    bool begun = false;

    round_step() = default;
};

/// All rounds of a peer: at most one that it initiated, and up to accepted_rounds_max of others, at most one
/// with each. Decides who may begin one, whom a message belongs to, and when a round has taken too long.
///
/// A peer is its url. Ended rounds are forgotten with the step that ended them.
///
/// Thread safety: none.
class round_table {
public:
    round_table(round_limits limits, std::uint64_t seed);

    /// Whether a round may be begun at all: none is under way.
    bool may_initiate() const { return !initiated_; }
    /// Whether this peer may be the target: no round with it, and not too many lately.
    bool may_initiate(peer_url const& to, arc::timestamp now);

    /// Precondition: may_initiate() and may_initiate(to).
    round_step initiate(peer_url const& to, other_side other, round_view const& view, arc::timestamp now);

    /// Whether receive() takes this Initiate: it can be read, it is no other one again, and there were not
    /// too many lately.
    bool may_accept(peer_url const& from, initiate_message const& m, arc::timestamp now) {
        return check(from, m, now).has_value();
    }

    /// `view` and `other` are asked for only if a round begins.
    /// Errors: unexpected, wrong_session (no such round), too_soon, and those of the rounds; nothing changes.
    protocol_result<round_step> receive(peer_url const& from, gossip_message const& m,
                                        std::function<other_side()> const& other, round_view const& view,
                                        arc::timestamp now);

    /// The answer to the reading that the last step of this round ended with; no actions if the round is
    /// gone.
    round_step answer(round_role role, peer_url const& with, round_answer answer, round_view const& view,
                      arc::timestamp now);

    struct ended {
        round_role role;
        peer_url with;
        session_id session;
        bool awaited_accept;  ///< The other side never said a word.
    };
    /// Ends the rounds that heard nothing for limits.timeout.
    std::vector<ended> time_out(arc::timestamp now);
    std::optional<arc::timestamp> next_timeout_at() const;

    /// Ends the rounds with this peer.
    std::vector<ended> drop(peer_url const& with);

    std::size_t accepted_count() const { return accepted_.size(); }

private:
    struct initiated {
        peer_url with;
        initiated_round round;
        arc::timestamp heard_at;
    };
    struct accepted {
        accepted_round round;
        arc::timestamp heard_at;
    };

    protocol_result<void> check(peer_url const& from, initiate_message const& m, arc::timestamp now);
    protocol_result<round_step> begin_accepted(peer_url const& from, initiate_message const& m,
                                               std::function<other_side()> const& other,
                                               round_view const& view, arc::timestamp now);
    void forget_ended();

    round_limits limits_;
    random_source random_;
    burst_guard begun_here_;
    burst_guard begun_there_;
    std::optional<initiated> initiated_;
    std::map<peer_url, accepted> accepted_;
};

}  // namespace opstore::gossip
