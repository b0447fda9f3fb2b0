// Goal: peers of another make and with other clocks sync with ours. Method: a filter takes every extension of
// the protocol out of the frames on their way, so that each side sees a plain kitsune2 peer; and peers are
// told other times than the network's. The moments lie on and around the borders at which layouts change
// (kitsune2's weaknesses W9 and W15).
#include <tests/gossip/peer/peer_world.hpp>

#include <doctest/doctest.h>

namespace opstore::testing {
namespace {

using namespace std::chrono_literals;

/// A frame as a kitsune2 peer sends and understands it.
void make_plain(sent_frame& frame) {
    auto m = decoded(frame);
    auto const strip = [](auto& any) {
        if constexpr (requires { any.extensions; }) {
            any.extensions = 0;
        }
        if constexpr (requires { any.layout_time; }) {
            any.layout_time.reset();
        }
        if constexpr (requires { any.oversized_new_ops; }) {
            any.oversized_new_ops.clear();
        }
        if constexpr (requires { any.response; }) {
            if (any.response) {
                any.response->oversized_new_ops.clear();
            }
        }
        if constexpr (requires { any.cut; }) {
            any.cut.clear();
        }
        if constexpr (requires { any.resume; }) {
            any.resume.clear();
        }
        if constexpr (requires { any.disc_differs; }) {
            any.disc_differs = false;
        }
        if constexpr (requires { any.disc_differs; }) {
            any.disc_differs = false;
        }
        if constexpr (requires { any.absent; }) {
            any.absent.clear();
        }
    };
    std::visit([&](auto& module) { std::visit(strip, module); }, m);
    frame.bytes = encoded(m);
}

/// Two peers, the second with a clock of its own, and ops that both made before.
struct two_clocks {
    peer_network network;
    std::chrono::microseconds ahead;  ///< b's clock.
    bool plain = false;
    peer_network::node* a = nullptr;
    peer_network::node* b = nullptr;
    std::set<op_id> all;
    std::size_t compared = 0;  ///< Rounds that got beyond NoDiff or were found equal.

