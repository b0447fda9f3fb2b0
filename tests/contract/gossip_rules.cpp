// Goal: what docs/contract.md says of the reads that a gossip peer makes. Method: examples at every limit,
// each answer against the definition said in a loop over the ops; a follower beside threads that store.
#include <tests/contract/contract_suite.hpp>
#include <tests/support/random.hpp>

#include <arc/time_slices.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <map>

namespace opstore::testing {
namespace {

constexpr std::int64_t full_slice = 460'800'000'000;
constexpr std::int64_t unit = 900'000'000;
/// Kept in slice mode store at start_time, and where they end.
constexpr std::uint64_t full_slices_now = 3688;
constexpr std::int64_t boundary = 3688 * full_slice;
/// Size of an op of the chosen format without payload.
constexpr std::uint64_t empty_op_bytes = 8 + chosen_id_length;

std::uint32_t first_of(arc::sector_index sector) {
    return sector * arc::sector_size;
}

arc::arc_set sectors_of(std::initializer_list<arc::sector_index> list) {
    arc::arc_set set;
    for (auto const sector : list) {
        set.insert(sector);
    }
    return set;
}

arc::time_range all_time() {
    return {arc::timestamp::min(), arc::timestamp::max()};
}

void put(store_under_test& space, std::vector<incoming_op> ops) {
    get(space->process_incoming_ops(std::move(ops)));
}

/// An op that a test knows, as the definitions need it.
struct known_op {
    op_id id;
    arc::sector_index sector;
    std::int64_t created_at;
};

/// Ops of four sectors at every border of slices and units, some far in the future.
std::vector<known_op> put_ops_at_borders(store_under_test& space) {
    std::vector<known_op> known;
    std::vector<incoming_op> batch;
    std::uint32_t name = 0;
    for (auto const sector : std::vector<arc::sector_index>{0, 1, 255, 511}) {
        for (std::int64_t const start :
             {std::int64_t{0}, full_slice, boundary - full_slice, boundary, boundary + unit,
              boundary + full_slice, boundary + 5 * full_slice, INT64_MAX - 1}) {
            for (std::int64_t const step : {-1, 0, 1}) {
                if (start + step < 0) {
                    continue;
                }
                auto const created_at = start + step;
                known_op const op{id_at(++name, first_of(sector) + name % 3), sector, created_at};
                batch.push_back(chosen_op(op.id, at(created_at)));
                known.push_back(op);
            }
        }
    }
    put(space, std::move(batch));
    return known;
}

/// What the ops of a place come to.
struct hash_and_count {
    combined_hash hash;
    std::uint64_t op_count = 0;

