// Goal: two peers come to hold the same ops, whatever the difference and whoever begins. Method: both hold a
// common history; each gets ops of its own in the disc, in rings and in the time that no slice covers yet, in
// every mixture; rounds are counted.
#include <tests/gossip/support/peer_network.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace opstore::testing {
namespace {

constexpr auto start = arc::from_micros(1'700'000'000'000'000);

/// When ops of a kind were created, before `now`.
enum class age { disc, ring, uncovered };

arc::timestamp created(age of, arc::timestamp now, random_source& random) {
    auto const layout = arc::layout_at(now, arc::factor_default);
    auto const boundary = arc::to_micros(layout.disc_boundary());
    auto const covered = arc::to_micros(layout.rings.back().range().end);
    switch (of) {
        case age::disc:
            return arc::from_micros(random.between(0, boundary - 1));
        case age::ring:
            return arc::from_micros(random.between(boundary, covered - 1));
        case age::uncovered:
            return arc::from_micros(random.between(covered, arc::to_micros(now)));
    }
    return now;
}

std::vector<op_bytes> make_ops(std::size_t count, age of, arc::timestamp now, random_source& random) {
    std::vector<op_bytes> ops;
    for (std::size_t i = 0; i < count; ++i) {
        ops.push_back(encode_plain(created(of, now, random), random.bytes(1 + random.below(64))));
    }
    return ops;
}

TEST_CASE("every mixture of differences is made up for, whoever begins") {
    constexpr age ages[] = {age::disc, age::ring, age::uncovered};
    for (unsigned mixture = 0; mixture < 64; ++mixture) {
        CAPTURE(mixture);
        random_source random(mixture);
        peer_network network(start);
        auto& a = network.add("a");
        auto& b = network.add("b");
        auto const common = make_ops(50, age::disc, start, random);
        network.store(a, common);
        network.store(b, common);
        // Made before the last half hour, so that only the comparison of slices can find them, but for those
        // of the time that it does not cover.
        for (unsigned bit = 0; bit < 6; ++bit) {
            if (mixture >> bit & 1) {
                network.store(bit % 2 ? b : a, make_ops(7, ages[bit / 2], start, random));
            }
        }
        network.clock.step(std::chrono::minutes(mixture % 2 ? 45 : 1));
        auto const rounds = network.rounds_until_equal(8);
        CHECK(network.equal());
        CHECK(rounds <= 4);
        CHECK(a.peer->report().protocol_errors == 0);
        CHECK(b.peer->report().protocol_errors == 0);
        CHECK(a.peer->fetch_backlog() == 0);
    }
}

TEST_CASE("peers with different arcs share what they have in common, and nothing else") {
    random_source random(7);
    peer_network network(start);
    auto const arcs = [](std::uint32_t first, std::uint32_t last) {
        return [=](gossip::peer_options& options) {
            options.target_arcs = {};
            for (std::uint32_t sector = first; sector != last; sector = (sector + 1) % arc::sector_count) {
                options.target_arcs.insert(static_cast<arc::sector_index>(sector));
            }
        };
    };
    auto& a = network.add("a", arcs(400, 100));  // Across 0.
    auto& b = network.add("b", arcs(0, 300));
    for (auto* node : {&a, &b}) {
        for (auto const of : {age::disc, age::ring, age::uncovered}) {
            std::vector<op_bytes> ops;
            for (auto const& op : make_ops(400, of, start, random)) {
                auto const id = plain_format()->decode(op, {})->id;
                if (node->options.target_arcs.includes(arc::sector_of(plain_format()->locate(id)))) {
                    ops.push_back(op);
                }
            }
            network.store(*node, ops);
        }
    }
    auto const wanted = [&](peer_network::node const& of) {
        std::set<op_id> ids;
        for (auto const& node : network.nodes) {
            for (auto const& id : node->held()) {
                if (of.options.target_arcs.includes(arc::sector_of(plain_format()->locate(id)))) {
                    ids.insert(id);
                }
            }
        }
        return ids;
    };
    auto const wanted_by_a = wanted(a);
    auto const wanted_by_b = wanted(b);
    for (int i = 0; i < 6; ++i) {
        network.round(i % 2 ? a : b);
    }
    CHECK(a.held() == wanted_by_a);
    CHECK(b.held() == wanted_by_b);
    CHECK(a.peer->current_arcs() == a.options.target_arcs.intersection(b.options.target_arcs));
}

TEST_CASE("an op stored by another process is gossiped") {
    random_source random(11);
    peer_network network(start);
    auto& a = network.add("a");
    auto& b = network.add("b");
    network.round(a);
    auto const ops = make_ops(3, age::uncovered, start, random);
    network.store(a, ops);  // Straight into the store: the peer object is not told.
    network.round(b);
    CHECK(b.held().size() == 3);
    network.store(b, make_ops(2, age::uncovered, start, random));
    network.round(a);
    CHECK(a.held().size() == 5);
}

TEST_CASE("peers in sync exchange four messages and ask their stores once or twice a step") {
    random_source random(13);
    peer_network network(start);
    auto& a = network.add("a");
    auto& b = network.add("b");
    auto const common = make_ops(50, age::disc, start, random);
    network.store(a, common);
    network.store(b, common);
    network.round(a);
    network.round(a);
    auto const before = a.peer->report().store_calls;
    auto const before_b = b.peer->report().store_calls;
    std::size_t frames = 0;
    network.clock.set(a.peer->next_tick_at());
    run(a.peer->tick(network.clock.now()));
    network.deliver([&](sent_frame&) { return ++frames > 0; });
    CHECK(frames == 4);
    auto const calls = [](auto const& now, auto const& then) {
        std::uint64_t sum = 0;
        for (auto const& [what, count] : now) {
            sum += count - (then.contains(what) ? then.at(what) : 0);
        }
        return sum;
    };
    CHECK(calls(a.peer->report().store_calls, before) == 2);    // Initiate: tail. Accept: new ops.
    CHECK(calls(b.peer->report().store_calls, before_b) == 2);  // Initiate: tail, new ops. NoDiff: none.
}

}  // namespace
}  // namespace opstore::testing
