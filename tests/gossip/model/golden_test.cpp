// Goal: the hashes are kitsune2's. Method: the scenarios of its own tests and of its running model (3.5, 3.7
// and 3.8 of the facts), fed through a store, and every number that they name.
#include <tests/gossip/model/modelled_space.hpp>

#include <doctest/doctest.h>

namespace opstore::gossip::testing {
namespace {

using namespace std::chrono_literals;

/// The two peers of the numeric scenario.
struct scenario {
    modelled_space a{moment};
    modelled_space b{moment};

    scenario() {
        auto const boundary = moment_boundary;
        auto const slice = arc::slice_length(arc::factor_default);
        for (auto* each : {&a, &b}) {
            each->put(id_in(0, 1), arc::from_micros(100));
            each->put(id_in(7, 5), boundary - one_microsecond);
            each->put(id_in(511, 0x7fffff), boundary);
        }
        a.put(id_in(7, 9), boundary - slice);
        a.put(id_in(8, 1), boundary - slice - one_microsecond);
        a.put(id_in(3, 3), boundary + one_microsecond);
        b.put(id_in(7, 12), boundary - slice + 3us);
        b.put(id_in(9, 1), arc::slice_range(3000, arc::factor_default).start);
        b.put(id_in(3, 4), boundary + 256 * arc::unit);
        b.put(id_in(4, 4), moment - one_microsecond);
        a.start();
        b.start();
    }
};

using rings = std::map<std::size_t, combined_hash>;

arc::timestamp reserved(int factor) {
    return arc::from_micros(arc::reserved_time(factor).count());
}

}  // namespace

TEST_CASE("numeric scenario: minimal snapshots of all sectors") {
    scenario peers;
    auto const of_a = peers.a.minimal();
    CHECK(of_a.disc_boundary == moment_boundary);
    CHECK(of_a.disc_top_hash == hash("0c000004"));
    CHECK(of_a.ring_top_hashes.size() == 14);
    CHECK(filled_rings(of_a) == rings{{0, hash("fcff7ffe")}});

    auto const of_b = peers.b.minimal();
    CHECK(of_b.disc_top_hash == hash("09008004"));
    CHECK(of_b.ring_top_hashes.size() == 14);
    CHECK(filled_rings(of_b) == rings{{0, hash("ffffffff")}, {1, hash("04008001")}});
    CHECK(finds(of_a, of_b, disc_mismatch{}));
}

TEST_CASE("numeric scenario: the disc by sector, then by slice") {
    scenario peers;
    auto const full = arc::arc_set::full();
    auto const of_a = peers.a.model.disc_sectors(full, peers.a.layout());
    CHECK(of_a.disc_boundary == moment_boundary);
    CHECK(of_a.sectors == sector_hashes{{0, hash("01000000")}, {7, hash("0c000000")}, {8, hash("01000004")}});
    auto const of_b = peers.b.model.disc_sectors(full, peers.b.layout());
    CHECK(finds(of_a, of_b, disc_sector_mismatches{{7, 8, 9}}));

    auto const differing = sector_set({7, 8, 9});
    auto const details_of_b = run(peers.b.model.disc_details(differing, peers.b.layout())).value();
    CHECK(details_of_b.disc_boundary == moment_boundary);
    CHECK(details_of_b.sectors == std::map<arc::sector_index, slice_hashes>{{7, {{3687, hash("09000000")}}},
                                                                            {8, {}},
                                                                            {9, {{3000, hash("01008004")}}}});
    auto const details_of_a = run(peers.a.model.disc_details(differing, peers.a.layout())).value();
    CHECK(details_of_a.sectors == std::map<arc::sector_index, slice_hashes>{{7, {{3687, hash("0c000000")}}},
                                                                            {8, {{3686, hash("01000004")}}},
                                                                            {9, {}}});
    CHECK(finds(details_of_a, details_of_b, disc_slice_mismatches{{{7, {3687}}, {8, {3686}}, {9, {3000}}}}));
}

TEST_CASE("numeric scenario: three sectors of the rings") {
    scenario peers;
    auto const common = sector_set({3, 4, 511});
    auto const of_a = peers.a.minimal(common);
    auto const of_b = peers.b.minimal(common);
    CHECK(of_a.disc_top_hash.empty());
    CHECK(of_b.disc_top_hash.empty());
    CHECK(filled_rings(of_a) == rings{{0, hash("fcff7ffe")}});
    CHECK(filled_rings(of_b) == rings{{0, hash("ffffffff")}, {1, hash("04008001")}});
    CHECK(finds(of_a, of_b, ring_mismatches{{0, 1}}));

    std::vector<std::uint32_t> const differing{0, 1};
    auto const details_of_a = peers.a.model.ring_details(common, peers.a.layout(), differing);
    CHECK(details_of_a.disc_boundary == moment_boundary);
    CHECK(details_of_a.rings == std::map<std::uint32_t, sector_hashes>{
                                    {0, {{3, hash("03008001")}, {511, hash("ffffffff")}}}, {1, {}}});
    auto const details_of_b = peers.b.model.ring_details(common, peers.b.layout(), differing);
    CHECK(details_of_b.rings == std::map<std::uint32_t, sector_hashes>{{0, {{511, hash("ffffffff")}}},
                                                                       {1, {{3, hash("04008001")}}}});
    CHECK(finds(details_of_a, details_of_b, ring_sector_mismatches{{{0, {3}}, {1, {3}}}}));
}

TEST_CASE("numeric scenario: an op stored once is counted once, however often one looks") {
    modelled_space space(moment);
    space.start();
    space.put(id("01020304"), moment);
    space.follow_at(moment + arc::unit);
    CHECK(space.minimal().ring_top_hashes.back() == hash("01020304"));
    space.follow();
    CHECK(space.minimal().ring_top_hashes.back() == hash("01020304"));
}

// The cases of 3.5, factor 7: ids are one byte repeated, so that their XOR is one too.

TEST_CASE("factor 7: the last ring holds the XOR of its ops") {
    auto const now = reserved(7) + 1s;
    modelled_space space(now, 7, 32);
    space.put(repeated_id(7), now - arc::unit);
    space.put(repeated_id(23), now - arc::unit);
    space.start();
    CHECK(space.minimal().ring_top_hashes.size() == 7);
    CHECK(filled_rings(space.minimal()) == rings{{6, sum({repeated_id(7 ^ 23)})}});
}

TEST_CASE("factor 7: a full slice holds the XOR of its ops, beside that of the last ring") {
    auto const slice = arc::slice_length(7);
    auto const now = reserved(7) + slice + 1s;
    modelled_space space(now, 7, 32);
    space.put(repeated_id(7), arc::timestamp{});
    space.put(repeated_id(23), arc::timestamp{});
    space.start();
    CHECK(space.layout().full_slices == 1);
    CHECK(space.minimal().disc_top_hash == sum({repeated_id(7 ^ 23)}));
    CHECK(space.minimal().ring_top_hashes.size() == 7);
    auto const sector = arc::sector_of({0x07070707});
    CHECK(space.slice(sector, 0) == sum({repeated_id(7)}));

    space.put(repeated_id(11), now - arc::unit);
    space.put(repeated_id(29), now - arc::unit);
    space.follow();
    CHECK(space.minimal().disc_top_hash == sum({repeated_id(7 ^ 23)}));
    CHECK(filled_rings(space.minimal()) == rings{{6, sum({repeated_id(11 ^ 29)})}});

    auto const before = space.minimal();
    for (int i = 0; i < 9; ++i) {
        space.follow_at(now + arc::unit / 100);
        CHECK(space.minimal() == before);
    }
}

TEST_CASE("factor 7: an op stored now is in the ring that the next unit adds") {
    auto const now = reserved(7) + arc::slice_length(7) + 1s;
    modelled_space space(now, 7, 32);
    space.put(repeated_id(7), now - arc::unit);
    space.put(repeated_id(29), now - arc::unit);
    space.start();
    space.put(repeated_id(13), now);
    space.follow();
    CHECK(filled_rings(space.minimal()) == rings{{6, sum({repeated_id(7 ^ 29)})}});
    space.follow_at(now + arc::unit);
    CHECK(space.minimal().ring_top_hashes.size() == 8);
    CHECK(filled_rings(space.minimal()) ==
          rings{{6, sum({repeated_id(7 ^ 29)})}, {7, sum({repeated_id(13)})}});
}

TEST_CASE("factor 7: an op exactly at the disc's end is in the slice that becomes full next") {
    auto const slice = arc::slice_length(7);
    auto const now = reserved(7) + slice + 1s;
    modelled_space space(now, 7, 32);
    space.put(repeated_id(7), arc::timestamp{});
    space.start();
    space.put(repeated_id(13), space.layout().disc_boundary());
    space.follow();
    CHECK(space.minimal().disc_top_hash == sum({repeated_id(7)}));
    CHECK(filled_rings(space.minimal()) == rings{{0, sum({repeated_id(13)})}});

    space.follow_at(now + slice);
    CHECK(space.layout().full_slices == 2);
    CHECK(space.minimal().disc_top_hash == sum({repeated_id(7 ^ 13)}));
    CHECK(space.slice(arc::sector_of({0x07070707}), 0) == sum({repeated_id(7)}));
    CHECK(space.slice(arc::sector_of({0x0d0d0d0d}), 1) == sum({repeated_id(13)}));
    CHECK(filled_rings(space.minimal()).empty());
}

TEST_CASE("factor 7: slices become full two at a time where time has passed") {
    auto const slice = arc::slice_length(7);
    auto const now = reserved(7) + 1s;
    modelled_space space(now, 7, 4);
    space.start();
    CHECK(space.layout().full_slices == 0);
    space.put(id_in(0, 7), arc::timestamp{});
    space.put(id_in(0, 23), arc::timestamp{});
    space.put(id_in(0, 11), arc::timestamp{} + slice);
    space.put(id_in(0, 37), arc::timestamp{} + slice);
    space.follow_at(now + 2 * slice);
    CHECK(space.layout().full_slices == 2);
    CHECK(space.slice(0, 0) == sum({id_in(0, 7 ^ 23)}));
    CHECK(space.slice(0, 1) == sum({id_in(0, 11 ^ 37)}));
    CHECK(space.minimal().disc_top_hash == sum({id_in(0, 7 ^ 23 ^ 11 ^ 37)}));
}

TEST_CASE("factor 7: an empty space has the layout of its clock") {
    auto const slice = arc::slice_length(7);
    modelled_space space(moment, 7, 4);
    space.start();
    auto const full = static_cast<std::uint64_t>((moment - reserved(7)) / slice);
    CHECK(space.layout().full_slices == full);
    CHECK(space.minimal().disc_top_hash.empty());
    space.put(id_in(1), space.layout().disc_boundary());
    space.follow_at(moment + slice);
    CHECK(space.layout().full_slices == full + 1);
    CHECK(space.slice(1, full) == sum({id_in(1)}));
}

TEST_CASE("factor 14: first and last ring, and a full slice at time 0") {
    auto const now = reserved(14) + 3s;
    modelled_space space(now, 14, 4);
    space.start();
    space.put(id("0b000000"), arc::timestamp{});
    space.put(id("0d000000"), now - 5s);
    space.follow();
    auto const last = space.layout().rings.size() - 1;
    CHECK(filled_rings(space.minimal()) == rings{{0, hash("0b000000")}, {last, hash("0d000000")}});

    space.follow_at(moment);
    CHECK(space.slice(0, 0) == hash("06000000"));
    CHECK(space.minimal().disc_top_hash == hash("06000000"));
}

TEST_CASE("factor 14: ids in sectors 0 and 1, in the disc and in the rings") {
    auto const slice = arc::slice_length(14);
    modelled_space space(moment, 14, 4);
    space.put(id("07000000"), arc::timestamp{});
    space.put(id("00008000"), arc::timestamp{} + slice);
    auto const boundary = space.layout().disc_boundary();
    space.put(id("64000000"), boundary);
    space.put(id("01008000"), boundary + arc::slice_length(13));
    space.start();
    CHECK(space.slice(0, 0) == hash("07000000"));
    CHECK(space.slice(1, 1) == hash("00008000"));
    CHECK(space.slice(1, 0).empty());
    CHECK(space.model.disc_sectors(arc::arc_set::full(), space.layout()).sectors ==
          sector_hashes{{0, hash("07000000")}, {1, hash("00008000")}});
    std::vector<std::uint32_t> const wanted{0, 1};
    CHECK(space.model.ring_details(arc::arc_set::full(), space.layout(), wanted).rings ==
          std::map<std::uint32_t, sector_hashes>{{0, {{0, hash("64000000")}}}, {1, {{1, hash("01008000")}}}});
}

TEST_CASE("factor 14: an op in each sector fills one ring in each sector") {
    modelled_space space(moment, 14, 4);
    space.start();
    for (arc::sector_index sector = 0; sector < arc::sector_count; ++sector) {
        space.put(id_in(sector, 1), moment);
    }
    space.follow_at(moment + arc::unit);
    for (arc::sector_index sector = 0; sector < arc::sector_count; ++sector) {
        auto const last = space.layout().rings.size() - 1;
        CHECK(filled_rings(space.minimal(sector_set({sector}))) == rings{{last, sum({id_in(sector, 1)})}});
    }
}

// What two peers see of each other: 3.8.

TEST_CASE("two peers without ops are in sync") {
    modelled_space a(moment);
    modelled_space b(moment);
    a.start();
    b.start();
    CHECK(a.model.op_count() == 0);
    CHECK(finds(a.minimal(), b.minimal(), identical{}));
}

TEST_CASE("no sectors in common: nothing differs") {
    scenario peers;
    CHECK(peers.a.minimal({}).disc_top_hash.empty());
    CHECK(finds(peers.a.minimal({}), peers.b.minimal({}), identical{}));
    CHECK(peers.a.model.disc_sectors({}, peers.a.layout()).sectors.empty());
    CHECK(run(peers.a.model.disc_details({}, peers.a.layout())).value().sectors.empty());
}

TEST_CASE("an op at time 0 is the disc") {
    modelled_space space(moment, arc::factor_default, 32);
    space.put(repeated_id(7), arc::timestamp{});
    space.start();
    CHECK(space.minimal().disc_top_hash == sum({repeated_id(7)}));
    CHECK(filled_rings(space.minimal()).empty());
}

TEST_CASE("an op of the disc on one side is a disc mismatch, of a ring a ring mismatch") {
    for (bool const in_disc : {true, false}) {
        modelled_space with(moment);
        modelled_space without(moment);
        with.put(id_in(5), in_disc ? arc::timestamp{} : moment_boundary);
        with.start();
        without.start();
        for (auto const& [ours, theirs] : {std::pair{&with, &without}, {&without, &with}}) {
            CHECK(finds(ours->minimal(), theirs->minimal(), disc_mismatch{}) == in_disc);
            CHECK(finds(ours->minimal(), theirs->minimal(), ring_mismatches{{0}}) != in_disc);
        }

        without.put(id_in(5), in_disc ? arc::timestamp{} : moment_boundary);
        without.follow();
        CHECK(finds(with.minimal(), without.minimal(), identical{}));
    }
}

TEST_CASE("the disc is settled first, then the rings") {
    modelled_space a(moment);
    modelled_space b(moment);
    a.put(id_in(1), arc::timestamp{});
    b.put(id_in(2), moment_boundary);
    a.start();
    b.start();
    CHECK(finds(a.minimal(), b.minimal(), disc_mismatch{}));
    b.put(id_in(1), arc::timestamp{});
    b.follow();
    CHECK(finds(a.minimal(), b.minimal(), ring_mismatches{{0}}));
    a.put(id_in(2), moment_boundary);
    a.follow();
    CHECK(finds(a.minimal(), b.minimal(), identical{}));
}

TEST_CASE("peers differ in what they have in common only") {
    // Sectors 0 to 2 and 2 to 3: sector 2 is common.
    for (auto const created_at : {arc::timestamp{}, moment_boundary}) {
        modelled_space a(moment);
        modelled_space b(moment);
        a.put(id_in(1), created_at);
        b.put(id_in(3), created_at);
        a.start();
        b.start();
        auto const common = sector_set({0, 1, 2}).intersection(sector_set({2, 3}));
        CHECK(finds(a.minimal(common), b.minimal(common), identical{}));
        a.put(id_in(2, 0), created_at);
        b.put(id_in(2, 1), created_at);
        a.follow();
        b.follow();
        CHECK_FALSE(finds(a.minimal(common), b.minimal(common), identical{}));
    }
}

TEST_CASE("op_count: none, then as ops come, and as a store holds at the start") {
    modelled_space space(moment);
    space.start();
    CHECK(space.model.op_count() == 0);
    space.put(id_in(1), moment);
    space.put(id_in(2), arc::timestamp{});
    space.follow();
    CHECK(space.model.op_count() == 2);
    space.put(id_in(3), moment + 100 * day);
    space.follow();
    CHECK(space.model.op_count() == 3);
    summary_model another(space.store);
    run(another.start(moment)).value();
    CHECK(another.op_count() == 3);
}

}  // namespace opstore::gossip::testing
