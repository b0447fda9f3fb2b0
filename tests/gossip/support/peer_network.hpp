#pragma once

#include <gossip/peer/peer.hpp>
#include <opstore/memory/memory_op_store.hpp>
#include <opstore/memory/memory_peer_meta.hpp>
#include <tests/support/manual_clock.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace opstore::testing {

/// A frame on its way.
struct sent_frame {
    gossip::peer_url from, to;
    std::vector<std::byte> bytes;
};

/// Peers in one process, over stores in memory, on one clock that the test moves. What they send waits in a
/// queue until the test delivers it, so that it can be looked at, lost, doubled or altered.
///
/// Thread safety: none.
class peer_network {
public:
    explicit peer_network(arc::timestamp start, std::shared_ptr<const op_format> format = plain_format());
    ~peer_network();

    struct node;

    /// Adds a peer and starts it. `change` may change its options first; the defaults are those of
    /// peer_options, without jitter, and a round every minute.
    node& add(std::string name, std::function<void(gossip::peer_options&)> change = {});
    /// Everyone learns everyone's agent info.
    void introduce();

    /// Lets the peer's process end and start again: the store and what it remembers stay.
    void restart(node& of);

    /// Stores ops at a peer, as its application does.
    void store(node& at, std::vector<op_bytes> const& ops);

    /// A round begun by `by`: moves the clock to its next one, and delivers until all is quiet.
    void round(node& by);
    /// Rounds of all in turn, until all hold the same or `rounds_max` each. The number of rounds that took.
    std::size_t rounds_until_equal(std::size_t rounds_max);
    bool equal() const;

    /// Delivers what is under way, and what follows from it. `each`, if given, may change or drop a frame
    /// (false).
    void deliver(std::function<bool(sent_frame&)> const& each = {});
    void receive(node& at, gossip::peer_url const& from, std::vector<std::byte> frame);

    std::deque<sent_frame> under_way;
    /// If set: false for a frame that the transport of its sender does not take.
    std::function<bool(sent_frame const&)> takes;
    manual_clock clock;
    std::vector<std::unique_ptr<node>> nodes;

private:
    std::shared_ptr<const op_format> format_;
};

struct peer_network::node final : public gossip::transport {
    node(peer_network& in, space_options space, gossip::peer_options options);

    bool send(gossip::peer_url const& to, std::vector<std::byte> frame) override;
    std::set<op_id> held() const;

    peer_network& network;
    gossip::peer_options options;
    memory_op_store store;
    std::unique_ptr<memory_peer_meta> meta = std::make_unique<memory_peer_meta>();
    std::unique_ptr<gossip::peer> peer;
};

}  // namespace opstore::testing
