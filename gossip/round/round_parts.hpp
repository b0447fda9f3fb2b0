#pragma once

#include <gossip/round/round_step.hpp>
#include <gossip/wire/protocol_error.hpp>

#include <map>
#include <vector>

/// What both roles of a round do alike.
namespace opstore::gossip {

/// What is left of a round's budget of op bytes.
class op_budget {
public:
    op_budget() = default;
    op_budget(round_limits const& ours, std::uint32_t theirs)
        : whole_(std::min(ours.request_op_bytes_max, theirs)), left_(whole_) {}

    void use(std::uint64_t bytes) { left_ -= std::min(left_, bytes); }
    std::uint64_t whole() const { return whole_; }
    std::uint64_t left() const { return left_; }

private:
    std::uint64_t whole_ = 0;
    std::uint64_t left_ = 0;
};

/// Which layout a round compares: the one of `theirs`, a time that the other side named, if the model can
/// answer for it and it is within summary_model::skew_max of `now`; else none, and nothing can be compared.
/// Without a time from the other side: the layout of `now`.
std::optional<arc::slice_layout> agree_on_layout(summary_model const& model,
                                                 std::optional<arc::timestamp> theirs, arc::timestamp now);

/// The bookmark to ask with: the one the other side gave, if it is good for all of `common`; else 30 minutes
/// before `now`, as kitsune2 does, and the comparison finds what is older.
arc::timestamp new_since(other_side const& other, arc::arc_set const& common, arc::timestamp now);

/// The agents to name to the other side: our own first, then others that have not left; which ones turns with
/// `turn`.
std::vector<agent_id> named_agents(round_view const& view, std::uint64_t turn, arc::timestamp now);
/// The agents of `theirs` whose infos are wanted: unknown ones, and those that expire soon.
std::vector<agent_id> missing_agents(round_view const& view, std::vector<agent_id> const& theirs,
                                     arc::timestamp now);
/// The infos of `wanted` that are known.
std::vector<std::string> provided_agents(round_view const& view, std::vector<agent_id> const& wanted,
                                         arc::timestamp now);

accept_response make_response(round_view const& view, std::vector<agent_id> const& their_agents,
                              std::vector<agent_id> const& wanted_agents, new_ops_read&& read,
                              arc::timestamp now);

/// All that an accept_response gives to its receiver.
void take_response(round_actions& to, accept_response const& response, arc::arc_set const& common,
                   bool covers_common);

/// Leaves out sectors until no more than limits.slice_hashes_max hashes are left, or one sector; which ones
/// stay turns with `turn`. What is left out waits for a later round.
void cut_to_fit(disc_details_snapshot& details, round_limits const& limits, std::uint64_t turn);

/// Regions of differences, from the `turn`-th on, around the end: each has its turn to be the first that the
/// budget is spent on, and, of more than regions_max, to be looked at at all. Slices and rings that the
/// layout does not have are left out.
inline constexpr std::size_t regions_max = 16'384;
std::vector<op_region> regions_of(disc_slice_mismatches const& differing, arc::slice_layout const& layout,
                                  std::uint64_t turn);
std::vector<op_region> regions_of(ring_sector_mismatches const& differing, arc::slice_layout const& layout,
                                  std::uint64_t turn);

/// `ids` but for those that the other side has listed itself, and so holds. The last list of a round needs no
/// others; kitsune2 sends them all.
std::vector<op_id> without(std::vector<op_id> ids, std::vector<op_id> theirs);

/// A number that differs from session to session, the same on both sides.
std::uint64_t turn_of(session_id const& session);

/// Leaves only these sectors.
void keep_sectors(disc_details_snapshot& details, arc::arc_set const& sectors);

/// Sectors of details, or of differences, as a set.
arc::arc_set sectors_of(disc_details_snapshot const& details);
arc::arc_set sectors_of(ring_details_snapshot const& details);
arc::arc_set sectors_of(ring_sector_mismatches const& differing);

/// An error unless every sector is one of `common`.
protocol_result<void> check_sectors(arc::arc_set const& named, arc::arc_set const& common);

}  // namespace opstore::gossip
