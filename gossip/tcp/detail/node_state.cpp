#include <gossip/tcp/detail/node_state.hpp>

#include <gossip/wire/codec.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <exception>
#include <utility>

namespace opstore::gossip {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Agent infos live for twenty minutes; one that is shown in a handshake has most of that left.
constexpr std::chrono::microseconds own_info_age_max = 60s;
/// A peer that asks for its next tick at once, again and again, leaves others some time.
constexpr auto tick_pause = 2ms;
/// The wall clock may be set; the next tick is looked for at least this often.
constexpr auto look_at_clock = 1s;
/// What happens and waits to be told to the peer. Frames are one for each connection; what is more is made by
/// others who come and go, and comes again.
constexpr std::size_t inbox_items_max = 4096;
/// Out of descriptors, or the like: it passes, or the operator sees it in the log.
constexpr auto accept_pause = 200ms;
/// Between lines that tell of incoming connections that failed: anybody can make those.
constexpr auto turned_away_pause = 1s;

std::chrono::milliseconds check_interval(tcp_limits const& limits) {
    auto const shortest = std::min({limits.handshake_timeout, limits.frame_timeout, limits.write_timeout,
                                    limits.idle_timeout, limits.keep_alive, std::chrono::milliseconds(4s)});
    return std::max(shortest / 4, 1ms);
}

}  // namespace

tcp_node::state::state(asio::any_io_executor executor, tcp_options options, log_function log,
                       clock_function clock)
    : executor_(executor),
      options_(std::move(options)),
      log_(std::move(log)),
      clock_(std::move(clock)),
      agent_(agent_of(options_.key)),
      acceptor_(executor),
      wake_(executor),
      inbound_(executor, options_.limits.inbound_bytes_max),
      table_(options_.limits.connections_max),
      pauses_(options_.limits.redial_min, options_.limits.redial_max, options_.seed),
      tasks_(executor, [this] { stop(); }) {
    assert(!check(options_));
    assert(options_.limits.inbound_bytes_max >= frame_bytes_max + detail::secure_channel::overhead_bytes_max);
    randombytes_buf(instance_.data(), instance_.size());
    listen();
}

void tcp_node::state::listen() {
    acceptor_.open(options_.listen.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    acceptor_.bind(options_.listen);
    acceptor_.listen();
    listening_at_ = acceptor_.local_endpoint();
    url_ = make_tcp_url(options_.announce.value_or(listening_at_), agent_);
}

asio::awaitable<void> tcp_node::state::run(peer& p) {
    assert(!peer_);
    peer_ = &p;
    co_await p.start(clock_());
    refresh_own_info(clock_());
    tasks_.spawn(accept_others());
    tasks_.spawn(watch_connections());
    for (tcp_address const& address : options_.connect)
        tasks_.spawn(stay_connected(address));
    std::exception_ptr failure;
    try {
        co_await drive();
    } catch (...) {
        failure = std::current_exception();
    }
    // From here on it ends by itself, and soon.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (!failure) {
        say_goodbye();
        co_await drain();
    }
    co_await close_all();
    if (!failure)
        failure = tasks_.failure();
    if (failure)
        std::rethrow_exception(failure);
}

void tcp_node::state::stop() {
    stopping_ = true;
    wake_.notify();
}

// --- The driver of the peer.

asio::awaitable<void> tcp_node::state::drive() {
    while (!stopping_) {
        refresh_own_info(clock_());
        bool const ticked = co_await tick_if_due();
        bool const dealt = co_await deal_with_next();
        if (ticked || dealt) {
            // A peer whose store answers at once would never let the sockets have their turn.
            co_await asio::post(executor_, asio::use_awaitable);
            continue;
        }
        auto const until_tick = std::chrono::duration_cast<steady::duration>(
            std::clamp<std::chrono::microseconds>(peer_->next_tick_at() - clock_(), 0us, look_at_clock));
        co_await wake_.wait(std::max(steady::now() + until_tick, tick_not_before_));
    }
}

asio::awaitable<bool> tcp_node::state::tick_if_due() {
    if (steady::now() < tick_not_before_)
        co_return false;
    auto const now = clock_();
    // What was planned by a clock that was set back lies far ahead, and only a tick plans anew.
    bool const set_back = now < std::exchange(clock_read_, now);
    if (peer_->next_tick_at() > now && !set_back)
        co_return false;
    co_await peer_->tick(now);
    tick_not_before_ = steady::now() + tick_pause;
    co_return true;
}

