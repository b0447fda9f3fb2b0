// Goal: each topology tells a peer of whom it should, never of itself. Method: a few peers, asked by number.
#include <gossip/simulator/bootstrap.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace opstore::simulator {
namespace {

arc::arc_set sectors(std::uint32_t first, std::uint32_t count) {
    arc::arc_set set;
    for (std::uint32_t i = first; i < first + count; ++i) {
        set.insert(static_cast<arc::sector_index>(i));
    }
    return set;
}

std::multiset<std::string> told(bootstrap& place, peer_number peer,
                                arc::arc_set const& wanted = arc::arc_set::full()) {
    std::multiset<std::string> infos;
    for (auto const* info : place.contacts(peer, wanted)) {
        infos.insert(*info);
    }
    return infos;
}

bootstrap with_peers(topology known, std::uint32_t contacts = 4, arc_choice arcs = arc_choice::full) {
    plan p;
    p.arcs = arcs;
    p.known = known;
    p.contacts = contacts;
    bootstrap place(p);
    for (peer_number peer = 0; peer < 5; ++peer) {
        place.announce(peer, std::to_string(peer), sectors(peer * 10, 10));
    }
    return place;
}

using infos = std::multiset<std::string>;

TEST_CASE("bootstrap: everyone, ring and star") {
    auto all = with_peers(topology::everyone);
    CHECK(told(all, 2) == infos{"0", "1", "3", "4"});
    CHECK(told(all, 9) == infos{"0", "1", "2", "3", "4"});
    auto ring = with_peers(topology::ring);
    CHECK(told(ring, 2) == infos{"1"});
    CHECK(told(ring, 0) == infos{"4"});
    auto star = with_peers(topology::star);
    CHECK(told(star, 3) == infos{"0"});
    CHECK(told(star, 0).empty());
}

TEST_CASE("bootstrap: nobody is there yet") {
    for (auto const known : {topology::everyone, topology::random, topology::ring, topology::star}) {
        plan p;
        p.known = known;
        bootstrap place(p);
        CHECK(told(place, 0).empty());
        place.announce(0, "0", {});
        CHECK(told(place, 0).empty());
    }
}

TEST_CASE("bootstrap: random tells so many, and half of them near ones as far as there are") {
    auto place = with_peers(topology::random, 2);
    for (int i = 0; i < 50; ++i) {
        auto const some = told(place, 0, sectors(30, 5));
        CHECK(some.size() == 2);
        CHECK(some.contains("3"));
        CHECK_FALSE(some.contains("0"));
    }
    auto many = with_peers(topology::random, 100);
    CHECK(told(many, 1).size() == 4);
}

TEST_CASE("bootstrap: sharded, who asks again is told of others too") {
    for (auto const known : {topology::ring, topology::star}) {
        for (auto const arcs : {arc_choice::full, arc_choice::sharded}) {
            auto place = with_peers(known, 100, arcs);
            CHECK(told(place, 3).size() == 1);
            CHECK((told(place, 3).size() > 1) == (arcs == arc_choice::sharded));
        }
    }
}

TEST_CASE("bootstrap: who left is told of by its tombstone alone, for a while") {
    auto place = with_peers(topology::star);
    place.withdraw(0, "gone");
    CHECK(told(place, 3) == infos{"1", "gone"});
    for (std::size_t i = 0; i < bootstrap::tombstones_max; ++i) {
        place.withdraw(4, "later");
    }
    CHECK_FALSE(told(place, 3).contains("gone"));
}

}  // namespace
}  // namespace opstore::simulator
