// Goal: an outage of the store or of the memory of others, at any point, is survived, counted, and made good
// by later rounds. Method: the store of one of two peers fails at its n-th call, for every n that a sync has;
// then at several calls in a row.
#include <tests/gossip/peer/peer_world.hpp>
#include <tests/gossip/support/counting_op_store.hpp>

#include <doctest/doctest.h>

namespace opstore::testing {
namespace {

/// Two peers with ops of all ages each; the store of one can fail.
struct fragile_pair {
    peer_network network{world_start};
    peer_network::node* a = &network.add("a");
    peer_network::node* b = &network.add("b");
    counting_op_store store;
    std::set<op_id> all;

    explicit fragile_pair(peer_network::node& (*fragile)(fragile_pair&)) : store(fragile(*this).store) {
        random_source random(5);
        for (auto* node : {a, b}) {
            auto const ops = ops_of_all_ages(20, world_start, random);
            network.store(*node, ops);
            all.merge(ids_of(ops));
        }
        auto& node = fragile(*this);
        node.peer = std::make_unique<gossip::peer>(store, *node.meta, node, node.options);
        run(node.peer->start(network.clock.now()));
        store.forget_calls();
        network.introduce();
    }

    /// The first rounds, with whatever fails in them.
    void live(int rounds) {
        for (int i = 0; i < rounds; ++i) {
            auto& by = i % 2 ? *b : *a;
            network.clock.set(std::max(network.clock.now(), by.peer->next_tick_at()));
            // An outage may leave a step undone, but not for ever: the second call has it planned anew.
            run(by.peer->tick(network.clock.now()));
            CHECK(tick(by, network.clock.now()));
            network.deliver();
        }
    }
};

TEST_CASE("an outage of the store at any call of a sync is made good") {
    using side = peer_network::node& (*)(fragile_pair&);
    side const sides[] = {[](fragile_pair& pair) -> peer_network::node& { return *pair.a; },
                          [](fragile_pair& pair) -> peer_network::node& { return *pair.b; }};
    for (auto const& fragile : sides) {
        fragile_pair undisturbed(fragile);
        undisturbed.live(4);
        CHECK(undisturbed.network.equal());
        auto const calls = undisturbed.store.calls();
        CHECK(calls >= 8);
        for (std::uint64_t n = 1; n <= calls; ++n) {
            for (std::uint64_t const failures : {1, 4}) {
                CAPTURE(n);
                CAPTURE(failures);
                fragile_pair pair(fragile);
                pair.store.fail_at(n, failures);
                pair.live(4);
                pair.store.heal();
                auto& node = fragile(pair);
                CHECK(node.peer->report().store_errors >= 1);
                CHECK(node.peer->report().store_errors <= failures);
                calm_down(pair.network);
                pair.network.rounds_until_equal(8);
                CHECK(pair.network.equal());
                CHECK(pair.a->held() == pair.all);
                CHECK(pair.a->peer->fetch_backlog() == 0);
                CHECK(pair.b->peer->fetch_backlog() == 0);
            }
        }
    }
}

TEST_CASE("an outage is counted against nobody but noted as ours") {
    fragile_pair pair([](fragile_pair& of) -> peer_network::node& { return *of.a; });
    pair.store.fail_at(1, 1, "retrieve_op_ids_of_sectors");
    pair.live(1);
    CHECK(pair.a->peer->report().store_errors == 1);
    CHECK(pair.a->peer->report().protocol_errors == 0);
    pair.network.clock.step(std::chrono::seconds(1));
    run(pair.a->peer->tick(pair.network.clock.now()));
    auto const kept = run(pair.a->meta->get("b", "gossip:local_errors", pair.network.clock.now()));
    CHECK(kept.value().has_value());
}

}  // namespace
}  // namespace opstore::testing
