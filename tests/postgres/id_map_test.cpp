// Goal: the map of remembered ids holds what was put in, where it was put last, and nothing else, whatever
// its size and wherever ids meet. Method: against std::map; with fingerprints chosen to meet in one place.
#include <opstore/postgres/detail/id_map.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>

namespace opstore::testing {
namespace {

using postgres::detail::id_map;
using postgres::detail::tuple_id;
using fingerprint = id_map::fingerprint;
using model = std::map<std::pair<std::uint64_t, std::uint32_t>, tuple_id>;

fingerprint random_fingerprint(random_source& random) {
    return {random.below(~0ull), static_cast<std::uint32_t>(random.below(1 << 24))};
}

tuple_id random_place(random_source& random) {
    return {static_cast<std::uint32_t>(random.below(1ull << 32)),
            static_cast<std::uint16_t>(1 + random.below(0xffff))};
}

/// Compares with the model: one by one, and in one go.
void check_same(id_map const& map, model const& expected, std::vector<fingerprint> const& asked) {
    std::vector<tuple_id> places;
    bool same = true;
    for (fingerprint const id : asked) {
        auto const known = expected.find({id.high, id.low});
        places.push_back(known == expected.end() ? tuple_id{} : known->second);
        same = same && map.find(id) == places.back();
    }
    CHECK(same);
    CHECK(map.find(asked) == places);
    CHECK(map.size() == expected.size());
}

}  // namespace

TEST_CASE("id map: the model's, at any size") {
    random_source random(20261122);
    id_map map;
    model expected;
    check_same(map, expected, {});
    check_same(map, expected, {{1, 2}, {0, 0}});
    std::vector<fingerprint> known;
    for (std::size_t size = 1; size < 100'000; size += 1 + size / 2) {
        while (known.size() < size) {
            auto const id = random_fingerprint(random);
            auto const place = random_place(random);
            CHECK(map.put(id, place) == expected.emplace(std::pair(id.high, id.low), place).second);
            known.push_back(id);
        }
        for (int i = 0; i < 10; ++i) {
            auto const again = known[random.below(size)], moved = known[random.below(size)];
            auto const place = random_place(random), other = random_place(random);
            CHECK_FALSE(map.put(again, place));
            expected[{again.high, again.low}] = place;
            map.move(moved, other);
            expected[{moved.high, moved.low}] = other;
            map.move(random_fingerprint(random), place);
        }
        std::vector<fingerprint> asked;
        for (int i = 0; i < 1000; ++i) {
            auto const id = known[random.below(size)];
            asked.insert(asked.end(), {id, random_fingerprint(random)});
            // One bit beside one that is there: in each part of it.
            asked.insert(asked.end(), {{id.high ^ 1, id.low},
                                       {id.high ^ 1ull << 63, id.low},
                                       {id.high, id.low ^ 1},
                                       {id.high, id.low ^ 1 << 15},
                                       {id.high, id.low ^ 1 << 16}});
        }
        check_same(map, expected, asked);
    }
    check_same(map, expected, known);
}

TEST_CASE("id map: ids that meet in one place") {
    // The place depends on the upper half of `high` and the upper byte of `low`: the last line of one part,
    // so that the search goes on at the first.
    id_map map;
    model expected;
    std::vector<fingerprint> asked;
    for (std::uint32_t i = 0; i < 500; ++i) {
        fingerprint const there{0xffff'ffff'0000'0000u | i, 7 << 16};
        fingerprint const absent{0xffff'ffff'0001'0000u | i, 7 << 16};
        tuple_id const place{i, 1};
        CHECK(map.put(there, place));
        expected[{there.high, there.low}] = place;
        asked.insert(asked.end(), {there, absent});
        check_same(map, expected, asked);
    }
}

TEST_CASE("id map: a free slot is not taken for the id that looks like one") {
    // Both have the same tag and belong in the same line: the first free slot is beside the first one's.
    fingerprint const first{0xff, 0}, zeros{0, 0};
    id_map map;
    CHECK(map.put(first, {1, 1}));
    CHECK(map.find(zeros).is_nowhere());
    CHECK(map.put(zeros, {2, 2}));
    CHECK(map.find(zeros) == tuple_id{2, 2});
    CHECK(map.find(first) == tuple_id{1, 1});
    CHECK(map.size() == 2);
}

TEST_CASE("id map: fingerprints tell ids apart, by a key that nobody else has") {
    id_map::key const one, other;
    auto const print = [](id_map::key const& key, std::string const& id) {
        return key.of(std::as_bytes(std::span(id)));
    };
    CHECK(print(one, "an id") == print(one, "an id"));
    CHECK(print(one, "an id") != print(one, "an ie"));
    CHECK(print(one, "an id") != print(one, std::string("an id\0", 6)));
    CHECK(print(one, "an id") != print(other, "an id"));
    // All of its bits are used, and no more.
    fingerprint any, all{~0ull, (1u << 24) - 1};
    for (int i = 0; i < 200; ++i) {
        auto const some = print(one, std::to_string(i));
        any = {any.high | some.high, any.low | some.low};
        all = {all.high & some.high, all.low & some.low};
    }
    CHECK(any == fingerprint{~0ull, (1u << 24) - 1});
    CHECK(all == fingerprint{});
}

}  // namespace opstore::testing
