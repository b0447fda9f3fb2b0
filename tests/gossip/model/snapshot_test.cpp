// Goal: two snapshots are compared as kitsune2 compares them. Method: its own cases (3.6 of the facts), both
// ways round, then every rule on random snapshots against a plain reading of it.
#include <tests/gossip/model/modelled_space.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

namespace opstore::gossip::testing {
namespace {

using opstore::testing::random_source;

minimal_snapshot minimal(combined_hash disc, std::vector<combined_hash> rings, arc::timestamp at = moment) {
    minimal_snapshot made;
    made.disc_boundary = at;
    made.disc_top_hash = disc;
    made.ring_top_hashes = std::move(rings);
    return made;
}
disc_sectors_snapshot disc_sectors(sector_hashes sectors, arc::timestamp at = moment) {
    disc_sectors_snapshot made;
    made.disc_boundary = at;
    made.sectors = std::move(sectors);
    return made;
}
disc_details_snapshot disc_details(std::map<arc::sector_index, slice_hashes> sectors,
                                   arc::timestamp at = moment) {
    disc_details_snapshot made;
    made.disc_boundary = at;
    made.sectors = std::move(sectors);
    return made;
}
ring_details_snapshot ring_details(std::map<std::uint32_t, sector_hashes> rings, arc::timestamp at = moment) {
    ring_details_snapshot made;
    made.disc_boundary = at;
    made.rings = std::move(rings);
    return made;
}

/// What both sides find.
template <class Expected>
void check_both_ways(snapshot const& a, snapshot const& b, Expected const& expected) {
    CHECK(finds(a, b, expected));
    CHECK(finds(b, a, expected));
    CHECK(finds(a, a, identical{}));
    CHECK(finds(b, b, identical{}));
}

}  // namespace

TEST_CASE("compare: the same minimal snapshots are identical") {
    auto const a = minimal(hash("01"), {hash("02"), {}});
    check_both_ways(a, a, identical{});
}

TEST_CASE("compare: another disc is a disc mismatch") {
    auto const one = sum({repeated_id(1)});
    auto const two = sum({repeated_id(2)});
    check_both_ways(minimal(one, {}), minimal(two, {}), disc_mismatch{});
    check_both_ways(minimal(one, {}), minimal({}, {}), disc_mismatch{});
}

TEST_CASE("compare: another boundary cannot be compared, whatever the kind") {
    auto const later = moment + std::chrono::seconds(1);
    check_both_ways(minimal({}, {}), minimal({}, {}, later), cannot_compare{});
    check_both_ways(disc_sectors({}), disc_sectors({}, later), cannot_compare{});
    check_both_ways(disc_details({}), disc_details({}, later), cannot_compare{});
    check_both_ways(ring_details({}), ring_details({}, later), cannot_compare{});
}

TEST_CASE("compare: another kind cannot be compared") {
    std::vector<snapshot> const kinds{minimal({}, {}), disc_sectors({}), disc_details({}), ring_details({})};
    for (auto const& ours : kinds) {
        for (auto const& theirs : kinds) {
            CHECK(finds(ours, theirs, identical{}) == (ours.index() == theirs.index()));
            CHECK(finds(ours, theirs, cannot_compare{}) == (ours.index() != theirs.index()));
        }
    }
}

TEST_CASE("compare: rings that differ are named") {
    check_both_ways(minimal({}, {hash("01"), hash("02")}), minimal({}, {hash("01"), hash("03")}),
                    ring_mismatches{{1}});
    check_both_ways(minimal({}, {hash("01"), {}, hash("04")}), minimal({}, {hash("02"), {}, {}}),
                    ring_mismatches{{0, 2}});
}

TEST_CASE("compare: a hash of zero bytes is not the empty hash") {
    check_both_ways(minimal({}, {hash("00")}), minimal({}, {{}}), ring_mismatches{{0}});
}

TEST_CASE("compare: the disc counts before the rings, and before their number") {
    check_both_ways(minimal(hash("01"), {hash("01")}), minimal(hash("02"), {hash("02")}), disc_mismatch{});
    check_both_ways(minimal(hash("01"), {hash("01")}), minimal(hash("02"), {}), disc_mismatch{});
}

TEST_CASE("compare: another number of rings cannot be compared") {
    check_both_ways(minimal(hash("01"), {{}, {}}), minimal(hash("01"), {{}, {}, {}}), cannot_compare{});
}

TEST_CASE("compare: sectors of the disc on one side only, and those that differ") {
    check_both_ways(disc_sectors({{0, {}}, {1, {}}}), disc_sectors({{0, {}}, {2, {}}}),
                    disc_sector_mismatches{{1, 2}});
    check_both_ways(disc_sectors({{0, {}}, {1, hash("01")}}), disc_sectors({{0, {}}, {1, hash("02")}}),
                    disc_sector_mismatches{{1}});
}

TEST_CASE("compare: slices of the disc on one side only, and those that differ") {
    check_both_ways(disc_details({{0, {}}, {1, {{0, hash("01")}}}}),
                    disc_details({{0, {}}, {2, {{0, hash("07")}}}}),
                    disc_slice_mismatches{{{1, {0}}, {2, {0}}}});
    check_both_ways(disc_details({{1, {{10, hash("01")}}}}), disc_details({{1, {{20, hash("07")}}}}),
                    disc_slice_mismatches{{{1, {10, 20}}}});
    check_both_ways(disc_details({{1, {{10, hash("01")}}}}), disc_details({{1, {{10, hash("07")}}}}),
                    disc_slice_mismatches{{{1, {10}}}});
}

TEST_CASE("compare: a sector on one side only is listed even without slices, an equal one is not") {
    check_both_ways(disc_details({{3, {}}, {4, {{1, hash("01")}}}}), disc_details({{4, {{1, hash("01")}}}}),
                    disc_slice_mismatches{{{3, {}}}});
}

TEST_CASE("compare: details of other rings cannot be compared") {
    check_both_ways(ring_details({{0, {}}, {1, {}}}), ring_details({{0, {}}}), cannot_compare{});
    check_both_ways(ring_details({{0, {}}}), ring_details({{1, {}}}), cannot_compare{});
}

TEST_CASE("compare: sectors of a ring; a ring is listed even without a difference") {
    check_both_ways(ring_details({{0, {{0, hash("01")}}}}), ring_details({{0, {{0, hash("05")}}}}),
                    ring_sector_mismatches{{{0, {0}}}});
    check_both_ways(ring_details({{0, {{0, hash("01")}}}, {2, {{7, hash("01")}}}}),
                    ring_details({{0, {{0, hash("01")}}}, {2, {{8, hash("01")}}}}),
                    ring_sector_mismatches{{{0, {}}, {2, {7, 8}}}});
}

TEST_CASE("compare: on random sectors exactly those differ that one look-up each finds different") {
    random_source random(1);
    for (int round = 0; round < 500; ++round) {
        sector_hashes ours;
        sector_hashes theirs;
        for (auto* side : {&ours, &theirs}) {
            for (auto left = random.below(6); left > 0; --left) {
                (*side)[static_cast<arc::sector_index>(random.below(6))] =
                    sum({repeated_id(static_cast<int>(random.below(2)))});
            }
        }
        std::vector<arc::sector_index> expected;
        for (arc::sector_index sector = 0; sector < 6; ++sector) {
            bool const both = ours.contains(sector) && theirs.contains(sector);
            bool const any = ours.contains(sector) || theirs.contains(sector);
            if (both ? ours[sector] != theirs[sector] : any) {
                expected.push_back(sector);
            }
        }
        if (expected.empty()) {
            CHECK(finds(disc_sectors(ours), disc_sectors(theirs), identical{}));
        } else {
            CHECK(finds(disc_sectors(ours), disc_sectors(theirs), disc_sector_mismatches{expected}));
        }
    }
}

}  // namespace opstore::gossip::testing
