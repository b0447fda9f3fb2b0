// Question: how many durable ops a second go in where 64 callers store one op a call, each the next when the
// last is acknowledged? Rivals: SQLite with one transaction for each op and synchronous FULL, from one
// thread, since it has one writer and callers that wait for each other would only cost; the same store with
// group commit off. Method: rounds in turns on the same space. Whatever the one stored is given to the other
// afterwards, unmeasured.
#include <tests/bench/questions.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>

namespace opstore::bench {
namespace {

namespace asio = boost::asio;

constexpr bounds over_sqlite{2, 4};
constexpr bounds over_no_group{4, 4};
constexpr std::size_t callers = 64;

struct op_counts {
    std::size_t with_group;  ///< For each caller and round.
    std::size_t without_group;
    std::size_t sqlite;  ///< For each round.
};

asio::awaitable<void> one_caller(op_store& store, std::uint64_t first, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        auto batch = to_incoming(make_ops(first + i, 1));
        auto const report = co_await store.process_incoming_ops(std::move(batch));
        insist(report.value().newly_stored.size() == 1, "the store did not store the op");
    }
}

/// Seconds for an op.
double all_callers(op_store& store, std::uint64_t first, std::size_t ops_each) {
    asio::io_context io;
    stopwatch const watch;
    for (std::size_t i = 0; i < callers; ++i) {
        asio::co_spawn(io, one_caller(store, first + i * ops_each, ops_each), [](std::exception_ptr error) {
            if (error) {
                std::rethrow_exception(error);
            }
        });
    }
    io.run();
    return watch.seconds() / static_cast<double>(callers * ops_each);
}

/// Seconds for an op.
double one_by_one(sqlite_rival& sqlite, std::uint64_t first, std::size_t count) {
    auto const ops = make_ops(first, count);
    stopwatch const watch;
    for (std::size_t i = 0; i < count; ++i) {
        sqlite.store(first + i, {&ops[i], 1});
    }
    return watch.seconds() / static_cast<double>(count);
}

}  // namespace

void ask_single_ops(stage& s, std::uint64_t scale) {
    auto const n = s.smoke() ? op_counts{2, 1, 100} : op_counts{50, 10, 1000};
    space_set_up alone;
    alone.group_commit = false;
    auto const without_group = open_space(s.server().conninfo(), alone);
    auto const for_grouped = s.resident();
    auto const for_single = for_grouped + s.rounds() * callers * n.with_group;
    auto const for_sqlite = for_single + s.rounds() * callers * n.without_group;
    auto const end = for_sqlite + s.rounds() * n.sqlite;
    s.sqlite().set_durability(sqlite_rival::durability::full);
    auto const taken = take_turns(
        s.rounds(),
        {[&](std::size_t round) {
             return all_callers(s.store(), for_grouped + round * callers * n.with_group, n.with_group);
         },
         [&](std::size_t round) { return one_by_one(s.sqlite(), for_sqlite + round * n.sqlite, n.sqlite); },
         [&](std::size_t round) {
             return all_callers(*without_group, for_single + round * callers * n.without_group,
                                n.without_group);
         }});
    s.fill_sqlite(for_grouped, for_sqlite);
    s.ingest({make_ops(for_sqlite, end - for_sqlite)});
    s.advance(end);
    auto const* const question = "ingest, one op a call, 64 callers, durable";
    s.out().add_rate(question, scale, taken.beside(0, 1), "SQLite (WAL, FULL), op by op", over_sqlite);
    s.out().add_rate(question, scale, taken.beside(0, 2), "group commit off", over_no_group);
    s.out().add_growth_of_ingest(question, scale, taken.median(0));
}

}  // namespace opstore::bench
