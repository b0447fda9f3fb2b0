#include <tests/gossip/wire/random_messages.hpp>

#include <array>
#include <limits>
#include <utility>

namespace opstore::testing {
namespace {

using namespace gossip;

template <class T>
T drawn(random_source& random);

template <class T>
std::vector<T> some(random_source& random, std::size_t count_max = 4) {
    std::vector<T> list;
    for (auto left = random.below(count_max + 1); left > 0; --left) {
        list.push_back(drawn<T>(random));
    }
    return list;
}

template <class T>
std::optional<T> maybe(random_source& random) {
    return random.one_in(2) ? std::optional(drawn<T>(random)) : std::nullopt;
}

/// Small, or anything, or one of the ends of the type.
template <>
std::int64_t drawn(random_source& random) {
    constexpr std::array ends = {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}, std::int64_t{0},
                                 std::numeric_limits<std::int64_t>::max()};
    switch (random.below(3)) {
        case 0:
            return ends[random.below(ends.size())];
        case 1:
            return random.between(0, 300);
        default:
            return static_cast<std::int64_t>(random.next());
    }
}

template <>
std::uint64_t drawn(random_source& random) {
    return static_cast<std::uint64_t>(drawn<std::int64_t>(random));
}

template <>
std::uint32_t drawn(random_source& random) {
    return static_cast<std::uint32_t>(drawn<std::int64_t>(random));
}

template <>
arc::timestamp drawn(random_source& random) {
    return arc::from_micros(drawn<std::int64_t>(random));
}

template <>
op_id drawn(random_source& random) {
    return op_id(random.bytes(static_cast<std::size_t>(random.between(1, op_id::length_max))));
}

template <>
agent_id drawn(random_source& random) {
    return random.bytes(static_cast<std::size_t>(random.between(1, agent_id_bytes_max)));
}

/// A text; some of its characters take more than one byte.
template <>
std::string drawn(random_source& random) {
    constexpr std::array<std::string_view, 6> characters = {"a", "{", "\"", "\u00e9", "\u20ac", "\U0001f600"};
    std::string text;
    for (auto left = random.below(20); left > 0; --left) {
        text += characters[random.below(characters.size())];
    }
    return text;
}

session_id draw_session(random_source& random) {
    session_id session;
    for (auto& byte : session) {
        byte = static_cast<std::byte>(random.below(256));
    }
    return session;
}

arc::sector_index draw_sector(random_source& random) {
    return static_cast<arc::sector_index>(random.one_in(4) ? arc::sector_count - 1
                                                           : random.below(arc::sector_count));
}

template <>
arc::arc_set drawn(random_source& random) {
    if (random.one_in(4)) {
        return arc::arc_set::full();
    }
    arc::arc_set arcs;
    for (auto left = random.below(20); left > 0; --left) {
        arcs.insert(draw_sector(random));
    }
    return arcs;
}

template <>
region_cursor drawn(random_source& random) {
    auto start = drawn<arc::timestamp>(random);
    auto end = drawn<arc::timestamp>(random);
    if (end < start) {
        std::swap(start, end);
    }
    region_cursor cursor{{draw_sector(random), {start, end}}, std::nullopt};
    if (random.one_in(2)) {
        cursor.after = op_position{drawn<arc::timestamp>(random), drawn<op_id>(random)};
    }
    return cursor;
}

template <>
accept_response drawn(random_source& random) {
    accept_response response;
    response.missing_agents = some<agent_id>(random);
    response.provided_agents = some<std::string>(random);
    response.new_ops = some<op_id>(random);
    response.updated_new_since = drawn<arc::timestamp>(random);
    response.oversized_new_ops = some<op_id>(random);
    return response;
}

/// Hashes of one length, as all hashes of a snapshot.
class hash_source {
public:
    explicit hash_source(random_source& random)
        : random_(random), bytes_(static_cast<std::size_t>(random.between(1, op_id::length_max))) {}

