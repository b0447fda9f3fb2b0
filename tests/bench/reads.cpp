// Question: what does each single read of a peer cost: the ids of one sector and one full slice, the earliest
// op of a sector, and of all sectors (one call of ours, 512 queries), which of 10 000 ids are missing (half
// of them are), 1000 ops by id? Rival: SQLite with Holochain's statements, in the caller's own thread.
// Method: both get the same arguments, new ones in each round, after a round that is not measured. Answers
// are counted and compared. For growth, the store and the smaller one take turns by themselves,
// for longer, with arguments that come again every seven rounds.
#include <tests/bench/questions.hpp>

#include <arc/sector.hpp>
#include <opstore/random.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>

namespace opstore::bench {
namespace {

namespace asio = boost::asio;

constexpr bounds index_reads{10, 100};
constexpr bounds at_par{1, 1};
constexpr std::size_t slice_calls = 200;
constexpr std::size_t earliest_calls = 500;
constexpr std::size_t earliest_of_all_calls = 30;
constexpr std::size_t filter_calls = 15;
constexpr std::size_t filter_ids = 10'000;
constexpr std::size_t retrieve_calls = 20;
constexpr std::size_t retrieve_ids = 1'000;

struct slice_arguments {
    arc::dht_arc sector;
    arc::time_range slice;
};

/// One kind of read. What is asked of a store depends on how many ops it has; the answers say how much was
/// found.
template <class Arguments>
struct kind_of_read {
    std::size_t calls;  ///< Of a round.
    std::function<Arguments(random_source&, std::uint64_t ops)> plan;
    std::function<asio::awaitable<std::size_t>(op_store&, Arguments const&)> ask;
    std::function<std::size_t(Arguments const&)> ask_sqlite;
};

template <class Arguments>
using round_plans = std::vector<std::vector<Arguments>>;

template <class Arguments>
round_plans<Arguments> plan_rounds(kind_of_read<Arguments> const& read, std::size_t rounds,
                                   std::uint64_t ops) {
    round_plans<Arguments> plans(rounds);
    random_source random(ops);
    for (auto& plan : plans) {
        for (std::size_t i = 0; i < read.calls; ++i) {
            plan.push_back(read.plan(random, ops));
        }
    }
    return plans;
}

template <class Arguments>
asio::awaitable<std::size_t> ask_all(kind_of_read<Arguments> const& read, op_store& store,
                                     std::vector<Arguments> const& plan) {
    std::size_t found = 0;
    for (auto const& arguments : plan) {
        found += co_await read.ask(store, arguments);
    }
    co_return found;
}

template <class Arguments>
contender asker(kind_of_read<Arguments> const& read, filled_store whose, round_plans<Arguments> const& plans,
                std::vector<std::size_t>& found) {
    return [&read, whose, &plans, &found](std::size_t round) {
        stopwatch const watch;
        auto const number = round % plans.size();
        found[number] = run(ask_all(read, whose.store, plans[number]));
        return watch.seconds() / static_cast<double>(read.calls);
    };
}

template <class Arguments>
pair_of_times compare(stage& s, filled_store ours, kind_of_read<Arguments> const& read) {
    auto const plans = plan_rounds(read, s.rounds() + 1, ours.ops);
    std::vector<std::size_t> found(plans.size()), found_by_sqlite(plans.size());
    std::vector<contender> const contenders{asker(read, ours, plans, found), [&](std::size_t round) {
                                                stopwatch const watch;
                                                for (auto const& arguments : plans[round]) {
                                                    found_by_sqlite[round] += read.ask_sqlite(arguments);
                                                }
                                                return watch.seconds() / static_cast<double>(read.calls);
                                            }};
    for (auto const& warm_up : contenders) {
        warm_up(s.rounds());
    }
    auto const taken = take_turns(s.rounds(), contenders);
    insist(found == found_by_sqlite, "the store and SQLite found different ops");
    return taken.beside(0, 1);
}

/// Beside the smaller store alone: then each follows the other.
template <class Arguments>
void compare_growth(stage& s, char const* question, std::uint64_t scale,
                    kind_of_read<Arguments> const& read) {
    auto const smaller = s.smaller();
    if (!smaller) {
        return;
    }
    // What was asked so many rounds ago is as good as new.
    auto const plans = plan_rounds(read, s.rounds(), s.resident());
    auto const smaller_plans = plan_rounds(read, s.rounds(), smaller->ops);
    std::vector<std::size_t> found(plans.size()), found_by_smaller(plans.size());
    std::vector<contender> const contenders{asker(read, s.current(), plans, found),
                                            asker(read, *smaller, smaller_plans, found_by_smaller)};
    take_turns(s.rounds(), contenders);
    auto const taken = take_turns(s.growth_rounds(), contenders, s.growth_time());
    insist(!std::ranges::count(found, 0) && !std::ranges::count(found_by_smaller, 0),
           "a store found nothing, so that growth compares nothing");
    s.out().add_growth(question, scale, taken.beside(0, 1));
}

template <class Arguments>
void ask_both(stage& s, char const* question, std::uint64_t scale, kind_of_read<Arguments> const& read,
              bounds bound, char const* rival = "SQLite") {
    auto const seconds = compare(s, s.current(), read);
    s.out().add_time(question, scale, seconds, rival, bound);
    compare_growth(s, question, scale, read);
}

std::size_t micros(std::optional<arc::timestamp> earliest) {
    return static_cast<std::size_t>(earliest.value_or(now).time_since_epoch().count());
}

arc::sector_index any_sector(random_source& random, std::uint64_t) {
    return static_cast<arc::sector_index>(random.below(arc::sector_count));
}

void ask_slice(stage& s, std::uint64_t scale) {
    kind_of_read<slice_arguments> read;
    read.calls = slice_calls;
    read.plan = [](random_source& random, std::uint64_t ops) {
        auto const factor = arc::factor_default;
        auto const oldest = arc::slice_index(now - std::chrono::microseconds(history_us(ops)), factor) + 1;
        auto const full = arc::full_slice_count(now, factor);
        auto const sector = any_sector(random, ops);
        return slice_arguments{arc::sector_arc(sector),
                               arc::slice_range(oldest + random.below(full - oldest), factor)};
    };
    read.ask = [](op_store& store, slice_arguments const& a) -> asio::awaitable<std::size_t> {
        auto const list =
            co_await store.retrieve_op_hashes_in_time_slice(a.sector, a.slice.start, a.slice.end);
        co_return list.value().ids.size();
    };
    read.ask_sqlite = [&](slice_arguments const& a) {
        return s.sqlite().ids_in_slice(a.sector, a.slice).ids.size();
    };
    ask_both(s, "ids of one sector x one full slice", scale, read, index_reads);
}

kind_of_read<arc::sector_index> earliest_of(stage& s, arc::dht_arc (*arc_of)(arc::sector_index)) {
    kind_of_read<arc::sector_index> read;
    read.calls = earliest_calls;
    read.plan = any_sector;
    read.ask = [arc_of](op_store& store, arc::sector_index sector) -> asio::awaitable<std::size_t> {
        auto const earliest = co_await store.earliest_timestamp_in_arc(arc_of(sector));
        co_return micros(earliest.value());
    };
    read.ask_sqlite = [&s, arc_of](arc::sector_index sector) {
        return micros(s.sqlite().earliest(arc_of(sector)));
    };
    return read;
}

/// Once the store has been asked a few times, it answers from memory where the arc is made of whole sectors.
void ask_earliest(stage& s, std::uint64_t scale) {
    ask_both(s, "earliest op of a sector", scale, earliest_of(s, &arc::sector_arc), index_reads);
    auto const by_server =
        compare(s, s.current(), earliest_of(s, [](arc::sector_index sector) {
                    auto const whole = arc::sector_arc(sector);
                    return arc::dht_arc::between(whole.start(), arc::location{whole.end().value - 1});
                }));
    s.out().add_note(
        fmt::format("earliest op at {} ops: for an arc that the store does not answer from memory it takes "
                    "{:.3} ms, ratio {:.2f}",
                    scale, by_server.one * 1000, by_server.other / by_server.one));
}

/// kitsune2 asks it of one sector after the other when it starts. The argument is the sector to begin with.
void ask_earliest_of_all(stage& s, std::uint64_t scale) {
    auto const sectors_from = [](arc::sector_index first) {
        std::vector<arc::dht_arc> arcs;
        for (std::size_t i = 0; i < arc::sector_count; ++i) {
            arcs.push_back(arc::sector_arc(static_cast<arc::sector_index>((first + i) % arc::sector_count)));
        }
        return arcs;
    };
    kind_of_read<arc::sector_index> read;
    read.calls = earliest_of_all_calls;
    read.plan = any_sector;
    read.ask = [&](op_store& store, arc::sector_index first) -> asio::awaitable<std::size_t> {
        auto arcs = sectors_from(first);
        auto const earliest = co_await store.earliest_timestamps_in_arcs(std::move(arcs));
        std::size_t sum = 0;
        for (auto const& of_sector : earliest.value()) {
            sum += micros(of_sector);
        }
        co_return sum;
    };
    read.ask_sqlite = [&](arc::sector_index first) {
        std::size_t sum = 0;
        for (arc::dht_arc const& sector : sectors_from(first)) {
            sum += micros(s.sqlite().earliest(sector));
        }
        return sum;
    };
    ask_both(s, "earliest ops of all sectors", scale, read, index_reads, "SQLite, 512 queries");
}

/// A store remembers which ids it holds once it has been asked for as many.
void let_remember(filled_store whose) {
    for (std::uint64_t asked = 0; asked <= whose.ops; asked += filter_ids) {
        std::vector<op_id> ids(filter_ids, make_op(0).id);
        run(whose.store.filter_out_existing_ops(std::move(ids))).value();
    }
}

/// Of stores that remember which ids they hold, and where; a note says what it takes without.
void ask_by_id(stage& s, char const* question, std::uint64_t scale,
               kind_of_read<std::vector<op_id>> const& read) {
    let_remember(s.current());
    if (auto const smaller = s.smaller()) {
        let_remember(*smaller);
    }
    ask_both(s, question, scale, read, at_par);
    space_set_up forgetful;
    forgetful.remembers_ids = false;
    auto const store = open_space(s.server().conninfo(), forgetful);
    auto const by_server = compare(s, {*store, s.resident()}, read);
    s.out().add_note(
        fmt::format("{}, at {} ops: where the store does not remember ids it takes {:.3} ms, ratio {:.2f}",
                    question, scale, by_server.one * 1000, by_server.other / by_server.one));
}

void ask_filter(stage& s, std::uint64_t scale) {
    kind_of_read<std::vector<op_id>> read;
    read.calls = filter_calls;
    read.plan = [](random_source& random, std::uint64_t ops) {
        std::vector<op_id> ids;
        for (std::size_t i = 0; i < filter_ids; ++i) {
            auto const held = i % 2 == 0;
            ids.push_back(make_op(held ? random.below(ops) : unknown_from + random.below(unknown_from)).id);
        }
        return ids;
    };
    read.ask = [](op_store& store, std::vector<op_id> const& ids) -> asio::awaitable<std::size_t> {
        auto copy = ids;
        auto const missing = co_await store.filter_out_existing_ops(std::move(copy));
        co_return missing.value().size();
    };
    read.ask_sqlite = [&](std::vector<op_id> const& ids) { return s.sqlite().filter(ids).size(); };
    ask_by_id(s, "which of 10 000 ids are missing", scale, read);
}

void ask_retrieve(stage& s, std::uint64_t scale) {
    kind_of_read<std::vector<op_id>> read;
    read.calls = retrieve_calls;
    read.plan = [](random_source& random, std::uint64_t ops) {
        // Distinct: SQLite answers a repeated id once.
        auto const first = random.below(ops);
        std::vector<op_id> ids;
        for (std::size_t i = 0; i < retrieve_ids; ++i) {
            ids.push_back(make_op((first + i * (ops / retrieve_ids)) % ops).id);
        }
        return ids;
    };
    read.ask = [](op_store& store, std::vector<op_id> const& ids) -> asio::awaitable<std::size_t> {
        auto copy = ids;
        auto const ops = co_await store.retrieve_ops(std::move(copy));
        co_return ops.value().size();
    };
    read.ask_sqlite = [&](std::vector<op_id> const& ids) { return s.sqlite().retrieve(ids).size(); };
    ask_by_id(s, "1000 ops by id", scale, read);
}

}  // namespace

void ask_reads(stage& s, std::uint64_t scale) {
    s.settle();
    ask_slice(s, scale);
    ask_earliest(s, scale);
    ask_earliest_of_all(s, scale);
    ask_filter(s, scale);
    ask_retrieve(s, scale);
}

}  // namespace opstore::bench
