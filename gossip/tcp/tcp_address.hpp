#pragma once

#include <gossip/agents/agent_info.hpp>
#include <gossip/fetch/fetch_queue.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>
#include <string_view>

/// Where peers are reached over TCP. A url of a peer is "tcp://ADDRESS:PORT/AGENT", the agent as base64url
/// without padding: since a peer proves that it holds the agent's key when it connects, nobody can pass for
/// another one by announcing its address.
///
/// Addresses are numbers, so that nothing asks a name server whether an address is loopback.
namespace opstore::gossip {

using tcp_address = boost::asio::ip::tcp::endpoint;

/// "127.0.0.1:4000", "[::1]:4000" or "localhost:4000"; port 0 to 65535. None if it is anything else.
std::optional<tcp_address> parse_tcp_address(std::string_view text);

/// As parse_tcp_address() reads it.
std::string to_string(tcp_address const& address);

/// Whether only this machine reaches it.
bool is_loopback(tcp_address const& address);

/// What a url says.
struct tcp_url {
    tcp_address address;
    agent_id agent;

    tcp_url() = default;
};

peer_url make_tcp_url(tcp_address const& address, agent_id const& agent);

/// None if it is no url of this kind, in exactly the form that make_tcp_url() writes, or its port is 0.
std::optional<tcp_url> parse_tcp_url(std::string_view url);

}  // namespace opstore::gossip
