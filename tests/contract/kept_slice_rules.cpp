// Goal: "Slices and hashes" of docs/contract.md: hashes that the store keeps, sealing, summaries, verify and
// repair. Method: kitsune2's golden scenario, slice borders, and every summary against a plain XOR of ids.
#include <tests/contract/sector_ops.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>

namespace opstore::testing {
namespace {

constexpr std::int64_t full_slice = 460'800'000'000;
constexpr std::int64_t unit = 900'000'000;
/// Where the ring starts at start_time: 3688 full slices.
constexpr std::int64_t boundary = 3688 * full_slice;
static_assert(boundary == 1'699'430'400'000'000);

arc::arc_set first_sectors(arc::sector_index count) {
    arc::arc_set set;
    for (arc::sector_index sector = 0; sector < count; ++sector) {
        set.insert(sector);
    }
    return set;
}

/// The slice hashes of a sector as "index=base64url " each.
std::string kept(store_under_test& space, arc::sector_index sector) {
    std::string text;
    for (auto const& h : get(space->retrieve_slice_hashes(arc::sector_arc(sector)))) {
        text += std::to_string(h.index) + "=" + to_string(op_id(h.hash)) + " ";
    }
    return text;
}

op_id xor_of(std::vector<op_id> const& list) {
    combined_hash combined;
    for (auto const& id : list) {
        combined.add(id);
    }
    return op_id(combined.bytes());
}

void check_whole(store_under_test& space) {
    auto const found = get(space->verify());
    CHECK(found.damage_count == 0);
    CHECK(found.damages.empty());
    CHECK(found.ops == get(space->query_total_op_count()));
}

// kitsune2.md, 3.7: ids of 4 bytes, which are their own location.

op_id golden_id(std::uint32_t sector, std::uint32_t low) {
    std::uint32_t const location = sector * arc::sector_size + low;
    std::array<std::byte, 4> bytes;
    for (std::size_t i = 0; i < 4; ++i) {
        bytes[i] = static_cast<std::byte>(location >> (8 * i));
    }
    return op_id(bytes);
}

space_options golden_space(slice_mode mode) {
    auto options = chosen_space();
    options.format = chosen_id_format(4);
    options.slices = mode;
    return options;
}

std::vector<incoming_op> golden_ops_of_both() {
    return {chosen_op(golden_id(0, 1), at(100)), chosen_op(golden_id(7, 5), at(boundary - 1)),
            chosen_op(golden_id(511, 0x7fffff), at(boundary))};
}

std::vector<incoming_op> golden_ops_of_a() {
    return {chosen_op(golden_id(7, 9), at(boundary - full_slice)),
            chosen_op(golden_id(8, 1), at(boundary - full_slice - 1)),
            chosen_op(golden_id(3, 3), at(boundary + 1))};
}

std::vector<incoming_op> golden_ops_of_b() {
    return {chosen_op(golden_id(7, 12), at(boundary - full_slice + 3)),
            chosen_op(golden_id(9, 1), at(3000 * full_slice)),
            chosen_op(golden_id(3, 4), at(boundary + 256 * unit)),
            chosen_op(golden_id(4, 4), at(arc::to_micros(start_time) - 1))};
}

std::string hex_of(combined_hash const& hash) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (auto const byte : hash.bytes()) {
        text += digits[std::to_integer<int>(byte) >> 4];
        text += digits[std::to_integer<int>(byte) & 15];
    }
    return text;
}

/// The disc, the number of rings, and each ring that is not empty.
std::string hex_of(store_summary const& summary) {
    std::string text = "disc " + hex_of(summary.disc_top_hash) + ", " +
                       std::to_string(summary.ring_top_hashes.size()) + " rings";
    for (std::size_t ring = 0; ring < summary.ring_top_hashes.size(); ++ring) {
        if (!summary.ring_top_hashes[ring].empty()) {
            text += ", " + std::to_string(ring) + ": " + hex_of(summary.ring_top_hashes[ring]);
        }
    }
    return text;
}

/// The summary by its definition, from lists of ids.
store_summary naive_summary(store_under_test& space, arc::arc_set const& sectors, arc::timestamp now) {
    auto const top = [&](arc::timestamp start, arc::timestamp end) {
        combined_hash hash;
        for (auto const& arc : sectors.as_arcs()) {
            auto const list = get(space->retrieve_op_hashes_in_time_slice(arc, start, end));
            for (auto const& id : list.ids) {
                hash.add(id);
            }
        }
        return hash;
    };
    auto const layout = arc::layout_at(now, space->options().slice_factor);
    store_summary summary;
    summary.disc_boundary = layout.disc_boundary();
    summary.disc_top_hash = top(at(0), layout.disc_boundary());
    for (auto const& ring : layout.rings) {
        summary.ring_top_hashes.push_back(top(ring.range().start, ring.range().end));
    }
    return summary;
}

}  // namespace

TEST_CASE("slices: kitsune2's golden summaries, in both slice modes") {
    for (auto const mode : {slice_mode::host, slice_mode::store}) {
        on_each_store(golden_space(mode), [](store_under_test& space) {
            put(space, golden_ops_of_both());
            put(space, golden_ops_of_a());
            auto const summary = get(space->summarize(arc::arc_set::full(), start_time));
            CHECK(summary.disc_boundary == at(boundary));
            CHECK(hex_of(summary) == "disc 0c000004, 14 rings, 0: fcff7ffe");
            auto const some = get(space->summarize(sectors_of({3, 4, 511}), start_time));
            CHECK(hex_of(some) == "disc , 14 rings, 0: fcff7ffe");
            check_whole(space);
        });
        on_each_store(golden_space(mode), [](store_under_test& space) {
            put(space, golden_ops_of_b());
            put(space, golden_ops_of_both());
            auto const summary = get(space->summarize(arc::arc_set::full(), start_time));
            CHECK(hex_of(summary) == "disc 09008004, 14 rings, 0: ffffffff, 1: 04008001");
            check_whole(space);
        });
    }
}

TEST_CASE("slices: kitsune2's golden disc details, kept by the store") {
    on_each_store(golden_space(slice_mode::store), [](store_under_test& space) {
        put(space, golden_ops_of_both());
        put(space, golden_ops_of_b());
        auto const hash = [&](arc::sector_index sector, std::uint64_t slice) {
            auto const bytes = get(space->retrieve_slice_hash(arc::sector_arc(sector), slice));
            return bytes ? hex_of(combined_hash(*bytes)) : "none";
        };
        CHECK(hash(7, 3687) == "09000000");
        CHECK(hash(9, 3000) == "01008004");
        CHECK(hash(0, 0) == "01000000");
        CHECK(hash(8, 3686) == "none");
        CHECK(hash(511, 3688) == "none");
        CHECK(get(space->slice_hash_count(arc::sector_arc(9))) == 3001);
        CHECK(get(space->slice_hash_count(arc::sector_arc(511))) == 0);
        put(space, golden_ops_of_a());
        CHECK(hash(8, 3686) == "01000004");
        CHECK(hash(7, 3687) == "00008003");
    });
}

TEST_CASE("slices, mode store: a space starts with the full slices of its clock") {
    on_each_store([](store_under_test& space) {
        CHECK(get(space->stat()).full_slices == 3688);
        auto const answer = get(space->seal(start_time, 1000));
        CHECK(answer.full_slices == 3688);
        CHECK(answer.sealed == 0);
    });
}

TEST_CASE("slices, mode store: the hash of a full slice changes with the ops in it, once for each op") {
    on_each_store([](store_under_test& space) {
        put(space,
            {chosen_op(id_at(1), at(full_slice - 1)), chosen_op(id_at(2), at(full_slice)),
             chosen_op(id_at(3), at(2 * full_slice - 1)), chosen_op(id_at(4, arc::sector_size), at(0))});
        auto const expected =
            "0=" + to_string(id_at(1)) + " 1=" + to_string(xor_of({id_at(2), id_at(3)})) + " ";
        CHECK(kept(space, 0) == expected);
        CHECK(kept(space, 1) == "0=" + to_string(id_at(4, arc::sector_size)) + " ");
        // Known ops, repeats in a batch and rejected ops change no hash.
        auto forged = chosen_op(id_at(9), at(0));
        forged.claimed_id = id_at(8);
        put(space,
            {chosen_op(id_at(1), at(full_slice - 1)), chosen_op(id_at(2), at(5 * full_slice)), forged});
        CHECK(kept(space, 0) == expected);
        put(space,
            {chosen_op(id_at(5), at(0)), chosen_op(id_at(5), at(0)), chosen_op(id_at(5), at(full_slice))});
        CHECK(kept(space, 0) == "0=" + to_string(xor_of({id_at(1), id_at(5)})) +
                                    " 1=" + to_string(xor_of({id_at(2), id_at(3)})) + " ");
        check_whole(space);
    });
}

TEST_CASE("slices, mode store: ids that cancel out leave a hash of zero bytes, not none") {
    on_each_store([](store_under_test& space) {
        put(space, {chosen_op(id_at(1), at(0)), chosen_op(id_at(2), at(1)), chosen_op(id_at(3), at(2))});
        auto const hash = get(space->retrieve_slice_hash(arc::sector_arc(0), 0));
        CHECK(hash == std::vector<std::byte>(chosen_id_length));
        CHECK(get(space->slice_hash_count(arc::sector_arc(0))) == 1);
        check_whole(space);
    });
}

TEST_CASE("slices, mode store: the ring and the future are in no kept slice until they are sealed") {
    on_each_store([](store_under_test& space) {
        put(space, {chosen_op(id_at(1), at(boundary - 1)), chosen_op(id_at(2), at(boundary)),
                    chosen_op(id_at(4), at(boundary + 10 * full_slice)), chosen_op(id_at(8), at(INT64_MAX))});
        auto const sealed_before = "3687=" + to_string(id_at(1)) + " ";
        CHECK(kept(space, 0) == sealed_before);
        // Slice 3688 is full once the ring has no need of it: two lengths after its start, less a unit.
        auto const full_at = at(boundary + 2 * full_slice - unit);
        space.clock.set(full_at - std::chrono::microseconds(1));
        CHECK(get(space->seal(full_at, 1000)).sealed == 0);
        CHECK(kept(space, 0) == sealed_before);
        space.clock.set(full_at);
        auto const answer = get(space->seal(full_at, 1000));
        CHECK(answer.sealed == 1);
        CHECK(answer.full_slices == 3689);
        CHECK(kept(space, 0) == sealed_before + "3688=" + to_string(id_at(2)) + " ");
        check_whole(space);
    });
}

TEST_CASE("seal: at most slices_max further, never back, never beyond now or the store's clock") {
    on_each_store([](store_under_test& space) {
        for (std::uint32_t slice = 0; slice < 12; ++slice) {
            put(space, {chosen_op(id_at(slice + 1), at(boundary + slice * full_slice))});
        }
        auto const later = at(arc::to_micros(start_time) + 10 * full_slice);
        CHECK(get(space->seal(later, 1000)).sealed == 0);  // The clock has not got there.
        space.clock.set(later);
        CHECK(get(space->seal(start_time, 1000)).sealed == 0);
        CHECK(get(space->seal(later, 0)).sealed == 0);
        CHECK(get(space->seal(later, 3)).full_slices == 3691);
        CHECK(get(space->stat()).full_slices == 3691);
        CHECK(get(space->seal(at(arc::to_micros(start_time) + 4 * full_slice), 1000)).full_slices == 3692);
        CHECK(get(space->seal(at(INT64_MAX), UINT64_MAX)).full_slices == 3698);
        CHECK(get(space->seal(later, 1000)).sealed == 0);
        space.clock.set(start_time);
        auto const back = get(space->seal(start_time, 1000));
        CHECK(back.sealed == 0);
        CHECK(back.full_slices == 3698);
        CHECK(get(space->seal(at(INT64_MIN), 1000)).full_slices == 3698);
        CHECK(get(space->slice_hash_count(arc::sector_arc(0))) == 3698);
        CHECK(get(space->retrieve_slice_hashes(arc::sector_arc(0))).size() == 10);
        check_whole(space);
        // What arrives late for a sealed slice is in it at once.
        put(space, {chosen_op(id_at(0x100), at(boundary))});
        auto const late = get(space->retrieve_slice_hash(arc::sector_arc(0), 3688));
        REQUIRE(late.has_value());
        CHECK(op_id(*late) == xor_of({id_at(1), id_at(0x100)}));
        check_whole(space);
    });
}

TEST_CASE("seal: in slice mode host there is nothing to seal") {
    auto options = chosen_space();
    options.slices = slice_mode::host;
    on_each_store(options, [](store_under_test& space) {
        CHECK(refusal_of(space->seal(start_time, 1)) == "invalid_argument");
    });
}

TEST_CASE("summary: equals the definition at any time, past and future, in both modes, and writes nothing") {
    for (auto const mode : {slice_mode::host, slice_mode::store}) {
        auto options = chosen_space();
        options.slices = mode;
        options.slice_factor = 2;  // 4 units to a slice: the borders come often.
        on_each_store(options, [](store_under_test& space) {
            auto const start = arc::to_micros(start_time) / unit * unit;
            std::vector<incoming_op> batch;
            for (std::uint32_t name = 0; name < 60; ++name) {
                std::uint32_t const location = name % 5 * 0x3fffffff;
                batch.push_back(chosen_op(id_at(name + 1, location), at(start - name * unit / 2 - name % 2)));
            }
            batch.push_back(chosen_op(id_at(100), at(0)));
            batch.push_back(chosen_op(id_at(101), at(start + 3 * unit)));
            put(space, std::move(batch));
            auto const before = get(space->stat());
            std::vector<std::int64_t> times{INT64_MIN,        -1, 0, 1, 7 * unit, start - 100 * unit,
                                            start + 50 * unit};
            for (std::int64_t step = -20; step <= 8; ++step) {
                times.push_back(start + step * unit + step % 2);
            }
            for (auto const time : times) {
                for (auto const& sectors :
                     {sectors_of({}), sectors_of({0, 127}), sectors_of({1, 255, 383, 511}),
                      first_sectors(127), first_sectors(128), arc::arc_set::full()}) {
                    CAPTURE(time);
                    CAPTURE(sectors.count());
                    CHECK(get(space->summarize(sectors, at(time))) ==
                          naive_summary(space, sectors, at(time)));
                }
            }
            auto const after = get(space->stat());
            CHECK(after.full_slices == before.full_slices);
            CHECK(after.watermark == before.watermark);
        });
    }
}

TEST_CASE("summary: no sectors, and no ops, give empty hashes and the same rings") {
    on_each_store([](store_under_test& space) {
        put(space, numbered_ops(0, 5, at(0)));
        auto const none = get(space->summarize(arc::arc_set(), start_time));
        CHECK(hex_of(none) == "disc , 14 rings");
        CHECK(none.disc_boundary == at(boundary));
    });
    on_each_store([](store_under_test& space) {
        CHECK(hex_of(get(space->summarize(arc::arc_set::full(), start_time))) == "disc , 14 rings");
    });
}

TEST_CASE("combined hashes: per range and sector, ascending, sectors without ops left out") {
    on_each_store([](store_under_test& space) {
        std::uint32_t const far = 511u * arc::sector_size;
        put(space, {chosen_op(id_at(1), at(10)), chosen_op(id_at(2, 5), at(20)),
                    chosen_op(id_at(4, far), at(20)), chosen_op(id_at(8, arc::sector_size), at(30))});
        auto const range = [](std::int64_t start, std::int64_t end) {
            return arc::time_range{at(start), at(end)};
        };
        std::vector<arc::time_range> const ranges{
            range(10, 21), range(20, 20), range(25, 5),  range(10, 11),
            range(0, 100), range(10, 20), range(10, 21), range(INT64_MIN, INT64_MAX)};
        auto const answers = get(space->combined_hashes(sectors_of({0, 7, 511}), ranges));
        REQUIRE(answers.size() == ranges.size());
        sector_hash const both{0, combined_hash(xor_of({id_at(1), id_at(2, 5)}).bytes()), 2};
        sector_hash const first{0, combined_hash(id_at(1).bytes()), 1};
        sector_hash const last{511, combined_hash(id_at(4, far).bytes()), 1};
        using list = std::vector<sector_hash>;
        CHECK(answers[0] == list{both, last});
        CHECK(answers[1].empty());
        CHECK(answers[2].empty());
        CHECK(answers[3] == list{first});
        CHECK(answers[4] == list{both, last});
        CHECK(answers[5] == list{first});
        CHECK(answers[6] == list{both, last});
        CHECK(answers[7] == list{both, last});
        CHECK(get(space->combined_hashes(arc::arc_set::full(), ranges))[4].size() == 3);
        CHECK(get(space->combined_hashes(arc::arc_set(), ranges))[4].empty());
        CHECK(get(space->combined_hashes(arc::arc_set::full(), {})).empty());
    });
}

TEST_CASE("verify: finds nothing in a whole space, and says what it read") {
    for (auto const mode : {slice_mode::host, slice_mode::store}) {
        auto options = chosen_space();
        options.slices = mode;
        on_each_store(options, [&](store_under_test& space) {
            CHECK(get(space->verify()).ops == 0);
            put(space, numbered_ops(0, 30, at(full_slice - 15)));
            auto const found = get(space->verify());
            CHECK(found.ops == 30);
            CHECK(found.slice_hashes == (mode == slice_mode::store ? 2 : 0));
            CHECK(found.damage_count == 0);
        });
    }
}

TEST_CASE("repair: changes nothing in a whole space, not even what a host stored") {
    on_each_store([](store_under_test& space) {
        put(space, numbered_ops(0, 30, at(full_slice - 15)));
        get(space->store_slice_hash(arc::dht_arc::full(), 3, bytes_of("host's")));
        auto const before = get(space->stat());
        auto const hashes = kept(space, 0);
        auto const report = get(space->repair());
        CHECK(report.damage_count == 0);
        CHECK(report.ops == 30);
        auto const after = get(space->stat());
        CHECK(after.op_count == before.op_count);
        CHECK(after.op_bytes == before.op_bytes);
        CHECK(after.full_slices == before.full_slices);
        CHECK(after.watermark == before.watermark);
        CHECK(kept(space, 0) == hashes);
        CHECK(get(space->retrieve_slice_hash(arc::dht_arc::full(), 3)) == bytes_of("host's"));
    });
}

TEST_CASE("slices, mode store: writers, seals and repairs at once leave every hash right") {
    auto options = chosen_space();
    options.slice_factor = 1;
    on_each_store(options, [](store_under_test& space) {
        constexpr std::uint32_t writers = 3;
        auto const start = arc::to_micros(start_time);
        std::atomic<std::uint32_t> running{writers};
        std::vector<std::future<void>> threads;
        for (std::uint32_t writer = 0; writer < writers; ++writer) {
            threads.push_back(std::async(std::launch::async, [&, writer] {
                for (std::uint32_t call = 0; call < 40; ++call) {
                    std::vector<incoming_op> batch;
                    for (std::uint32_t i = 0; i < 8; ++i) {
                        std::uint32_t const name =
                            call * 10 + i + writer;  // Overlaps with the other writers.
                        batch.push_back(
                            chosen_op(id_at(name, name << 23), at(start + name % 50 * unit - unit)));
                    }
                    get(space->process_incoming_ops(std::move(batch)));
                }
                --running;
            }));
        }
        threads.push_back(std::async(std::launch::async, [&] {
            while (running > 0) {
                space.clock.step(std::chrono::microseconds(unit));
                get(space->seal(space.clock.now(), 2));
            }
        }));
        threads.push_back(std::async(std::launch::async, [&] {
            while (running > 0) {
                CHECK(get(space->repair()).damage_count == 0);
                CHECK(get(space->verify()).damage_count == 0);
            }
        }));
        for (auto& thread : threads) {
            thread.get();
        }
        check_whole(space);
        auto const sectors = first_sectors(200);
        CHECK(get(space->summarize(sectors, space.clock.now())) ==
              naive_summary(space, sectors, space.clock.now()));
    });
}

TEST_CASE("stat: counts ops and their bytes, the watermark and the full slices") {
    on_each_store([](store_under_test& space) {
        auto const empty = get(space->stat());
        CHECK(empty.op_count == 0);
        CHECK(empty.op_bytes == 0);
        CHECK(empty.watermark == at(0));
        put(space, {chosen_op(id_at(1), at(0), "xyz"), chosen_op(id_at(2), at(0))});
        auto const stat = get(space->stat());
        CHECK(stat.op_count == 2);
        CHECK(stat.op_bytes == 2 * (8 + chosen_id_length) + 3);
        CHECK(stat.watermark == at(arc::to_micros(start_time) + 1));
        CHECK(stat.full_slices == 3688);
    });
}

TEST_CASE("options: a space remembers what it was made with") {
    auto options = chosen_space();
    options.max_op_bytes = 12'345;
    options.slice_factor = 4;
    options.slices = slice_mode::host;
    options.max_future = std::chrono::hours(3);
    on_each_store(options, [&](store_under_test& space) {
        CHECK(space->options().key == options.key);
        CHECK(space->options().format->name() == options.format->name());
        CHECK(space->options().max_op_bytes == 12'345);
        CHECK(space->options().slice_factor == 4);
        CHECK(space->options().slices == slice_mode::host);
        CHECK(space->options().max_future == options.max_future);
    });
}

}  // namespace opstore::testing
