// Question: what does each single read of a peer cost: the ids of one sector and one full slice, the earliest
// op of a sector, and of all sectors (one call of ours, 512 queries), which of 10 000 ids are missing (half
// of them are), 1000 ops by id? Rival: SQLite with Holochain's statements, in the caller's own thread.
// Method: both get the same arguments, new ones in each round, after a round that is not measured. Answers
// are counted and compared.
#include <tests/bench/questions.hpp>

#include <arc/sector.hpp>
#include <opstore/random.hpp>

#include <fmt/format.h>

namespace opstore::bench {
namespace {

namespace asio = boost::asio;

constexpr bounds index_reads{10, 100};
constexpr bounds at_par{1, 1};
constexpr std::size_t slice_calls = 200;
constexpr std::size_t earliest_calls = 500;
constexpr std::size_t earliest_of_all_calls = 3;
constexpr std::size_t filter_calls = 5;
constexpr std::size_t filter_ids = 10'000;
constexpr std::size_t retrieve_calls = 10;
constexpr std::size_t retrieve_ids = 1'000;

struct slice_arguments {
    arc::dht_arc sector;
    arc::time_range slice;
};

/// What a round asks, and how much each contender found.
template <class Arguments>
struct round_plan {
    std::vector<Arguments> calls;
    std::size_t found_by_store = 0;
    std::size_t found_by_sqlite = 0;

