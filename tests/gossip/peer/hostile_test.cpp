// Goal: whatever a peer is sent, it does not crash, store what nobody made, or get stuck: afterwards it syncs
// with a good peer as if nothing had been. Method: between the frames of real rounds, frames are put in that
// were taken from earlier rounds, cut, altered, or made at random out of extreme values, in the name of the
// other peer, of the peer itself and of a stranger, mostly with the session of the round that is under way.
#include <tests/gossip/peer/peer_world.hpp>
#include <tests/gossip/peer/random_messages.hpp>

#include <doctest/doctest.h>

namespace opstore::testing {
namespace {

/// Rounds as often as the test wants them: what is under test is the round.
void be_patient(gossip::peer_options& options) {
    options.limits.burst_factor = 1'000'000;
}

/// Makes frames that do not belong where they come.
class attacker {
public:
    explicit attacker(random_source& random) : random_(random) {}

    /// A real frame: material.
    void hears(sent_frame const& frame) {
        if (heard_.size() < 200) {
            heard_.push_back(frame.bytes);
        }
        auto const m = decoded(frame);
        if (auto const* round = std::get_if<gossip::gossip_message>(&m)) {
            std::visit([&](auto const& any) { session_ = any.session; }, *round);
        }
    }
    void knows(std::vector<op_id> ids) { ids_ = std::move(ids); }

    std::vector<std::byte> frame() {
        switch (random_.below(heard_.empty() ? 2 : 6)) {
            case 0:
                return encoded(random_other(ids_, random_));
            case 2:
                return heard();
            case 3:
                return damaged();
            case 4:
                return in_this_session();
            default:
                return encoded(random_gossip(session_, ids_, random_));
        }
    }

private:
    std::vector<std::byte> const& heard() { return heard_[random_.below(heard_.size())]; }

    std::vector<std::byte> damaged() {
        auto bytes = heard();
        if (random_.one_in(2)) {
            bytes.resize(random_.below(bytes.size() + 1));
        }
        for (auto left = random_.below(4); left > 0 && !bytes.empty(); --left) {
            bytes[random_.below(bytes.size())] ^= static_cast<std::byte>(1 + random_.below(255));
        }
        if (random_.one_in(4)) {
            auto const more = random_.bytes(random_.below(16));
            bytes.insert(bytes.end(), more.begin(), more.end());
        }
        return bytes;
    }
    std::vector<std::byte> in_this_session() {
        auto m = gossip::decode_frame(world_space(), heard()).value();
        if (auto* round = std::get_if<gossip::gossip_message>(&m)) {
            std::visit([&](auto& any) { any.session = session_; }, *round);
        }
        return encoded(m);
    }

    random_source& random_;
    std::vector<std::vector<std::byte>> heard_;
    std::vector<op_id> ids_;
    gossip::session_id session_{};
};

TEST_CASE("frames that do not belong where they come neither crash, nor block, nor invent") {
    std::uint64_t errors = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        random_source random(seed);
        peer_network network(world_start);
        auto& a = network.add("a", be_patient);
        auto& b = network.add("b", be_patient);
        attacker mallory(random);
        std::vector<op_bytes> all;
        auto const make = [&](peer_network::node& at) {
            auto const ops = ops_of_all_ages(6, network.clock.now(), random);
            network.store(at, ops);
            all.insert(all.end(), ops.begin(), ops.end());
        };
        auto const inject = [&](std::uint64_t count) {
            for (; count > 0; --count) {
                auto& to = random.one_in(2) ? a : b;
                gossip::peer_url const urls[] = {"a", "b", "mallory"};
                network.receive(to, urls[random.below(3)], mallory.frame());
            }
        };
        for (int round = 0; round < 6; ++round) {
            make(random.one_in(2) ? a : b);
            auto const known = ids_of(all);
            mallory.knows({known.begin(), known.end()});
            auto& by = random.one_in(2) ? a : b;
            network.clock.set(std::max(network.clock.now() + std::chrono::minutes(random.below(3) * 7),
                                       by.peer->next_tick_at()));
            CHECK(tick(by, network.clock.now()));
            network.deliver([&](sent_frame& frame) {
                if (frame.to != "a" && frame.to != "b") {
                    return false;
                }
                mallory.hears(frame);
                inject(random.below(3));
                return !random.one_in(16);
            });
            inject(random.below(3));
            network.under_way.clear();
        }
        errors += a.peer->report().protocol_errors + b.peer->report().protocol_errors;
        calm_down(network);
        for (int round = 0; round < 8 && !network.equal(); ++round) {
            // An id that nobody but mallory was known to have waits up to a minute before it is asked for
            // again.
            network.clock.step(std::chrono::minutes(1));
            network.round(*network.nodes[static_cast<std::size_t>(round) % 2]);
        }
        CHECK(network.equal());
        CHECK(a.held() == ids_of(all));
        CHECK(a.peer->report().store_errors + b.peer->report().store_errors == 0);
    }
    CHECK(errors > 500);
}

TEST_CASE("a stranger's rounds of extreme values are taken to any of their ends") {
    random_source random(4711);
    peer_network network(world_start);
    auto& a = network.add("a", be_patient);
    auto const ops = ops_of_all_ages(200, world_start, random);
    network.store(a, ops);
    auto const known = ids_of(ops);
    std::vector<op_id> const ids(known.begin(), known.end());
    std::set<std::string_view> answers;
    for (int i = 0; i < 4000; ++i) {
        gossip::session_id session{};
        session[0] = static_cast<std::byte>(i & 0xff);
        session[1] = static_cast<std::byte>(i >> 8);
        // A whole round of the stranger: an Initiate that is taken, then anything.
        gossip::gossip_message m = gossip::initiate_message();
        while (!std::holds_alternative<gossip::initiate_message>(m) ||
               !std::get<gossip::initiate_message>(m).arcs) {
            m = random_gossip(session, ids, random);
        }
        network.receive(a, "mallory", encoded(m));
        for (auto left = random.below(4); left > 0; --left) {
            network.receive(a, "mallory", encoded(random_gossip(session, ids, random)));
        }
        for (auto const& frame : network.under_way) {
            answers.insert(name_of(frame));
        }
        network.under_way.clear();
        network.clock.step(std::chrono::milliseconds(random.below(4000)));
        CHECK(tick(a, network.clock.now()));
    }
    CHECK(a.held() == known);
    CHECK(a.peer->report().store_errors == 0);
    for (auto const* expected : {"accept", "disc_details_diff", "ring_details_response", "terminate"}) {
        CAPTURE(expected);
        CHECK(answers.contains(expected));
    }
}

}  // namespace
}  // namespace opstore::testing
