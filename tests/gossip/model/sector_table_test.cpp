// Goal: the packed table is a map from sectors to hashes. Method: random sums against such a map, for every
// length of ids.
#include <gossip/model/detail/sector_table.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

namespace opstore::gossip::testing {
namespace {

using detail::sector_table;
using opstore::testing::random_source;

/// Few sectors, none, all, or half of them.
arc::arc_set random_sectors(random_source& random) {
    if (random.one_in(8)) {
        return arc::arc_set::full();
    }
    arc::arc_set set;
    auto const odds = random.one_in(2) ? 2 : 60;
    for (arc::sector_index sector = 0; sector < arc::sector_count; ++sector) {
        if (random.one_in(odds)) {
            set.insert(sector);
        }
    }
    return set;
}

struct pair_of_tables {
    sector_table packed;
    sector_hashes naive;

    void add(arc::sector_index sector, op_id const& id) {
        packed.add(sector, id.bytes());
        naive[sector].add(id);
    }
    void check(arc::arc_set const& sectors) const {
        combined_hash top;
        sector_hashes listed;
        for (auto const& [sector, hash] : naive) {
            if (sectors.includes(sector)) {
                top.add(hash);
                listed[sector] = hash;
            }
        }
        CHECK(packed.top(sectors) == top);
        sector_hashes packed_listed;
        packed.add_to(packed_listed, sectors);
        CHECK(packed_listed == listed);
        CHECK(packed.empty() == naive.empty());
    }
};

}  // namespace

TEST_CASE("sector table: random sums, for every length of ids") {
    random_source random(1);
    for (std::size_t length = 1; length <= op_id::length_max; ++length) {
        CAPTURE(length);
        pair_of_tables tables;
        auto const sectors = 1 + random.below(arc::sector_count);
        for (int step = 0; step < 600; ++step) {
            auto const sector = static_cast<arc::sector_index>(random.below(sectors));
            tables.add(sector, op_id(random.bytes(length)));
            if (random.one_in(40)) {
                tables.check(random_sectors(random));
            }
        }
        tables.check(arc::arc_set::full());
        tables.check({});
    }
}

TEST_CASE("sector table: a combination is the sum of the sums") {
    random_source random(2);
    for (int round = 0; round < 100; ++round) {
        std::vector<pair_of_tables> parts(random.below(6));
        sector_hashes naive;
        for (auto& part : parts) {
            for (auto left = random.below(30) * random.below(30); left > 0; --left) {
                auto const sector = static_cast<arc::sector_index>(random.below(arc::sector_count));
                op_id const id(random.bytes(8));
                part.add(sector, id);
                naive[sector].add(id);
            }
        }
        std::vector<sector_table const*> tables;
        for (auto const& part : parts) {
            tables.push_back(&part.packed);
        }
        pair_of_tables whole{sector_table::combine(tables), naive};
        for (int set = 0; set < 5; ++set) {
            whole.check(random_sectors(random));
        }
        whole.add(511, op_id(random.bytes(8)));
        whole.add(0, op_id(random.bytes(8)));
        whole.check(arc::arc_set::full());
    }
}

TEST_CASE("sector table: hashes that cancel out are zero bytes, not empty") {
    op_id const id(random_source(3).bytes(4));
    sector_table table;
    table.add(5, id.bytes());
    table.add(5, id.bytes());
    CHECK_FALSE(table.empty());
    std::array<std::byte, 4> const zero{};
    CHECK(table.top(arc::arc_set::full()) == combined_hash(zero));
    arc::arc_set others = arc::arc_set::full();
    arc::arc_set only;
    only.insert(5);
    CHECK(table.top(others.without(only)) == combined_hash());
}

TEST_CASE("sector table: the empty hash adds nothing") {
    sector_table table;
    table.add(5, {});
    CHECK(table.empty());
    CHECK(table.top(arc::arc_set::full()).empty());
    CHECK(sector_table::combine({}).empty());
}

}  // namespace opstore::gossip::testing