    combined_hash draw() { return combined_hash(random_.bytes(bytes_)); }
    combined_hash draw_or_empty() { return random_.one_in(3) ? combined_hash() : draw(); }

private:
    random_source& random_;
    std::size_t bytes_;
};

template <>
minimal_snapshot drawn(random_source& random) {
    hash_source hashes(random);
    minimal_snapshot snapshot;
    snapshot.disc_boundary = drawn<arc::timestamp>(random);
    snapshot.disc_top_hash = hashes.draw_or_empty();
    for (auto left = random.below(rings_max + 1); left > 0; --left) {
        snapshot.ring_top_hashes.push_back(hashes.draw_or_empty());
    }
    return snapshot;
}

sector_hashes draw_sectors(random_source& random, hash_source& hashes) {
    sector_hashes sectors;
    for (auto left = random.below(5); left > 0; --left) {
        sectors[draw_sector(random)] = hashes.draw();
    }
    return sectors;
}

template <>
disc_sectors_snapshot drawn(random_source& random) {
    hash_source hashes(random);
    disc_sectors_snapshot snapshot;
    snapshot.disc_boundary = drawn<arc::timestamp>(random);
    snapshot.sectors = draw_sectors(random, hashes);
    return snapshot;
}

template <>
disc_details_snapshot drawn(random_source& random) {
    hash_source hashes(random);
    disc_details_snapshot snapshot;
    snapshot.disc_boundary = drawn<arc::timestamp>(random);
    for (auto left = random.below(4); left > 0; --left) {
        auto& slices = snapshot.sectors[draw_sector(random)];
        for (auto hashed = random.below(4); hashed > 0; --hashed) {
            slices[drawn<std::uint64_t>(random) >> 1] = hashes.draw();
        }
    }
    return snapshot;
}

template <>
ring_details_snapshot drawn(random_source& random) {
    hash_source hashes(random);
    ring_details_snapshot snapshot;
    snapshot.disc_boundary = drawn<arc::timestamp>(random);
    for (auto left = random.below(4); left > 0; --left) {
        snapshot.rings[static_cast<std::uint32_t>(random.below(rings_max))] = draw_sectors(random, hashes);
    }
    return snapshot;
}

void fill(random_source& random, initiate_message& m) {
    m.participating_agents = some<agent_id>(random);
    m.arcs = maybe<arc::arc_set>(random);
    m.tie_breaker = drawn<std::uint32_t>(random);
    m.new_since = drawn<arc::timestamp>(random);
    m.max_op_data_bytes = drawn<std::uint32_t>(random);
    m.dht_op_count = maybe<std::uint64_t>(random);
    m.extensions = random.one_in(2) ? extensions_version : 0;
}

void fill(random_source& random, accept_message& m) {
    m.participating_agents = some<agent_id>(random);
    m.arcs = maybe<arc::arc_set>(random);
    m.missing_agents = some<agent_id>(random);
    m.new_since = drawn<arc::timestamp>(random);
    m.max_op_data_bytes = drawn<std::uint32_t>(random);
    m.new_ops = some<op_id>(random);
    m.updated_new_since = drawn<arc::timestamp>(random);
    m.dht_op_count = maybe<std::uint64_t>(random);
    m.snapshot = maybe<minimal_snapshot>(random);
    m.extensions = drawn<std::uint32_t>(random);
    m.oversized_new_ops = some<op_id>(random);
    m.layout_time = maybe<arc::timestamp>(random);
}

void fill(random_source& random, no_diff_message& m) {
    m.response = maybe<accept_response>(random);
    m.cannot_compare = random.one_in(2);
}

void fill(random_source& random, disc_sectors_diff_message& m) {
    m.response = maybe<accept_response>(random);
    m.snapshot = drawn<disc_sectors_snapshot>(random);
}

void fill(random_source& random, disc_details_diff_message& m) {
    m.provided_agents = some<std::string>(random);
    m.snapshot = drawn<disc_details_snapshot>(random);
    m.resume = some<region_cursor>(random);
}

void fill(random_source& random, disc_details_response_message& m) {
    m.missing_ids = some<op_id>(random);
    m.snapshot = drawn<disc_details_snapshot>(random);
    m.cut = some<region_cursor>(random);
    m.resume = some<region_cursor>(random);
}

void fill(random_source& random, ring_details_diff_message& m) {
    m.response = maybe<accept_response>(random);
    m.snapshot = drawn<ring_details_snapshot>(random);
    m.resume = some<region_cursor>(random);
    m.disc_differs = random.one_in(2);
}

void fill(random_source& random, ring_details_response_message& m) {
    m.missing_ids = some<op_id>(random);
    m.snapshot = drawn<ring_details_snapshot>(random);
    m.cut = some<region_cursor>(random);
    m.resume = some<region_cursor>(random);
}

void fill(random_source& random, hashes_message& m) {
    m.missing_ids = some<op_id>(random, 100);
    m.cut = some<region_cursor>(random, region_cursors_max);
}

void fill(random_source& random, agents_message& m) {
    m.provided_agents = some<std::string>(random);
}

void fill(random_source&, busy_message&) {}

void fill(random_source& random, terminate_message& m) {
    m.reason = drawn<std::string>(random);
}

void fill(random_source& random, fetch_request_message& m) {
    m.ids = some<op_id>(random, 100);
}

void fill(random_source& random, fetch_response_message& m) {
    for (auto left = random.below(4); left > 0; --left) {
        auto& op = m.ops.emplace_back();
        op.id = drawn<op_id>(random);
        op.data = random.bytes(random.below(300));
    }
    m.absent = some<op_id>(random);
}

void fill(random_source& random, publish_ops_message& m) {
    for (auto left = random.below(4); left > 0; --left) {
        auto& op = m.ops.emplace_back();
        op.id = drawn<op_id>(random);
        if (random.one_in(2)) {
            op.metadata = random.bytes(random.below(4));
        }
    }
}

void fill(random_source& random, publish_agent_message& m) {
    m.agent_info = drawn<std::string>(random);
}

template <class Module, std::size_t I = 0>
Module alternative(std::size_t index) {
    if constexpr (I + 1 < std::variant_size_v<Module>) {
        if (index != I) {
            return alternative<Module, I + 1>(index);
        }
    }
    return Module(std::in_place_index<I>);
}

message empty_message(std::size_t kind) {
    constexpr std::size_t gossip_kinds = std::variant_size_v<gossip_message>;
    constexpr std::size_t fetch_kinds = std::variant_size_v<fetch_message>;
    if (kind < gossip_kinds) {
        return alternative<gossip_message>(kind);
    }
    if (kind < gossip_kinds + fetch_kinds) {
        return alternative<fetch_message>(kind - gossip_kinds);
    }
    return alternative<publish_message>(kind - gossip_kinds - fetch_kinds);
}

}  // namespace

