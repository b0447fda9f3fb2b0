#include <gossip/tcp/detail/connection.hpp>

#include <gossip/tcp/tcp_address.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

namespace opstore::gossip::detail {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// Errors come as values; only cancellation throws.
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

/// How long both ends still read from a connection that neither writes to any more.
constexpr std::chrono::seconds retirement{2};

void set_up(asio::ip::tcp::socket& socket) {
    // Frames are whole messages that are waited for. Without the option it is merely slower.
    error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
}

asio::ip::tcp::endpoint other_end(asio::ip::tcp::socket const& socket) {
    error_code gone;
    return socket.remote_endpoint(gone);
}

}  // namespace

connection::connection(tcp::socket socket, tcp_limits const& limits)
    : taken(socket.get_executor()),
      socket_(std::move(socket)),
      side_(side::listener),
      address_(other_end(socket_)),
      limits_(limits),
      reader_(handshake::message_bytes_max),
      queued_(socket_.get_executor()) {}

connection::connection(asio::any_io_executor executor, tcp::endpoint address,
                       std::optional<agent_id> expected, tcp_limits const& limits)
    : taken(executor),
      socket_(executor),
      side_(side::dialer),
      address_(std::move(address)),
      expected_(std::move(expected)),
      limits_(limits),
      reader_(handshake::message_bytes_max),
      queued_(executor) {}

asio::awaitable<bool> connection::connect() {
    auto const [failed] = co_await socket_.async_connect(address_, as_values);
    if (failed)
        close(failed.message());
    co_return !closed_;
}

asio::awaitable<bool> connection::establish(local_identity local, arc::timestamp now) {
    if (side_ == side::dialer && !co_await connect())
        co_return false;
    set_up(socket_);
    handshake shaken(side_, std::move(local), expected_);
    if (!co_await write_frame(shaken.hello()))
        co_return false;
    auto const hello = co_await read_raw(nullptr);
    if (!hello)
        co_return false;
    auto const answer = shaken.take_hello(hello->bytes);
    if (!answer)
        co_return fail(answer.error());
    if (!co_await write_frame(*answer))
        co_return false;
    auto const identity = co_await read_raw(nullptr);
    if (!identity)
        co_return false;
    auto remote = shaken.take_identity(identity->bytes, now);
    if (!remote)
        co_return fail(remote.error());
    remote_ = std::move(*remote);
    channel_ = shaken.channel();
    dialer_hello_ = shaken.dialer_hello();
    reader_.set_limit(frame_bytes_max + (channel_ ? secure_channel::overhead_bytes_max : 0));
    established_ = true;
    co_return !closed_;
}

bool connection::fail(handshake_error const& error) {
    handshake_failure_ = error.code();
    close(error.message());
    return false;
}

asio::awaitable<std::optional<inbound_frame>> connection::read(byte_budget& memory) {
    for (;;) {
        // Frames that were taken in the meantime, and their reader, are not the other side's fault.
        last_received_ = clock::now();
        auto frame = co_await read_raw(&memory);
        if (!frame || closed_)
            co_return std::nullopt;
        if (frame->bytes.empty())
            continue;
        ++totals_.frames_received;
        last_used_ = last_received_;
        if (!channel_)
            co_return frame;
        auto opened = channel_->open(frame->bytes);
        if (!opened) {
            close("a frame was altered or repeated on the way");
            co_return std::nullopt;
        }
        frame->bytes = std::move(*opened);
        co_return frame;
    }
}

