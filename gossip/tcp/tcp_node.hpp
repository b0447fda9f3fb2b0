#pragma once

#include <arc/timestamp.hpp>
#include <gossip/agents/agent_info.hpp>
#include <gossip/peer/peer.hpp>
#include <gossip/peer/transport.hpp>
#include <gossip/tcp/shared_secret.hpp>
#include <gossip/tcp/tcp_address.hpp>
#include <gossip/tcp/tcp_limits.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace opstore::gossip {

struct tcp_options {
    /// Port 0: the system chooses one.
    tcp_address listen{boost::asio::ip::address_v4::loopback(), 0};
    /// How others reach this node, if that is not where it listens.
    std::optional<tcp_address> announce;
    /// Peers to stay connected to, from the start; of the others it hears.
    std::vector<tcp_address> connect;
    /// Demanded of everybody, and by any address that is not loopback.
    std::optional<shared_secret> secret;
    /// The network and the agent: those of the peer that will run on the node.
    std::vector<std::byte> space;
    agent_key key{};
    tcp_limits limits;
    std::uint64_t seed = 0;  ///< For the jitter of pauses.

    tcp_options() = default;
};

/// What is wrong with options, in a sentence; none if nothing is. A node whose options are wrong would stand
/// open to others, or could not be reached.
std::optional<std::string> check(tcp_options const& options);

/// What a node has done, of all time, unless it says "now".
struct tcp_report {
    std::uint64_t connections = 0;        ///< Established, now.
    std::uint64_t established = 0;        ///< Dialled or accepted, and through the handshake.
    std::uint64_t handshakes_failed = 0;  ///< For what the other side said, or failed to say.
    std::uint64_t refused = 0;            ///< Incoming, for want of room.
    std::uint64_t frames_sent = 0, frames_received = 0;
    std::uint64_t bytes_sent = 0, bytes_received = 0;
    std::uint64_t frames_dropped = 0;  ///< By send().
};

/// Runs a gossip peer over TCP: it listens, dials, and carries frames, and it is the driver that peer asks
/// for. One call of the peer runs at a time and to its end; meanwhile at most one frame of each connection
/// is read ahead, and then nothing more is read from it, so that the other side has to wait.
///
/// Gives callers: send() to any url, dialled when it is first needed; peers that answer no more are reported
/// to the peer (lost()) and dialled again with growing pauses. An incoming connection is nobody until it has
/// proved that it holds the key of an agent whose signed info names this agent's url; then frames from it
/// are frames from that url. Where two peers have dialled each other, both keep the same connection.
///
/// Thread safety: none; the executor runs one handler at a time (an io_context with one thread).
class tcp_node final : public transport {
public:
    using clock_function = std::function<arc::timestamp()>;
    using log_function = std::function<void(std::string_view)>;

    /// Begins to listen. Preconditions: check(options) has nothing to say. Throws system_error: the address
    /// cannot be listened on.
    tcp_node(boost::asio::any_io_executor executor, tcp_options options, log_function log = {},
             clock_function clock = system_clock_now);
    /// Precondition: run() has returned, or was never called.
    ~tcp_node() override;

    static arc::timestamp system_clock_now();

    /// Where it listens: with the port that the system chose.
    tcp_address const& listening_at() const;
    /// The url for peer_options.
    peer_url const& url() const;

    /// Starts `p`, whose transport is this node, and drives it until stop(). To be called once.
    /// Cancellation: as stop(), but what is queued is dropped and the peer's call is cancelled.
    /// Errors: what peer::start() throws.
    boost::asio::awaitable<void> run(peer& p);

    /// Asks run() to return: the peer's call is finished, others are told that this peer leaves, and what is
    /// queued is sent, for as long as drain_timeout allows.
    void stop();

    /// As transport says. False too for a url that cannot be dialled now: malformed, not to be reached
    /// without a secret, dialled in vain a moment ago, or one too many.
    bool send(peer_url const& to, std::vector<std::byte> frame) override;

    std::size_t queued_bytes(peer_url const& to) const override;

    tcp_report report() const;

private:
    class state;
    std::unique_ptr<state> state_;
};

}  // namespace opstore::gossip
