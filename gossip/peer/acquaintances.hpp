#pragma once

#include <gossip/fetch/fetch_queue.hpp>
#include <gossip/round/round_step.hpp>
#include <opstore/op_store.hpp>
#include <opstore/peer_meta.hpp>

#include <boost/asio/awaitable.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace opstore::gossip {

/// How often something happened with a peer; kept as kitsune2 keeps it.
enum class acquaintance_counter {
    peer_behavior_errors,
    local_errors,
    peer_busy,
    peer_terminated,
    completed_rounds,
    peer_timeouts,
};
inline constexpr std::size_t acquaintance_counters = 6;

/// What a peer remembers of one other peer.
struct acquaintance {
    // Kept in peer_meta, and so over a restart.
    std::optional<arc::timestamp> last_round_at;
    std::optional<std::uint64_t> op_count;
    std::array<std::uint32_t, acquaintance_counters> counters{};
    /// A bookmark of which everything before is held here, and the sectors it is good for.
    std::optional<arc::timestamp> durable_bookmark;
    arc::arc_set durable_arcs;

    // In memory only.
    /// What rounds go on with: bookmark and arcs, disc tops, cursors.
    other_side rounds;
    /// Ops listed before rounds.bookmark that are not held yet: the bookmark becomes durable behind the last.
    std::set<op_id> awaited;
    /// More are awaited than are remembered: the bookmark becomes durable when nothing is fetched any more.
    bool awaits_all = false;
    std::optional<arc::arc_set> arcs;  ///< As it named them in the last round.
    std::optional<arc::timestamp> unreachable_until;

    acquaintance() = default;

    /// Of one peer: two pages, because the next one is listed while the last of one is still fetched.
    static constexpr std::size_t awaited_max = 2 * op_store::page_ids_max;

    /// It will list new ops from this bookmark on; those of `missing` are still to be fetched. `room`: how
    /// many may be awaited.
    void listed_up_to(arc::timestamp bookmark, arc::arc_set const& common, std::vector<op_id> const& missing,
                      std::size_t room = awaited_max);
    /// These are held now, or nobody gives them. True if the bookmark became durable by that.
    bool settled(std::vector<op_id> const& ids);
    /// So are all that were ever listed.
    bool all_settled();
    bool awaits() const { return awaits_all || !awaited.empty(); }
    /// What is awaited will not come: the next round asks from the durable bookmark on.
    void roll_back();
    void forget_bookmark();

    /// Takes over where pages of oversized regions ended; the oldest beyond region_cursors_max are dropped.
    void take_cursors(std::vector<region_cursor> const& cut);
};

/// All peers that this one has met, backed by a peer_meta.
///
/// Keys and expiry are kitsune2's (gossip:last_timestamp 10 minutes, ...:new_ops_bookmark a day, counters an
/// hour or a day), values decimal text; opstore:new_ops_bookmark_arcs, the sectors of the bookmark, is 16
/// little-endian words. What does not parse is as good as absent.
///
/// Thread safety: none.
class acquaintances {
public:
    static constexpr std::size_t peers_max = 65'536;
    /// Ops awaited, of all peers together: four times what the fetch queue holds, about 100 MiB.
    static constexpr std::size_t awaited_max = std::size_t{1} << 20;

    /// Replaces what is here by what is kept. One call.
    boost::asio::awaitable<result<void>> load(peer_meta& meta, arc::timestamp now);

    /// The peer at `url`, made if it is new. When there are peers_max, somebody else is forgotten for it.
    acquaintance& of(peer_url const& url);
    acquaintance const* find(peer_url const& url) const;

    /// Marks this peer to be written by save().
    void changed(peer_url const& url) { changed_.insert(url); }

    /// Writes what changed. One call, or none.
    boost::asio::awaitable<result<void>> save(peer_meta& meta, arc::timestamp now);

    /// acquaintance::listed_up_to() of this peer.
    void listed_up_to(peer_url const& url, arc::timestamp bookmark, arc::arc_set const& common,
                      std::vector<op_id> const& missing);
    /// acquaintance::settled() of every peer.
    void settled(std::vector<op_id> const& ids);
    /// Nothing is fetched any more.
    void all_settled();
    /// acquaintance::roll_back() of this peer.
    void roll_back(peer_url const& url);

private:
    std::map<peer_url, acquaintance> by_url_;
    std::set<peer_url> changed_;
    std::set<peer_url> awaiting_;  ///< Those that await ops.
};

}  // namespace opstore::gossip
