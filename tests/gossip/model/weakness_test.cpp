// Goal: what makes kitsune2's summaries wrong, slow or unable to start does not happen here: the weaknesses
// W1 to W9 of the facts. Method: the situation of each, by name, against a model made afresh from the store.
#include <tests/gossip/model/modelled_space.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <numeric>

namespace opstore::gossip::testing {
namespace {

using namespace std::chrono_literals;
using opstore::testing::random_source;

std::vector<std::uint32_t> all_rings(arc::slice_layout const& layout) {
    std::vector<std::uint32_t> rings(layout.rings.size());
    std::iota(rings.begin(), rings.end(), 0);
    return rings;
}

/// Everything that a model says without asking its store.
void check_same(summary_model const& a, summary_model const& b, arc::timestamp now) {
    auto const layout = a.layout_at(now);
    auto const full = arc::arc_set::full();
    CHECK(a.watermark() == b.watermark());
    CHECK(a.op_count() == b.op_count());
    CHECK(a.minimal(full, layout) == b.minimal(full, layout));
    CHECK(a.disc_sectors(full, layout) == b.disc_sectors(full, layout));
    CHECK(a.ring_details(full, layout, all_rings(layout)) == b.ring_details(full, layout, all_rings(layout)));
}

/// The model of `space` is what a new one over the same store would be.
void check_like_new(modelled_space& space) {
    summary_model fresh(space.memory);
    run(fresh.start(space.clock.now())).value();
    check_same(space.model, fresh, space.clock.now());
}

std::int64_t micros(std::chrono::microseconds time) {
    return time.count();
}

/// Ops in the disc, in every ring, now and later: `count` of them, of locations of their own.
void put_everywhere(modelled_space& space, std::uint64_t seed, int count) {
    random_source random(seed);
    for (int i = 0; i < count; ++i) {
        std::chrono::microseconds const ahead{random.between(micros(-20 * day), micros(2 * day))};
        space.put(op_id(random.bytes(4)), space.clock.now() + ahead);
    }
}

/// Hands out small pages, so that a few ops are several of them.
struct small_page_store : counting_op_store {
    static constexpr std::size_t page_ops = 3;

    using counting_op_store::counting_op_store;

