#pragma once

#include <gossip/round/round_parts.hpp>
#include <gossip/round/round_step.hpp>
#include <gossip/wire/protocol_error.hpp>

#include <optional>

namespace opstore::gossip {

/// The side of a round that was asked for it; see initiated_round for the picture and the rules of calls.
///
/// Thread safety: none.
class accepted_round {
public:
    /// Precondition: initiate.arcs.
    accepted_round(initiate_message initiate, other_side other);

    round_actions begin(round_view const& view, arc::timestamp now);
    protocol_result<round_actions> receive(gossip_message const& m, round_view const& view,
                                           arc::timestamp now);
    /// Precondition: answers the reading that the last call ended with.
    round_actions answer(round_answer answer, round_view const& view, arc::timestamp now);

    session_id const& session() const { return initiate_.session; }
    bool ended() const { return state_ == state::ended; }

private:
    enum class state {
        reading_new_ops,
        accepted,              ///< Accept was sent.
        reading_disc_details,  ///< DiscSectorsDiff was received.
        disc_details,          ///< DiscDetailsDiff was sent.
        listing_disc,
        listing_rings,  ///< RingDetailsDiff was received.
        rings,          ///< RingDetailsResponse was sent.
        ended,
    };

    protocol_result<round_actions> on(no_diff_message const& m, round_view const& view, arc::timestamp now);
    protocol_result<round_actions> on(disc_sectors_diff_message const& m, round_view const& view,
                                      arc::timestamp now);
    protocol_result<round_actions> on(disc_details_response_message const& m);
    protocol_result<round_actions> on(ring_details_diff_message const& m, round_view const& view,
                                      arc::timestamp now);
    protocol_result<round_actions> on(hashes_message const& m);

    round_actions accept(new_ops_read read, round_view const& view, arc::timestamp now);
    round_actions send_disc_details(disc_details_snapshot ours, round_view const& view);
    round_actions answer_disc(regions_listed listed);
    round_actions answer_rings(regions_listed listed);
    void take(round_actions& to, accept_response const& response, round_view const& view, arc::timestamp now);
    round_actions end_with_agents(round_actions actions, char const* otherwise);
    list_regions list(std::vector<op_region> regions, std::vector<region_cursor> resume) const;
    round_actions finish(round_actions actions, round_outcome outcome);

    initiate_message initiate_;
    other_side other_;
    state state_ = state::reading_new_ops;

    arc::arc_set common_;
    arc::slice_layout layout_;
    op_budget budget_;
    std::vector<std::string> their_wishes_;  ///< Infos of the agents they asked for.
    std::vector<op_id> their_ids_;           ///< What they listed of the regions that differ.
    disc_details_snapshot our_disc_;
    ring_details_snapshot our_rings_;
};

}  // namespace opstore::gossip
