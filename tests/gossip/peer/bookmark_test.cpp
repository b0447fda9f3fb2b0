// Goal: bookmarks save work and cost no op: over restarts, crashes before the fetch (kitsune2's weakness
// W13), changed arcs, foreign clocks and stores that were put back. Method: the new_since and new_ops of the
// messages of rounds.
#include <tests/gossip/peer/peer_world.hpp>

#include <doctest/doctest.h>

namespace opstore::testing {
namespace {

struct new_ops_phase {
    arc::timestamp since;            ///< What Initiate asked from.
    std::vector<op_id> listed;       ///< By Accept.
    arc::timestamp updated;          ///< By Accept.
    arc::timestamp since_of_accept;  ///< What Accept asked from.

    new_ops_phase() = default;
};

/// A round begun by `by`, and what its first two messages said. Fetches only if `fetches`.
new_ops_phase round_by(peer_network& network, peer_network::node& by, bool fetches = true) {
    new_ops_phase seen;
    auto const before = by.peer->report().rounds_initiated;
    while (by.peer->report().rounds_initiated == before) {
        network.clock.set(
            std::max(network.clock.now() + std::chrono::microseconds(1), by.peer->next_tick_at()));
        network.introduce();
        run(by.peer->tick(network.clock.now()));
    }
    network.deliver([&](sent_frame& frame) {
        auto const m = decoded(frame);
        if (auto const* round = std::get_if<gossip::gossip_message>(&m)) {
            if (auto const* initiate = std::get_if<gossip::initiate_message>(round)) {
                seen.since = initiate->new_since;
            } else if (auto const* accept = std::get_if<gossip::accept_message>(round)) {
                seen.listed = accept->new_ops;
                seen.updated = accept->updated_new_since;
                seen.since_of_accept = accept->new_since;
            }
        }
        return fetches || gossip::name_of(m) != "fetch_request";
    });
    return seen;
}

TEST_CASE("a bookmark outlives a restart once everything before it is held") {
    random_source random(1);
    peer_network network(world_start);
    auto& a = network.add("a");
    auto& b = network.add("b");
    network.store(b, {op_of(world_start, 10, random), op_of(world_start, 10, random)});
    auto const first = round_by(network, a);
    CHECK(first.since <= network.clock.now() - std::chrono::minutes(29));
    CHECK(first.listed.size() == 2);
    CHECK(a.held().size() == 2);
    network.restart(a);
    network.restart(b);
    auto const second = round_by(network, a);
    CHECK(second.since == first.updated);
    CHECK(second.listed.empty());
}

TEST_CASE("a crash before the fetch makes the ops be listed again") {
    random_source random(2);
    peer_network network(world_start);
    auto& a = network.add("a");
    auto& b = network.add("b");
    network.store(b, {op_of(world_start, 10, random)});
    auto const first = round_by(network, a);
    network.store(b, {op_of(world_start, 10, random), op_of(world_start, 10, random)});
    auto const second = round_by(network, a, false);
    CHECK(second.since == first.updated);
    CHECK(second.listed.size() == 2);
    // Without a restart they are in the queue, and are not asked for again.
    auto const third = round_by(network, a, false);
    CHECK(third.since == second.updated);
    network.restart(a);
    auto const fourth = round_by(network, a);
    CHECK(fourth.since == first.updated);
    CHECK(fourth.listed.size() == 2);
    CHECK(a.held().size() == 3);
}

TEST_CASE("a connection that breaks before the fetch makes the ops be listed again, and soon") {
    for (bool const refused : {false, true}) {
        random_source random(6);
        peer_network network(world_start);
        auto& a = network.add("a");
        auto& b = network.add("b");
        network.store(b, {op_of(world_start, 10, random)});
        auto const first = round_by(network, a);
        network.store(b, {op_of(world_start, 10, random), op_of(world_start, 10, random)});
        // Either the connection is lost while they are asked for, or the request cannot be sent at all.
        network.takes = [&](sent_frame const& frame) {
            return !refused || name_of(frame) != "fetch_request";
        };
        auto const second = round_by(network, a, false);
        network.takes = {};
        CHECK(second.since == first.updated);
        CHECK(second.listed.size() == 2);
        if (!refused) {
            a.peer->lost("b", network.clock.now());
        }
        CHECK(a.peer->next_tick_at() <= network.clock.now() + std::chrono::seconds(1));
        auto const third = round_by(network, a);
        CHECK(third.since == first.updated);
        CHECK(third.listed.size() == 2);
        CHECK(a.held().size() == 3);
        CHECK(round_by(network, a).since == third.updated);
    }
}

TEST_CASE("a fetch queue without room holds the bookmark back") {
    random_source random(3);
    peer_network network(world_start);
    auto& a = network.add("a", [](gossip::peer_options& options) { options.fetch.ids_max = 3; });
    auto& b = network.add("b");
    std::vector<op_bytes> ops;
    for (int i = 0; i < 8; ++i) {
        ops.push_back(op_of(world_start, 10, random));
    }
    network.store(b, ops);
    auto const first = round_by(network, a);
    auto const second = round_by(network, a);
    CHECK(first.listed.size() == 8);
    CHECK(second.listed.size() == 8);
    for (int i = 0; i < 4; ++i) {
        round_by(network, a);
    }
    CHECK(a.held().size() == 8);
    CHECK(round_by(network, a).listed.empty());
}

TEST_CASE("sectors that join ask anew, and only then") {
    random_source random(4);
    auto const half = [](gossip::peer_options& options) {
        options.target_arcs = {};
        for (arc::sector_index sector = 0; sector < 256; ++sector) {
            options.target_arcs.insert(sector);
        }
    };
    peer_network network(world_start);
    auto& a = network.add("a");
    auto& b = network.add("b", half);
    auto const first = round_by(network, a);
    CHECK(round_by(network, a).since == first.updated);
    // Ops of the sectors that b did not name yet, stored before the bookmark that it gave.
    std::vector<op_bytes> ops;
    while (ops.size() < 5) {
        auto op = op_of(network.clock.now(), 10, random);
        if (arc::sector_of(plain_format()->locate(plain_format()->decode(op, {})->id)) >= 256) {
            ops.push_back(std::move(op));
        }
    }
    network.store(b, ops);
    CHECK(round_by(network, a).listed.empty());
    b.options.target_arcs = arc::arc_set::full();
    network.restart(b);
    round_by(network, a);  // Shows the new arcs; the bookmark was not good for them.
    auto const asked = round_by(network, a);
    CHECK(asked.since <= network.clock.now() - std::chrono::minutes(29));
    CHECK(a.held().size() == 5);
    CHECK(round_by(network, a).since == asked.updated);
    // The same seen from the other side.
    CHECK(round_by(network, b).since_of_accept > network.clock.now() - std::chrono::minutes(29));
}

TEST_CASE("a bookmark from a store that was put back since is none from the future") {
    random_source random(5);
    peer_network network(world_start);
    auto& a = network.add("a");
    auto& b = network.add("b");
    network.store(b, {op_of(world_start, 10, random)});
    // b's clock was a year ahead; what it stored then was lost with a backup.
    network.clock.step(std::chrono::hours(24 * 365));
    network.store(b, {op_of(world_start, 10, random)});
    network.clock.set(world_start + std::chrono::minutes(1));
    auto const ahead = round_by(network, a);
    CHECK(ahead.updated > network.clock.now() + std::chrono::hours(24 * 364));
    CHECK(a.held().size() == 2);
    memory_op_store restored(b.store.options(), network.clock);
    std::vector<incoming_op> batch;
    batch.emplace_back(op_of(world_start, 10, random));
    run(restored.process_incoming_ops(std::move(batch))).value();
    b.peer = std::make_unique<gossip::peer>(restored, *b.meta, b, b.options);
    run(b.peer->start(network.clock.now()));
    auto const behind = round_by(network, a);
    CHECK(behind.since == ahead.updated);
    CHECK(behind.updated < network.clock.now());
    std::vector<incoming_op> more;
    more.emplace_back(op_of(network.clock.now(), 10, random));
    auto const made = run(restored.process_incoming_ops(std::move(more))).value().held.front();
    auto const listed = round_by(network, a).listed;
    CHECK(std::ranges::find(listed, made) != listed.end());
    CHECK(a.held().size() == 4);
}

}  // namespace
}  // namespace opstore::testing
