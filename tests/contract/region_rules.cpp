// Goal: what docs/contract.md says of regions, whole and in pages. Method: examples at every limit, regions
// and positions that hold nothing, and walks against a sorted list of the ops.
#include <tests/contract/sector_ops.hpp>
#include <tests/support/random.hpp>

#include <arc/time_slices.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>

namespace opstore::testing {

TEST_CASE("region ids: whole regions by (created_at, id), with their sums") {
    on_each_store([](store_under_test& space) {
        auto const order = put_five(space);
        put(space, only(chosen_op(id_at(9, first_of(4)), at(20))));
        auto const ask = [&](arc::sector_index sector, std::int64_t start, std::int64_t end) {
            return get(space->retrieve_region_ids({{sector, {at(start), at(end)}}}, UINT64_MAX)).at(0);
        };
        auto const all = ask(3, INT64_MIN, INT64_MAX);
        CHECK(all.taken);
        CHECK(all.op_count == 5);
        CHECK(all.bytes == 17 + 18 + 19 + 20 + 21);
        CHECK(all.ids == order);
        CHECK(ask(3, 20, 21).ids == ids({order[1], order[2]}));
        CHECK(ask(3, 10, 20).ids == ids({order[0]}));
        CHECK(ask(4, 0, 100).ids == ids({id_at(9, first_of(4))}));
        // Nothing to take is taken too: reversed and empty spans, sectors without ops, numbers that are no
        // sector.
        for (auto const& none :
             {ask(3, 40, 10), ask(3, 20, 20), ask(5, 0, 100), ask(512, 0, 100), ask(65'535, 0, 100)}) {
            CHECK(none.taken);
            CHECK(none.op_count == 0);
            CHECK(none.bytes == 0);
            CHECK(none.ids.empty());
        }
        CHECK(get(space->retrieve_region_ids({}, 100)).empty());
    });
}

TEST_CASE("region ids: a region is taken if it fits into what is left, and skipped else") {
    on_each_store([](store_under_test& space) {
        put_five(space);
        op_region const large{3, {at(20), at(30)}};  // 18 + 19 bytes.
        op_region const small{3, {at(10), at(20)}};  // 17 bytes.
        op_region const none{3, {at(50), at(60)}};
        auto const taken = [&](std::vector<op_region> regions, std::uint64_t limit) {
            std::string text;
            for (auto const& answer : get(space->retrieve_region_ids(std::move(regions), limit))) {
                CHECK(answer.ids.size() == (answer.taken ? answer.op_count : 0));
                text += answer.taken ? 't' : 's';
            }
            return text;
        };
        CHECK(taken({large}, 36) == "s");
        CHECK(taken({large}, 37) == "t");
        CHECK(taken({large}, 38) == "t");
        // A later, smaller one may still be taken; what was skipped costs nothing.
        CHECK(taken({large, small, large, none}, 36) == "stst");
        CHECK(taken({large, small, large}, 53) == "tss");
        CHECK(taken({large, small, large}, 54) == "tts");
        CHECK(taken({small, small, small}, 34) == "tts");
        CHECK(taken({small, large, none}, 0) == "sst");
        CHECK(taken({large, large, large, small}, UINT64_MAX) == "tttt");
        auto const sums = get(space->retrieve_region_ids({large}, 0)).at(0);
        CHECK(sums.op_count == 2);
        CHECK(sums.bytes == 37);
    });
}

TEST_CASE("region ids: thousands of regions in one call") {
    on_each_store([](store_under_test& space) {
        constexpr std::size_t regions = 8192;
        std::vector<incoming_op> batch;
        std::vector<op_region> wanted;
        for (std::uint32_t i = 0; i < regions; ++i) {
            auto const sector = static_cast<arc::sector_index>(i % 512);
            auto const start = static_cast<std::int64_t>(i / 512) * arc::unit.count();
            batch.push_back(chosen_op(id_at(i, first_of(sector)), at(start + i)));
            wanted.push_back({sector, {at(start), at(start + arc::unit.count())}});
        }
        put(space, std::move(batch));
        auto const answers = get(space->retrieve_region_ids(wanted, regions * empty_op_bytes - 1));
        REQUIRE(answers.size() == regions);
        for (std::uint32_t i = 0; i < regions; ++i) {
            bool const last = i == regions - 1;
            REQUIRE(answers[i].op_count == 1);
            REQUIRE(answers[i].taken == !last);
            REQUIRE(
                (last || answers[i].ids[0] == id_at(i, first_of(static_cast<arc::sector_index>(i % 512)))));
        }
    });
}

TEST_CASE("region page: following next gives the region once, in order, in pages within the limit") {
    on_each_store([](store_under_test& space) {
        // Many ops of one microsecond: a page may end between them.
        std::vector<std::pair<arc::timestamp, op_id>> order;
        std::vector<incoming_op> batch;
        random_source random(11);
        for (std::uint32_t i = 0; i < 400; ++i) {
            auto const created_at =
                at(100 + static_cast<std::int64_t>(random.below(random.one_in(2) ? 2 : 40)));
            order.emplace_back(created_at,
                               id_at(static_cast<std::uint32_t>(random.below(1 << 30)), first_of(7) + i));
            batch.push_back(chosen_op(order.back().second, created_at, std::string(random.below(30), 'x')));
        }
        put(space, std::move(batch));
        std::ranges::sort(order);
        op_region const region{7, {at(100), at(138)}};
        std::erase_if(order, [&](auto const& op) { return op.first >= region.range.end; });
        for (std::uint64_t const limit :
             {std::uint64_t{0}, std::uint64_t{30}, std::uint64_t{500}, UINT64_MAX}) {
            CAPTURE(limit);
            std::vector<op_id> walked;
            std::optional<op_position> after;
            do {
                auto const page = get(space->retrieve_region_page(region, after, limit));
                REQUIRE_FALSE(page.ids.empty());
                CHECK((page.bytes <= limit || page.ids.size() == 1));
                walked.insert(walked.end(), page.ids.begin(), page.ids.end());
                CHECK((!page.next || page.next->id == page.ids.back()));
                after = page.next;
            } while (after);
            REQUIRE(walked.size() == order.size());
            CHECK(std::ranges::equal(walked, order, {}, {}, [](auto const& op) { return op.second; }));
        }
    });
}

TEST_CASE("region page: the limit is exact, but one op always goes") {
    on_each_store([](store_under_test& space) {
        auto const order = put_five(space);
        op_region const region{3, {at(0), at(100)}};
        auto const page = [&](std::uint64_t limit, std::optional<op_position> after = {}) {
            return get(space->retrieve_region_page(region, after, limit));
        };
        CHECK(page(17 + 18 - 1).ids == ids({order[0]}));
        CHECK(page(17 + 18).ids == ids({order[0], order[1]}));
        CHECK(page(17 + 18).bytes == 35);
        CHECK(page(17 + 18).next == op_position{at(20), order[1]});
        CHECK(page(17 + 18 + 1).ids == ids({order[0], order[1]}));
        CHECK(page(0).ids == ids({order[0]}));
        CHECK(page(0).bytes == 17);
        CHECK(page(16).next == op_position{at(10), order[0]});
        // All fit, to the byte: the region ends here.
        CHECK(page(95).ids == order);
        CHECK_FALSE(page(95).next);
        CHECK(page(94).next == op_position{at(30), order[3]});
        CHECK_FALSE(page(0, op_position{at(30), order[3]}).next);
    });
}

TEST_CASE("region page: starts behind any position, of an op or not") {
    on_each_store([](store_under_test& space) {
        auto const order = put_five(space);
        op_region const region{3, {at(20), at(40)}};
        auto const behind = [&](std::int64_t created_at, op_id const& id) {
            return get(space->retrieve_region_page(region, op_position{at(created_at), id}, UINT64_MAX)).ids;
        };
        auto const inside = ids({order[1], order[2], order[3]});
        CHECK(behind(INT64_MIN, op_id()) == inside);
        CHECK(behind(10, order[0]) == inside);
        CHECK(behind(20, op_id()) == inside);
        CHECK(behind(20, order[1]) == ids({order[2], order[3]}));
        // A prefix comes before what it is a prefix of, and what is longer behind it.
        CHECK(behind(20, op_id(order[1].bytes().first(3))) == inside);
        auto longer =
            bytes_of(std::string(reinterpret_cast<char const*>(order[1].bytes().data()), chosen_id_length));
        longer.push_back(std::byte{0});
        CHECK(behind(20, op_id(longer)) == ids({order[2], order[3]}));
        CHECK(behind(29, order[4]) == ids({order[3]}));
        CHECK(behind(30, order[3]).empty());
        CHECK(behind(1000, op_id()).empty());
        CHECK(behind(INT64_MAX, op_id()).empty());
        CHECK(get(space->retrieve_region_page({512, all_time()}, {}, 100)).ids.empty());
        CHECK(get(space->retrieve_region_page({3, {at(40), at(20)}}, {}, 100)).ids.empty());
    });
}

}  // namespace opstore::testing