asio::awaitable<bool> tcp_node::state::deal_with_next() {
    if (inbox_.empty())
        co_return false;
    auto item = std::move(inbox_.front());
    inbox_.pop_front();
    if (auto* const frame = std::get_if<frame_waits>(&item)) {
        co_await receive(std::move(frame->from));
    } else if (auto const* const lost = std::get_if<url_lost>(&item)) {
        // It may have come back in the meantime; its rounds were lost all the same.
        peer_->lost(lost->url, clock_());
    } else if (auto const added = peer_->add_agent(std::get<agent_met>(item).info, clock_()); !added) {
        say(fmt::format("an agent info was not taken: {}", added.error().message()));
    }
    co_return true;
}

asio::awaitable<void> tcp_node::state::receive(connection_ptr from) {
    auto frame = std::move(*from->waiting);
    from->waiting.reset();
    // The next one is read while the peer deals with this one.
    from->taken.notify();
    peer_url url = from->remote().url;
    co_await peer_->receive(std::move(url), std::move(frame.bytes), clock_());
}

void tcp_node::state::refresh_own_info(arc::timestamp now) {
    // Made between two calls of the peer, for handshakes that fall into one.
    if (!own_info_.empty() && now - own_info_at_ < own_info_age_max && now >= own_info_at_)
        return;
    own_info_ = peer_->own_agent_info(now);
    own_info_at_ = now;
}

void tcp_node::state::put(inbox_item item) {
    if (inbox_.size() >= inbox_items_max && !std::holds_alternative<frame_waits>(item))
        return;
    inbox_.push_back(std::move(item));
    wake_.notify();
}

bool tcp_node::state::send(peer_url const& to, std::vector<std::byte> frame) {
    auto const size = frame.size();
    bool const has_room = table_.queued_bytes() + size <= options_.limits.outbound_total_bytes_max ||
                          queued_bytes(to) + size <= options_.limits.outbound_own_bytes;
    bool const fits = size > 0 && size <= frame_bytes_max && has_room;
    auto connection = fits && peer_ ? table_.find(to) : nullptr;
    if (fits && peer_ && !connection)
        connection = dial(to);
    bool const queued = connection && connection->queue(std::move(frame));
    past_.frames_dropped += queued ? 0 : 1;
    return queued;
}

std::size_t tcp_node::state::queued_bytes(peer_url const& to) const {
    auto const connection = table_.find(to);
    return connection ? connection->queued_bytes() : 0;
}

// --- The sockets.

tcp_node::state::connection_ptr tcp_node::state::dial(peer_url const& url) {
    auto const now = steady::now();
    auto const parsed = parse_tcp_url(url);
    if (stopping_ || !parsed || parsed->agent == agent_ || !pauses_.may_dial(url, now) ||
        (!options_.secret && !is_loopback(parsed->address)) ||
        !table_.make_room(detail::side::dialer, now - options_.limits.spare_after))
        return nullptr;
    auto c = std::make_shared<detail::connection>(executor_, parsed->address, parsed->agent, options_.limits);
    table_.add(c);
    table_.expect(url, c);
    tasks_.spawn(serve(c, false));
    return c;
}

