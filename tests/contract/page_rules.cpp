// Goal: rule 5 of docs/contract.md, the walk that neither skips nor repeats. Method: examples at every limit,
// then walks while the clock steps and ops arrive, in one thread and in several.
#include <tests/contract/contract_suite.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>

namespace opstore::testing {
namespace {

/// Size of an op of the chosen format without payload.
constexpr std::uint64_t empty_op_bytes = 8 + chosen_id_length;

arc::timestamp after(arc::timestamp time, std::int64_t micros) {
    return at(arc::to_micros(time) + micros);
}

id_page page(store_under_test& space, arc::timestamp start, std::uint64_t limit_bytes,
             arc::dht_arc arc = arc::dht_arc::full()) {
    return get(space->retrieve_op_ids_bounded(arc, start, limit_bytes));
}

/// Three ops of 17, 20 and 18 bytes, stamped start_time, + 1, + 2.
void put_three(store_under_test& space) {
    std::vector<incoming_op> batch{chosen_op(id_at(3), at(1), "x"), chosen_op(id_at(1), at(2), "xxxx"),
                                   chosen_op(id_at(2), at(3), "xx")};
    get(space->process_incoming_ops(std::move(batch)));
}

}  // namespace

TEST_CASE("5 page: ops in stored_at order while their sizes sum up to at most the limit") {
    on_each_store([](store_under_test& space) {
        put_three(space);
        struct expectation {
            std::uint64_t limit;
            std::size_t count;
            std::uint64_t bytes;
        };
        std::vector<expectation> const expectations{{0, 0, 0},   {16, 0, 0},  {17, 1, 17},
                                                    {36, 1, 17}, {37, 2, 37}, {54, 2, 37},
                                                    {55, 3, 55}, {56, 3, 55}, {UINT64_MAX, 3, 55}};
        auto const order = ids({id_at(3), id_at(1), id_at(2)});
        for (auto const& expected : expectations) {
            CAPTURE(expected.limit);
            auto const got = page(space, at(0), expected.limit);
            CHECK(got.ids == std::vector<op_id>(order.begin(), order.begin() + expected.count));
            CHECK(got.bytes == expected.bytes);
        }
    });
}

TEST_CASE("5 page: cut, next is the stored_at of the first op not returned, and its size is told") {
    on_each_store([](store_under_test& space) {
        put_three(space);
        auto const first = page(space, at(0), 17 + 19);
        CHECK(first.ids == ids({id_at(3)}));
        CHECK(first.next == after(start_time, 1));
        CHECK(first.next_op_bytes == 20);
        auto const second = page(space, first.next, 20);
        CHECK(second.ids == ids({id_at(1)}));
        CHECK(second.next == after(start_time, 2));
        CHECK(second.next_op_bytes == 18);
    });
}

TEST_CASE("5 page: stops at the first op that does not fit, also where a later one would") {
    on_each_store([](store_under_test& space) {
        std::vector<incoming_op> const batch{
            chosen_op(id_at(1), at(1)), chosen_op(id_at(2), at(1), "a large op"), chosen_op(id_at(3), at(1))};
        get(space->process_incoming_ops(batch));
        auto const got = page(space, at(0), 2 * empty_op_bytes);
        CHECK(got.ids == ids({id_at(1)}));
        CHECK(got.next == after(start_time, 1));
        CHECK(got.next_op_bytes == empty_op_bytes + 10);
    });
}

TEST_CASE("5 page: a limit too small for the next op gives an empty page that says so") {
    on_each_store([](store_under_test& space) {
        put_three(space);
        for (std::uint64_t limit : {0, 1, 16}) {
            auto const got = page(space, at(0), limit);
            CHECK(got.ids.empty());
            CHECK(got.bytes == 0);
            CHECK(got.next == start_time);
            CHECK(got.next_op_bytes == 17);
        }
    });
}

TEST_CASE("5 page: not cut, next is W + 1, never a clock reading") {
    on_each_store([](store_under_test& space) {
        put_three(space);
        space.clock.step(std::chrono::hours(1));
        CHECK(page(space, at(0), 55).next == after(start_time, 3));
        space.clock.step(-std::chrono::hours(2));
        auto const got = page(space, after(start_time, 1), UINT64_MAX);
        CHECK(got.ids.size() == 2);
        CHECK(got.next == after(start_time, 3));
        CHECK_FALSE(got.next_op_bytes);
        CHECK(got.next == after(get(space->stat()).watermark, 1));
    });
}

TEST_CASE("5 page: not cut, next is never before start") {
    on_each_store([](store_under_test& space) {
        CHECK(page(space, at(0), 100).next == at(1));  // W of an empty space is the epoch.
        CHECK(page(space, at(INT64_MIN), 100).next == at(1));
        put_three(space);
        CHECK(page(space, at(INT64_MIN), 100).ids.size() == 3);
        CHECK(page(space, after(start_time, 3), 100).next == after(start_time, 3));
        CHECK(page(space, after(start_time, 4), 100).next == after(start_time, 4));
        CHECK(page(space, at(INT64_MAX), 100).next == at(INT64_MAX));
        CHECK(page(space, at(INT64_MAX), 100).ids.empty());
    });
}

TEST_CASE("5 page: an Empty arc, and an arc without new ops, advance too") {
    on_each_store([](store_under_test& space) {
        put_three(space);
        auto const quiet = arc::dht_arc::between(arc::location{1000}, arc::location{2000});
        for (auto const& arc : {arc::dht_arc::empty(), quiet}) {
            auto const got = page(space, at(0), 0, arc);
            CHECK(got.ids.empty());
            CHECK(got.next == after(start_time, 3));
            CHECK_FALSE(got.next_op_bytes);
        }
    });
}

TEST_CASE("5 page: W never lies below a visible op, and calls that store nothing good do not move it") {
    on_each_store([](store_under_test& space) {
        put_three(space);
        put_three(space);  // Duplicates only: they may take stamps or not.
        auto const watermark = get(space->stat()).watermark;
        CHECK(watermark >= after(start_time, 2));
        CHECK(page(space, at(0), UINT64_MAX).next == after(watermark, 1));
        get(space->process_incoming_ops({}));
        get(space->process_incoming_ops(only(incoming_op())));
        CHECK(page(space, at(0), UINT64_MAX).next == after(watermark, 1));
        CHECK(page(space, at(0), UINT64_MAX).ids == ids({id_at(3), id_at(1), id_at(2)}));
    });
}

TEST_CASE("5 page: at most page_ids_max ids, and exactly that many are not cut") {
    on_each_store([](store_under_test& space) {
        auto const max = static_cast<std::uint32_t>(op_store::page_ids_max);
        get(space->process_incoming_ops(numbered_ops(0, max - 1, at(0))));
        CHECK(page(space, at(0), UINT64_MAX).ids.size() == max - 1);
        get(space->process_incoming_ops(numbered_ops(max - 1, 1, at(0))));
        auto const whole = page(space, at(0), UINT64_MAX);
        CHECK(whole.ids.size() == max);
        CHECK_FALSE(whole.next_op_bytes);
        CHECK(whole.next == after(start_time, max));
        get(space->process_incoming_ops(numbered_ops(max, 1, at(0))));
        auto const cut = page(space, at(0), UINT64_MAX);
        CHECK(cut.ids.size() == max);
        CHECK(cut.bytes == max * empty_op_bytes);
        CHECK(cut.next == after(start_time, max));
        CHECK(cut.next_op_bytes == empty_op_bytes);
        CHECK(page(space, cut.next, UINT64_MAX).ids == ids({id_at(max)}));
        auto const too_small = page(space, at(0), max * empty_op_bytes - 1);
        CHECK(too_small.ids.size() == max - 1);
        CHECK(too_small.next == after(start_time, max - 1));
    });
}

TEST_CASE("5 page: a page of an arc holds the arc's ops only, whatever lies between them") {
    on_each_store([](store_under_test& space) {
        std::vector<incoming_op> batch;
        std::vector<op_id> inside;
        for (std::uint32_t name = 0; name < 300; ++name) {
            // Every third op lies in the wrapped arc [0xfffffff0, 0x10].
            std::uint32_t const location = name % 3 == 0 ? name % 2 * 0xfffffff8 : 0x1000 + name;
            batch.push_back(chosen_op(id_at(name, location), at(name)));
            if (name % 3 == 0) {
                inside.push_back(id_at(name, location));
            }
        }
        get(space->process_incoming_ops(std::move(batch)));
        auto const wrapped = arc::dht_arc::between(arc::location{0xfffffff0}, arc::location{0x10});
        for (std::uint64_t ops_in_page : {1, 7, 99, 100, 101}) {
            CHECK(follow_pages(*space.store, wrapped, at(0), ops_in_page * empty_op_bytes) == inside);
        }
        auto const cut = page(space, at(0), empty_op_bytes, wrapped);
        CHECK(cut.next == after(start_time, 3));
    });
}

TEST_CASE("5 page: following next visits every op exactly once while ops arrive and the clock steps") {
    on_each_store([](store_under_test& space) {
        std::vector<op_id> stored;
        std::vector<op_id> visited;
        arc::timestamp next = at(0);
        for (std::uint32_t round = 0; round < 60; ++round) {
            auto const report = get(space->process_incoming_ops(numbered_ops(round * 4, 6, at(round))));
            for (auto const& op : report.newly_stored) {
                stored.push_back(op.id);
            }
            auto const got = page(space, next, (round % 9) * empty_op_bytes);
            visited.insert(visited.end(), got.ids.begin(), got.ids.end());
            next = got.next;
            space.clock.step(std::chrono::minutes(round % 2 == 0 ? 60 : -70));
        }
        auto const rest = follow_pages(*space.store, arc::dht_arc::full(), next, 10 * empty_op_bytes);
        visited.insert(visited.end(), rest.begin(), rest.end());
        CHECK(visited == stored);
    });
}

TEST_CASE("5 page: following next visits every op exactly once while several threads store") {
    on_each_store([](store_under_test& space) {
        constexpr std::uint32_t writers = 4;
        constexpr std::uint32_t calls = 50;
        std::atomic<std::uint32_t> running{writers};
        std::vector<std::future<std::vector<op_id>>> newly_stored;
        for (std::uint32_t writer = 0; writer < writers; ++writer) {
            newly_stored.push_back(std::async(std::launch::async, [&, writer] {
                std::vector<op_id> mine;
                for (std::uint32_t call = 0; call < calls; ++call) {
                    // Neighbouring writers bring some of the same ops.
                    auto batch = numbered_ops((call * writers + writer) * 4, 6, at(call));
                    for (auto const& op : get(space->process_incoming_ops(std::move(batch))).newly_stored) {
                        mine.push_back(op.id);
                    }
                    space.clock.step(std::chrono::microseconds(call % 2 == 0 ? 50 : -49));
                }
                --running;
                return mine;
            }));
        }
        std::vector<op_id> visited;
        arc::timestamp next = at(0);
        for (bool last_walk = false; !last_walk;) {
            last_walk = running == 0;
            for (bool cut = true; cut;) {
                auto const got = page(space, next, 5 * empty_op_bytes);
                visited.insert(visited.end(), got.ids.begin(), got.ids.end());
                next = got.next;
                cut = got.next_op_bytes.has_value();
            }
        }
        CHECK(visited == follow_pages(*space.store, arc::dht_arc::full(), at(0), 1'000'000));
        CHECK(visited.size() == writers * calls * 4 + 2);
        std::vector<op_id> announced;
        for (auto& list : newly_stored) {
            auto const mine = list.get();
            announced.insert(announced.end(), mine.begin(), mine.end());
        }
        std::ranges::sort(visited);
        std::ranges::sort(announced);
        CHECK(std::ranges::adjacent_find(visited) == visited.end());
        CHECK(announced == visited);  // Each op newly stored in exactly one call.
    });
}

}  // namespace opstore::testing