asio::awaitable<std::optional<inbound_frame>> connection::read_raw(byte_budget* memory) {
    inbound_frame frame;
    while (!closed_) {
        auto const space = reader_.prepare();
        auto const [failed, count] =
            co_await socket_.async_read_some(asio::buffer(space.data(), space.size()), as_values);
        if (failed) {
            close(failed == asio::error::eof ? "the other side closed it" : failed.message());
            break;
        }
        bool const in_length = reader_.at() == frame_reader::state::length;
        auto const state = reader_.commit(count);
        totals_.bytes_received += count;
        last_received_ = clock::now();
        if (state == frame_reader::state::whole) {
            frame.bytes = reader_.take();
            co_return frame;
        }
        if (state == frame_reader::state::too_large)
            close(fmt::format("a frame of {} bytes is too large", reader_.body_bytes()));
        if (state == frame_reader::state::body && in_length) {
            if (memory && reader_.body_bytes() > limits_.inbound_small_bytes) {
                held_back_ = true;
                frame.held = co_await memory->take(reader_.body_bytes());
                held_back_ = false;
            }
            last_received_ = frame_begun_ = clock::now();
        }
    }
    co_return std::nullopt;
}

asio::awaitable<void> connection::write_queued() {
    while (!closed_) {
        if (!queue_.empty() && !is_retired()) {
            auto const frame = std::move(queue_.front());
            queue_.pop_front();
            queued_bytes_ -= frame.size();
            in_flight_bytes_ = frame.size();
            std::vector<std::byte> sealed;
            if (channel_)
                sealed = channel_->seal(frame);
            bool const sent = co_await write_frame(channel_ ? sealed : frame);
            in_flight_bytes_ = 0;
            totals_.frames_sent += sent ? 1 : 0;
            last_used_ = clock::now();
        } else if (keep_alive_due_) {
            keep_alive_due_ = false;
            co_await write_frame({});
        } else {
            co_await queued_.wait();
        }
    }
}

asio::awaitable<bool> connection::write_frame(std::span<const std::byte> body) {
    auto const length = encode_length(body.size());
    std::array<asio::const_buffer, 2> rest = {asio::buffer(length), asio::buffer(body.data(), body.size())};
    last_sent_ = clock::now();
    writing_ = true;
    while (!closed_ && asio::buffer_size(rest) > 0) {
        auto [failed, count] = co_await socket_.async_write_some(rest, as_values);
        if (failed)
            close(failed.message());
        totals_.bytes_sent += count;
        for (asio::const_buffer& part : rest) {
            auto const sent = std::min(count, part.size());
            part += sent;
            count -= sent;
        }
    }
    writing_ = false;
    last_sent_ = clock::now();
    co_return !closed_;
}

bool connection::queue(std::vector<std::byte> frame) {
    assert(!frame.empty() && frame.size() <= frame_bytes_max);
    if (closed_ || is_retired() || queued_bytes() + frame.size() > limits_.outbound_bytes_max)
        return false;
    queued_bytes_ += frame.size();
    queue_.push_back(std::move(frame));
    queued_.notify();
    return true;
}

void connection::take_queue(connection& other) {
    for (auto& frame : other.queue_)
        queue(std::move(frame));
    other.queue_.clear();
    other.queued_bytes_ = 0;
}

void connection::check(clock::time_point now) {
    if (!established_ && now - born_ >= limits_.handshake_timeout)
        close("no answer within the time for a handshake");
    else if (retired_until_ && now >= *retired_until_)
        close("another connection to this peer is used");
    else if (writing_ && now - last_sent_ >= limits_.write_timeout)
        close("a frame was not taken in time");
    else if (established_ && !held_back_ && !waiting && now - last_received_ >= limits_.idle_timeout)
        close("nothing was heard of the other side");
    else if (established_ && !held_back_ && reader_.at() == frame_reader::state::body &&
             now - frame_begun_ >= limits_.frame_timeout)
        close("a frame took too long");
    else if (established_ && !writing_ && now - last_sent_ >= limits_.keep_alive) {
        keep_alive_due_ = true;
        queued_.notify();
    }
}

void connection::retire(clock::time_point now) {
    if (!retired_until_)
        retired_until_ = now + retirement;
}

void connection::close(std::string reason) {
    if (closed_)
        return;
    closed_ = true;
    reason_ = std::move(reason);
    queue_.clear();
    queued_bytes_ = 0;
    error_code ignored;
    socket_.close(ignored);
    queued_.notify();
    taken.notify();
}

}  // namespace opstore::gossip::detail
