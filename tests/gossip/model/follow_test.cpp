// Goal: following a store neither skips nor repeats an op, folds at the right moment, and notices what cannot
// be followed. Method: examples at every border, on stores that count, refuse, fall back and take their time.
#include <tests/gossip/model/modelled_space.hpp>

#include <doctest/doctest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <future>

namespace opstore::gossip::testing {
namespace {

using namespace std::chrono_literals;

/// Refuses as a store does whose space was dropped.
struct dropped_store : counting_op_store {
    bool dropped = false;

    using counting_op_store::counting_op_store;

    boost::asio::awaitable<result<space_hashes>> retrieve_space_hashes(std::uint64_t full_slices,
                                                                       deadline until) override {
        if (dropped) {
            co_return refusal(errc::no_such_space, "dropped");
        }
        co_return co_await counting_op_store::retrieve_space_hashes(full_slices, until);
    }
    boost::asio::awaitable<result<op_tail>> retrieve_tail(arc::timestamp start, std::size_t ops_max,
                                                          deadline until) override {
        if (dropped) {
            co_return refusal(errc::no_such_space, "dropped");
        }
        co_return co_await counting_op_store::retrieve_tail(start, ops_max, until);
    }
    boost::asio::awaitable<result<space_stat>> stat(deadline until) override {
        if (dropped) {
            co_return refusal(errc::no_such_space, "dropped");
        }
        co_return co_await counting_op_store::stat(until);
    }
    boost::asio::awaitable<result<std::vector<sector_slices>>> retrieve_disc_slices(arc::arc_set sectors,
                                                                                    std::uint64_t full_slices,
                                                                                    deadline until) override {
        if (dropped) {
            co_return refusal(errc::no_such_space, "dropped");
        }
        co_return co_await counting_op_store::retrieve_disc_slices(sectors, full_slices, until);
    }
};

/// One op a page.
struct single_op_store : counting_op_store {
    using counting_op_store::counting_op_store;

    boost::asio::awaitable<result<op_tail>> retrieve_tail(arc::timestamp start, std::size_t,
                                                          deadline until) override {
        return counting_op_store::retrieve_tail(start, 1, until);
    }
};

/// Somebody stores an op between the end of the tail and the look at the counters.
struct busy_store : counting_op_store {
    memory_op_store& behind;

    explicit busy_store(memory_op_store& inner) : counting_op_store(inner), behind(inner) {}

