// Goal: slice hashes and pages read the same whatever part of the ops is folded, a fold that cannot go on
// holds up nobody before the tail is long, and no op is stored twice now that no key forbids it. Method: the
// memory store beside it, while a session of the test holds the lock that a fold needs.
#include <opstore/memory/memory_op_store.hpp>
#include <opstore/postgres/detail/tail_folder.hpp>
#include <tests/postgres/locked_space.hpp>
#include <tests/postgres/numbered_ops.hpp>
#include <tests/support/manual_clock.hpp>

#include <doctest/doctest.h>

namespace opstore::testing {
namespace {

using namespace std::chrono_literals;
using postgres::detail::connection;

/// A space with short slices, some of them sealed, and its like in memory.
struct space_and_oracle {
    std::string const name;
    int const slice_factor;
    manual_clock clock{numbered_op_start + 10h};
    std::shared_ptr<postgres_database> const database = open();
    std::unique_ptr<op_store> const store = run(database->open_or_create_space(options())).value();
    memory_op_store oracle{options(), clock};

    /// By default slices of 15 minutes, and no rings.
    explicit space_and_oracle(std::string key, int factor = 0) : name(std::move(key)), slice_factor(factor) {}

    std::shared_ptr<postgres_database> open() const {
        auto where = test_database_options();
        where.clock = clock;
        where.connections = 4;
        return open_test_database(where);
    }
    space_options options() const {
        space_options made(name);
        made.slice_factor = slice_factor;
        return made;
    }
    void store_batch(std::uint64_t first, std::uint64_t count, std::uint64_t step) {
        auto const expected = run(oracle.process_incoming_ops(numbered_batch(first, count, step))).value();
        auto const report = run(store->process_incoming_ops(numbered_batch(first, count, step))).value();
        CHECK(report.newly_stored.size() == expected.newly_stored.size());
    }
    std::string value(std::string const& select) const {
        return run_sql(fmt::format("SELECT {} WHERE key = '{}'", select, name));
    }
    std::string tail_length() const {
        return value(
            "count(*) FROM op JOIN fold USING (space_id) JOIN space USING (space_id)"
            " JOIN LATERAL (SELECT stored_at > folded_to AS unfolded) t ON unfolded");
    }
    std::string readable() const {
        return run_sql(
            fmt::format("SELECT md5(string_agg(concat_ws(',', arc_start, arc_end, slice_index, hash, "
                        "op_count), ' ' ORDER BY arc_start, slice_index)) "
                        "FROM slice_hash_readable WHERE space = '{}'",
                        name));
    }
    std::unique_ptr<connection> hold_fold() const {
        auto holder = std::make_unique<connection>(locked_space::settings());
        holder->begin();
        holder->execute_text("hold", fmt::format("SELECT 1 FROM fold WHERE space_id = (SELECT space_id "
                                                 "FROM space WHERE key = '{}') FOR UPDATE",
                                                 name));
        return holder;
    }
};

void check_same_hashes(op_store& a, op_store& b, arc::timestamp now) {
    auto const full_slices = run(a.stat()).value().full_slices;
    CHECK(full_slices == run(b.stat()).value().full_slices);
    std::vector<arc::dht_arc> arcs{arc::dht_arc::full(), arc::dht_arc::empty()};
    for (arc::sector_index sector = 0; sector < arc::sector_count; ++sector)
        arcs.push_back(arc::sector_arc(sector));
    auto const hashes = run(a.retrieve_slice_hashes_of_arcs(arcs)).value();
    CHECK(hashes == run(b.retrieve_slice_hashes_of_arcs(arcs)).value());
    for (std::size_t i = 0; i < 16; ++i) {
        CHECK(run(a.slice_hash_count(arcs[i])).value() == run(b.slice_hash_count(arcs[i])).value());
        std::uint64_t const last = hashes[i].empty() ? full_slices - 1 : hashes[i].back().index;
        for (std::uint64_t const index : {last, last + 1})
            CHECK(run(a.retrieve_slice_hash(arcs[i], index)).value() ==
                  run(b.retrieve_slice_hash(arcs[i], index)).value());
    }
    auto const sectors_up_to = [](std::uint32_t last_location) {
        return arc::arc_set::from_whole_sectors(
                   arc::dht_arc::between(arc::location{0}, arc::location{last_location}))
            .value();
    };
    for (auto const& sectors : {arc::arc_set::full(), sectors_up_to(0x7fffffff), sectors_up_to(0x1f7fffff),
                                sectors_up_to(0x7fffff)}) {
        for (auto const at : {now, now - 1h, now - 4h, now + 40min, now + 3h})
            CHECK(run(a.summarize(sectors, at)).value() == run(b.summarize(sectors, at)).value());
        for (auto const disc : {full_slices, full_slices - 20}) {
            auto const ours = run(a.retrieve_disc_slices(sectors, disc)).value();
            auto const theirs = run(b.retrieve_disc_slices(sectors, disc)).value();
            REQUIRE(ours.size() == theirs.size());
            for (std::size_t i = 0; i < ours.size(); ++i)
                CHECK((ours[i].sector == theirs[i].sector && ours[i].slices == theirs[i].slices));
        }
    }
    for (auto const disc : {full_slices, full_slices - 20, full_slices + 3}) {
        auto const ours = run(a.retrieve_space_hashes(disc)).value();
        auto const theirs = run(b.retrieve_space_hashes(disc)).value();
        CHECK(ours.disc == theirs.disc);
        CHECK(ours.recent == theirs.recent);
    }
    auto const report = run(a.verify()).value();
    CHECK(report.damage_count == 0);
    CHECK(report.slice_hashes == run(b.verify()).value().slice_hashes);
}

std::vector<op_id> all_ids(op_store& store, arc::dht_arc arc, std::uint64_t page_bytes) {
    std::vector<op_id> ids;
    for (arc::timestamp from{};;) {
        auto const page = run(store.retrieve_op_ids_bounded(arc, from, page_bytes)).value();
        ids.insert(ids.end(), page.ids.begin(), page.ids.end());
        if (page.ids.empty() && !page.next_op_bytes)
            return ids;
        from = page.next;
    }
}

/// Of parts of the ring: of sectors, within one, across borders and the ring's end, and of all but a bit of
/// one.
void check_same_pages(op_store& a, op_store& b) {
    auto const between = [](std::uint32_t start, std::uint32_t end) {
        return arc::dht_arc::between(arc::location{start}, arc::location{end});
    };
    for (auto const& arc :
         {arc::sector_arc(0), arc::sector_arc(511), between(1, 3u << 20), between(0, 0x7fffffff),
          between(0x12345678, 0x87654321), between(0xf0000000, 0x0fffffff), between(0x40000100, 0x40000000),
          arc::dht_arc::full()}) {
        for (std::uint64_t const page_bytes : {2'000u, 1u << 20})
            CHECK(all_ids(a, arc, page_bytes) == all_ids(b, arc, page_bytes));
    }
    auto const thirds = [] {
        arc::arc_set set;
        for (arc::sector_index sector = 0; sector < arc::sector_count; sector += 3)
            set.insert(sector);
        return set;
    }();
    CHECK(run(a.retrieve_op_ids_of_sectors(thirds, {}, 1 << 20)).value().ids ==
          run(b.retrieve_op_ids_of_sectors(thirds, {}, 1 << 20)).value().ids);
}

}  // namespace

TEST_CASE("tail: hashes and pages are the same before, amid and after a fold") {
    int factor = 0;
    SUBCASE("without rings") {}
    SUBCASE("with rings of two units and of one") {
        factor = 2;
    }
    space_and_oracle space(fmt::format("unfolded {}", factor), factor);
    // Up to two hours behind the slices that are kept.
    space.store_batch(0, 1400, 31);
    run(space.store->seal(space.clock.now(), 1)).value();
    REQUIRE(space.tail_length() == "0");

    // In slices and units of which hashes are kept, and in new ones; less than a fold takes, then more.
    auto const holder = space.hold_fold();
    space.store_batch(7, 800, 53);
    space.store_batch(0, 1500, 29);
    REQUIRE(std::stoi(space.tail_length()) > 1000);
    check_same_hashes(*space.store, space.oracle, space.clock.now());
    check_same_pages(*space.store, space.oracle);
    auto const readable = space.readable();

    holder->rollback();
    run(space.store->seal(space.clock.now(), 1)).value();
    REQUIRE(space.tail_length() == "0");
    check_same_hashes(*space.store, space.oracle, space.clock.now());
    check_same_pages(*space.store, space.oracle);
    CHECK(space.readable() == readable);
}

TEST_CASE("tail: sealing while ops wait to be folded counts none twice") {
    int factor = 0;
    std::uint64_t sealed_min = 6;
    SUBCASE("slices of one unit") {}
    SUBCASE("slices of two units") {
        factor = 1;
    }
    SUBCASE("slices of eight units, and ops in the stretches behind the new boundary") {
        factor = 3;
        sealed_min = 2;
    }
    space_and_oracle space(fmt::format("sealed tail {}", factor), factor);
    space.store_batch(0, 600, 61);
    space.store_batch(0, 900, 53);
    auto const later = space.clock.now() + 5h;
    space.clock.set(later);
    {
        auto const holder = space.hold_fold();
        // Of sealed slices, and of ones that the seal is about to take.
        space.store_batch(11, 300, 173);
        REQUIRE(std::stoi(space.tail_length()) > 250);
        holder->rollback();
    }
    run(space.oracle.seal(later, 100)).value();
    CHECK(run(space.store->seal(later, 100)).value().sealed >= sealed_min);
    check_same_hashes(*space.store, space.oracle, later);
}

TEST_CASE("tail: ingest waits for a fold only where the tail is long") {
    space_and_oracle space("long tail");
    auto const holder = space.hold_fold();
    std::uint64_t const batch = postgres::detail::tail_folder::behind_at / 4;
    for (std::uint64_t i = 0; i < 4; ++i)
        space.store_batch(i * batch, batch, 1);
    ingest_call waiting(
        space.store->process_incoming_ops(numbered_batch(1'000'000, 3), deadline::after(300ms)));
    auto const error = waiting.finish();
    REQUIRE(error);
    try {
        std::rethrow_exception(error);
    } catch (store_error const& e) {
        CHECK(e.code() == errc::timed_out);
        CHECK_FALSE(e.commit_in_doubt());
    }
    holder->rollback();
    space.store_batch(2'000'000, 3, 1);
    run(space.store->seal(space.clock.now(), 1)).value();
    CHECK(space.tail_length() == "0");
    CHECK(run(space.store->verify()).value().damage_count == 0);
}

TEST_CASE("tail: ingest waits for the folds of one call that is longer than a fold takes") {
    space_and_oracle space("long call");
    auto const holder = space.hold_fold();
    std::uint64_t const ops = postgres::detail::tail_folder::behind_at + 2 * postgres::detail::fold_ops_max;
    space.store_batch(0, ops, 1);
    holder->rollback();
    // One fold leaves more than ingest may go on with; so when the next call is answered, there were more.
    space.store_batch(1'000'000, 3, 1);
    CHECK(std::stoul(space.tail_length()) <= postgres::detail::tail_folder::behind_at + 3);
}

TEST_CASE("tail: a fold that failed is tried again without another commit") {
    constexpr char const* name = "fold-again";
    auto where = test_database_options();
    where.conninfo += " application_name=" + locked_space::application(name);
    where.default_timeout = 2s;
    auto const database = open_test_database(where);
    auto const store = run(database->open_or_create_space(space_options(name), deadline::after(30s))).value();
    space_and_oracle const space(name, arc::factor_default);
    auto const holder = space.hold_fold();
    run(store->process_incoming_ops(numbered_batch(0, 5), deadline::after(30s))).value();
    wait_for_lock_waiters(name, 1);
    wait_for_lock_waiters(name, 0);
    CHECK(space.tail_length() == "5");
    holder->rollback();
    for (int i = 0; i < 3000 && space.tail_length() != "0"; ++i)
        std::this_thread::sleep_for(10ms);
    CHECK(space.tail_length() == "0");
}

TEST_CASE("tail: a kept hash of a wrong length is an error for who reads it") {
    space_and_oracle space("wrong length");
    space.store_batch(0, 1400, 31);
    run(space.store->seal(space.clock.now(), 1)).value();
    run_sql(
        "UPDATE sector_hash SET hash = decode(repeat('ab', 200), 'hex') "
        "WHERE space_id = (SELECT space_id FROM space WHERE key = 'wrong length')");
    int refused = 0;
    for (arc::sector_index sector = 0; sector < 8; ++sector) {
        arc::arc_set one;
        one.insert(sector);
        background_call call(space.store->summarize(one, space.clock.now()));
        refused += call.finish() ? 1 : 0;
    }
    CHECK(refused > 0);
}

TEST_CASE("tail: a space is dropped while its fold waits") {
    space_and_oracle space("dropped tail");
    auto const holder = space.hold_fold();
    space.store_batch(0, 2000, 13);
    auto const id = space.value("space_id FROM space");
    background_call<result<void>> drop(space.database->drop_space(space.name));
    holder->rollback();
    CHECK_FALSE(drop.finish());
    CHECK(run_sql("SELECT (SELECT count(*) FROM slice_hash WHERE space_id = " + id +
                  ") + (SELECT count(*) FROM fold WHERE space_id = " + id + ")") == "0");
}

TEST_CASE("no op twice: writers that waited for the same lock bring the same ops") {
    locked_space space("same_ops");
    std::vector<std::unique_ptr<op_store>> others;
    std::vector<std::unique_ptr<ingest_call>> calls;
    for (int i = 0; i < 4; ++i) {
        others.push_back(locked_space::make("same_ops", 3));
        calls.push_back(std::make_unique<ingest_call>(
            others.back()->process_incoming_ops(numbered_batch(0, 100 + static_cast<std::uint64_t>(i)))));
    }
    wait_for_lock_waiters("same_ops", 4);
    space.release();
    for (auto const& call : calls)
        CHECK_FALSE(call->finish());
    CHECK(run_sql("SELECT count(*) FROM op JOIN space USING (space_id) WHERE key = 'same_ops'") == "103");
    CHECK(run(space.store->query_total_op_count()).value() == 103);
    CHECK(run(space.store->verify()).value().damage_count == 0);
}

}  // namespace opstore::testing
