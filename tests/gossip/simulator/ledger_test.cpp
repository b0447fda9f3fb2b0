// Goal: the checker counts what is missing, and finds each kind of violation. Method: a random history beside
// plain sets; one case for each violation.
#include <gossip/simulator/inspection.hpp>
#include <gossip/simulator/ledger.hpp>
#include <opstore/memory/memory_op_store.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

#include <set>

namespace opstore::simulator {
namespace {

using opstore::testing::run;

constexpr std::uint64_t seed = 4;

arc::arc_set half(std::uint32_t which) {
    arc::arc_set set;
    for (std::uint32_t i = 0; i < arc::sector_count / 2; ++i) {
        set.insert(static_cast<arc::sector_index>(which * arc::sector_count / 2 + i));
    }
    return set;
}

ledger make_ledger(std::uint32_t ops_max = 100) {
    return ledger(seed, ops_max, {half(0), half(1), arc::arc_set::full()}, {true, true, false});
}

op_id create(ledger& truth, std::uint32_t location) {
    truth.create(arc::from_micros(1), arc::location{location}, 20);
    return truth.id_of(truth.op_count() - 1);
}

TEST_CASE("ledger: an op can be written again, and no two are alike") {
    auto truth = make_ledger();
    std::set<op_id> ids;
    for (std::uint32_t i = 0; i < 100; ++i) {
        auto const bytes = truth.create(arc::from_micros(5), arc::location{9}, i % 8);
        CHECK(truth.bytes_of(i) == bytes);
        CHECK(located_format()->decode(bytes, {})->id == truth.id_of(i));
        CHECK(truth.find(truth.id_of(i)) == i);
        ids.insert(truth.id_of(i));
    }
    CHECK(ids.size() == 100);
}

TEST_CASE("ledger: what is missing is counted as it comes") {
    random_source random(seed);
    for (int round = 0; round < 30; ++round) {
        auto truth = make_ledger();
        std::vector<std::set<op_number>> held(3);
        for (op_number op = 0; op < 100; ++op) {
            create(truth, random.u32());
        }
        auto const store = [&] {
            auto const peer = static_cast<peer_number>(random.below(3));
            auto const op = static_cast<op_number>(random.below(100));
            held[peer].insert(op);
            truth.stored(peer, {truth.id_of(op)});
        };
        // Peers 0 and 2 are there at the end.
        auto const survives = [&](op_number op) { return held[0].contains(op) || held[2].contains(op); };
        auto const missing = [&] {
            std::uint64_t count = 0;
            for (auto const peer : {0u, 2u}) {
                for (op_number op = 0; op < 100; ++op) {
                    count += survives(op) && truth.belongs(op, peer) && !held[peer].contains(op) ? 1 : 0;
                }
            }
            return count;
        };
        for (int i = 0; i < 100; ++i) {
            store();
        }
        truth.expect({0, 2});
        CHECK(truth.missing() == missing());
        for (int i = 0; i < 200; ++i) {
            auto const peer = random.one_in(2) ? 0u : 2u;
            auto const op = static_cast<op_number>(random.below(100));
            if (survives(op)) {
                held[peer].insert(op);
                truth.stored(peer, {truth.id_of(op)});
            }
        }
        CHECK(truth.missing() == missing());
        CHECK(truth.violations() == 0);
    }
}

TEST_CASE("ledger: a peer may leave when lasting peers of the right arcs hold its ops") {
    auto truth = make_ledger();
    auto const low = create(truth, 1);
    auto const high = create(truth, 0xffff'ffff);
    truth.stored(2, {low, high});
    CHECK_FALSE(truth.may_leave(2));
    truth.stored(0, {low, high});
    CHECK_FALSE(truth.may_leave(2));
    truth.stored(1, {high});
    CHECK(truth.may_leave(2));
    CHECK_FALSE(truth.handed_over(0));
    truth.left(2);
    CHECK(truth.handed_over(0));
}

TEST_CASE("ledger: what is served must have been created, unaltered, and stored") {
    auto truth = make_ledger();
    auto const id = create(truth, 1);
    auto bytes = truth.bytes_of(0);
    truth.served(0, id, bytes);
    CHECK(truth.count_of(violation::unstored) == 1);
    truth.stored(0, {id});
    truth.served(0, id, bytes);
    CHECK(truth.violations() == 1);
    bytes.back() ^= std::byte{1};
    truth.served(0, id, bytes);
    CHECK(truth.count_of(violation::altered) == 1);
    auto const strange = make_ledger(1).create(arc::from_micros(2), arc::location{}, 3);
    auto const strange_id = located_format()->decode(strange, {})->id;
    truth.served(0, strange_id, strange);
    truth.stored(1, {strange_id});
    CHECK(truth.count_of(violation::invented) == 2);
    CHECK(truth.invented_count() == 1);
    CHECK(truth.served_count() == 4);
}

TEST_CASE("inspection: stores are read, not believed") {
    auto truth = make_ledger();
    space_options options("inspected");
    options.format = located_format();
    memory_op_store a(options), b(options);
    auto const store = [&](op_store& to, op_bytes bytes) {
        std::vector<incoming_op> ops;
        ops.emplace_back(std::move(bytes));
        CHECK(run(to.process_incoming_ops(std::move(ops)))->held.size() == 1);
    };
    auto const verdict_now = [&] {
        std::map<peer_number, op_store*> present{{0, &a}, {2, &b}};
        return run(inspect(truth, std::move(present)));
    };
    auto const low = create(truth, 1);
    store(a, truth.bytes_of(0));
    truth.stored(0, {low});
    auto const first = verdict_now();
    CHECK(first.surviving == 1);
    CHECK(first.missing == 1);
    CHECK(first.lost == 1);
    CHECK(truth.violations() == 0);

    store(b, truth.bytes_of(0));
    auto const second = verdict_now();
    CHECK(second.missing + second.lost == 0);
    CHECK(second.state_hash != first.state_hash);
    CHECK(second.state_hash == verdict_now().state_hash);

    // Acknowledged by both, held by none; and handed over by one that has left.
    auto const gone = create(truth, 2);
    truth.stored(2, {gone});
    CHECK(verdict_now().lost == 1);
    CHECK(verdict_now().missing == 0);
    CHECK(truth.count_of(violation::forgotten) == 2);
    auto const handed = create(truth, 3);
    truth.stored(1, {handed});
    CHECK(verdict_now().lost == 1);
    truth.left(1);
    CHECK(verdict_now().lost == 2);

    store(a, encode_located(arc::from_micros(3), arc::location{}, {}));
    (void)verdict_now();
    CHECK(truth.invented_count() == 1);
}

}  // namespace
}  // namespace opstore::simulator
