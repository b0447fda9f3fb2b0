// Goal: each fault of the network happens as often as asked for, and none where none was asked for. Method:
// send many frames on one clock and count.
#include <gossip/simulator/network.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace opstore::simulator {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t frame_bytes = 1'000;
constexpr int frames = 20'000;

plan quiet_plan() {
    plan p;
    p.seed = 11;
    p.peers = 4;
    p.latency = 20ms;
    p.jitter = 30ms;
    p.bandwidth = std::uint64_t{1} << 30;
    return p;
}

struct tally {
    std::vector<arc::timestamp> arrivals;  ///< First copies, in the order of sending.
    int lost = 0, doubled = 0, refused = 0, overtaken = 0;
};

tally send_many(network& net, peer_number from = 0, peer_number to = 1) {
    tally seen;
    auto now = arc::from_micros(1'000'000);
    for (int i = 0; i < frames; ++i, now += 1ms) {
        auto const sent = net.send(from, to, frame_bytes, now);
        seen.refused += sent.taken ? 0 : 1;
        seen.lost += sent.taken && sent.arrival_count == 0 ? 1 : 0;
        seen.doubled += sent.arrival_count == 2 ? 1 : 0;
        if (sent.arrival_count > 0) {
            CHECK(sent.arrivals[0] >= now + 10ms);
            seen.overtaken += !seen.arrivals.empty() && sent.arrivals[0] < seen.arrivals.back() ? 1 : 0;
            seen.arrivals.push_back(sent.arrivals[0]);
        }
    }
    return seen;
}

/// Within a fifth of what is expected of 20,000 frames.
bool about(int count, double expected) {
    return count > expected * 0.8 && count < expected * 1.2;
}

TEST_CASE("network: without faults every frame arrives once, in order, within the latency") {
    network net(quiet_plan());
    auto const seen = send_many(net);
    CHECK(seen.lost + seen.doubled + seen.refused + seen.overtaken == 0);
    CHECK(seen.arrivals.size() == frames);
    CHECK(seen.arrivals.back() - arc::from_micros(1'000'000) < frames * 1ms + 61ms);
}

TEST_CASE("network: loss, duplication and reordering happen as often as asked for, until it heals") {
    auto p = quiet_plan();
    p.loss = share{50'000};
    p.duplicate = share{30'000};
    p.reorder = share{100'000};
    network net(p);
    auto const seen = send_many(net);
    CHECK(about(seen.lost, frames * 0.05));
    CHECK(about(seen.doubled, frames * 0.03));
    CHECK(seen.overtaken > frames / 50);
    net.heal();
    auto const healed = send_many(net, 2, 3);
    CHECK(healed.lost + healed.doubled + healed.overtaken == 0);
}

TEST_CASE("network: an uplink takes its time, and its queue is bounded") {
    auto p = quiet_plan();
    p.jitter = 0us;
    p.latency = 0us;
    p.bandwidth = 100'000;
    p.queue_bytes = 10 * frame_bytes;
    network net(p);
    auto const now = arc::from_micros(0);
    // At once: one that is on its way at once, and those that fit behind it.
    for (int i = 1; i <= 10; ++i) {
        auto const sent = net.send(0, 1, frame_bytes, now);
        REQUIRE(sent.taken);
        CHECK(sent.arrivals[0] == now + i * 10ms);
    }
    CHECK_FALSE(net.send(0, 2, frame_bytes, now).taken);
    CHECK(net.send(1, 2, frame_bytes, now).taken);
    CHECK(net.send(0, 2, frame_bytes, now + 10ms).taken);
    // A frame that is larger than the queue goes out when nothing waits.
    CHECK_FALSE(net.send(0, 2, 100 * frame_bytes, now + 99ms).taken);
    CHECK(net.send(0, 2, 100 * frame_bytes, now + 110ms).taken);
}

TEST_CASE("network: a split separates its sides, and nobody else") {
    network net(quiet_plan());
    net.split({false, true, false, true});
    CHECK(net.connects(0, 2));
    CHECK_FALSE(net.connects(0, 1));
    auto const now = arc::from_micros(0);
    auto const across = net.send(0, 1, frame_bytes, now);
    CHECK(across.taken);
    CHECK(across.arrival_count == 0);
    CHECK(net.send(1, 3, frame_bytes, now).arrival_count == 1);
    net.join();
    CHECK(net.send(0, 1, frame_bytes, now).arrival_count == 1);
    net.split({false, true, false, true});
    net.heal();
    CHECK(net.connects(0, 1));
}

}  // namespace
}  // namespace opstore::simulator
