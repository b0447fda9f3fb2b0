#pragma once

#include <gossip/peer/peer.hpp>
#include <gossip/tcp/tcp_node.hpp>
#include <opstore/memory/memory_op_store.hpp>
#include <opstore/memory/memory_peer_meta.hpp>

#include <tests/gossip/tcp/identities.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace opstore::gossip::testing {

/// What outlives a process: the ops and what it remembers.
struct durable {
    memory_op_store store{space_options("tcp test")};
    memory_peer_meta meta;

    boost::asio::awaitable<void> ingest(std::vector<op_bytes> ops);
    boost::asio::awaitable<std::set<op_id>> all_ids();
};

/// A process: a node with a peer on it, that gossips every few milliseconds.
struct tcp_peer {
    tcp_node node;
    peer gossip;

    tcp_peer(boost::asio::any_io_executor executor, durable& data, tcp_options options,
             tcp_node::log_function log = {}, tcp_node::clock_function clock = tcp_node::system_clock_now);

    tcp_address address() const { return node.listening_at(); }
};

/// Options of peer `number`, which dials `connect` first.
tcp_options options_of(std::uint8_t number, std::vector<tcp_address> connect = {});

/// `count` ops that nobody else makes who uses another `seed`.
std::vector<op_bytes> some_ops(std::size_t count, std::uint64_t seed);
/// Each of a million bytes.
std::vector<op_bytes> large_ops(std::size_t count, std::uint64_t seed);

}  // namespace opstore::gossip::testing
