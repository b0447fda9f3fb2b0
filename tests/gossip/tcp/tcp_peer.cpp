#include <tests/gossip/tcp/tcp_peer.hpp>

#include <opstore/random.hpp>

#include <chrono>

namespace opstore::gossip::testing {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

peer_options gossip_options(tcp_options const& node, peer_url const& url) {
    peer_options options;
    options.space = node.space;
    options.url = url;
    options.key = node.key;
    options.limits.initial_interval = 20ms;
    options.limits.interval = 50ms;
    options.limits.jitter = 20ms;
    options.limits.timeout = 2s;
    options.limits.burst_factor = 1000;
    options.fetch.request_timeout = 2s;
    options.fetch.backoff_min = 20ms;
    options.seed = node.seed;
    return options;
}

}  // namespace

asio::awaitable<void> durable::ingest(std::vector<op_bytes> ops) {
    std::vector<incoming_op> incoming;
    for (op_bytes& op : ops)
        incoming.emplace_back(std::move(op));
    auto const report = co_await store.process_incoming_ops(std::move(incoming));
    if (!report || !report->rejected.empty())
        throw std::logic_error("an op of the test was not taken");
}

asio::awaitable<std::set<op_id>> durable::all_ids() {
    std::set<op_id> ids;
    arc::timestamp at;
    for (bool cut = true; cut;) {
        auto const page =
            co_await store.retrieve_op_ids_bounded(arc::dht_arc::full(), at, std::uint64_t{1} << 40);
        ids.insert(page->ids.begin(), page->ids.end());
        cut = page->next_op_bytes.has_value();
        at = page->next;
    }
    co_return ids;
}

tcp_peer::tcp_peer(asio::any_io_executor executor, durable& data, tcp_options options,
                   tcp_node::log_function log, tcp_node::clock_function clock)
    : node(std::move(executor), options, std::move(log), std::move(clock)),
      gossip(data.store, data.meta, node, gossip_options(options, node.url())) {}

tcp_options options_of(std::uint8_t number, std::vector<tcp_address> connect) {
    tcp_options options;
    options.space = test_space();
    options.key = key(number);
    options.connect = std::move(connect);
    options.seed = number;
    options.limits.redial_min = 20ms;
    options.limits.redial_max = 200ms;
    return options;
}

std::vector<op_bytes> some_ops(std::size_t count, std::uint64_t seed) {
    random_source random(seed);
    std::vector<op_bytes> ops;
    for (std::size_t i = 0; i < count; ++i) {
        // Over two years, so that they lie in disc and rings.
        auto const age = std::chrono::seconds(random.below(2 * 365 * 86'400));
        ops.push_back(encode_plain(tcp_node::system_clock_now() - age, random.bytes(8 + random.below(2000))));
    }
    return ops;
}

std::vector<op_bytes> large_ops(std::size_t count, std::uint64_t seed) {
    random_source random(seed);
    std::vector<op_bytes> ops;
    for (std::size_t i = 0; i < count; ++i)
        ops.push_back(encode_plain(tcp_node::system_clock_now(), random.bytes(1'000'000)));
    return ops;
}

}  // namespace opstore::gossip::testing