message random_message(random_source& random, std::size_t kind) {
    message m = empty_message(kind);
    std::visit(
        [&](auto& module) {
            std::visit(
                [&](auto& value) {
                    if constexpr (requires { value.session; }) {
                        value.session = draw_session(random);
                    }
                    fill(random, value);
                },
                module);
        },
        m);
    return m;
}

message without_extensions(message m) {
    auto const strip = [](auto& value) {
        if constexpr (requires { value.extensions; }) {
            value.extensions = 0;
        }
        if constexpr (requires { value.oversized_new_ops; }) {
            value.oversized_new_ops.clear();
        }
        if constexpr (requires { value.layout_time; }) {
            value.layout_time.reset();
        }
        if constexpr (requires { value.resume; }) {
            value.resume.clear();
        }
        if constexpr (requires { value.disc_differs; }) {
            value.disc_differs = false;
        }
        if constexpr (requires { value.cut; }) {
            value.cut.clear();
        }
        if constexpr (requires { value.absent; }) {
            value.absent.clear();
        }
        if constexpr (requires { value.response->oversized_new_ops; }) {
            if (value.response) {
                value.response->oversized_new_ops.clear();
            }
        }
    };
    std::visit([&](auto& module) { std::visit(strip, module); }, m);
    return m;
}

}  // namespace opstore::testing
