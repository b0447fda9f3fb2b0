// Goal: what docs/contract.md says of the reads that follow a space in stored_at order: the tail, and the
// page of a set of sectors. Method: examples at every limit, then walks against the order in which ops were
// put.
#include <tests/contract/sector_ops.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace opstore::testing {
namespace {

std::vector<op_id> ids_of(std::vector<tail_op> const& ops) {
    std::vector<op_id> list;
    for (auto const& op : ops) {
        list.push_back(op.id);
    }
    return list;
}

}  // namespace

TEST_CASE("tail: at most ops_max ops in stored_at order; complete tells that nothing is behind them") {
    on_each_store([](store_under_test& space) {
        auto const order = put_five(space);
        for (std::size_t const ops_max : {std::size_t{1}, order.size() - 1, order.size(), order.size() + 1}) {
            CAPTURE(ops_max);
            auto const tail = get(space->retrieve_tail(at(0), ops_max));
            auto const count = std::min(ops_max, order.size());
            CHECK(ids_of(tail.ops) == std::vector<op_id>(order.begin(), order.begin() + count));
            CHECK(tail.complete == (ops_max >= order.size()));
            CHECK(tail.next == at(arc::to_micros(start_time) + static_cast<std::int64_t>(count)));
            for (auto const& op : tail.ops) {
                CHECK(op.location == arc::location{first_of(3) + 9});
            }
        }
        auto const second = get(space->retrieve_tail(at(arc::to_micros(start_time) + 1), 1)).ops.at(0);
        CHECK(second.created_at == at(20));
    });
}

TEST_CASE("tail: complete, next is max(start, W + 1), whatever the clock says") {
    on_each_store([](store_under_test& space) {
        auto const empty = get(space->retrieve_tail(arc::timestamp::min(), 1));
        CHECK(empty.complete);
        CHECK(empty.ops.empty());
        CHECK(empty.next == at(1));
        put_five(space);
        space.clock.step(std::chrono::hours(1));
        auto const behind_all = at(arc::to_micros(start_time) + 5);
        CHECK(get(space->retrieve_tail(behind_all, 1)).next == behind_all);
        CHECK(get(space->retrieve_tail(at(0), op_store::page_ids_max)).next == behind_all);
        auto const later = at(arc::to_micros(start_time) + 1000);
        CHECK(get(space->retrieve_tail(later, 1)).next == later);
        CHECK(get(space->retrieve_tail(arc::timestamp::max(), 1)).next == arc::timestamp::max());
        // Stamps that a batch of held ops used up are passed too.
        put_five(space);
        CHECK(get(space->retrieve_tail(behind_all, 1)).next ==
              at(arc::to_micros(get(space->stat()).watermark) + 1));
    });
}

TEST_CASE("tail, page of sectors, region: at most page_ids_max ids, and exactly that many are not cut") {
    on_each_store([](store_under_test& space) {
        constexpr auto most = static_cast<std::uint32_t>(op_store::page_ids_max);
        op_region const region{0, all_time()};
        put(space, numbered_ops(0, most, at(0)));
        auto const exact = get(space->retrieve_tail(at(0), most));
        CHECK(exact.ops.size() == most);
        CHECK(exact.complete);
        CHECK_FALSE(get(space->retrieve_op_ids_of_sectors(sectors_of({0}), at(0), UINT64_MAX)).next_op_bytes);
        CHECK(get(space->retrieve_region_ids({region}, UINT64_MAX)).at(0).ids.size() == most);
        CHECK_FALSE(get(space->retrieve_region_page(region, {}, UINT64_MAX)).next);

        put(space, numbered_ops(most, 1, at(most)));
        auto const cut = get(space->retrieve_tail(at(0), most));
        CHECK(cut.ops.size() == most);
        CHECK_FALSE(cut.complete);
        auto const page = get(space->retrieve_op_ids_of_sectors(sectors_of({0}), at(0), UINT64_MAX));
        CHECK(page.ids.size() == most);
        CHECK(page.next_op_bytes == empty_op_bytes);
        auto const whole = get(space->retrieve_region_ids({region}, UINT64_MAX)).at(0);
        CHECK(whole.op_count == most + 1);
        CHECK_FALSE(whole.taken);
        CHECK(whole.ids.empty());
        auto const part = get(space->retrieve_region_page(region, {}, UINT64_MAX));
        CHECK(part.ids.size() == most);
        CHECK(part.next == op_position{at(most - 1), id_at(most - 1)});
        CHECK(get(space->retrieve_region_page(region, part.next, UINT64_MAX)).ids == ids({id_at(most)}));
        // Two regions that only together are too many.
        op_region const first{0, {at(0), at(1)}}, rest{0, {at(1), at(most + 1)}};
        auto const both = get(space->retrieve_region_ids({first, rest, first}, UINT64_MAX));
        CHECK(both[0].taken);
        CHECK_FALSE(both[1].taken);
        CHECK(both[2].taken);
    });
}

