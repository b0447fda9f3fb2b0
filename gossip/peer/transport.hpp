#pragma once

#include <gossip/fetch/fetch_queue.hpp>

#include <cstddef>
#include <vector>

namespace opstore::gossip {

/// How a peer's frames leave it: TCP, or a simulated network.
///
/// Gives callers: frames that arrive do so whole and unaltered. They may be lost, late, doubled or out of
/// order; gossip repairs that. Asks of implementers: send() never blocks and never calls back into the peer.
class transport {
public:
    virtual ~transport() = default;

    /// Queues one frame. False if it was dropped: nobody is reached at `to`, or its queue is full.
    virtual bool send(peer_url const& to, std::vector<std::byte> frame) = 0;

    /// Bytes of the frames that wait to be sent to `to`: who has much to send waits until there are few, and
    /// leaves room for others. 0 if it is not known.
    virtual std::size_t queued_bytes([[maybe_unused]] peer_url const& to) const { return 0; }
};

}  // namespace opstore::gossip
