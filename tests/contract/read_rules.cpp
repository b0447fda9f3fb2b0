// Goal: rules 2, 3, 4, 6 and 11 of docs/contract.md, and the arcs of all methods. Method: examples; for arcs,
// every arc between edge locations against a plain comparison of numbers.
#include <tests/contract/contract_suite.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace opstore::testing {
namespace {

constexpr std::uint32_t ring_end = 0xffffffff;
using arc::sector_size;

/// Where arcs and sectors begin, end and wrap.
std::vector<std::uint32_t> const& edges() {
    static std::vector<std::uint32_t> const all{0,
                                                1,
                                                sector_size - 1,
                                                sector_size,
                                                sector_size + 1,
                                                0x7fffffff,
                                                0x80000000,
                                                ring_end - sector_size,
                                                ring_end - sector_size + 1,
                                                ring_end - 1,
                                                ring_end};
    return all;
}

/// The definition of an arc, in numbers.
bool lies_in(std::uint32_t location, std::uint32_t start, std::uint32_t end) {
    return start <= end ? start <= location && location <= end : location >= start || location <= end;
}

arc::dht_arc arc_between(std::uint32_t start, std::uint32_t end) {
    return arc::dht_arc::between(arc::location{start}, arc::location{end});
}

/// One op at each edge, the later the smaller; in this order.
std::vector<op_id> put_edges(store_under_test& space) {
    std::vector<incoming_op> batch;
    std::int64_t created_at = 100;
    for (auto const edge : edges()) {
        batch.push_back(chosen_op(id_at(1, edge), at(created_at--)));
    }
    return get(space->process_incoming_ops(std::move(batch))).held;
}

}  // namespace

TEST_CASE("2 time slice: start is inclusive, end exclusive") {
    on_each_store([](store_under_test& space) {
        get(space->process_incoming_ops(numbered_ops(10, 5, at(10))));  // Created at 10 .. 14.
        auto const slice = [&](std::int64_t start, std::int64_t end) {
            return get(space->retrieve_op_hashes_in_time_slice(arc::dht_arc::full(), at(start), at(end)));
        };
        CHECK(slice(11, 13).ids == ids({id_at(11), id_at(12)}));
        CHECK(slice(11, 13).bytes == 2 * chosen_op(id_at(1), at(1)).data.size());
        CHECK(slice(10, 11).ids == ids({id_at(10)}));
        CHECK(slice(14, 15).ids == ids({id_at(14)}));
        CHECK(slice(15, 100).ids.empty());
        CHECK(slice(11, 11).ids.empty());
        CHECK(slice(13, 11).ids.empty());
        CHECK(slice(13, 11).bytes == 0);
        CHECK(slice(INT64_MIN, INT64_MAX).ids.size() == 5);
        CHECK(slice(INT64_MAX, INT64_MIN).ids.empty());
    });
}

TEST_CASE("2 time slice: the last microsecond of time lies in no half-open slice") {
    on_each_store([](store_under_test& space) {
        get(space->process_incoming_ops(only(chosen_op(id_at(1), at(INT64_MAX)))));
        auto const full = arc::dht_arc::full();
        CHECK(get(space->retrieve_op_hashes_in_time_slice(full, at(0), at(INT64_MAX))).ids.empty());
        CHECK(get(space->retrieve_op_ids_bounded(full, at(0), 100)).ids.size() == 1);
        CHECK(get(space->earliest_timestamp_in_arc(full)) == at(INT64_MAX));
    });
}

TEST_CASE("2 time slice: ordered by (created_at, id) over all sectors, whatever the order of arrival") {
    on_each_store([](store_under_test& space) {
        std::vector<incoming_op> const batch{
            chosen_op(id_at(3, 0), at(7)), chosen_op(id_at(1, ring_end), at(8)),
            chosen_op(id_at(2, 5), at(7)), chosen_op(id_at(1, 0x80000000), at(7)),
            chosen_op(id_at(0xff000000, 1), at(6))};
        get(space->process_incoming_ops(batch));
        auto const list = get(space->retrieve_op_hashes_in_time_slice(arc::dht_arc::full(), at(0), at(9)));
        CHECK(list.ids == ids({id_at(0xff000000, 1), id_at(1, 0x80000000), id_at(2, 5), id_at(3, 0),
                               id_at(1, ring_end)}));
    });
}