TEST_CASE("page of sectors: the ops of its sectors in one walk, as a page of an arc") {
    on_each_store([](store_under_test& space) {
        std::vector<op_id> order;
        std::vector<incoming_op> batch;
        random_source random(5);
        for (std::uint32_t i = 0; i < 300; ++i) {
            auto const sector = static_cast<arc::sector_index>(random.below(random.one_in(2) ? 4 : 512));
            order.push_back(
                id_at(i, first_of(sector) + static_cast<std::uint32_t>(random.below(arc::sector_size))));
            batch.push_back(chosen_op(order.back(), at(i), std::string(random.below(9), 'x')));
        }
        put(space, std::move(batch));
        std::vector<arc::arc_set> sets{sectors_of({0}), sectors_of({3, 511}), sectors_of({0, 1, 2, 3}),
                                       arc::arc_set::full(), arc::arc_set::full().without(sectors_of({1}))};
        for (auto const& set : sets) {
            std::vector<op_id> expected, walked;
            std::ranges::copy_if(order, std::back_inserter(expected), [&](op_id const& id) {
                return set.includes(arc::sector_of(chosen_id_format(chosen_id_length)->locate(id)));
            });
            std::uint64_t const limit = 16 + random.below(200);
            for (auto from = at(0);;) {
                auto const page = get(space->retrieve_op_ids_of_sectors(set, from, limit));
                CHECK(page.bytes <= limit);
                walked.insert(walked.end(), page.ids.begin(), page.ids.end());
                if (!page.next_op_bytes) {
                    CHECK(page.next == at(arc::to_micros(get(space->stat()).watermark) + 1));
                    break;
                }
                if (page.ids.empty()) {
                    // Smaller than that op: it is passed by its stamp.
                    auto const skipped =
                        get(space->retrieve_op_ids_of_sectors(set, page.next, *page.next_op_bytes));
                    REQUIRE(skipped.ids.size() == 1);
                    walked.push_back(skipped.ids[0]);
                    from = at(arc::to_micros(page.next) + 1);
                } else {
                    from = page.next;
                }
            }
            CHECK(walked == expected);
        }
    });
}

TEST_CASE("page of sectors: no sectors, and sectors without new ops, advance too") {
    on_each_store([](store_under_test& space) {
        put_five(space);
        auto const behind_all = at(arc::to_micros(start_time) + 5);
        for (auto const& set :
             {arc::arc_set(), sectors_of({4}), arc::arc_set::full().without(sectors_of({3}))}) {
            auto const page = get(space->retrieve_op_ids_of_sectors(set, at(0), 0));
            CHECK(page.ids.empty());
            CHECK_FALSE(page.next_op_bytes);
            CHECK(page.next == behind_all);
            auto const later = at(arc::to_micros(behind_all) + 7);
            CHECK(get(space->retrieve_op_ids_of_sectors(set, later, 0)).next == later);
        }
    });
}

}  // namespace opstore::testing
