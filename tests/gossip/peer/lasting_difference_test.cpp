// Goal: what cannot be made up for in one place does not keep the rest from being made up for (kitsune2's
// weakness W2), and a region or an op larger than the budget of a round gets through all the same (W3).
#include <gossip/wire/codec.hpp>
#include <tests/gossip/support/peer_network.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace opstore::testing {
namespace {

constexpr auto start = arc::from_micros(1'700'000'000'000'000);
constexpr auto long_ago = arc::from_micros(1'600'000'000'000'000);

op_bytes op_of(arc::timestamp created_at, std::size_t payload_bytes, random_source& random) {
    return encode_plain(created_at, random.bytes(payload_bytes));
}

/// Lets peers answer but for ops: what they lack stays lacking.
bool serves_no_op(sent_frame& frame) {
    auto const decoded = gossip::decode_frame(
        std::vector<std::byte>{std::byte{'t'}, std::byte{'e'}, std::byte{'s'}, std::byte{'t'}}, frame.bytes);
    return gossip::name_of(*decoded) != "fetch_response";
}

TEST_CASE("a disc that stays different does not keep the rings from being compared") {
    random_source random(1);
    peer_network network(start);
    auto& a = network.add("a");
    auto& b = network.add("b");
    network.store(a, {op_of(long_ago, 20, random)});
    network.clock.step(std::chrono::minutes(40));
    // The op of the disc never arrives, as if it were damaged at a: round after round the discs differ.
    for (int i = 0; i < 4; ++i) {
        network.clock.set(a.peer->next_tick_at());
        run(a.peer->tick(network.clock.now()));
        network.deliver(serves_no_op);
    }
    CHECK(b.held().empty());
    auto const in_rings = op_of(start - std::chrono::hours(2), 20, random);
    network.store(b, {in_rings});
    network.clock.step(std::chrono::minutes(40));  // Beyond what the new-ops phase looks at.
    for (auto* node : {&a, &b}) {
        node->peer.reset();
        node->meta = std::make_unique<memory_peer_meta>();
        network.restart(*node);
    }
    std::size_t rings = 0;
    for (int i = 0; i < 4 && a.held().size() < 2; ++i) {
        auto const before = a.peer->report().rounds_initiated;
        while (a.peer->report().rounds_initiated == before) {
            network.clock.set(std::max(network.clock.now(), a.peer->next_tick_at()));
            run(a.peer->tick(network.clock.now()));
        }
        network.deliver([&](sent_frame& frame) {
            auto const m = gossip::decode_frame(
                std::vector<std::byte>{std::byte{'t'}, std::byte{'e'}, std::byte{'s'}, std::byte{'t'}},
                frame.bytes);
            rings += gossip::name_of(*m) == "ring_details_diff";
            return gossip::name_of(*m) != "fetch_response" || frame.to == "a";
        });
    }
    CHECK(rings > 0);
    CHECK(a.held().size() == 2);
}

TEST_CASE("a slice larger than the budget of a round comes in pages") {
    for (auto const created_at : {long_ago, start - std::chrono::hours(30)}) {
        random_source random(2);
        peer_network network(start);
        auto const small = [](gossip::peer_options& options) {
            options.limits.op_bytes_max = 1000;
            options.limits.request_op_bytes_max = 1000;
        };
        auto& a = network.add("a", small);
        auto& b = network.add("b", small);
        // All in one sector and slice: 60 ops of 108 bytes, more than six budgets.
        std::vector<op_bytes> ops;
        while (ops.size() < 60) {
            auto op = op_of(created_at, 100, random);
            auto const id = plain_format()->decode(op, {})->id;
            if (arc::sector_of(plain_format()->locate(id)) < 8) {
                ops.push_back(std::move(op));
            }
        }
        network.store(a, ops);
        network.store(b, {op_of(created_at, 900, random)});
        network.clock.step(std::chrono::minutes(45));
        auto const rounds = network.rounds_until_equal(60);
        CHECK(network.equal());
        CHECK(rounds < 60);
    }
}

TEST_CASE("an op larger than the budget of a round gets through, new or old") {
    for (auto const age : {std::chrono::minutes(0), std::chrono::minutes(45)}) {
        random_source random(3);
        peer_network network(start);
        auto const small = [](gossip::peer_options& options) {
            options.limits.op_bytes_max = 500;
            options.limits.request_op_bytes_max = 500;
        };
        auto& a = network.add("a", small);
        auto& b = network.add("b", small);
        network.store(a, {op_of(start, 100, random), op_of(start, 5000, random), op_of(start, 5000, random),
                          op_of(start, 100, random)});
        network.clock.step(age);
        network.rounds_until_equal(12);
        CHECK(network.equal());
        CHECK(b.held().size() == 4);
    }
}

}  // namespace
}  // namespace opstore::testing