    boost::asio::awaitable<result<space_stat>> stat(deadline until) override {
        std::vector<incoming_op> batch{chosen_op(id_in(9, 9), moment_boundary)};
        CHECK((co_await behind.process_incoming_ops(std::move(batch))).has_value());
        co_return co_await counting_op_store::stat(until);
    }
};

/// When slice 3,688 becomes full.
constexpr arc::timestamp promotion = moment_boundary + 460'800s + 459'900s;

}  // namespace

TEST_CASE("follow: a page, one op less, one op more") {
    for (std::size_t const more : {0, 1, 2}) {
        auto const count = summary_model::tail_ops_max - 1 + more;
        modelled_space space(moment);
        space.start();
        std::vector<incoming_op> batch;
        for (std::size_t i = 0; i < count; ++i) {
            batch.push_back(
                chosen_op(id_in(static_cast<arc::sector_index>(i % 512), static_cast<std::uint32_t>(i / 512)),
                          moment_boundary));
        }
        run(space.memory.process_incoming_ops(std::move(batch))).value();
        space.store.forget_calls();
        space.follow();
        CHECK(space.model.op_count() == count);
        CHECK(space.store.calls_of("retrieve_tail") == (count > summary_model::tail_ops_max ? 2 : 1));
        summary_model fresh(space.memory);
        run(fresh.start(moment)).value();
        CHECK(space.minimal() == fresh.minimal(arc::arc_set::full(), space.layout()));
    }
}

TEST_CASE("follow: starts by itself") {
    modelled_space space(moment);
    space.put(id_in(1), moment_boundary);
    space.follow();
    CHECK(space.model.op_count() == 1);
    CHECK(space.store.calls_by_method() == counting_op_store::counts{{"retrieve_space_hashes", 1}});
}

TEST_CASE("watermark: that of the store, as of the last look") {
    modelled_space space(moment);
    space.start();
    CHECK(space.model.watermark() == arc::timestamp{});
    space.put(id_in(1), moment_boundary);
    CHECK(space.model.watermark() == arc::timestamp{});
    space.follow();
    CHECK(space.model.watermark() == moment);
    // An op handed in again takes a stamp too.
    space.put(id_in(1), moment_boundary);
    space.follow();
    CHECK(space.model.watermark() == run(space.memory.stat()).value().watermark);
}

TEST_CASE("fold: a layout can be answered for skew_max behind the moment that ended it, not longer") {
    modelled_space space(promotion - one_microsecond);
    space.put(id_in(1), moment_boundary);
    space.start();
    auto const old = space.layout();
    CHECK(old.full_slices == 3688);
    CHECK(space.model.can_answer(old));
    auto const before = space.minimal();

    space.follow_at(promotion);
    CHECK(space.layout().full_slices == 3689);
    CHECK(space.minimal().disc_top_hash == sum({id_in(1)}));
    CHECK(space.model.can_answer(old));
    space.follow_at(promotion + summary_model::skew_max - one_microsecond);
    CHECK(space.model.can_answer(old));
    CHECK(space.model.minimal(arc::arc_set::full(), old) == before);

    space.follow_at(promotion + summary_model::skew_max);
    CHECK_FALSE(space.model.can_answer(old));
    CHECK(space.minimal().disc_top_hash == sum({id_in(1)}));
    CHECK(space.store.calls_of("retrieve_space_hashes") == 1);
}

TEST_CASE("fold: undone by a new start only if the clock goes back behind it") {
    modelled_space space(promotion + summary_model::skew_max);
    space.put(id_in(1), moment_boundary);
    space.start();
    space.follow_at(promotion + 2 * summary_model::skew_max);
    space.follow_at(promotion + summary_model::skew_max);
    CHECK(space.store.calls_of("retrieve_space_hashes") == 1);
    space.follow_at(promotion + summary_model::skew_max - one_microsecond);
    CHECK(space.store.calls_of("retrieve_space_hashes") == 2);
    space.clock.set(promotion - one_microsecond);
    CHECK(space.model.can_answer(space.layout()));
    CHECK(filled_rings(space.minimal()).at(0) == sum({id_in(1)}));
}

TEST_CASE("can_answer: layouts of the future, none of another factor") {
    modelled_space space(moment);
    space.start();
    CHECK(space.model.can_answer(space.model.layout_at(moment + 400 * day)));
    CHECK_FALSE(space.model.can_answer(space.model.layout_at(moment - 400 * day)));
    CHECK_FALSE(space.model.can_answer(arc::layout_at(moment, 8)));
}

TEST_CASE("refusals of the store are passed on, and what was known stays") {
    modelled_space space(moment);
    dropped_store store(space.memory);
    summary_model model(store);
    store.dropped = true;
    CHECK(run(model.start(moment)).error().code() == errc::no_such_space);
    CHECK(run(model.follow(moment)).error().code() == errc::no_such_space);
    CHECK(run(model.disc_details(arc::arc_set::full(), model.layout_at(moment))).error().code() ==
          errc::no_such_space);
    store.dropped = false;
    space.put(id_in(1), moment_boundary);
    run(model.start(moment)).value();
    store.dropped = true;
    CHECK(run(model.follow(moment)).error().code() == errc::no_such_space);
    CHECK(model.op_count() == 1);
    CHECK(model.minimal(arc::arc_set::full(), model.layout_at(moment)).ring_top_hashes[0] == sum({id_in(1)}));
}

TEST_CASE("counters: compared once in each unit of time, and no reason to start anew") {
    modelled_space space(moment);
    space.start();
    space.store.forget_calls();
    for (int quarter = 0; quarter < 8; ++quarter) {
        for (int times = 0; times < 3; ++times) {
            space.put(id_in(7, static_cast<std::uint32_t>(quarter * 3 + times)), moment);
            space.follow_at(moment + (quarter + 1) * arc::unit + std::chrono::seconds(times));
        }
    }
    CHECK(space.store.calls_by_method() == counting_op_store::counts{{"retrieve_tail", 24}, {"stat", 8}});
    CHECK(space.model.op_count() == 24);
}

TEST_CASE("counters: that ops came meanwhile is no contradiction") {
    modelled_space space(moment);
    busy_store store(space.memory);
    summary_model model(store);
    run(model.start(moment)).value();
    run(model.follow(moment + arc::unit)).value();
    CHECK(store.calls_of("retrieve_space_hashes") == 1);
    CHECK(model.op_count() == 0);
    run(model.follow(moment + arc::unit)).value();
    CHECK(model.op_count() == 1);
    CHECK(store.calls_of("retrieve_space_hashes") == 1);
}

TEST_CASE("counters: a store that was put back to an earlier state is noticed") {
    for (bool const goes_on : {false, true}) {
        CAPTURE(goes_on);
        modelled_space space(moment);
        space.start();
        // The backup holds the first op only.
        memory_op_store backup(space.memory.options(), space.clock);
        for (auto const& [id, store_here] : {std::pair{id_in(1), true}, {id_in(2), false}}) {
            std::vector<incoming_op> batch{chosen_op(id, moment_boundary)};
            if (store_here) {
                run(backup.process_incoming_ops(batch)).value();
            }
            run(space.memory.process_incoming_ops(std::move(batch))).value();
        }
        space.follow();
        CHECK(space.model.op_count() == 2);

        space.store.put_behind(backup);
        space.clock.step(1s);
        if (goes_on) {
            // New ops lift its watermark over the one that was reached here.
            std::vector<incoming_op> batch{chosen_op(id_in(3), moment_boundary)};
            run(backup.process_incoming_ops(std::move(batch))).value();
        }
        space.follow_at(moment + arc::unit);
        CHECK(space.store.calls_of("retrieve_space_hashes") == 2);
        CHECK(space.model.op_count() == (goes_on ? 2 : 1));
        CHECK(space.minimal().ring_top_hashes[0] == (goes_on ? sum({id_in(1), id_in(3)}) : sum({id_in(1)})));
        CHECK(space.model.watermark() == run(backup.stat()).value().watermark);
    }
}

TEST_CASE("counters: a restored store that fails while it is noticed is noticed again") {
    modelled_space space(moment);
    space.put(id_in(1), moment_boundary);
    space.start();
    memory_op_store empty(space.memory.options(), space.clock);
    space.store.put_behind(empty);
    space.store.fail_at(1, 1, "retrieve_space_hashes");
    space.clock.step(arc::unit);
    CHECK_THROWS_AS(space.follow(), store_error);
    CHECK(space.model.op_count() == 1);
    space.follow();
    CHECK(space.model.op_count() == 0);
    CHECK(filled_rings(space.minimal()).empty());
}

TEST_CASE("a model may be asked while it waits for its store: it answers for its watermark") {
    constexpr std::uint64_t ops = 20;
    modelled_space space(moment);
    single_op_store store(space.memory);
    store.suspend_each_call();
    summary_model model(store);
    run(model.start(moment)).value();
    std::vector<combined_hash> sums(1);
    for (std::uint32_t i = 0; i < ops; ++i) {
        space.put(id_in(3, i + 1), moment_boundary);
        sums.push_back(sums.back());
        sums.back().add(id_in(3, i + 1));
    }

    boost::asio::io_context io;
    auto work = model.follow(moment);
    auto done = boost::asio::co_spawn(io, std::move(work), boost::asio::use_future);
    std::uint64_t seen = 0;
    std::uint64_t states = 0;
    while (io.poll_one() > 0) {
        states += model.op_count() != seen ? 1 : 0;
        seen = model.op_count();
        auto const minimal = model.minimal(arc::arc_set::full(), model.layout_at(moment));
        CHECK(minimal.ring_top_hashes[0] == sums[seen]);
        // Ops are stamped one microsecond apart, from `moment` on.
        CHECK((seen == 0 || model.watermark() == moment + std::chrono::microseconds(seen - 1)));
    }
    done.get().value();
    CHECK(seen == ops);
    CHECK(states == ops);
}

TEST_CASE("slices of one unit: there are no rings, only the disc") {
    modelled_space space(moment, 0);
    space.put(id_in(1), moment - 2 * arc::unit);
    space.start();
    CHECK(space.layout().rings.empty());
    space.put(id_in(2), moment - arc::unit);
    space.put(id_in(3), moment);
    space.follow();
    CHECK(space.minimal().disc_top_hash == sum({id_in(1), id_in(2)}));
    space.follow_at(moment + arc::unit);
    CHECK(space.minimal().disc_top_hash == sum({id_in(1), id_in(2), id_in(3)}));
}

}  // namespace opstore::gossip::testing
