// Goal: rules 7 to 10 of docs/contract.md, the slice hashes that a host computes. Method: examples at every
// limit, in both slice modes.
#include <tests/contract/contract_suite.hpp>

#include <doctest/doctest.h>

namespace opstore::testing {
namespace {

constexpr std::uint64_t index_max = (std::uint64_t{1} << 63) - 1;

space_options host_space() {
    auto options = chosen_space();
    options.slices = slice_mode::host;
    return options;
}

arc::dht_arc arc_between(std::uint32_t start, std::uint32_t end) {
    return arc::dht_arc::between(arc::location{start}, arc::location{end});
}

/// The hashes of an arc as "index=text " each.
std::string listed(std::vector<slice_hash> const& hashes) {
    std::string text;
    for (auto const& h : hashes) {
        text += std::to_string(h.index) + "=" +
                std::string(reinterpret_cast<char const*>(h.hash.data()), h.hash.size()) + " ";
    }
    return text;
}

std::string listed(store_under_test& space, arc::dht_arc arc) {
    return listed(get(space->retrieve_slice_hashes(arc)));
}

void put(store_under_test& space, arc::dht_arc arc, std::uint64_t index, std::string_view hash) {
    get(space->store_slice_hash(arc, index, bytes_of(hash)));
}

}  // namespace

TEST_CASE("7 store slice hash: overwrites") {
    on_each_store(host_space(), [](store_under_test& space) {
        auto const arc = arc_between(0, 2);
        put(space, arc, 5, "first");
        put(space, arc, 5, "2nd");
        CHECK(get(space->retrieve_slice_hash(arc, 5)) == bytes_of("2nd"));
        CHECK(listed(space, arc) == "5=2nd ");
    });
}

TEST_CASE("7 store slice hash: the arc is an exact key, whatever it covers") {
    on_each_store(host_space(), [](store_under_test& space) {
        std::vector<arc::dht_arc> const arcs{
            arc::dht_arc::full(), arc_between(1, 0), arc_between(0x80000000, 0x7fffffff),
            arc_between(0, 2),    arc_between(0, 4), arc_between(4, 0),
            arc_between(0, 0),    arc::sector_arc(0)};
        for (std::size_t i = 0; i < arcs.size(); ++i) {
            put(space, arcs[i], i, "hash " + std::to_string(i));
        }
        for (std::size_t i = 0; i < arcs.size(); ++i) {
            CHECK(listed(space, arcs[i]) == std::to_string(i) + "=hash " + std::to_string(i) + " ");
        }
        CHECK(listed(space, arc_between(0, 3)) == "");
    });
}

TEST_CASE("7 store slice hash: an empty hash, an Empty arc, an index from 2^63 on: invalid, nothing stored") {
    for (auto const mode : {slice_mode::host, slice_mode::store}) {
        auto options = chosen_space();
        options.slices = mode;
        on_each_store(options, [](store_under_test& space) {
            auto const arc = arc_between(0, 2);
            auto const hash = bytes_of("hash");
            CHECK(refusal_of(space->store_slice_hash(arc, 1, {})) == "invalid_argument");
            CHECK(refusal_of(space->store_slice_hash(arc::dht_arc::empty(), 1, hash)) == "invalid_argument");
            CHECK(refusal_of(space->store_slice_hash(arc, index_max + 1, hash)) == "invalid_argument");
            CHECK(refusal_of(space->store_slice_hash(arc, UINT64_MAX, hash)) == "invalid_argument");
            // An argument that is wrong for itself is named before the arc's owner.
            CHECK(refusal_of(space->store_slice_hash(arc::sector_arc(3), 1, {})) == "invalid_argument");
            CHECK(get(space->slice_hash_count(arc)) == 0);
            CHECK(listed(space, arc) == "");
            CHECK(listed(space, arc::dht_arc::empty()) == "");
        });
    }
}

TEST_CASE("7 store slice hash: the refusal names the argument") {
    on_each_store(host_space(), [](store_under_test& space) {
        auto const message = [&](arc::dht_arc arc, std::uint64_t index, std::string_view hash) {
            return run(space->store_slice_hash(arc, index, bytes_of(hash))).error().message();
        };
        CHECK(message(arc_between(0, 2), 1, "").starts_with("hash"));
        CHECK(message(arc::dht_arc::empty(), 1, "x").starts_with("arc"));
        CHECK(message(arc_between(0, 2), UINT64_MAX, "x").starts_with("index"));
    });
}

TEST_CASE("7 store slice hash: mode store refuses sector arcs, any other arc stays free") {
    on_each_store([](store_under_test& space) {
        auto const hash = bytes_of("hash");
        for (auto const sector : std::vector<arc::sector_index>{0, 1, 255, 511}) {
            auto const own = arc::sector_arc(sector);
            auto const start = own.start().value;
            auto const end = own.end().value;
            CHECK(refusal_of(space->store_slice_hash(own, 1, hash)) == "slices_kept_by_store");
            for (auto const& other :
                 {arc_between(start + 1, end), arc_between(start - 1, end), arc_between(start, end - 1),
                  arc_between(start, end + 1), arc_between(start + 1, end + 1), arc_between(end, start)}) {
                CAPTURE(sector);
                CHECK(refusal_of(space->store_slice_hash(other, 1, hash)) == "accepted");
                CHECK(listed(space, other) == "1=hash ");
            }
            CHECK(listed(space, own) == "");
            CHECK(get(space->slice_hash_count(own)) == 0);
        }
        CHECK(refusal_of(space->store_slice_hash(arc::dht_arc::full(), 1, hash)) == "accepted");
    });
}

TEST_CASE("7 store slice hash: mode host takes sector arcs too") {
    on_each_store(host_space(), [](store_under_test& space) {
        get(space->process_incoming_ops(numbered_ops(0, 10, at(0))));
        CHECK(listed(space, arc::sector_arc(0)) == "");
        put(space, arc::sector_arc(0), 0, "host's");
        get(space->process_incoming_ops(numbered_ops(10, 10, at(10))));
        CHECK(listed(space, arc::sector_arc(0)) == "0=host's ");
        CHECK(get(space->stat()).full_slices == 0);
    });
}

TEST_CASE("8 slice hash count: the highest index + 1, not the number of hashes") {
    on_each_store(host_space(), [](store_under_test& space) {
        auto const arc = arc_between(0, 2);
        CHECK(get(space->slice_hash_count(arc)) == 0);
        for (std::uint64_t index : {100, 105, 115}) {
            put(space, arc, index, "x");
            CHECK(get(space->slice_hash_count(arc)) == index + 1);
        }
        put(space, arc, 0, "x");
        CHECK(get(space->slice_hash_count(arc)) == 116);
        CHECK(get(space->slice_hash_count(arc_between(0, 4))) == 0);
        put(space, arc, index_max, "last");
        CHECK(get(space->slice_hash_count(arc)) == index_max + 1);
        CHECK(get(space->retrieve_slice_hash(arc, index_max)) == bytes_of("last"));
    });
}

TEST_CASE("9 retrieve slice hash: exactly the bytes stored, of any value and length") {
    on_each_store(host_space(), [](store_under_test& space) {
        auto const arc = arc_between(0, 2);
        std::string every_byte;
        for (int value = 0; value < 256; ++value) {
            every_byte.push_back(static_cast<char>(value));
        }
        using namespace std::string_literals;
        std::vector<std::string> const hashes{"\0"s,  "\0\0"s,    "x\0"s,
                                              "\0x"s, every_byte, std::string(100'000, '\\')};
        for (std::size_t i = 0; i < hashes.size(); ++i) {
            put(space, arc, i, hashes[i]);
        }
        for (std::size_t i = 0; i < hashes.size(); ++i) {
            CHECK(get(space->retrieve_slice_hash(arc, i)) == bytes_of(hashes[i]));
        }
        CHECK_FALSE(get(space->retrieve_slice_hash(arc, hashes.size())));
        CHECK_FALSE(get(space->retrieve_slice_hash(arc, UINT64_MAX)));
        CHECK_FALSE(get(space->retrieve_slice_hash(arc::dht_arc::empty(), 0)));
    });
}

TEST_CASE("10 retrieve slice hashes: ascending by index") {
    on_each_store(host_space(), [](store_under_test& space) {
        auto const arc = arc_between(7, 3);
        for (std::uint64_t index : {10, 2, 9, 100, 1}) {
            put(space, arc, index, "h" + std::to_string(index));
        }
        CHECK(listed(space, arc) == "1=h1 2=h2 9=h9 10=h10 100=h100 ");
    });
}

TEST_CASE("10 retrieve slice hashes, batched: the answer of each arc, in the order asked") {
    on_each_store([](store_under_test& space) {
        put(space, arc_between(0, 2), 3, "a");
        put(space, arc::dht_arc::full(), 4, "b");
        get(space->process_incoming_ops(only(chosen_op(id_at(1, 5), at(0)))));
        std::vector<arc::dht_arc> arcs{arc::dht_arc::full(), arc::dht_arc::empty(), arc_between(0, 2),
                                       arc_between(0, 3), arc::dht_arc::full()};
        for (arc::sector_index sector = 0; sector < arc::sector_count; ++sector) {
            arcs.push_back(arc::sector_arc(sector));
        }
        auto const answers = get(space->retrieve_slice_hashes_of_arcs(arcs));
        REQUIRE(answers.size() == arcs.size());
        CHECK(listed(answers[0]) == "4=b ");
        CHECK(listed(answers[1]) == "");
        CHECK(listed(answers[2]) == "3=a ");
        CHECK(listed(answers[3]) == "");
        CHECK(listed(answers[4]) == "4=b ");
        REQUIRE(answers[5].size() == 1);
        CHECK(op_id(answers[5][0].hash) == id_at(1, 5));
        for (std::size_t i = 6; i < answers.size(); ++i) {
            CHECK(answers[i].empty());
        }
        CHECK(get(space->retrieve_slice_hashes_of_arcs({})).empty());
    });
}

}  // namespace opstore::testing
