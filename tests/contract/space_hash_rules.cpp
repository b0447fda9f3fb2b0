// Goal: what docs/contract.md says of the hashes from which a gossip peer starts: of the whole space, and of
// the slices of the disc. Method: each answer against the definition said in a loop over the ops, wherever
// the boundary is asked; a follower beside threads that store.
#include <tests/contract/sector_ops.hpp>

#include <arc/time_slices.hpp>

#include <doctest/doctest.h>

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
              boundary + full_slice / 2, boundary + full_slice * 3 / 4, boundary + full_slice - 2 * unit,
              boundary + full_slice - unit, boundary + full_slice, boundary + full_slice * 5 / 4,
              boundary + full_slice * 3 / 2, boundary + 2 * full_slice, boundary + 5 * full_slice,
              boundary + 6 * full_slice - 3 * unit, INT64_MAX - 1}) {
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

/// The first unit of the stretch of an op behind the disc: behind it come half a full slice, a quarter, and
/// so on.
std::uint64_t stretch_of(std::int64_t created_at, std::uint64_t full_slices) {
    auto const slice = static_cast<std::uint64_t>(created_at / full_slice);
    auto in_slice = created_at % full_slice / unit;
    if (full_slices > 0 && slice == full_slices) {
        std::int64_t start = 0;
        for (std::int64_t const next : {256, 384, 448, 480, 496, 504, 508, 510, 511}) {
            start = in_slice >= next ? next : start;
        }
        in_slice = start;
    }
    return slice * 512 + static_cast<std::uint64_t>(in_slice);
}

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
            recent[{stretch_of(op.created_at, full_slices), op.sector}].add(op.id);
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

}  // namespace

TEST_CASE(
    "space hashes: the disc by sector, all else by sector and stretch, wherever the boundary is asked") {
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
        CHECK((got.recent[0] == unit_hash{boundary / unit, 0, zeros, 3}));
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

}  // namespace opstore::testing