    two_clocks(arc::timestamp at, std::chrono::microseconds skew, random_source& random)
        : network(at), ahead(skew) {
        a = &network.add("a");
        b = &network.add("b");
        for (auto* node : {a, b}) {
            auto const ops = ops_of_all_ages(12, at - 2h, random);
            network.store(*node, ops);
            all.merge(ids_of(ops));
        }
    }
    arc::timestamp now_of(peer_network::node const& node) {
        return network.clock.now() + (&node == b ? ahead : 0us);
    }
    void round(peer_network::node& by) {
        network.introduce();
        run(by.peer->tick(now_of(by)));
        network.deliver([&](sent_frame& frame) {
            if (plain) {
                make_plain(frame);
            }
            auto const m = decoded(frame);
            if (auto const* gossip = std::get_if<gossip::gossip_message>(&m)) {
                auto const* end = std::get_if<gossip::no_diff_message>(gossip);
                compared += end && !end->cannot_compare;
                compared += gossip::name_of(m).find("diff") != std::string_view::npos && !end;
            }
            auto& to = node_at(network, frame.to);
            run(to.peer->receive(frame.from, frame.bytes, now_of(to)));
            return false;
        });
    }
    std::size_t rounds_until_equal(std::size_t rounds_max) {
        std::size_t rounds = 0;
        for (; rounds < rounds_max && !network.equal(); ++rounds) {
            network.clock.step(1min + 1s);
            round(rounds % 2 ? *b : *a);
        }
        return rounds;
    }
};

/// A border of units, of which every 512th is one at which a slice becomes full.
arc::timestamp border(std::int64_t units_before_promotion) {
    auto const promotion = (3690 * 512 - 1) * arc::unit;
    return arc::timestamp(promotion - units_before_promotion * arc::unit);
}

TEST_CASE("peers without extensions sync with ours, in both directions") {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        CAPTURE(seed);
        random_source random(seed);
        two_clocks pair(world_start + seed * 7min, 0us, random);
        pair.plain = true;
        CHECK(pair.rounds_until_equal(8) <= 6);
        CHECK(pair.a->held() == pair.all);
        CHECK(pair.a->peer->report().protocol_errors == 0);
        CHECK(pair.b->peer->report().protocol_errors == 0);
        for (int i = 0; i < 4; ++i) {
            pair.network.clock.step(2min);
            pair.round(i % 2 ? *pair.a : *pair.b);
        }
        CHECK(pair.a->peer->current_arcs() == arc::arc_set::full());
        CHECK(pair.b->peer->current_arcs() == arc::arc_set::full());
    }
}

TEST_CASE("clocks up to half an hour apart, on any border, agree on one layout") {
    for (auto const skew : {-30min, -15min, -1min, 1min, 15min, 30min}) {
        for (std::int64_t const units : {0, 1, 2, 3, 4, 100, 508}) {
            for (auto const offset : {-1us, 0us, 1us}) {
                CAPTURE(skew.count());
                CAPTURE(units);
                CAPTURE(offset.count());
                random_source random(static_cast<std::uint64_t>(units));
                two_clocks pair(border(units) + offset, skew, random);
                CHECK(pair.rounds_until_equal(8) <= 6);
                CHECK(pair.compared > 0);
                CHECK(pair.a->held() == pair.all);
                CHECK(pair.a->peer->report().protocol_errors == 0);
            }
        }
    }
}

TEST_CASE("clocks apart without extensions: harmless, and in sync when they agree again") {
    for (std::int64_t const units : {0, 1, 3}) {
        CAPTURE(units);
        random_source random(static_cast<std::uint64_t>(units));
        two_clocks pair(border(units), 20min, random);
        pair.plain = true;
        for (int i = 0; i < 6; ++i) {
            pair.network.clock.step(2min);
            pair.round(i % 2 ? *pair.b : *pair.a);
        }
        pair.ahead = 0us;
        pair.network.clock.step(30min);
        CHECK(pair.rounds_until_equal(8) <= 6);
        CHECK(pair.a->held() == pair.all);
    }
}

TEST_CASE("a border in the middle of a round, each message later than the one before") {
    for (std::int64_t const units : {0, 1, 2, 4}) {
        for (bool const plain : {false, true}) {
            CAPTURE(units);
            CAPTURE(plain);
            random_source random(9);
            two_clocks pair(border(units) - 5min, 0us, random);
            for (int i = 0; i < 5; ++i) {
                pair.network.clock.set(std::max(border(units) - 2s, pair.network.clock.now() + 2min));
                run(pair.a->peer->tick(pair.network.clock.now()));
                pair.network.deliver([&](sent_frame& frame) {
                    pair.network.clock.step(1s);
                    if (plain) {
                        make_plain(frame);
                    }
                    return true;
                });
            }
            CHECK(pair.network.equal());
            CHECK(pair.a->peer->report().protocol_errors == 0);
        }
    }
}

TEST_CASE("a clock that was far ahead and is set back stops nothing") {
    random_source random(3);
    two_clocks pair(world_start, 0us, random);
    pair.rounds_until_equal(6);
    pair.ahead = 24h * 365;
    pair.round(*pair.b);
    pair.round(*pair.a);
    pair.ahead = 0us;
    pair.network.store(*pair.a, {op_of(world_start, 10, random)});
    pair.network.store(*pair.b, {op_of(world_start, 10, random)});
    for (int i = 0; i < 6; ++i) {
        pair.network.clock.step(2min);
        pair.round(*pair.b);
    }
    CHECK(pair.network.equal());
    // It begins rounds of its own again.
    auto const before = pair.b->peer->report().rounds_initiated;
    pair.network.clock.step(2min);
    pair.round(*pair.b);
    CHECK(pair.b->peer->report().rounds_initiated == before + 1);
}

}  // namespace
}  // namespace opstore::testing
