// Goal: which peer is next, and which arcs a peer may claim. Method: kitsune2's cases (3.10 of the facts) as
// they are for whole sectors, and every arrangement of few sectors against a naive search.
#include <gossip/round/arc_growth.hpp>
#include <gossip/round/target_choice.hpp>
#include <tests/gossip/model/modelled_space.hpp>

#include <doctest/doctest.h>

namespace opstore::gossip::testing {
namespace {

arc::arc_set between(std::uint32_t first, std::uint32_t last) {
    arc::arc_set set;
    for (auto sector = first; sector <= last; ++sector) {
        set.insert(static_cast<arc::sector_index>(sector % arc::sector_count));
    }
    return set;
}

arc::dht_arc sectors(std::uint32_t first, std::uint32_t last) {
    return arc::dht_arc::between({first * arc::sector_size}, {(last + 1) * arc::sector_size - 1});
}

target_candidate candidate(bool overlaps, bool usable, std::optional<arc::timestamp> last_round = {}) {
    return {overlaps, usable, last_round, false};
}

}  // namespace

TEST_CASE("next is who never had a round, then who had one longest ago; strangers only if nobody else") {
    random_source random(1);
    auto const choose = [&](std::vector<target_candidate> const& of) { return choose_target(of, random); };
    CHECK(!choose({}));
    CHECK(!choose({candidate(true, false)}));
    CHECK(choose({candidate(true, true, moment), candidate(true, true)}) == 1);
    CHECK(choose({candidate(true, true, arc::timestamp::min()), candidate(true, true)}) == 1);
    CHECK(choose({candidate(true, true, moment), candidate(true, true, moment - one_microsecond)}) == 1);
    CHECK(choose({candidate(true, true, moment), candidate(false, true)}) == 0);
    CHECK(choose({candidate(true, false), candidate(false, true, moment)}) == 1);
    CHECK(choose({candidate(true, false), candidate(false, true, moment), candidate(false, true)}) == 2);
    std::array<int, 3> chosen{};
    for (int i = 0; i < 300; ++i) {
        ++chosen[*choose({candidate(true, true), candidate(true, true), candidate(true, true)})];
    }
    for (auto const count : chosen) {
        CHECK(count > 50);
    }
}

TEST_CASE("agents that nobody ever met do not keep rounds from those that were, nor those from newcomers") {
    random_source random(3);
    std::vector<target_candidate> candidates(1001, candidate(true, true));
    candidates[0].met = true;
    int met = 0;
    for (int i = 0; i < 100; ++i) {
        auto const chosen = *choose_target(candidates, random);
        candidates[chosen].last_round = moment + i * one_microsecond;
        met += chosen == 0 ? 1 : 0;
    }
    CHECK(met > 30);
    CHECK(met < 70);
    // But those that can give something come first.
    candidates.assign(100, candidate(true, true));
    candidates[0] = {false, true, std::nullopt, true};
    candidates[1] = {true, false, std::nullopt, true};
    for (int i = 0; i < 100; ++i) {
        CHECK(*choose_target(candidates, random) > 1);
    }
}

TEST_CASE("arcs grow by the sectors that are in sync and wanted, and never shrink") {
    auto const full = arc::arc_set::full();
    CHECK(grow({}, full, full) == full);
    CHECK(grow({}, between(0, 4).without(sector_set({3})), between(0, 4)) == sector_set({0, 1, 2, 4}));
    CHECK(grow(between(2, 4), between(0, 9).without(sector_set({0, 8})), between(0, 9)) ==
          sector_set({1, 2, 3, 4, 5, 6, 7, 9}));
    CHECK(grow(between(0, 4), between(5, 6), between(0, 4)) == between(0, 4));
    CHECK(grow(between(10, 14), {}, between(0, 4)) == between(10, 14));
}

TEST_CASE("what is announced is the longest run, across location 0 as well") {
    CHECK(announced_arc({}) == arc::dht_arc::empty());
    CHECK(announced_arc(arc::arc_set::full()) == arc::dht_arc::full());
    CHECK(announced_arc(sector_set({0, 1, 2, 4})) == sectors(0, 2));
    CHECK(announced_arc(between(1, 7)) == sectors(1, 7));
    CHECK(announced_arc(sector_set({511})) == sectors(511, 511));
    CHECK(announced_arc(between(510, 514)) == sectors(510, 2));
    CHECK(announced_arc(between(510, 514).union_with(between(100, 104))) == sectors(100, 104));
    CHECK(announced_arc(between(510, 514).union_with(between(100, 105))) == sectors(100, 105));
    CHECK(announced_arc(between(510, 515).union_with(between(100, 104))) == sectors(510, 3));
    for (std::uint32_t gap = 0; gap < arc::sector_count; ++gap) {
        auto const all_but = arc::arc_set::full().without(between(gap, gap));
        CHECK(announced_arc(all_but) == sectors((gap + 1) % 512, (gap + 511) % 512));
    }
}

TEST_CASE("the announced arc of any set is the longest, the first of equals") {
    random_source random(2);
    for (int i = 0; i < 300; ++i) {
        arc::arc_set set;
        auto const dense = 1 + random.below(20);
        for (std::uint32_t sector = 0; sector < arc::sector_count; ++sector) {
            if (!random.one_in(dense + 1)) {
                set.insert(static_cast<arc::sector_index>(sector));
            }
        }
        if (set.empty() || set.count() == arc::sector_count) {
            continue;
        }
        std::uint32_t best_start = 0;
        std::uint32_t best_length = 0;
        for (std::uint32_t first = 0; first < arc::sector_count; ++first) {
            std::uint32_t length = 0;
            while (set.includes(static_cast<arc::sector_index>((first + length) % arc::sector_count))) {
                ++length;
            }
            if (length > best_length) {
                best_start = first;
                best_length = length;
            }
        }
        CHECK(announced_arc(set) == sectors(best_start, (best_start + best_length - 1) % arc::sector_count));
    }
}

}  // namespace opstore::gossip::testing
