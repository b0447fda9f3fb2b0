// A gossip peer in memory that listens on loopback and leaves: what it links is all of the gossip libraries.
#include <gossip/peer/peer.hpp>
#include <gossip/tcp/tcp_node.hpp>
#include <opstore/memory/memory_op_store.hpp>
#include <opstore/memory/memory_peer_meta.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <iostream>

using namespace opstore;

int main() {
    boost::asio::io_context io;
    std::array<std::byte, 32> const seed{};
    std::vector<std::byte> const network{std::byte{'n'}};

    gossip::tcp_options listening;
    listening.space = network;
    listening.key = gossip::make_agent_key(seed);
    gossip::tcp_node node(io.get_executor(), listening);

    gossip::peer_options options;
    options.space = network;
    options.url = node.url();
    options.key = listening.key;
    memory_op_store store(space_options("consumer"));
    memory_peer_meta meta;
    gossip::peer peer(store, meta, node, options);

    auto done = boost::asio::co_spawn(io, node.run(peer), boost::asio::use_future);
    boost::asio::post(io, [&node] { node.stop(); });
    io.run();
    done.get();
    std::cout << "was " << node.url() << "\n";
}
