// Goal: frames that are lost, doubled, late or out of order delay the sync of peers and do nothing else.
// Method: random scripts of faults over three peers while ops are made; then the network heals, and a few
// rounds have to make all equal: to exactly the ops that were made. Two runs of a seed do the same.
#include <tests/gossip/peer/peer_world.hpp>

#include <doctest/doctest.h>

namespace opstore::testing {
namespace {

struct outcome {
    std::set<op_id> held;
    std::vector<std::uint64_t> numbers;

    outcome() = default;
    friend bool operator==(outcome const&, outcome const&) = default;
};

outcome live_through(std::uint64_t seed) {
    random_source random(seed);
    peer_network network(world_start);
    for (auto const* name : {"a", "b", "c"}) {
        network.add(name);
    }
    std::vector<op_bytes> all;
    for (int step = 0; step < 12; ++step) {
        auto& at = *network.nodes[random.below(3)];
        auto const ops = ops_of_all_ages(random.below(8), network.clock.now(), random);
        network.store(at, ops);
        all.insert(all.end(), ops.begin(), ops.end());
        if (random.one_in(6)) {
            network.restart(*network.nodes[random.below(3)]);
        }
        network.clock.set(std::max(network.clock.now(), at.peer->next_tick_at()));
        CHECK(tick(at, network.clock.now()));
        auto const loss = 1 + random.below(8);
        std::vector<sent_frame> late;
        network.deliver([&](sent_frame& frame) {
            if (random.one_in(8)) {
                network.under_way.push_back(frame);  // Once more, later.
            }
            if (random.one_in(6)) {
                late.push_back(std::move(frame));
                return false;
            }
            return !random.one_in(loss + 1);
        });
        for (auto& frame : late) {
            network.under_way.push_back(std::move(frame));
        }
        if (random.one_in(2)) {
            network.clock.step(std::chrono::seconds(random.below(40)));
        }
    }
    calm_down(network);
    auto const rounds = network.rounds_until_equal(15);
    CHECK(network.equal());
    outcome end;
    end.held = network.nodes.front()->held();
    CHECK(end.held == ids_of(all));
    end.numbers.push_back(rounds);
    for (auto const& node : network.nodes) {
        auto const& report = node->peer->report();
        CHECK(node->peer->fetch_backlog() == 0);
        for (auto const& [name, traffic] : report.sent) {
            end.numbers.push_back(traffic.bytes);
        }
        end.numbers.push_back(report.protocol_errors);
    }
    return end;
}

TEST_CASE("a Terminate that comes late ends our round like any other: who grows goes on soon") {
    peer_network network(world_start);
    auto& a = network.add("a");
    network.add("b");
    network.clock.set(a.peer->next_tick_at());
    CHECK(tick(a, network.clock.now()));
    REQUIRE(network.under_way.size() == 1);
    gossip::terminate_message late;
    late.session[0] = std::byte{1};
    network.receive(a, "b", encoded(gossip::gossip_message(late)));
    CHECK(a.peer->report().protocol_errors == 1);
    CHECK(a.peer->next_tick_at() <= network.clock.now() + a.options.limits.initial_interval);
}

TEST_CASE("after any faults of the network a few rounds bring all together") {
    for (std::uint64_t seed = 0; seed < 80; ++seed) {
        CAPTURE(seed);
        auto const once = live_through(seed);
        if (seed % 8 == 0) {
            CHECK(once == live_through(seed));
        }
    }
}

}  // namespace
}  // namespace opstore::testing
