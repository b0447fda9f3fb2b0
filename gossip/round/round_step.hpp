#pragma once

#include <arc/arc_set.hpp>
#include <arc/time_slices.hpp>
#include <gossip/agents/address_book.hpp>
#include <gossip/model/summary_model.hpp>
#include <gossip/round/round_limits.hpp>
#include <gossip/wire/messages.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// The words between a round and whoever drives it. A round does no I/O: it is given an event and answers
/// with actions, in the order in which they are to be done. At most one of them is a reading of the store,
/// and then it is the last one; its answer is the round's next event.
namespace opstore::gossip {

// Readings: actions with an answer.

/// The ids of the ops that the other side has not seen yet. Answer: new_ops_read.
struct read_new_ops {
    arc::arc_set sectors;
    arc::timestamp since;
    std::uint64_t limit_bytes = 0;
    /// The other side understands one op larger than the limit, alone.
    bool oversized_too = false;

    read_new_ops() = default;
};

/// The slice hashes of the disc. Answer: disc_details_read.
struct read_disc_details {
    arc::arc_set sectors;
    arc::slice_layout layout;

    read_disc_details() = default;
};

/// The ids of the ops in regions that differ. Answer: regions_listed.
struct list_regions {
    std::vector<op_region> regions;
    std::uint64_t limit_bytes = 0;   ///< What the round's budget has left.
    std::uint64_t budget_bytes = 0;  ///< The whole budget of a round: what is larger never fits.
    /// The other side understands pages of a region that never fits; where it wants to go on.
    bool paged = false;
    std::vector<region_cursor> resume;

    list_regions() = default;
};

// Actions without an answer.

struct send_message {
    gossip_message what;
};

/// The other side has these ops that are new since the last bookmark.
struct take_new_ops {
    std::vector<op_id> ids;
    /// What the bookmark is good for: sectors that join later need another one.
    arc::arc_set common;
    /// Where the other side will go on; worth keeping once all ids are held.
    arc::timestamp bookmark;
    /// False: it answered a bookmark that was good for fewer sectors than are in common now, so that older
    /// ops of the others are not in the list. Forget the bookmark; the next round asks as on first contact.
    bool covers_common = true;

    take_new_ops() = default;
};

/// The other side has these ops in regions that differ.
struct take_ids {
    std::vector<op_id> ids;
    std::vector<region_cursor> cut;

    take_ids() = default;
};

struct take_agents {
    std::vector<std::string> infos;  ///< Signed; not verified yet.

    take_agents() = default;
};

/// What the other side says of itself.
struct take_arcs {
    arc::arc_set arcs;
    std::optional<std::uint64_t> op_count;

    take_arcs() = default;
};

/// In these sectors both sides hold the same.
struct grow_arcs {
    arc::arc_set synced;

    grow_arcs() = default;
};

/// What became of the discs. Compared by sectors, and as long as these tops stay the same another time would
/// bring nothing new; none: the round was about rings, and the discs may have their turn again.
struct note_disc_diff {
    std::optional<std::pair<combined_hash, combined_hash>> tops;  ///< Ours and theirs.
};

enum class round_outcome {
    completed,   ///< Said all there was to say.
    busy,        ///< The other side has no room; later.
    terminated,  ///< The other side ended it.
    superseded,  ///< It gave way to a round of the other side.
    timed_out,
};

struct end_round {
    round_outcome outcome;
};

using round_action = std::variant<read_new_ops, read_disc_details, list_regions, send_message, take_new_ops,
                                  take_ids, take_agents, take_arcs, grow_arcs, note_disc_diff, end_round>;
using round_actions = std::vector<round_action>;

// Answers to readings.

struct new_ops_read {
    id_page page;
    std::vector<op_id> oversized;  ///< The op that is larger than the limit, if the page begins with one.

    new_ops_read() = default;
};

struct disc_details_read {
    disc_details_snapshot details;

    disc_details_read() = default;
};

struct regions_listed {
    std::vector<op_id> ids;
    std::uint64_t bytes = 0;
    std::vector<region_cursor> cut;

    regions_listed() = default;
};

using round_answer = std::variant<new_ops_read, disc_details_read, regions_listed>;

/// What a round sees of the peer it belongs to. References live as long as the call.
struct round_view {
    summary_model const& model;
    address_book const& agents;
    agent_id const& own_agent;
    std::string const& own_info;  ///< Signed.
    arc::arc_set const& target_arcs;
    round_limits const& limits;
};

/// What a round has to know of the other side from earlier rounds, when it begins.
struct other_side {
    /// The bookmark that it gave, if one is good for the sectors in common.
    std::optional<arc::timestamp> bookmark;
    arc::arc_set bookmark_arcs;
    /// Tops of the discs that were compared by sectors last, ours and theirs.
    std::optional<std::pair<combined_hash, combined_hash>> disc_diff;
    /// Where pages of oversized regions go on.
    std::vector<region_cursor> resume;

    other_side() = default;
};

}  // namespace opstore::gossip
