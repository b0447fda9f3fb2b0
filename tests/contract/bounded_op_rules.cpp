// Goal: what docs/contract.md says of bounded ops. Method: examples at every limit, lists that mix held,
// unknown and malformed ids, and lists beyond what one statement should carry.
#include <tests/contract/sector_ops.hpp>

#include <doctest/doctest.h>

namespace opstore::testing {
namespace {

std::vector<op_id> ids_of(std::vector<stored_op> const& ops) {
    std::vector<op_id> list;
    for (auto const& op : ops) {
        list.push_back(op.id);
    }
    return list;
}

}  // namespace

TEST_CASE("retrieve ops, bounded: from the first id on while the sizes fit, but one held op always goes") {
    on_each_store([](store_under_test& space) {
        auto const order = put_five(space);
        struct expectation {
            std::uint64_t limit;
            std::size_t count;
        };
        std::vector<expectation> const expectations{{0, 1},  {16, 1}, {17, 1}, {34, 1}, {35, 2},
                                                    {36, 2}, {94, 4}, {95, 5}, {96, 5}, {UINT64_MAX, 5}};
        for (auto const& expected : expectations) {
            CAPTURE(expected.limit);
            auto const batch = get(space->retrieve_ops_bounded(order, expected.limit));
            CHECK(ids_of(batch.ops) == std::vector<op_id>(order.begin(), order.begin() + expected.count));
            CHECK(batch.ids_read == expected.count);
        }
        auto const whole = get(space->retrieve_ops(order));
        auto const batch = get(space->retrieve_ops_bounded(order, 1000));
        for (std::size_t i = 0; i < order.size(); ++i) {
            CHECK(batch.ops[i].data == whole[i].data);
            CHECK(batch.ops[i].location == whole[i].location);
            CHECK(batch.ops[i].created_at == whole[i].created_at);
            CHECK(batch.ops[i].stored_at == whole[i].stored_at);
        }
    });
}

TEST_CASE("retrieve ops, bounded: unknown and malformed ids are read over, repeats answered each time") {
    on_each_store([](store_under_test& space) {
        auto const order = put_five(space);
        auto const unknown = id_at(77), malformed = op_id(bytes_of("xyz")), none = op_id();
        auto const ask = [&](std::vector<op_id> list, std::uint64_t limit) {
            return get(space->retrieve_ops_bounded(std::move(list), limit));
        };
        CHECK(ask({}, 100).ids_read == 0);
        CHECK(ask({unknown, malformed, none}, 0).ids_read == 3);
        CHECK(ask({unknown, malformed, none}, 0).ops.empty());
        // The first that is held always goes, and so do those behind it that nobody holds.
        auto const one = ask({unknown, order[0], malformed, none, order[1], unknown}, 0);
        CHECK(ids_of(one.ops) == ids({order[0]}));
        CHECK(one.ids_read == 4);
        auto const two = ask({order[0], unknown, order[0], order[0]}, 34);
        CHECK(ids_of(two.ops) == ids({order[0], order[0]}));
        CHECK(two.ids_read == 3);
        // It stops at the first that does not fit, also where a later one would.
        auto const stopped = ask({order[1], order[4], order[0]}, 38);
        CHECK(ids_of(stopped.ops) == ids({order[1]}));
        CHECK(stopped.ids_read == 1);
    });
}

TEST_CASE("retrieve ops, bounded: more ids and more bytes than one statement should carry") {
    auto options = chosen_space();
    options.max_op_bytes = 40u << 20;
    on_each_store(options, [](store_under_test& space) {
        constexpr std::size_t large = 12u << 20;
        auto const order = put_five(space);
        std::vector<op_id> list(20'000, id_at(99));
        list.insert(list.end(), order.begin(), order.end());
        list.insert(list.end(), 20'000, id_at(98));
        CHECK(get(space->retrieve_ops_bounded(list, 95)).ids_read == list.size());
        CHECK(get(space->retrieve_ops_bounded(list, 94)).ids_read == 20'004);
        std::vector<op_id> all;
        for (std::uint32_t i = 0; i < 4; ++i) {
            std::string const payload(i == 2 ? 3 * large : large, static_cast<char>('a' + i));
            all.push_back(id_at(1000 + i));
            put(space, only(chosen_op(all.back(), at(1), payload)));
        }
        std::uint64_t const sum = 6 * std::uint64_t{large} + 4 * empty_op_bytes;
        auto const whole = get(space->retrieve_ops_bounded(all, sum));
        CHECK(ids_of(whole.ops) == all);
        CHECK(whole.ops[2].data.size() == 3 * large + empty_op_bytes);
        CHECK(whole.ids_read == 4);
        auto const cut = get(space->retrieve_ops_bounded(all, sum - 1));
        CHECK(cut.ids_read == 3);
        CHECK(cut.ops.size() == 3);
        CHECK(get(space->retrieve_ops_bounded(all, 5 * large)).ids_read == 2);
    });
}

}  // namespace opstore::testing