    round_plan() = default;
};

/// Measures one kind of read. `plan` makes the arguments of a call; `ask` and `ask_sqlite` answer how much
/// they found. Returns the seconds of a call of both.
template <class Arguments>
std::vector<double> compare(stage& s, std::size_t calls, std::function<Arguments(random_source&)> const& plan,
                            std::function<asio::awaitable<std::size_t>(Arguments const&)> const& ask,
                            std::function<std::size_t(Arguments const&)> const& ask_sqlite) {
    std::vector<round_plan<Arguments>> rounds(s.rounds() + 1);
    random_source random(s.resident());
    for (auto& round : rounds) {
        for (std::size_t i = 0; i < calls; ++i) {
            round.calls.push_back(plan(random));
        }
    }
    auto const all_of_store = [&](round_plan<Arguments>& round) -> asio::awaitable<void> {
        for (auto const& arguments : round.calls) {
            round.found_by_store += co_await ask(arguments);
        }
    };
    std::vector<contender> const contenders{[&](std::size_t round) {
                                                stopwatch const watch;
                                                run(all_of_store(rounds[round]));
                                                return watch.seconds() / static_cast<double>(calls);
                                            },
                                            [&](std::size_t round) {
                                                stopwatch const watch;
                                                for (auto const& arguments : rounds[round].calls) {
                                                    rounds[round].found_by_sqlite += ask_sqlite(arguments);
                                                }
                                                return watch.seconds() / static_cast<double>(calls);
                                            }};
    for (auto const& warm_up : contenders) {
        warm_up(s.rounds());
    }
    auto seconds = take_turns(s.rounds(), contenders);
    for (auto const& round : rounds) {
        insist(round.found_by_store == round.found_by_sqlite, "the store and SQLite found different ops");
    }
    return seconds;
}

void ask_slice(stage& s, std::uint64_t scale) {
    auto const factor = arc::factor_default;
    auto const oldest = arc::slice_index(now - std::chrono::microseconds(history_us(scale)), factor) + 1;
    auto const full = arc::full_slice_count(now, factor);
    auto const seconds = compare<slice_arguments>(
        s, slice_calls,
        [&](random_source& random) {
            auto const sector = static_cast<arc::sector_index>(random.below(arc::sector_count));
            return slice_arguments{arc::sector_arc(sector),
                                   arc::slice_range(oldest + random.below(full - oldest), factor)};
        },
        [&](slice_arguments const& a) -> asio::awaitable<std::size_t> {
            auto const list =
                co_await s.store().retrieve_op_hashes_in_time_slice(a.sector, a.slice.start, a.slice.end);
            co_return list.value().ids.size();
        },
        [&](slice_arguments const& a) { return s.sqlite().ids_in_slice(a.sector, a.slice).ids.size(); });
    auto const* const question = "ids of one sector x one full slice";
    s.out().add_time(question, scale, seconds[0], "SQLite", seconds[1], index_reads);
    s.out().add_growth(question, scale, seconds[0]);
}

std::vector<double> compare_earliest(stage& s, arc::dht_arc (*arc_of)(arc::sector_index)) {
    return compare<arc::sector_index>(
        s, earliest_calls,
        [](random_source& random) { return static_cast<arc::sector_index>(random.below(arc::sector_count)); },
        [&s, arc_of](arc::sector_index sector) -> asio::awaitable<std::size_t> {
            auto const earliest = co_await s.store().earliest_timestamp_in_arc(arc_of(sector));
            co_return static_cast<std::size_t>(earliest.value().value_or(now).time_since_epoch().count());
        },
        [&s, arc_of](arc::sector_index sector) {
            auto const earliest = s.sqlite().earliest(arc_of(sector));
            return static_cast<std::size_t>(earliest.value_or(now).time_since_epoch().count());
        });
}

/// Once the store has been asked a few times, it answers from memory where the arc is made of whole sectors.
void ask_earliest(stage& s, std::uint64_t scale) {
    auto const seconds = compare_earliest(s, &arc::sector_arc);
    auto const* const question = "earliest op of a sector";
    s.out().add_time(question, scale, seconds[0], "SQLite", seconds[1], index_reads);
    s.out().add_growth(question, scale, seconds[0]);
    auto const by_server = compare_earliest(s, [](arc::sector_index sector) {
        auto const whole = arc::sector_arc(sector);
        return arc::dht_arc::between(whole.start(), arc::location{whole.end().value - 1});
    });
    s.out().add_note(
        fmt::format("earliest op at {} ops: for an arc that the store does not answer from memory it takes "
                    "{:.3} ms, ratio {:.2f}",
                    scale, by_server[0] * 1000, by_server[1] / by_server[0]));
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
    auto const micros = [](std::optional<arc::timestamp> const& earliest) {
        return static_cast<std::size_t>(earliest.value_or(now).time_since_epoch().count());
    };
    auto const seconds = compare<arc::sector_index>(
        s, earliest_of_all_calls,
        [](random_source& random) { return static_cast<arc::sector_index>(random.below(arc::sector_count)); },
        [&](arc::sector_index first) -> asio::awaitable<std::size_t> {
            auto arcs = sectors_from(first);
            auto const earliest = co_await s.store().earliest_timestamps_in_arcs(std::move(arcs));
            std::size_t sum = 0;
            for (auto const& of_sector : earliest.value()) {
                sum += micros(of_sector);
            }
            co_return sum;
        },
        [&](arc::sector_index first) {
            std::size_t sum = 0;
            for (arc::dht_arc const& sector : sectors_from(first)) {
                sum += micros(s.sqlite().earliest(sector));
            }
            return sum;
        });
    auto const* const question = "earliest ops of all sectors";
    s.out().add_time(question, scale, seconds[0], "SQLite, 512 queries", seconds[1], index_reads);
    s.out().add_growth(question, scale, seconds[0]);
}

std::vector<double> compare_filter(stage& s, op_store& store) {
    return compare<std::vector<op_id>>(
        s, filter_calls,
        [&](random_source& random) {
            std::vector<op_id> ids;
            for (std::size_t i = 0; i < filter_ids; ++i) {
                auto const held = i % 2 == 0;
                ids.push_back(
                    make_op(held ? random.below(s.resident()) : unknown_from + random.below(unknown_from))
                        .id);
            }
            return ids;
        },
        [&](std::vector<op_id> const& ids) -> asio::awaitable<std::size_t> {
            auto copy = ids;
            auto const missing = co_await store.filter_out_existing_ops(std::move(copy));
            co_return missing.value().size();
        },
        [&](std::vector<op_id> const& ids) { return s.sqlite().filter(ids).size(); });
}

/// Once the store has been asked for as many ids as it holds, it remembers which they are.
void ask_filter(stage& s, std::uint64_t scale) {
    for (std::uint64_t asked = 0; asked <= s.resident(); asked += filter_ids) {
        std::vector<op_id> ids(filter_ids, make_op(0).id);
        run(s.store().filter_out_existing_ops(std::move(ids))).value();
    }
    auto const seconds = compare_filter(s, s.store());
    auto const* const question = "which of 10 000 ids are missing";
    s.out().add_time(question, scale, seconds[0], "SQLite", seconds[1], at_par);
    s.out().add_growth(question, scale, seconds[0]);
    space_set_up forgetful;
    forgetful.remembers_ids = false;
    auto const by_server = compare_filter(s, *open_space(s.server().conninfo(), forgetful));
    s.out().add_note(
        fmt::format("filter at {} ops: where the store does not remember which ids are held it takes {:.3} "
                    "ms, ratio {:.2f}",
                    scale, by_server[0] * 1000, by_server[1] / by_server[0]));
}

void ask_retrieve(stage& s, std::uint64_t scale) {
    auto const seconds = compare<std::vector<op_id>>(
        s, retrieve_calls,
        [&](random_source& random) {
            // Distinct: SQLite answers a repeated id once.
            auto const first = random.below(s.resident());
            std::vector<op_id> ids;
            for (std::size_t i = 0; i < retrieve_ids; ++i) {
                ids.push_back(make_op((first + i * (s.resident() / retrieve_ids)) % s.resident()).id);
            }
            return ids;
        },
        [&](std::vector<op_id> const& ids) -> asio::awaitable<std::size_t> {
            auto copy = ids;
            auto const ops = co_await s.store().retrieve_ops(std::move(copy));
            co_return ops.value().size();
        },
        [&](std::vector<op_id> const& ids) { return s.sqlite().retrieve(ids).size(); });
    auto const* const question = "1000 ops by id";
    s.out().add_time(question, scale, seconds[0], "SQLite", seconds[1], at_par);
    s.out().add_growth(question, scale, seconds[0]);
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
