// Goal: whatever the peers, each sector is held by enough of those that last. Method: count, for many plans.
#include <gossip/simulator/arc_layout.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace opstore::simulator {
namespace {

TEST_CASE("arcs: every sector is held by `copies` lasting peers, or all of them") {
    random_source random(7);
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        plan p = draw_plan(seed);
        p.arcs = arc_choice::sharded;
        p.peers = static_cast<std::uint32_t>(random.between(2, seed % 20 == 0 ? 1'500 : 60));
        p.copies = static_cast<std::uint32_t>(random.between(1, 50));
        std::vector<bool> lasting;
        for (std::uint32_t i = 0; i < p.peers; ++i) {
            lasting.push_back(i == 0 || !random.one_in(4));
        }
        auto const arcs = lay_arcs(p, lasting);
        auto const base = static_cast<std::uint32_t>(std::ranges::count(lasting, true));
        REQUIRE(arcs.size() == p.peers);
        for (arc::sector_index sector = 0; sector < arc::sector_count; ++sector) {
            std::uint32_t copies = 0;
            for (std::uint32_t i = 0; i < p.peers; ++i) {
                copies += lasting[i] && arcs[i].includes(sector) ? 1 : 0;
            }
            REQUIRE(copies >= std::min(p.copies, base));
        }
        CHECK(std::ranges::none_of(arcs, &arc::arc_set::empty));
    }
}

TEST_CASE("arcs: a thousand peers hold little more than they have to") {
    plan p = draw_plan(1);
    p.arcs = arc_choice::sharded;
    p.peers = 1'000;
    p.copies = 10;
    std::uint64_t sectors = 0;
    for (auto const& arcs : lay_arcs(p, std::vector<bool>(p.peers, true))) {
        sectors += arcs.count();
    }
    CHECK(sectors >= std::uint64_t{10} * arc::sector_count);
    CHECK(sectors <= std::uint64_t{40} * arc::sector_count);
}

TEST_CASE("arcs: full is full") {
    plan p = draw_plan(1);
    p.arcs = arc_choice::full;
    for (auto const& arcs : lay_arcs(p, std::vector<bool>(p.peers, true))) {
        CHECK(arcs == arc::arc_set::full());
    }
}

}  // namespace
}  // namespace opstore::simulator
