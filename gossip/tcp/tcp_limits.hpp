#pragma once

#include <gossip/wire/codec.hpp>

#include <chrono>
#include <cstddef>

namespace opstore::gossip {

/// What a TCP node lets others have of its memory, its sockets and its patience.
struct tcp_limits {
    /// Peers that it is connected to, or dials, at once. A handful is enough for gossip to reach everybody. A
    /// quarter is kept for those that it dials itself: who makes up many agents cannot take all places.
    std::size_t connections_max = 64;
    /// Incoming connections that have not proved yet who they are.
    std::size_t handshakes_max = 32;
    /// Frames that were received, or are being received, and not yet dealt with: of all connections together.
    /// While there is no room, nothing more is read. At least one frame: frame_bytes_max and what sealing
    /// adds.
    std::size_t inbound_bytes_max = std::size_t{128} << 20;
    /// Frames up to this size count for nothing there, and do not wait: who announces large ones and sends
    /// them slowly holds up large ones only. An answer with ops is no larger, if they are not.
    std::size_t inbound_small_bytes = std::size_t{5} << 18;
    /// Frames that wait to be sent, on one connection: a full one and some; what comes on top is dropped.
    std::size_t outbound_bytes_max = frame_bytes_max + (std::size_t{8} << 20);
    /// The same, on all connections together.
    std::size_t outbound_total_bytes_max = std::size_t{256} << 20;
    /// What one connection may have all the same: those that are read slowly do not silence the others.
    std::size_t outbound_own_bytes = std::size_t{1} << 20;
    /// From the first packet to the proof of identity.
    std::chrono::milliseconds handshake_timeout{5'000};
    /// From a frame's length to its end.
    std::chrono::milliseconds frame_timeout{60'000};
    /// From a frame's first byte to its last being taken by the other side.
    std::chrono::milliseconds write_timeout{60'000};
    /// Without a byte from the other side, which sends something at least every keep_alive.
    std::chrono::milliseconds idle_timeout{30'000};
    std::chrono::milliseconds keep_alive{10'000};
    /// The pause before an address is dialled again; doubles each time, up to the second.
    std::chrono::milliseconds redial_min{250};
    std::chrono::milliseconds redial_max{15'000};
    /// A connection on which no frame went either way for so long may be closed to make room for another.
    std::chrono::milliseconds spare_after{10'000};
    /// For what is queued when the node stops.
    std::chrono::milliseconds drain_timeout{2'000};
};

}  // namespace opstore::gossip
