#pragma once

#include <arc/time_slices.hpp>
#include <gossip/wire/codec.hpp>
#include <tests/gossip/support/peer_network.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// What the tests of whole peers have in common.
namespace opstore::testing {

/// 14 November 2023, in the middle of a slice.
inline constexpr auto world_start = arc::from_micros(1'700'000'000'000'000);
inline constexpr auto long_ago = arc::from_micros(1'600'000'000'000'000);

/// The space of a peer_network.
inline std::vector<std::byte> const& world_space() {
    static std::vector<std::byte> const name{std::byte{'t'}, std::byte{'e'}, std::byte{'s'}, std::byte{'t'}};
    return name;
}

inline gossip::message decoded(sent_frame const& frame) {
    return gossip::decode_frame(world_space(), frame.bytes).value();
}
inline std::string_view name_of(sent_frame const& frame) {
    return gossip::name_of(decoded(frame));
}
inline std::vector<std::byte> encoded(gossip::message const& m) {
    return gossip::encode_frame(world_space(), m);
}

inline op_bytes op_of(arc::timestamp created_at, std::size_t payload_bytes, random_source& random) {
    return encode_plain(created_at, random.bytes(payload_bytes));
}

/// Ops of all ages up to `now`, those of the present included.
inline std::vector<op_bytes> ops_of_all_ages(std::size_t count, arc::timestamp now, random_source& random) {
    auto const micros = arc::to_micros(now);
    std::vector<op_bytes> ops;
    for (std::size_t i = 0; i < count; ++i) {
        std::int64_t const ages[] = {micros, std::int64_t{600'000'000'000}, std::int64_t{7'200'000'000},
                                     std::int64_t{60'000'000}};
        auto const age = random.between(0, ages[random.below(4)]);
        ops.push_back(op_of(arc::from_micros(micros - age), 1 + random.below(64), random));
    }
    return ops;
}

inline std::set<op_id> ids_of(std::vector<op_bytes> const& ops) {
    std::set<op_id> ids;
    for (auto const& op : ops) {
        ids.insert(plain_format()->decode(op, {})->id);
    }
    return ids;
}

inline peer_network::node& node_at(peer_network& network, gossip::peer_url const& url) {
    return **std::ranges::find_if(network.nodes, [&](auto const& n) { return n->options.url == url; });
}

/// One call of tick() at `now`; whether it left nothing to do at once.
inline bool tick(peer_network::node& at, arc::timestamp now) {
    run(at.peer->tick(now));
    return at.peer->next_tick_at() > now;
}

/// What was under way is gone, and enough time passes for every round and request to be given up.
inline void calm_down(peer_network& network) {
    network.under_way.clear();
    for (int i = 0; i < 2; ++i) {
        network.clock.step(std::chrono::minutes(2));
        for (auto const& node : network.nodes) {
            run(node->peer->tick(network.clock.now()));
        }
        network.under_way.clear();
    }
}

}  // namespace opstore::testing
