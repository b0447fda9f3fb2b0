#include <tests/gossip/peer/random_messages.hpp>

#include <array>
#include <limits>
#include <utility>

namespace opstore::testing {
namespace {

using namespace gossip;

/// Draws the parts of messages.
class parts {
public:
    parts(std::vector<op_id> const& ids, random_source& random) : ids_(ids), random_(random) {}

    std::size_t few() { return random_.below(4); }

    arc::timestamp time() {
        constexpr auto least = std::numeric_limits<std::int64_t>::min();
        constexpr auto most = std::numeric_limits<std::int64_t>::max();
        constexpr std::array<std::int64_t, 10> edges{least,
                                                     least + 1,
                                                     -1,
                                                     0,
                                                     1'699'430'400'000'000,
                                                     1'700'000'000'000'000,
                                                     1'700'003'600'000'000,
                                                     most - 1,
                                                     most,
                                                     1'699'999'200'000'000};
        return arc::from_micros(random_.one_in(4) ? random_.between(least, most)
                                                  : edges[random_.below(edges.size())]);
    }
    op_id id() {
        if (!ids_.empty() && !random_.one_in(3)) {
            return ids_[random_.below(ids_.size())];
        }
        auto const length = random_.one_in(3) ? 1 + random_.below(op_id::length_max) : 32;
        return op_id(random_.bytes(length));
    }
    std::vector<op_id> ids() {
        return list([&] { return id(); });
    }
    std::vector<agent_id> agents() {
        return list([&] { return random_.bytes(1 + random_.below(agent_id_bytes_max)); });
    }
    std::vector<std::string> infos() {
        return list([&] { return std::string(random_.one_in(2) ? "{}" : "no info"); });
    }
    arc::sector_index sector() {
        return static_cast<arc::sector_index>(random_.below(random_.one_in(2) ? 3 : arc::sector_count));
    }
    combined_hash hash() { return combined_hash(random_.bytes(32)); }
    combined_hash any_hash() { return random_.one_in(3) ? combined_hash() : hash(); }
    std::optional<arc::arc_set> arcs() {
        if (random_.one_in(8)) {
            return std::nullopt;
        }
        if (random_.one_in(2)) {
            return arc::arc_set::full();
        }
        arc::arc_set set;
        for (auto left = few(); left > 0; --left) {
            set.insert(sector());
        }
        return set;
    }
    std::uint32_t bytes() {
        constexpr std::array<std::uint32_t, 4> edges{0, 1, 1000, std::numeric_limits<std::uint32_t>::max()};
        return edges[random_.below(edges.size())];
    }
    std::uint32_t extensions() {
        constexpr std::array<std::uint32_t, 4> edges{0, 1, 2, std::numeric_limits<std::uint32_t>::max()};
        return edges[random_.below(edges.size())];
    }
    std::optional<std::uint64_t> count() {
        return random_.one_in(2) ? std::optional(random_.next()) : std::nullopt;
    }
    std::vector<region_cursor> cursors() {
        return list([&] {
            region_cursor cursor;
            cursor.region.sector = sector();
            cursor.region.range = {time(), time()};
            if (cursor.region.range.end < cursor.region.range.start) {
                std::swap(cursor.region.range.start, cursor.region.range.end);
            }
            if (random_.one_in(2)) {
                cursor.after = op_position{time(), id()};
            }
            return cursor;
        });
    }
    std::optional<accept_response> response() {
        if (random_.one_in(8)) {
            return std::nullopt;
        }
        accept_response made;
        made.missing_agents = agents();
        made.provided_agents = infos();
        made.new_ops = ids();
        made.updated_new_since = time();
        made.oversized_new_ops = ids();
        return made;
    }
    sector_hashes sectors() {
        sector_hashes made;
        for (auto left = few(); left > 0; --left) {
            made[sector()] = hash();
        }
        return made;
    }
    disc_details_snapshot disc_details() {
        constexpr std::array<std::uint64_t, 6> edges{0, 1, 3687, 3688, 3689, slice_index_end - 1};
        disc_details_snapshot made;
        made.disc_boundary = boundary();
        for (auto left = few(); left > 0; --left) {
            auto& slices = made.sectors[sector()];
            for (auto slices_left = few(); slices_left > 0; --slices_left) {
                slices[edges[random_.below(edges.size())]] = hash();
            }
        }
        return made;
    }
    ring_details_snapshot ring_details() {
        ring_details_snapshot made;
        made.disc_boundary = boundary();
        for (auto left = few(); left > 0; --left) {
            made.rings[static_cast<std::uint32_t>(random_.below(random_.one_in(4) ? rings_max : 14))] =
                sectors();
        }
        return made;
    }
    arc::timestamp boundary() { return random_.one_in(4) ? time() : arc::from_micros(1'699'430'400'000'000); }
    minimal_snapshot minimal() {
        minimal_snapshot made;
        made.disc_boundary = boundary();
        made.disc_top_hash = any_hash();
        for (auto left = random_.one_in(2) ? 14 : random_.below(rings_max + 1); left > 0; --left) {
            made.ring_top_hashes.push_back(any_hash());
        }
        return made;
    }

private:
    template <class Make>
    auto list(Make make) -> std::vector<decltype(make())> {
        std::vector<decltype(make())> made;
        for (auto left = few(); left > 0; --left) {
            made.push_back(make());
        }
        return made;
    }

    std::vector<op_id> const& ids_;
    random_source& random_;
};

gossip_message random_start(parts& of, random_source& random) {
    initiate_message m;
    m.participating_agents = of.agents();
    m.arcs = of.arcs();
    m.tie_breaker = random.one_in(2) ? random.u32() : 0;
    m.new_since = of.time();
    m.max_op_data_bytes = of.bytes();
    m.dht_op_count = of.count();
    m.extensions = of.extensions();
    return m;
}

gossip_message random_accept(parts& of, random_source& random) {
    accept_message m;
    m.participating_agents = of.agents();
    m.arcs = of.arcs();
    if (random.one_in(4)) {
        m.missing_agents = of.agents();
    }
    m.new_since = of.time();
    m.max_op_data_bytes = of.bytes();
    m.new_ops = of.ids();
    m.updated_new_since = of.time();
    m.dht_op_count = of.count();
    if (!random.one_in(4)) {
        m.snapshot = of.minimal();
    }
    m.extensions = of.extensions();
    m.oversized_new_ops = of.ids();
    if (random.one_in(2)) {
        m.layout_time = of.time();
    }
    return m;
}

template <class Message>
gossip_message with(Message m) {
    return m;
}

gossip_message random_details(std::uint64_t kind, parts& of, random_source& random) {
    if (kind == 0) {
        disc_sectors_diff_message m;
        m.response = of.response();
        m.snapshot.disc_boundary = of.boundary();
        m.snapshot.sectors = of.sectors();
        return m;
    }
    if (kind == 1) {
        disc_details_diff_message m;
        m.provided_agents = of.infos();
        m.snapshot = of.disc_details();
        m.resume = of.cursors();
        return m;
    }
    if (kind == 2) {
        disc_details_response_message m;
        m.missing_ids = of.ids();
        m.snapshot = of.disc_details();
        m.cut = of.cursors();
        m.resume = of.cursors();
        return m;
    }
    if (kind == 3) {
        ring_details_diff_message m;
        m.response = of.response();
        m.snapshot = of.ring_details();
        m.resume = of.cursors();
        m.disc_differs = random.one_in(2);
        return m;
    }
    ring_details_response_message m;
    m.missing_ids = of.ids();
    m.snapshot = of.ring_details();
    m.cut = of.cursors();
    m.resume = of.cursors();
    return m;
}

gossip_message random_end(std::uint64_t kind, parts& of, random_source& random) {
    if (kind == 0) {
        no_diff_message m;
        m.response = of.response();
        m.cannot_compare = random.one_in(2);
        return m;
    }
    if (kind == 1) {
        hashes_message m;
        m.missing_ids = of.ids();
        m.cut = of.cursors();
        return m;
    }
    if (kind == 2) {
        agents_message m;
        m.provided_agents = of.infos();
        return m;
    }
    if (kind == 3) {
        return busy_message();
    }
    return terminate_message();
}

}  // namespace

gossip::gossip_message random_gossip(gossip::session_id const& session, std::vector<op_id> const& ids,
                                     random_source& random) {
    parts of(ids, random);
    auto const kind = random.below(12);
    gossip_message m = kind == 0   ? random_start(of, random)
                       : kind == 1 ? random_accept(of, random)
                       : kind < 7  ? random_details(kind - 2, of, random)
                                   : random_end(kind - 7, of, random);
    std::visit([&](auto& any) { any.session = session; }, m);
    return m;
}

gossip::message random_other(std::vector<op_id> const& ids, random_source& random) {
    parts of(ids, random);
    switch (random.below(4)) {
        case 0: {
            fetch_request_message m;
            m.ids = of.ids();
            return fetch_message(std::move(m));
        }
        case 1: {
            fetch_response_message m;
            for (auto left = of.few(); left > 0; --left) {
                auto& op = m.ops.emplace_back();
                op.id = of.id();
                op.data = random.bytes(random.below(64));
            }
            m.absent = of.ids();
            return fetch_message(std::move(m));
        }
        case 2: {
            publish_ops_message m;
            for (auto left = of.few(); left > 0; --left) {
                m.ops.emplace_back().id = of.id();
            }
            return publish_message(std::move(m));
        }
        default: {
            publish_agent_message m;
            m.agent_info = "{}";
            return publish_message(std::move(m));
        }
    }
}

}  // namespace opstore::testing