    void add(op_id const& id) {
        hash.add(id);
        ++op_count;
    }
    friend bool operator==(hash_and_count const&, hash_and_count const&) = default;
};

/// Compares all hashes with the definition.
void check_space_hashes(store_under_test& space, std::vector<known_op> const& known,
                        std::uint64_t full_slices) {
    CAPTURE(full_slices);
    auto const end = arc::to_micros(arc::slice_range(full_slices, arc::factor_default).start);
    std::map<arc::sector_index, hash_and_count> disc;
    std::map<std::pair<std::uint64_t, arc::sector_index>, hash_and_count> recent;
    for (auto const& op : known) {
        if (op.created_at < end) {
            disc[op.sector].add(op.id);
        } else {
            recent[{static_cast<std::uint64_t>(op.created_at / unit), op.sector}].add(op.id);
        }
    }
    auto const got = get(space->retrieve_space_hashes(full_slices));
    CHECK(got.watermark == get(space->stat()).watermark);
    CHECK(got.op_count == known.size());
    REQUIRE(got.disc.size() == disc.size());
    REQUIRE(got.recent.size() == recent.size());
    auto sector = got.disc.begin();
    for (auto const& [number, expected] : disc) {
        CHECK((*sector++ == sector_hash{number, expected.hash, expected.op_count}));
    }
    auto cell = got.recent.begin();
    for (auto const& [place, expected] : recent) {
        CHECK((*cell++ == unit_hash{place.first, place.second, expected.hash, expected.op_count}));
    }
}

void check_disc_slices(store_under_test& space, std::vector<known_op> const& known,
                       arc::arc_set const& sectors, std::uint64_t full_slices) {
    CAPTURE(full_slices);
    auto const end = arc::to_micros(arc::slice_range(full_slices, arc::factor_default).start);
    auto const got = get(space->retrieve_disc_slices(sectors, full_slices));
    auto const numbers = sectors.sectors();
    REQUIRE(got.size() == numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        std::map<std::uint64_t, combined_hash> slices;
        for (auto const& op : known) {
            if (op.sector == numbers[i] && op.created_at < end) {
                slices[static_cast<std::uint64_t>(op.created_at / full_slice)].add(op.id);
            }
        }
        CHECK(got[i].sector == numbers[i]);
        REQUIRE(got[i].slices.size() == slices.size());
        auto slice = got[i].slices.begin();
        for (auto const& [index, hash] : slices) {
            CHECK(slice->index == index);
            CHECK(op_id(slice->hash) == op_id(hash.bytes()));
            ++slice;
        }
    }
}

std::vector<std::uint64_t> const& boundaries() {
    static std::vector<std::uint64_t> const all{0,
                                                1,
                                                2,
                                                full_slices_now - 1,
                                                full_slices_now,
                                                full_slices_now + 1,
                                                full_slices_now + 2,
                                                full_slices_now + 100,
                                                std::uint64_t{1} << 62,
                                                UINT64_MAX};
    return all;
}

void on_each_store_in_both_modes(std::function<void(store_under_test&)> const& test) {
    for (auto const mode : {slice_mode::store, slice_mode::host}) {
        auto options = chosen_space();
        options.slices = mode;
        INFO("slice mode ", std::string(to_string(mode)));
        on_each_store(options, test);
    }
}

/// In mode host: hashes of sectors that no op accounts for.
void put_false_hashes(store_under_test& space) {
    for (auto const sector : std::vector<arc::sector_index>{0, 1, 17}) {
        for (std::uint64_t const index : {std::uint64_t{0}, full_slices_now - 1}) {
            get(space->store_slice_hash(arc::sector_arc(sector), index, bytes_of("not this")));
        }
    }
}

std::vector<op_id> ids_of(std::vector<tail_op> const& ops) {
    std::vector<op_id> list;
    for (auto const& op : ops) {
        list.push_back(op.id);
    }
    return list;
}

std::vector<op_id> ids_of(std::vector<stored_op> const& ops) {
    std::vector<op_id> list;
    for (auto const& op : ops) {
        list.push_back(op.id);
    }
    return list;
}

/// Five ops of 17, 18, 19, 20 and 21 bytes in sector 3, two of them created at once.
std::vector<op_id> put_five(store_under_test& space) {
    auto const id = [](std::uint32_t name) { return id_at(name, first_of(3) + 9); };
    put(space,
        {chosen_op(id(5), at(10), "x"), chosen_op(id(2), at(20), "xx"), chosen_op(id(4), at(20), "xxx"),
         chosen_op(id(1), at(30), "xxxx"), chosen_op(id(3), at(40), "xxxxx")});
    return {id(5), id(2), id(4), id(1), id(3)};
}

}  // namespace

TEST_CASE("space hashes: the disc by sector, all else by sector and unit, wherever the boundary is asked") {
    on_each_store_in_both_modes([](store_under_test& space) {
        check_space_hashes(space, {}, full_slices_now);
        auto const known = put_ops_at_borders(space);
        for (auto const full_slices : boundaries()) {
            check_space_hashes(space, known, full_slices);
        }
    });
}

TEST_CASE("space hashes: sealing changes nothing, nor does a clock far before the boundary") {
    on_each_store([](store_under_test& space) {
        auto const known = put_ops_at_borders(space);
        space.clock.step(std::chrono::microseconds(3 * full_slice));
        CHECK(get(space->seal(space.clock.now(), 2)).sealed == 2);
        check_space_hashes(space, known, full_slices_now);
        check_space_hashes(space, known, full_slices_now + 3);
        space.clock.set(at(0));
        check_space_hashes(space, known, full_slices_now + 3);
        check_space_hashes(space, known, 0);
    });
}

TEST_CASE("space hashes: ids that cancel out have a hash of zero bytes and are counted") {
    on_each_store([](store_under_test& space) {
        put(space,
            {chosen_op(id_at(16, 4), at(0)), chosen_op(id_at(17, 2), at(0)), chosen_op(id_at(1, 6), at(0))});
        auto const later = at(boundary + unit);
        put(space,
            {chosen_op(id_at(64, 4), later), chosen_op(id_at(66, 2), later), chosen_op(id_at(2, 6), later)});
        combined_hash const zeros(op_id(std::vector<std::byte>(chosen_id_length)).bytes());
        auto const got = get(space->retrieve_space_hashes(full_slices_now));
        REQUIRE(got.disc.size() == 1);
        REQUIRE(got.recent.size() == 1);
        CHECK((got.disc[0] == sector_hash{0, zeros, 3}));
        CHECK((got.recent[0] == unit_hash{(boundary + unit) / unit, 0, zeros, 3}));
        CHECK(get(space->retrieve_disc_slices(sectors_of({0}), full_slices_now)).at(0).slices.size() == 1);
    });
}

TEST_CASE("space hashes, disc slices: what a host stored plays no part") {
    auto options = chosen_space();
    options.slices = slice_mode::host;
    on_each_store(options, [](store_under_test& space) {
        put_false_hashes(space);
        check_space_hashes(space, {}, full_slices_now);
        check_disc_slices(space, {}, arc::arc_set::full(), full_slices_now);
        auto const known = put_ops_at_borders(space);
        check_space_hashes(space, known, full_slices_now);
        check_disc_slices(space, known, arc::arc_set::full(), full_slices_now);
    });
    on_each_store([](store_under_test& space) {
        auto const known = put_ops_at_borders(space);
        get(space->store_slice_hash(arc::dht_arc::full(), 0, bytes_of("not this")));
        check_space_hashes(space, known, full_slices_now);
        check_disc_slices(space, known, arc::arc_set::full(), full_slices_now);
    });
}

TEST_CASE("space hashes, tail: together every op exactly once, while several threads store") {
    on_each_store([](store_under_test& space) {
        constexpr std::uint32_t writers = 4, batches = 40, batch_ops = 5;
        std::atomic<std::uint32_t> at_work{writers};
        std::vector<std::future<void>> threads;
        for (std::uint32_t writer = 0; writer < writers; ++writer) {
            threads.push_back(std::async(std::launch::async, [&, writer] {
                for (std::uint32_t i = 0; i < batches; ++i) {
                    // Every second batch is brought by two writers.
                    auto const first = ((i % 2 == 0 ? writer / 2 : writer) * batches + i) * batch_ops;
                    put(space, numbered_ops(first, batch_ops, at(boundary - unit * (i % 3))));
                }
                --at_work;
            }));
        }
        auto hashes = get(space->retrieve_space_hashes(full_slices_now));
        std::uint64_t op_count = hashes.op_count;
        combined_hash sum;
        std::uint64_t summed = 0;
        for (auto const& h : hashes.disc) {
            sum.add(h.hash);
            summed += h.op_count;
        }
        for (auto const& h : hashes.recent) {
            sum.add(h.hash);
            summed += h.op_count;
        }
        CHECK(summed == op_count);
        auto next = at(arc::to_micros(hashes.watermark) + 1);
        for (bool done = false; !done;) {
            bool const last = at_work == 0;
            auto const tail = get(space->retrieve_tail(next, 7));
            for (auto const& op : tail.ops) {
                sum.add(op.id);
                ++op_count;
            }
            CHECK(tail.next >= next);
            next = tail.next;
            done = last && tail.complete;
        }
        for (auto& thread : threads) {
            thread.get();
        }
        combined_hash truth;
        for (auto const& id : follow_pages(*space.store, arc::dht_arc::full(), at(0), UINT64_MAX)) {
            truth.add(id);
        }
        CHECK(op_count == get(space->query_total_op_count()));
        CHECK(sum == truth);
    });
}

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

TEST_CASE("disc slices: by the definition, wherever the boundary is asked, in both modes") {
    on_each_store_in_both_modes([](store_under_test& space) {
        CHECK(get(space->retrieve_disc_slices({}, full_slices_now)).empty());
        check_disc_slices(space, {}, sectors_of({0, 300}), full_slices_now);
        auto const known = put_ops_at_borders(space);
        for (auto const full_slices : boundaries()) {
            check_disc_slices(space, known, sectors_of({0, 2, 255, 511}), full_slices);
        }
        check_disc_slices(space, known, arc::arc_set::full(), full_slices_now + 1);
        check_disc_slices(space, known, {}, full_slices_now);
    });
}

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
            auto const start = static_cast<std::int64_t>(i / 512) * unit;
            batch.push_back(chosen_op(id_at(i, first_of(sector)), at(start + i)));
            wanted.push_back({sector, {at(start), at(start + unit)}});
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