TEST_CASE("2 time slice: no byte limit and no limit of ids") {
    on_each_store([](store_under_test& space) {
        get(space->process_incoming_ops(numbered_ops(0, 20'000, at(0))));
        auto const list =
            get(space->retrieve_op_hashes_in_time_slice(arc::dht_arc::full(), at(0), at(20'000)));
        CHECK(list.ids.size() == 20'000);
        CHECK(list.bytes == 20'000 * chosen_op(id_at(1), at(1)).data.size());
        CHECK(std::ranges::is_sorted(list.ids));
    });
}

TEST_CASE("3 retrieve ops: input order, repeats answered each time, unknown and malformed ids absent") {
    on_each_store([](store_under_test& space) {
        get(space->process_incoming_ops(numbered_ops(1, 3, at(11))));
        auto const asked = ids({id_at(3), id_at(9), id_at(1), op_id(), id_at(3),
                                chosen_id(3, arc::location{0}, chosen_id_length + 1),
                                chosen_id(3, arc::location{0}, chosen_id_length - 1), id_at(2)});
        std::vector<op_id> answered;
        for (auto const& op : get(space->retrieve_ops(asked))) {
            answered.push_back(op.id);
        }
        CHECK(answered == ids({id_at(3), id_at(1), id_at(3), id_at(2)}));
        CHECK(get(space->retrieve_ops({})).empty());
    });
}

TEST_CASE("3 retrieve ops: an op comes with its location, both times and its bytes as received") {
    on_each_store([](store_under_test& space) {
        auto const op = chosen_op(id_at(1, 0xfedcba98), at(77), "payload");
        get(space->process_incoming_ops(only(op)));
        auto const stored = get(space->retrieve_ops(ids({id_at(1, 0xfedcba98)})));
        REQUIRE(stored.size() == 1);
        CHECK(stored[0].location == arc::location{0xfedcba98});
        CHECK(stored[0].created_at == at(77));
        CHECK(stored[0].stored_at == start_time);
        CHECK(stored[0].data == op.data);
    });
}

TEST_CASE("4 filter: those not held, in input order, repeats kept, other lengths dropped") {
    on_each_store([](store_under_test& space) {
        get(space->process_incoming_ops(numbered_ops(1, 3, at(11))));
        auto const asked = ids({id_at(9), id_at(1), op_id(), id_at(4), id_at(9),
                                chosen_id(9, arc::location{0}, chosen_id_length + 1), id_at(0),
                                chosen_id(9, arc::location{0}, chosen_id_length - 1), id_at(3)});
        CHECK(get(space->filter_out_existing_ops(asked)) == ids({id_at(9), id_at(4), id_at(9), id_at(0)}));
        CHECK(get(space->filter_out_existing_ops({})).empty());
    });
}

TEST_CASE("3 retrieve ops, 4 filter: lists of every length, in any order, are answered in theirs") {
    // A store may share long lists out, and look them up in an order of its own.
    on_each_store([](store_under_test& space) {
        constexpr std::uint32_t held = 300;
        get(space->process_incoming_ops(numbered_ops(0, held, at(11))));
        random_source random(20261121);
        for (std::size_t const length : {1, 2, 255, 511, 512, 513, 1024, 3001}) {
            std::vector<op_id> asked, expected_ops, expected_missing;
            for (std::size_t i = 0; i < length; ++i) {
                auto const name = static_cast<std::uint32_t>(random.below(2 * held));
                auto const id = i % 97 == 5 ? op_id() : id_at(name);
                asked.push_back(id);
                if (id == op_id()) {
                    continue;
                }
                (name < held ? expected_ops : expected_missing).push_back(id);
            }
            INFO(length, " ids");
            std::vector<op_id> answered;
            for (auto const& op : get(space->retrieve_ops(asked))) {
                answered.push_back(op.id);
            }
            CHECK(answered == expected_ops);
            CHECK(get(space->filter_out_existing_ops(asked)) == expected_missing);
        }
    });
}

TEST_CASE("4 filter: a million ids in one call") {
    on_each_store([](store_under_test& space) {
        get(space->process_incoming_ops(numbered_ops(500'000, 1000, at(1))));
        std::vector<op_id> asked;
        asked.reserve(1'000'000);
        for (std::uint32_t name = 0; name < 1'000'000; ++name) {
            asked.push_back(id_at(name));
        }
        auto const missing = get(space->filter_out_existing_ops(asked));
        REQUIRE(missing.size() == 999'000);
        CHECK(missing.front() == id_at(0));
        CHECK(missing[499'999] == id_at(499'999));
        CHECK(missing[500'000] == id_at(501'000));
        CHECK(missing.back() == id_at(999'999));
    });
}

TEST_CASE("6 earliest: the smallest created_at in the arc, none where there is no op") {
    on_each_store([](store_under_test& space) {
        auto const earliest = [&](arc::dht_arc arc) { return get(space->earliest_timestamp_in_arc(arc)); };
        CHECK_FALSE(earliest(arc::dht_arc::full()));
        std::vector<incoming_op> const batch{chosen_op(id_at(1, 10), at(50)), chosen_op(id_at(2, 10), at(40)),
                                             chosen_op(id_at(3, 11), at(30)),
                                             chosen_op(id_at(4, ring_end), at(0))};
        get(space->process_incoming_ops(batch));
        CHECK(earliest(arc::dht_arc::full()) == at(0));
        CHECK(earliest(arc_between(10, 10)) == at(40));
        CHECK(earliest(arc_between(10, 11)) == at(30));
        CHECK(earliest(arc_between(ring_end, 10)) == at(0));
        CHECK_FALSE(earliest(arc_between(12, ring_end - 1)));
        CHECK_FALSE(earliest(arc::dht_arc::empty()));
    });
}

TEST_CASE("6 earliest, batched: the answer of each arc, in the order asked") {
    on_each_store([](store_under_test& space) {
        put_edges(space);
        std::vector<arc::dht_arc> arcs{arc::dht_arc::empty(), arc::dht_arc::full(), arc_between(2, 3),
                                       arc_between(2, 3)};
        for (arc::sector_index sector = 0; sector < arc::sector_count; ++sector) {
            arcs.push_back(arc::sector_arc(sector));
        }
        for (auto const start : edges()) {
            arcs.push_back(arc_between(start, start - 1));
            arcs.push_back(arc_between(start, 1));
        }
        auto const answers = get(space->earliest_timestamps_in_arcs(arcs));
        REQUIRE(answers.size() == arcs.size());
        for (std::size_t i = 0; i < arcs.size(); i += i < 516 ? 37 : 1) {
            CAPTURE(i);
            CHECK(answers[i] == get(space->earliest_timestamp_in_arc(arcs[i])));
        }
        CHECK(get(space->earliest_timestamps_in_arcs({})).empty());
    });
}

TEST_CASE("11 count: the ops held, each once") {
    on_each_store([](store_under_test& space) {
        CHECK(get(space->query_total_op_count()) == 0);
        get(space->process_incoming_ops(numbered_ops(0, 7, at(0))));
        get(space->process_incoming_ops(numbered_ops(5, 7, at(5))));
        CHECK(get(space->query_total_op_count()) == 12);
        CHECK(get(space->stat()).op_count == 12);
    });
}

TEST_CASE("arcs: every method agrees with the definition at every edge, wrapped and full arcs included") {
    on_each_store([](store_under_test& space) {
        auto const held = put_edges(space);
        for (auto const start : edges()) {
            for (auto const end : edges()) {
                CAPTURE(start);
                CAPTURE(end);
                std::vector<op_id> expected;
                for (std::size_t i = 0; i < held.size(); ++i) {
                    if (lies_in(edges()[i], start, end)) {
                        expected.push_back(held[i]);
                    }
                }
                auto const arc = arc_between(start, end);
                CHECK(get(space->retrieve_op_ids_bounded(arc, at(0), UINT64_MAX)).ids == expected);
                std::ranges::reverse(expected);  // The later in the batch, the smaller created_at.
                CHECK(get(space->retrieve_op_hashes_in_time_slice(arc, at(0), at(101))).ids == expected);
                auto const earliest = get(space->earliest_timestamp_in_arc(arc));
                REQUIRE(earliest.has_value() == !expected.empty());
                if (earliest) {
                    auto const first = get(space->retrieve_ops(ids({expected.front()})));
                    CHECK(*earliest == first.at(0).created_at);
                }
            }
        }
    });
}

TEST_CASE("arcs: Empty holds nothing, Arc(x, x - 1) everything") {
    on_each_store([](store_under_test& space) {
        put_edges(space);
        auto const count = [&](arc::dht_arc arc) {
            return get(space->retrieve_op_hashes_in_time_slice(arc, at(0), at(101))).ids.size();
        };
        CHECK(count(arc::dht_arc::empty()) == 0);
        CHECK(count(arc::dht_arc::full()) == edges().size());
        for (auto const start : edges()) {
            CHECK(count(arc_between(start, start - 1)) == edges().size());
        }
    });
}

TEST_CASE("spaces: share nothing, and their keys may hold any bytes") {
    on_each_store([](store_under_test& first) {
        using namespace std::string_literals;
        auto const key = first->options().key;
        int tried = 0;
        for (auto const& other_key : {key + "\0"s, key + "'; DROP TABLE op; --\"\\", key + "\xff\xfe\n\t",
                                      key + std::string(255 - key.size(), 'x')}) {
            auto options = chosen_space();
            options.key = other_key;
            store_under_test other(first.kind, options);
            CHECK(other->options().key == other_key);
            get(other->process_incoming_ops(numbered_ops(0, 3, at(0))));
            CHECK(get(first->query_total_op_count()) == static_cast<std::size_t>(tried));
            CHECK(get(first->process_incoming_ops(numbered_ops(tried, 1, at(0)))).newly_stored.size() == 1);
            CHECK(get(other->query_total_op_count()) == 3);
            ++tried;
        }
    });
}

}  // namespace opstore::testing
