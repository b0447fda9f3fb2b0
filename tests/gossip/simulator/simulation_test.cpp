// Goal: a simulation is the same each time, and the checker finds what is broken on purpose. Method: run
// plans twice and compare; break a store in each way.
#include <gossip/simulator/simulation.hpp>

#include <doctest/doctest.h>

namespace opstore::simulator {
namespace {

using namespace std::chrono_literals;

outcome run_plan(plan const& p) {
    memory_stores stores;
    simulation s(p, stores);
    return s.run();
}

plan small_plan(std::uint64_t seed) {
    plan p = draw_plan(seed);
    p.ops = 200;
    complete(p);
    return p;
}

TEST_CASE("simulation: the same plan gives the same outcome, another seed another one") {
    auto const once = run_plan(small_plan(1));
    auto const again = run_plan(small_plan(1));
    CHECK(once.good());
    CHECK(once.event_hash == again.event_hash);
    CHECK(once.state_hash == again.state_hash);
    CHECK(once.events == again.events);
    CHECK(once.bytes == again.bytes);
    CHECK(once.virtual_time == again.virtual_time);
    CHECK(run_plan(small_plan(2)).event_hash != once.event_hash);
}

TEST_CASE("simulation: what is checked as it is served is not nothing") {
    plan p = small_plan(3);
    p.start = beginning::split;
    p.history = share{share::whole};
    auto const result = run_plan(p);
    CHECK(result.good());
    CHECK(result.ops_served >= p.ops);
    CHECK(result.ops_surviving == p.ops);
    CHECK(result.ops_created == p.ops);
}

TEST_CASE("simulation: no peer to gossip with, no convergence") {
    plan p = small_plan(4);
    p.start = beginning::split;
    p.history = share{share::whole};
    p.arcs = arc_choice::full;
    p.known = topology::star;
    p.rounds_max = 3;
    p.loss = share{};
    // Frames take longer than the simulation lasts.
    p.latency = 24h;
    auto const result = run_plan(p);
    CHECK_FALSE(result.good());
    CHECK_FALSE(result.converged);
    CHECK(result.missing > 0);
    CHECK(result.lost > 0);
}

TEST_CASE("simulation: a store that forgets, alters or invents an op is found") {
    for (auto const how : {sabotage::forget, sabotage::alter, sabotage::invent}) {
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            plan p = small_plan(seed);
            p.broken = how;
            p.rounds_max = 5;
            auto const result = run_plan(p);
            CAPTURE(seed);
            CAPTURE(static_cast<int>(how));
            CHECK_FALSE(result.good());
            CHECK(result.violations > 0);
            CHECK_FALSE(result.details.empty());
            CHECK((how != sabotage::forget || result.lost > 0));
            CHECK((how != sabotage::invent || result.invented > 0));
        }
    }
}

TEST_CASE("simulation: every fault takes place") {
    plan p = draw_plan(5);
    p.peers = 10;
    p.ops = 300;
    p.loss = p.duplicate = p.reorder = share{100'000};
    p.partition = share{300'000};
    p.crash = share{share::whole};
    p.late = p.leave = share{200'000};
    p.skew = 30s;
    complete(p);
    auto const result = run_plan(p);
    CHECK(result.good());
    CHECK(result.messages_lost > 0);
    CHECK(result.crashes > 0);
    CHECK(result.joined_late == 2);
    CHECK(result.left == 2);
    CHECK(result.peers_present == 8);
}

}  // namespace
}  // namespace opstore::simulator
