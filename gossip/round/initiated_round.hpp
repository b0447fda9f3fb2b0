#pragma once

#include <gossip/round/round_parts.hpp>
#include <gossip/round/round_step.hpp>
#include <gossip/wire/protocol_error.hpp>

#include <cstdint>
#include <optional>

namespace opstore::gossip {

/// The side of a round that began it. States and messages are kitsune2's (docs/gossip.md has the picture):
///
///   begin() -> Initiate .. Accept -> NoDiff .. Agents
///                                 -> DiscSectorsDiff .. DiscDetailsDiff -> DiscDetailsResponse .. Hashes
///                                 -> RingDetailsDiff .. RingDetailsResponse -> Hashes
///
/// with Busy, Terminate or Agents from the other side as another end. Every function answers with what to do,
/// in order; a message that does not fit is a protocol_error and changes nothing.
///
/// Thread safety: none.
class initiated_round {
public:
    /// `tie_breaker` is random and not 0.
    initiated_round(session_id session, std::uint32_t tie_breaker, other_side other);

    round_actions begin(round_view const& view, arc::timestamp now);
    protocol_result<round_actions> receive(gossip_message const& m, round_view const& view,
                                           arc::timestamp now);
    /// Precondition: answers the reading that the last call ended with.
    round_actions answer(round_answer answer, round_view const& view, arc::timestamp now);

    session_id const& session() const { return session_; }
    std::uint32_t tie_breaker() const { return tie_breaker_; }
    /// Nothing has come from the other side yet: the round may still give way to one of theirs.
    bool awaits_accept() const { return state_ == state::initiated; }
    bool ended() const { return state_ == state::ended; }

private:
    enum class state {
        initiated,
        reading_new_ops,       ///< Accept was received.
        no_diff,               ///< NoDiff was sent; Agents may follow.
        disc_sectors,          ///< DiscSectorsDiff was sent.
        reading_disc_details,  ///< DiscDetailsDiff was received.
        listing_disc,
        disc_response,  ///< DiscDetailsResponse was sent.
        rings,          ///< RingDetailsDiff was sent.
        listing_rings,  ///< RingDetailsResponse was received.
        ended,
    };

    protocol_result<round_actions> on(accept_message const& m, round_view const& view, arc::timestamp now);
    protocol_result<round_actions> on(disc_details_diff_message const& m);
    protocol_result<round_actions> on(ring_details_response_message const& m);
    protocol_result<round_actions> on(hashes_message const& m);
    protocol_result<round_actions> on(agents_message const& m);

    round_actions compare_minimal(accept_response response, round_view const& view);
    round_actions compare_disc(disc_details_snapshot ours, round_view const& view);
    round_actions answer_disc(regions_listed listed);
    round_actions answer_rings(regions_listed listed);
    round_actions no_diff(accept_response response, bool cannot_compare);
    list_regions list(std::vector<op_region> regions, std::vector<region_cursor> resume) const;
    round_actions finish(round_actions actions, round_outcome outcome);

    session_id session_;
    std::uint32_t tie_breaker_;
    other_side other_;
    state state_ = state::initiated;

    std::vector<agent_id> named_;  ///< In Initiate.
    std::optional<accept_message> accept_;
    arc::arc_set common_;
    arc::slice_layout layout_;
    op_budget budget_;
    bool discs_differ_ = false;
    disc_details_snapshot our_disc_;
    disc_details_diff_message their_disc_;
    std::vector<op_id> their_ids_;  ///< What they listed of the rings that differ.
    ring_details_snapshot our_rings_;
};

}  // namespace opstore::gossip