    boost::asio::awaitable<result<op_tail>> retrieve_tail(arc::timestamp start, std::size_t ops_max,
                                                          deadline until) override {
        return counting_op_store::retrieve_tail(start, std::min(ops_max, page_ops), until);
    }
};

}  // namespace

TEST_CASE("W1: an op that is stored but not told of is counted once, however often one is told") {
    modelled_space space(moment);
    space.start();
    for (auto const created_at : {arc::timestamp{}, moment_boundary - one_microsecond, moment - arc::unit}) {
        auto const id = id_in(static_cast<arc::sector_index>(space.model.op_count()), 1);
        space.put(id, created_at);
        auto const before = space.model.op_count();
        for (int told = 0; told < 5; ++told) {
            space.follow();
            CHECK(space.model.op_count() == before + 1);
            check_like_new(space);
        }
    }
}

TEST_CASE("W1: an op stored before a start and told of behind it is counted once") {
    modelled_space space(moment);
    space.put(id("01020304"), moment - 2 * arc::unit);
    space.start();
    space.follow();
    CHECK(space.model.op_count() == 1);
    CHECK(filled_rings(space.minimal()).begin()->second == hash("01020304"));
}

TEST_CASE("W1: an op handed in again, and one that two handles store, is counted once") {
    modelled_space space(moment);
    space.start();
    for (int times = 0; times < 2; ++times) {
        // As two processes do: one through the model's own store, one beside it.
        std::vector<incoming_op> batch{chosen_op(id_in(4, 4), moment_boundary)};
        run(space.store.process_incoming_ops(std::move(batch))).value();
        space.put(id_in(4, 4), moment_boundary);
        space.put(id_in(5, 5), moment_boundary);
        space.follow();
    }
    CHECK(space.model.op_count() == 2);
    CHECK(space.minimal(sector_set({4})).ring_top_hashes[0] == sum({id_in(4, 4)}));
    CHECK(space.minimal(sector_set({5})).ring_top_hashes[0] == sum({id_in(5, 5)}));
    check_like_new(space);
}

TEST_CASE("W2: a crash between storing and telling loses nothing") {
    modelled_space space(moment);
    put_everywhere(space, 1, 50);
    space.start();
    put_everywhere(space, 2, 50);
    // The process that would have told ends here; the next one starts on the same store.
    summary_model next(space.memory);
    run(next.start(moment)).value();
    CHECK(next.op_count() == 100);
    space.follow();
    check_same(space.model, next, moment);
}

TEST_CASE("W5: a start takes an earliest op that is later than now") {
    for (auto const ahead : std::initializer_list<std::chrono::microseconds>{
             one_microsecond, arc::slice_length(9), 2 * arc::slice_length(9), 3653 * day}) {
        modelled_space space(moment);
        space.put(id_in(3, 1), moment + ahead);
        space.start();
        CHECK(space.model.op_count() == 1);
        CHECK(space.minimal().disc_top_hash.empty());
        CHECK(filled_rings(space.minimal()).empty());
        // Its time comes.
        space.follow_at(moment + ahead + arc::unit + one_microsecond);
        CHECK(filled_rings(space.minimal()).size() == 1);
        check_like_new(space);
        space.follow_at(moment + ahead + 3 * arc::slice_length(9));
        CHECK(space.minimal().disc_top_hash == sum({id_in(3, 1)}));
        check_like_new(space);
    }
}

TEST_CASE("W5: a clock set back stops neither a start nor one that follows") {
    for (auto const back : {1 * day, 2 * day, 30 * day}) {
        modelled_space space(moment);
        put_everywhere(space, 3, 100);
        space.start();
        space.follow_at(moment - back);
        check_like_new(space);
        put_everywhere(space, 4, 10);
        space.follow();
        check_like_new(space);
        CHECK(space.model.op_count() == 110);
        // And forward again.
        space.follow_at(moment);
        check_like_new(space);
    }
}

TEST_CASE("W5: any step back right after a slice became full") {
    auto const full = moment_boundary + arc::slice_length(9) + arc::reserved_time(9);
    for (auto const back :
         std::initializer_list<std::chrono::microseconds>{one_microsecond, 1s, 1h, 1 * day}) {
        modelled_space space(full);
        CHECK(space.layout().full_slices == 3689);
        put_everywhere(space, 5, 100);
        space.start();
        space.follow_at(full - back);
        CHECK(space.layout().full_slices == 3688);
        check_like_new(space);
    }
}

TEST_CASE("W5: a start and a follow at the ends of time") {
    for (auto const now :
         {arc::timestamp::min(), arc::from_micros(-1), arc::timestamp{}, arc::timestamp::max()}) {
        CAPTURE(arc::to_micros(now));
        modelled_space space(moment);
        put_everywhere(space, 6, 20);
        run(space.model.start(now)).value();
        CHECK(space.model.op_count() == 20);
        CHECK(space.model.can_answer(space.model.layout_at(now)));
        space.put(id_in(9, 9), moment);
        run(space.model.follow(now)).value();
        CHECK(space.model.op_count() == 21);
        space.follow_at(moment);
        check_like_new(space);
    }
}

TEST_CASE("W6: a start is one store call, whatever the space holds") {
    modelled_space quiet(moment);
    quiet.put(id_in(0, 1), arc::timestamp{});  // Then nothing for 3,687 slices.
    modelled_space busy(moment);
    put_everywhere(busy, 7, 2000);
    modelled_space empty(moment);
    for (auto* space : {&quiet, &busy, &empty}) {
        space->start();
        CHECK(space->store.calls_by_method() == counting_op_store::counts{{"retrieve_space_hashes", 1}});
        space->store.forget_calls();
        space->follow();
        CHECK(space->store.calls_by_method() == counting_op_store::counts{{"retrieve_tail", 1}});
    }
}

TEST_CASE("W7: snapshots ask the store for nothing but the hashes of single slices") {
    modelled_space space(moment);
    put_everywhere(space, 8, 500);
    space.start();
    space.store.forget_calls();
    for (auto const now : {moment, moment - summary_model::skew_max, moment + day}) {
        auto const layout = space.model.layout_at(now);
        space.model.minimal(arc::arc_set::full(), layout);
        space.model.disc_sectors(arc::arc_set::full(), layout);
        space.model.ring_details(arc::arc_set::full(), layout, all_rings(layout));
    }
    CHECK(space.store.calls() == 0);
    run(space.model.disc_details(arc::arc_set::full(), space.layout())).value();
    CHECK(space.store.calls_by_method() == counting_op_store::counts{{"retrieve_disc_slices", 1}});
}

TEST_CASE("W8: a store error in any call of a follow leaves whole pages, and it catches up") {
    // 11 ops in pages of 3: four calls of the tail, then the counters, as a unit of time has passed.
    for (std::uint64_t failing = 1; failing <= 5; ++failing) {
        CAPTURE(failing);
        modelled_space space(moment);
        put_everywhere(space, 9, 20);
        small_page_store store(space.memory);
        summary_model model(store);
        run(model.start(moment)).value();
        put_everywhere(space, 10, 11);
        auto const later = moment + arc::slice_length(9);  // A fold is due too.
        store.fail_at(failing);
        CHECK_THROWS_AS(run(model.follow(later)), store_error);
        CHECK(model.op_count() == 20 + std::min<std::uint64_t>(11, 3 * (failing - 1)));
        // Of what was followed so far it answers like a store that holds just that.
        modelled_space part(moment);
        put_everywhere(part, 9, 20);
        auto const tail = run(space.memory.retrieve_tail(moment + 20us, 100)).value().ops;
        REQUIRE(tail.size() == 11);
        for (std::size_t i = 0; i + 20 < model.op_count(); ++i) {
            part.put(tail[i].id, tail[i].created_at);
        }
        part.start();
        check_same(model, part.model, later);

        run(model.follow(later)).value();
        summary_model fresh(space.memory);
        run(fresh.start(later)).value();
        check_same(model, fresh, later);
    }
}

TEST_CASE("W8: a store error in a start leaves the model as it was") {
    modelled_space space(moment);
    put_everywhere(space, 11, 30);
    space.store.fail_at(1);
    CHECK_THROWS_AS(space.start(), store_error);
    space.start();
    auto const before = space.minimal();
    put_everywhere(space, 12, 30);
    space.store.fail_at(1, 2);
    CHECK_THROWS_AS(space.start(), store_error);
    // The clock back, so that it has to start anew.
    CHECK_THROWS_AS(run(space.model.follow(moment - 30 * day)), store_error);
    CHECK(space.minimal() == before);
    CHECK(space.model.op_count() == 30);
    space.follow();
    check_like_new(space);
}

TEST_CASE("W9: rings that the layout does not have are left out") {
    modelled_space space(moment);
    put_everywhere(space, 13, 50);
    space.start();
    auto const layout = space.layout();
    auto const count = static_cast<std::uint32_t>(layout.rings.size());
    std::vector<std::uint32_t> const wanted{count - 1, count, count + 1, UINT32_MAX};
    auto const details = space.model.ring_details(arc::arc_set::full(), layout, wanted);
    CHECK(details.rings.size() == 1);
    CHECK(details.rings.contains(count - 1));
}

TEST_CASE("W9: a layout keeps its meaning over the moment at which the next one has fewer rings") {
    modelled_space space(moment);
    put_everywhere(space, 14, 200);
    space.start();
    auto now = moment;
    while (space.model.layout_at(now + arc::unit).rings.size() >= space.model.layout_at(now).rings.size()) {
        now += arc::unit;
    }
    space.follow_at(now);
    auto const of_round = space.layout();
    auto const rings = all_rings(of_round);
    auto const before = space.model.ring_details(arc::arc_set::full(), of_round, rings);
    auto const top_before = space.model.minimal(arc::arc_set::full(), of_round);
    space.follow_at(now + arc::unit);
    CHECK(space.layout().rings.size() < rings.size());
    CHECK(space.model.ring_details(arc::arc_set::full(), of_round, rings) == before);
    CHECK(space.model.minimal(arc::arc_set::full(), of_round) == top_before);
}

}  // namespace opstore::gossip::testing
