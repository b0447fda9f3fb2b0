#include <tests/gossip/support/peer_network.hpp>

#include <gossip/wire/codec.hpp>
#include <tests/support/run.hpp>

#include <algorithm>
#include <limits>

namespace opstore::testing {
namespace {

std::vector<std::byte> space_name() {
    return {std::byte{'t'}, std::byte{'e'}, std::byte{'s'}, std::byte{'t'}};
}

}  // namespace

peer_network::node::node(peer_network& in, space_options space, gossip::peer_options with)
    : network(in), options(std::move(with)), store(std::move(space), in.clock) {}

bool peer_network::node::send(gossip::peer_url const& to, std::vector<std::byte> frame) {
    sent_frame sent{options.url, to, std::move(frame)};
    bool const taken = !network.takes || network.takes(sent);
    if (taken) {
        network.under_way.push_back(std::move(sent));
    }
    return taken;
}

std::set<op_id> peer_network::node::held() const {
    auto& reading = const_cast<memory_op_store&>(store);
    auto const page = run(
        reading.retrieve_op_hashes_in_time_slice(arc::dht_arc::full(), arc::from_micros(0),
                                                 arc::from_micros(std::numeric_limits<std::int64_t>::max())));
    return {page->ids.begin(), page->ids.end()};
}

peer_network::peer_network(arc::timestamp start, std::shared_ptr<const op_format> format)
    : clock(start), format_(std::move(format)) {}

peer_network::~peer_network() = default;

peer_network::node& peer_network::add(std::string name, std::function<void(gossip::peer_options&)> change) {
    gossip::peer_options options;
    options.space = space_name();
    options.url = name;
    options.seed = nodes.size() + 1;
    std::array<std::byte, 32> seed{};
    seed[0] = static_cast<std::byte>(nodes.size() + 1);
    options.key = gossip::make_agent_key(seed);
    options.limits.jitter = std::chrono::microseconds(0);
    options.limits.interval = std::chrono::minutes(1);
    if (change) {
        change(options);
    }
    space_options space("test");
    space.format = format_;
    auto& added = *nodes.emplace_back(std::make_unique<node>(*this, std::move(space), std::move(options)));
    restart(added);
    return added;
}

void peer_network::restart(node& of) {
    of.peer.reset();
    of.peer = std::make_unique<gossip::peer>(of.store, *of.meta, of, of.options);
    run(of.peer->start(clock.now()));
    introduce();
}

void peer_network::introduce() {
    for (auto const& one : nodes) {
        for (auto const& other : nodes) {
            if (one != other && one->peer && other->peer) {
                (void)one->peer->add_agent(other->peer->own_agent_info(clock.now()), clock.now());
            }
        }
    }
}

void peer_network::store(node& at, std::vector<op_bytes> const& ops) {
    std::vector<incoming_op> batch;
    for (auto const& op : ops) {
        batch.emplace_back(op);
    }
    run(at.store.process_incoming_ops(std::move(batch))).value();
}

void peer_network::round(node& by) {
    auto const before = by.peer->report().rounds_initiated;
    for (int ticks = 0; ticks < 1000 && by.peer->report().rounds_initiated == before; ++ticks) {
        clock.set(std::max(clock.now() + std::chrono::microseconds(1), by.peer->next_tick_at()));
        introduce();
        run(by.peer->tick(clock.now()));
    }
    deliver();
}

bool peer_network::equal() const {
    return std::ranges::all_of(nodes, [&](auto const& n) { return n->held() == nodes.front()->held(); });
}

std::size_t peer_network::rounds_until_equal(std::size_t rounds_max) {
    std::size_t rounds = 0;
    while (!equal() && rounds < rounds_max) {
        round(*nodes[rounds % nodes.size()]);
        ++rounds;
    }
    return rounds;
}

void peer_network::deliver(std::function<bool(sent_frame&)> const& each) {
    while (!under_way.empty()) {
        auto frame = std::move(under_way.front());
        under_way.pop_front();
        if (each && !each(frame)) {
            continue;
        }
        auto const to =
            std::ranges::find_if(nodes, [&](auto const& n) { return n->options.url == frame.to; });
        if (to != nodes.end() && (*to)->peer) {
            receive(**to, frame.from, std::move(frame.bytes));
        }
    }
}

void peer_network::receive(node& at, gossip::peer_url const& from, std::vector<std::byte> frame) {
    run(at.peer->receive(from, std::move(frame), clock.now()));
}

}  // namespace opstore::testing