asio::awaitable<void> tcp_node::state::accept_others() {
    for (;;) {
        auto [failed, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
        if (failed && stopping_)
            co_return;  // stop() closed the acceptor.
        if (failed) {
            say(fmt::format("cannot accept a connection: {}", failed.message()));
            detail::event pause(executor_);
            co_await pause.wait(steady::now() + accept_pause);
        } else if (table_.handshakes() >= options_.limits.handshakes_max) {
            ++past_.refused;
        } else {
            auto c = std::make_shared<detail::connection>(std::move(socket), options_.limits);
            table_.add(c);
            tasks_.spawn(serve(std::move(c), false));
        }
    }
}

asio::awaitable<void> tcp_node::state::stay_connected(tcp_address address) {
    detail::event pause(executor_);
    // Where that peer says it is reached: after the first time the connection may be one that it dialled.
    peer_url known_as;
    unsigned failures = 0;
    for (;;) {
        if (!table_.reaches(address) && !table_.find(known_as) &&
            table_.make_room(detail::side::dialer, steady::now() - options_.limits.spare_after)) {
            auto const c =
                std::make_shared<detail::connection>(executor_, address, std::nullopt, options_.limits);
            table_.add(c);
            co_await serve(c, !std::has_single_bit(failures + 1));
            if (c->handshake_failure() == detail::handshake_errc::self)
                co_return;
            failures = c->is_established() ? 0 : failures + 1;
            if (c->is_established())
                known_as = c->remote().url;
        }
        co_await pause.wait(steady::now() + pauses_.draw(failures));
    }
}

asio::awaitable<void> tcp_node::state::watch_connections() {
    auto const interval = check_interval(options_.limits);
    detail::event pause(executor_);
    for (;;) {
        co_await pause.wait(steady::now() + interval);
        for (connection_ptr const& c : table_.all())
            c->check(steady::now());
    }
}

asio::awaitable<void> tcp_node::state::serve(connection_ptr c, bool quiet) {
    auto identity = own_identity();
    bool const met = co_await c->establish(std::move(identity), clock_());
    if (met && admit(c)) {
        tasks_.spawn(write_frames(c));
        co_await read_frames(c);
    }
    dismiss(c, quiet);
}

asio::awaitable<void> tcp_node::state::read_frames(connection_ptr c) {
    for (;;) {
        auto frame = co_await c->read(inbound_);
        if (!frame)
            co_return;
        c->waiting = std::move(frame);
        put(frame_waits{c});
        while (c->waiting && !c->is_closed())
            co_await c->taken.wait();
    }
}

asio::awaitable<void> tcp_node::state::write_frames(connection_ptr c) {
    co_await c->write_queued();
}

bool tcp_node::state::admit(connection_ptr const& c) {
    auto const now = steady::now();
    auto const& remote = c->remote();
    if (!table_.find(remote.url) && !table_.make_room(c->own_side(), now - options_.limits.spare_after)) {
        ++past_.refused;
        c->close("no room for another connection");
        return false;
    }
    ++past_.established;
    auto const admission = table_.admit(c, agent_, now);
    if (admission == detail::connection_table::admission::came_back)
        put(url_lost{remote.url});
    pauses_.reached(remote.url);
    put(agent_met{remote.agent_info});
    if (admission != detail::connection_table::admission::spare)
        say(fmt::format("connected {} {}", c->own_side() == detail::side::dialer ? "to" : "from",
                        remote.url));
    return true;
}

/// `quiet`: not to be told of if it failed, as several before it that were.
void tcp_node::state::dismiss(connection_ptr const& c, bool quiet) {
    // Not closed yet where it was refused.
    c->close("done");
    auto const& totals = c->totals();
    past_.frames_sent += totals.frames_sent;
    past_.frames_received += totals.frames_received;
    past_.bytes_sent += totals.bytes_sent;
    past_.bytes_received += totals.bytes_received;
    past_.handshakes_failed += c->is_established() ? 0 : 1;
    auto const unreached = table_.remove(c);
    for (peer_url const& url : unreached) {
        if (!c->is_established())
            quiet = !std::has_single_bit(pauses_.failed(url, steady::now()));
        put(url_lost{url});
    }
    if (c->is_established() && !unreached.empty())
        say(fmt::format("lost {}: {}", c->remote().url, c->reason()));
    else if (!c->is_established() && c->own_side() == detail::side::listener)
        say_turned_away(*c);
    else if (!c->is_established() && !quiet)
        say(fmt::format("no connection to {}: {}", to_string(c->address()), c->reason()));
}

void tcp_node::state::say_turned_away(detail::connection const& c) {
    ++turned_away_;
    if (steady::now() < turned_away_said_ + turned_away_pause)
        return;
    say(fmt::format("no connection from {}: {}{}", to_string(c.address()), c.reason(),
                    turned_away_ > 1 ? fmt::format(" ({} such connections)", turned_away_) : ""));
    turned_away_ = 0;
    turned_away_said_ = steady::now();
}

detail::local_identity tcp_node::state::own_identity() const {
    detail::local_identity own;
    own.space = options_.space;
    own.key = options_.key;
    own.agent_info = own_info_;
    own.instance = instance_;
    own.secret = options_.secret;
    return own;
}

void tcp_node::state::say(std::string const& text) const {
    if (log_)
        log_(text);
}

tcp_report tcp_node::state::report() const {
    tcp_report all = past_;
    for (connection_ptr const& c : table_.all()) {
        auto const& totals = c->totals();
        all.connections += c->is_established() && !c->is_retired() ? 1 : 0;
        all.frames_sent += totals.frames_sent;
        all.frames_received += totals.frames_received;
        all.bytes_sent += totals.bytes_sent;
        all.bytes_received += totals.bytes_received;
    }
    return all;
}

// --- The end.

void tcp_node::state::say_goodbye() {
    publish_agent_message leaving;
    leaving.agent_info = peer_->own_agent_info(clock_(), true);
    auto const frame = encode_frame(options_.space, publish_message(std::move(leaving)));
    for (auto const& [url, c] : table_.used()) {
        if (c->is_established())
            c->queue(frame);
    }
}

asio::awaitable<void> tcp_node::state::drain() {
    auto const until = steady::now() + options_.limits.drain_timeout;
    detail::event pause(executor_);
    while (table_.queued_bytes() > 0 && steady::now() < until)
        co_await pause.wait(steady::now() + 5ms);
}

asio::awaitable<void> tcp_node::state::close_all() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    table_.clear();
    tasks_.cancel_all();
    co_await tasks_.join();
    inbox_.clear();
    peer_ = nullptr;
}

}  // namespace opstore::gossip
