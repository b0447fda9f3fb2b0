// Goal: sectors tile the ring, and an arc cut at their borders is still the same arc.
// Method: borders by hand; random arcs, most of them with ends on or next to a border, against the
// definition: pieces that ascend without sharing a location, that each stay inside their sector and inside
// the arc, and whose sizes add up to the arc's.

#include <arc/sector.hpp>

#include <tests/arc/ring_samples.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <map>

namespace opstore::arc {
namespace {

constexpr std::uint32_t u32_max = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t s = sector_size;

dht_arc arc_of(std::uint32_t start, std::uint32_t end) {
    return dht_arc::between({start}, {end});
}

TEST_CASE("sectors tile the ring") {
    CHECK(sector_size == 8'388'608);
    CHECK(sector_arc(511) == arc_of(4286578688, 4294967295));
    std::uint32_t next = 0;
    for (std::uint32_t i = 0; i < sector_count; ++i) {
        auto const sector = static_cast<sector_index>(i);
        dht_arc const arc = sector_arc(sector);
        CAPTURE(i);
        CHECK(arc.start().value == next);
        CHECK(arc.span() == sector_size - 1);
        CHECK(sector_of(arc.start()) == sector);
        CHECK(sector_of(arc.end()) == sector);
        next = arc.end().value + 1;
    }
    CHECK(next == 0);
}

TEST_CASE("arcs are cut at the borders") {
    using pieces = std::vector<sector_piece>;
    CHECK(sector_pieces(dht_arc::empty()).empty());
    CHECK(sector_pieces(arc_of(5, 5)) == pieces{{0, 5, 5}});
    CHECK(sector_pieces(sector_arc(3)) == pieces{{3, 3 * s, 4 * s - 1}});
    CHECK(sector_pieces(arc_of(s - 1, s)) == pieces{{0, s - 1, s - 1}, {1, s, s}});
    CHECK(sector_pieces(arc_of(5, 2 * s + 4)) ==
          pieces{{0, 5, s - 1}, {1, s, 2 * s - 1}, {2, 2 * s, 2 * s + 4}});
    CHECK(sector_pieces(arc_of(u32_max, 0)) == pieces{{0, 0, 0}, {511, u32_max, u32_max}});
    CHECK(sector_pieces(arc_of(511 * s, s - 1)) == pieces{{0, 0, s - 1}, {511, 511 * s, u32_max}});
}

TEST_CASE("a piece knows whether it is its whole sector") {
    CHECK(sector_pieces(sector_arc(0)).front().whole());
    CHECK(sector_pieces(sector_arc(511)).front().whole());
    CHECK_FALSE(sector_pieces(arc_of(0, s - 2)).front().whole());
    CHECK_FALSE(sector_pieces(arc_of(1, s - 1)).front().whole());
    CHECK_FALSE(sector_pieces(arc_of(7, 7)).front().whole());
}

TEST_CASE("a gap inside one sector splits that sector; no gap leaves all sectors whole") {
    auto const split = sector_pieces(arc_of(5 * s + 10, 5 * s + 5));
    REQUIRE(split.size() == sector_count + 1);
    CHECK(split[5] == sector_piece{5, 5 * s, 5 * s + 5});
    CHECK(split[6] == sector_piece{5, 5 * s + 10, 6 * s - 1});
    CHECK(split[7].sector == 6);

    for (dht_arc const circle :
         {dht_arc::full(), arc_of(42, 41), arc_of(s, s - 1), arc_of(u32_max, u32_max - 1)}) {
        auto const all = sector_pieces(circle);
        CAPTURE(to_string(circle));
        REQUIRE(all.size() == sector_count);
        for (std::size_t i = 0; i < all.size(); ++i) {
            CHECK(all[i].sector == i);
            CHECK(all[i].whole());
        }
    }
}

TEST_CASE("the pieces of random arcs hold exactly the arc") {
    constexpr std::uint64_t seed = 0x5ec702;
    INFO("seed ", seed);
    testing::random_source random(seed);
    for (int round = 0; round < 300; ++round) {
        dht_arc const arc = testing::sample_arc(random);
        CAPTURE(to_string(arc));
        std::uint64_t count = 0;
        std::uint64_t unseen = 0;
        std::map<sector_index, int> appearances;
        for (auto const& piece : sector_pieces(arc)) {
            dht_arc const cut = arc_of(piece.first, piece.last);
            CAPTURE(to_string(cut));
            // One assertion for up to 513 pieces: doctest's are slow.
            CHECK((unseen <= piece.first && piece.first <= piece.last &&
                   sector_of(cut.start()) == piece.sector && sector_of(cut.end()) == piece.sector &&
                   arc.contains(cut.start()) && arc.contains(cut.end()) &&
                   piece.whole() == (cut == sector_arc(piece.sector))));
            unseen = std::uint64_t{piece.last} + 1;
            count += std::uint64_t{piece.last} - piece.first + 1;
            ++appearances[piece.sector];
        }
        CHECK(count == (arc.is_empty() ? 0 : std::uint64_t{arc.span()} + 1));
        for (auto const& [sector, times] : appearances) {
            if (times > 1) {
                CHECK(times == 2);
                CHECK(sector == sector_of(arc.start()));
                CHECK(sector == sector_of(arc.end()));
            }
        }
    }
}

}  // namespace
}  // namespace opstore::arc
