// Goal: the set of remembered ids holds what was put in and nothing else, whatever its size and wherever ids
// meet. Method: against std::set; with fingerprints chosen to meet in one place.
#include <opstore/postgres/detail/id_set.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace opstore::testing {
namespace {

using postgres::detail::id_set;
using fingerprint = id_set::fingerprint;

/// Compares with the model: one by one, and in one go with the positions.
void check_same(id_set const& set, std::set<std::pair<std::uint64_t, std::uint64_t>> const& model,
                std::vector<fingerprint> const& asked) {
    std::vector<std::size_t> expected;
    bool same = true;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        bool const held = model.contains({asked[i].high, asked[i].low});
        same = same && set.contains(asked[i]) == held;
        if (!held)
            expected.push_back(i);
    }
    CHECK(same);
    CHECK(set.missing(asked) == expected);
}

}  // namespace

TEST_CASE("id set: the model's, at any size") {
    random_source random(20261122);
    id_set set;
    std::set<std::pair<std::uint64_t, std::uint64_t>> model;
    check_same(set, model, {});
    check_same(set, model, {{1, 2}});
    std::vector<fingerprint> inserted;
    for (std::size_t size = 1; size < 100'000; size += 1 + size / 2) {
        while (inserted.size() < size) {
            fingerprint const id{random.below(~0ull) + 1, random.below(~0ull)};
            CHECK(set.insert(id) == model.insert({id.high, id.low}).second);
            inserted.push_back(id);
        }
        CHECK_FALSE(set.insert(inserted[random.below(size)]));
        CHECK(set.size() == model.size());
        std::vector<fingerprint> asked;
        for (int i = 0; i < 1000; ++i) {
            asked.push_back(inserted[random.below(size)]);
            asked.push_back({random.below(~0ull) + 1, random.below(~0ull)});
            // One bit beside one that is there.
            asked.push_back({asked[asked.size() - 2].low ^ 1, asked[asked.size() - 2].high});
        }
        check_same(set, model, asked);
    }
    check_same(set, model, inserted);
}

TEST_CASE("id set: ids that meet in one place") {
    // The place depends on the upper half of `low` and the lowest byte of `high`: the last line of one part,
    // so that the search goes on at the first.
    id_set set;
    std::set<std::pair<std::uint64_t, std::uint64_t>> model;
    std::vector<fingerprint> asked;
    for (std::uint64_t i = 0; i < 500; ++i) {
        fingerprint const there{0xffff'ffff'0000'0000u | i, 7}, absent{0xffff'ffff'0001'0000u | i, 7};
        CHECK(set.insert(there));
        model.insert({there.high, there.low});
        asked.push_back(there);
        asked.push_back(absent);
        check_same(set, model, asked);
    }
}

TEST_CASE("id set: fingerprints tell ids apart, by a key that nobody else has") {
    id_set::key const one, other;
    auto const print = [](id_set::key const& key, std::string const& id) {
        return key.of(std::as_bytes(std::span(id)));
    };
    CHECK(print(one, "an id") == print(one, "an id"));
    CHECK(print(one, "an id") != print(one, "an ie"));
    CHECK(print(one, "an id") != print(one, std::string("an id\0", 6)));
    CHECK(print(one, "an id") != print(other, "an id"));
}

}  // namespace opstore::testing
