#pragma once

#include <arc/arc_set.hpp>
#include <arc/timestamp.hpp>
#include <gossip/agents/address_book.hpp>
#include <gossip/fetch/fetch_queue.hpp>
#include <gossip/peer/transport.hpp>
#include <gossip/round/round_limits.hpp>
#include <opstore/op_store.hpp>
#include <opstore/peer_meta.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace opstore::gossip {

struct peer_options {
    /// The name of the network: frames of another one are dropped. 1 to 255 bytes.
    std::vector<std::byte> space;
    /// How the others reach this peer.
    peer_url url;
    agent_key key{};
    /// What this peer means to hold. It announces what it holds already, and grows towards this.
    arc::arc_set target_arcs = arc::arc_set::full();
    /// Take target_arcs as held from the start: a peer that was in sync when it was last seen.
    bool starts_in_sync = false;
    round_limits limits;
    fetch_limits fetch;
    /// All random choices of this peer follow from it.
    std::uint64_t seed = 0;
    address_book::verifier verify_agent;  ///< Empty: verify_agent_info().

    peer_options() = default;
};

/// What a peer has done, in numbers; of all time.
struct peer_report {
    struct traffic {
        std::uint64_t messages = 0;
        std::uint64_t bytes = 0;
    };
    std::map<std::string, traffic, std::less<>> sent;  ///< By name_of() the message.
    std::map<std::string, traffic, std::less<>> received;
    std::uint64_t rounds_initiated = 0;
    std::uint64_t rounds_accepted = 0;
    std::uint64_t rounds_completed = 0;
    std::uint64_t rounds_timed_out = 0;
    std::uint64_t protocol_errors = 0;  ///< Messages of others that broke a rule.
    std::uint64_t store_errors = 0;     ///< Outages of the store, survived.
    std::uint64_t frames_dropped = 0;   ///< That the transport did not take.
    std::uint64_t ops_fetched = 0;      ///< Newly stored, from other peers.
    std::uint64_t ops_refused = 0;      ///< Received, and rejected by the store.
    std::map<std::string, std::uint64_t, std::less<>>
        store_calls;  ///< By what they were for, such as "tail".

    peer_report() = default;
};

/// One peer of the network: a store, a model that follows it, rounds with others, and the fetch of what it
/// lacks. It owns no thread, no timer and no socket: whoever drives it (a TCP node, the simulator) calls
/// receive() for each frame and tick() when time has come, and `transport` takes what it sends.
///
/// Every call runs to its end before the next one starts; the driver keeps that order. No call throws for
/// what a peer sends or for an outage of the store: both are counted, and repaired by a later round.
///
/// Thread safety: none.
class peer {
public:
    /// Everything must outlive it. `log` hears of each thing worth a line; may be empty.
    peer(op_store& store, peer_meta& meta, transport& out, peer_options options,
         std::function<void(std::string_view)> log = {});
    ~peer();

    /// Reads what it remembers of others and starts the model. Call it first; may be repeated after it threw.
    /// Throws store_error (an outage) and refused (no such space).
    boost::asio::awaitable<void> start(arc::timestamp now);

    /// A frame that came from `from`.
    boost::asio::awaitable<void> receive(peer_url from, std::vector<std::byte> frame, arc::timestamp now);

    /// Does what is due: starts a round, times out others, asks for ops, moves the slices on.
    boost::asio::awaitable<void> tick(arc::timestamp now);

    /// When tick() is wanted next, at the latest.
    arc::timestamp next_tick_at() const;

    /// `url` does not answer any more: its rounds end, its ops are asked of others.
    void lost(peer_url const& url, arc::timestamp now);

    /// Somebody stored ops here: a hint to start the next round earlier.
    void ops_stored(arc::timestamp now);

    /// Tells others at once of ops that are stored here; what is lost on the way is found by gossip.
    boost::asio::awaitable<void> publish(std::vector<op_id> ids, arc::timestamp now);

    /// Learns of an agent that was met, or that a bootstrap server names.
    protocol_result<bool> add_agent(std::string const& signed_json, arc::timestamp now);

    /// This peer's own info, signed: to hand to a bootstrap server or in a greeting. A tombstone says that it
    /// leaves.
    std::string own_agent_info(arc::timestamp now, bool tombstone = false) const;

    /// What it holds by its own account: grows from nothing to the target, one comparable round at a time.
    arc::arc_set const& current_arcs() const;
    arc::arc_set const& target_arcs() const;

    address_book const& agents() const;
    peer_report const& report() const;
    std::size_t fetch_backlog() const;

private:
    class state;
    std::unique_ptr<state> state_;
};

}  // namespace opstore::gossip
