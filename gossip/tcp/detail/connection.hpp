#pragma once

#include <gossip/tcp/detail/byte_budget.hpp>
#include <gossip/tcp/detail/event.hpp>
#include <gossip/tcp/detail/frame_reader.hpp>
#include <gossip/tcp/detail/handshake.hpp>
#include <gossip/tcp/tcp_limits.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace opstore::gossip::detail {

/// A frame from the other side, with the memory it takes.
struct inbound_frame {
    std::vector<std::byte> bytes;
    byte_budget::share held;

    inbound_frame() = default;
};

/// One TCP connection to another peer: first the handshake, then frames both ways.
///
/// establish() comes first; then read() and write_queued() run beside each other, in two coroutines. None of
/// them throws for what the other side does: the connection is then closed, and reason() says why.
///
/// Thread safety: none. Keep it alive (shared_ptr) while one of its coroutines runs.
class connection {
public:
    using tcp = boost::asio::ip::tcp;
    using clock = event::clock;

    struct counters {
        std::uint64_t frames_sent = 0, frames_received = 0;
        std::uint64_t bytes_sent = 0, bytes_received = 0;  ///< With lengths, seals and keep-alives.
    };

    /// Takes an accepted socket.
    connection(tcp::socket socket, tcp_limits const& limits);
    /// Is to dial `address`, for `expected` if the dialer knows whom it will meet.
    connection(boost::asio::any_io_executor executor, tcp::endpoint address, std::optional<agent_id> expected,
               tcp_limits const& limits);

    /// Connects and shakes hands. True once remote() is known; else it is closed.
    boost::asio::awaitable<bool> establish(local_identity local, arc::timestamp now);

    /// The next frame, waiting for memory where that is short; none once it is closed.
    boost::asio::awaitable<std::optional<inbound_frame>> read(byte_budget& memory);

    /// Sends what queue() takes, until the connection is closed.
    boost::asio::awaitable<void> write_queued();

    /// False if there is no room, or it is closed. Frames may be queued before it is established.
    bool queue(std::vector<std::byte> frame);
    std::size_t queued_bytes() const { return queued_bytes_ + in_flight_bytes_; }
    /// Takes over what the other one has not begun to send.
    void take_queue(connection& other);

    /// Closes if a time-out has passed; sees to keep-alives. To be called every now and then.
    void check(clock::time_point now);

    /// Reads on for a moment, sends no more: the other end is about to close it too.
    void retire(clock::time_point now);

    /// The first reason counts. What reads or writes returns soon.
    void close(std::string reason);

    bool is_closed() const { return closed_; }
    bool is_established() const { return established_; }
    bool is_retired() const { return retired_until_.has_value(); }
    std::string const& reason() const { return reason_; }
    /// Why the handshake failed, if that is why it was closed.
    std::optional<handshake_errc> handshake_failure() const { return handshake_failure_; }
    side own_side() const { return side_; }
    /// The other end of the socket: what was dialled, or where the other side came from.
    tcp::endpoint const& address() const { return address_; }
    /// When a frame was last sent or received.
    clock::time_point last_used() const { return last_used_; }
    counters const& totals() const { return totals_; }
    /// Precondition: is_established().
    remote_identity const& remote() const { return remote_; }
    handshake::hello_message const& dialer_hello() const { return dialer_hello_; }

    /// The frame that was read and waits for the node to take it: at most one, so that a peer that sends much
    /// holds up itself and not the others.
    std::optional<inbound_frame> waiting;
    event taken;

private:
    boost::asio::awaitable<bool> write_frame(std::span<const std::byte> body);
    boost::asio::awaitable<std::optional<inbound_frame>> read_raw(byte_budget* memory);
    boost::asio::awaitable<bool> connect();
    bool fail(handshake_error const& error);

    tcp::socket socket_;
    side const side_;
    tcp::endpoint address_;
    std::optional<agent_id> const expected_;
    tcp_limits const limits_;
    frame_reader reader_;
    std::unique_ptr<secure_channel> channel_;
    remote_identity remote_;
    handshake::hello_message dialer_hello_{};

    std::deque<std::vector<std::byte>> queue_;
    std::size_t queued_bytes_ = 0, in_flight_bytes_ = 0;
    event queued_;
    bool keep_alive_due_ = false;

    bool established_ = false, closed_ = false;
    std::string reason_;
    std::optional<handshake_errc> handshake_failure_;

    clock::time_point const born_ = clock::now();
    clock::time_point last_received_ = born_, last_sent_ = born_, last_used_ = born_;
    clock::time_point frame_begun_ = born_;  ///< Of the frame that is being read.
    bool writing_ = false;                   ///< A frame, since last_sent_.
    bool held_back_ = false;                 ///< We do not read, by our own choice.
    std::optional<clock::time_point> retired_until_;
    counters totals_;
};

}  // namespace opstore::gossip::detail
