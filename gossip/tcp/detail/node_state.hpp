#pragma once

#include <gossip/tcp/detail/byte_budget.hpp>
#include <gossip/tcp/detail/connection.hpp>
#include <gossip/tcp/detail/connection_table.hpp>
#include <gossip/tcp/detail/event.hpp>
#include <gossip/tcp/detail/handshake.hpp>
#include <gossip/tcp/detail/redial_pauses.hpp>
#include <gossip/tcp/detail/task_group.hpp>
#include <gossip/tcp/tcp_node.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace opstore::gossip {

/// What is behind a tcp_node. Two kinds of coroutines meet here: those of the sockets, which put what happens
/// into the inbox, and the one that drives the peer, which takes it out.
class tcp_node::state {
public:
    state(boost::asio::any_io_executor executor, tcp_options options, log_function log, clock_function clock);

    tcp_address const& listening_at() const { return listening_at_; }
    peer_url const& url() const { return url_; }
    boost::asio::awaitable<void> run(peer& p);
    void stop();
    bool send(peer_url const& to, std::vector<std::byte> frame);
    std::size_t queued_bytes(peer_url const& to) const;
    tcp_report report() const;

private:
    using connection_ptr = std::shared_ptr<detail::connection>;
    using steady = detail::event::clock;

    /// For the peer, in the order in which it happened.
    struct frame_waits {
        connection_ptr from;
    };
    struct url_lost {
        peer_url url;
    };
    struct agent_met {
        std::string info;
    };
    using inbox_item = std::variant<frame_waits, url_lost, agent_met>;

    // The driver of the peer.
    boost::asio::awaitable<void> drive();
    boost::asio::awaitable<bool> tick_if_due();
    boost::asio::awaitable<bool> deal_with_next();
    boost::asio::awaitable<void> receive(connection_ptr from);
    void refresh_own_info(arc::timestamp now);
    void put(inbox_item item);

    // The sockets.
    void listen();
    boost::asio::awaitable<void> accept_others();
    boost::asio::awaitable<void> stay_connected(tcp_address address);
    boost::asio::awaitable<void> watch_connections();
    boost::asio::awaitable<void> serve(connection_ptr c, bool quiet);
    boost::asio::awaitable<void> read_frames(connection_ptr c);
    static boost::asio::awaitable<void> write_frames(connection_ptr c);
    bool admit(connection_ptr const& c);
    void dismiss(connection_ptr const& c, bool quiet);
    connection_ptr dial(peer_url const& url);
    detail::local_identity own_identity() const;
    void say(std::string const& text) const;
    void say_turned_away(detail::connection const& c);

    // The end.
    void say_goodbye();
    boost::asio::awaitable<void> drain();
    boost::asio::awaitable<void> close_all();

    boost::asio::any_io_executor const executor_;
    tcp_options const options_;
    log_function const log_;
    clock_function const clock_;
    agent_id const agent_;
    detail::instance_id instance_{};
    boost::asio::ip::tcp::acceptor acceptor_;
    tcp_address listening_at_;
    peer_url url_;

    peer* peer_ = nullptr;
    std::string own_info_;
    arc::timestamp own_info_at_;
    steady::time_point tick_not_before_{};
    arc::timestamp clock_read_{};
    std::deque<inbox_item> inbox_;
    detail::event wake_;  ///< There is something in the inbox, or the end is wanted.
    bool stopping_ = false;

    detail::byte_budget inbound_;
    detail::connection_table table_;
    detail::redial_pauses pauses_;
    tcp_report past_;                ///< Of connections that have ended.
    std::uint64_t turned_away_ = 0;  ///< Incoming, since a line told of one.
    steady::time_point turned_away_said_{};
    detail::task_group tasks_;
};

}  // namespace opstore::gossip
