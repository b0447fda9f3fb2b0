#pragma once

#include <tests/bench/bench_server.hpp>
#include <tests/bench/measurement.hpp>
#include <tests/bench/results.hpp>
#include <tests/bench/sqlite_rival.hpp>

#include <opstore/op_store.hpp>
#include <tests/support/run.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace opstore::bench {

/// A question takes minutes, not hours.
inline constexpr std::chrono::hours work_limit{2};

/// Runs a coroutine with all its calls on one io_context, as a program does; one for each call would be timed
/// too.
template <class T>
T run(boost::asio::awaitable<T> work) {
    return testing::run(std::move(work), work_limit);
}

/// Throws unless `holds`: a figure of a contender that answered something else is no figure.
void insist(bool holds, char const* what);

/// A store with ops [0, ops) of the data set.
struct filled_store {
    op_store& store;
    std::uint64_t ops;
};

/// What the questions share: the server, and the same ops in the store and in SQLite.
///
/// Ops [0, resident()) of the data set are in both.
class stage {
public:
    enum class effort {
        full,
        smoke  ///< Everything once, to see that it runs: the figures mean nothing.
    };

    stage(bench_server& server, results& out, effort how);

    bench_server& server() { return server_; }
    op_store& store() { return *store_; }
    sqlite_rival& sqlite() { return sqlite_; }
    results& out() { return out_; }
    bool smoke() const { return effort_ == effort::smoke; }
    /// Of each measurement. Odd: so one of them is the median.
    std::size_t rounds() const { return smoke() ? 1 : 7; }
    /// Of growth, which no rival makes slow to measure; at least so many.
    std::size_t growth_rounds() const { return smoke() ? 1 : 21; }
    /// At least so long, where sessions stay as they are: the system leaves a session's threads and processes
    /// on the same processors for tenths of a second at least, and where both server processes of a call
    /// share one, it takes a third longer.
    std::chrono::milliseconds growth_time() const { return std::chrono::milliseconds(smoke() ? 0 : 10'000); }
    std::uint64_t resident() const { return resident_; }
    filled_store current() { return {*store_, resident_}; }
    /// What growth is measured beside, in turns: the store with a tenth of the ops, in tables of its own.
    /// Nothing at the first scale.
    std::optional<filled_store> smaller();
    /// Lets that one and this one take turns for growth_rounds(), in new sessions every three rounds, for
    /// which `ask` makes its contenders: the same short call took 30 or 75 us, mostly 75, and stayed so for
    /// seconds. Precondition: there is a smaller one.
    pair_of_times compare_in_new_sessions(std::function<contender(filled_store)> const& ask);

    /// Seconds that it took to store these batches, a call for each, and all that the store does behind it.
    double ingest(std::vector<std::vector<bench_op>> const& batches) { return ingest(*store_, batches); }

    /// Both have the ops up to here now: a question stored them.
    void advance(std::uint64_t resident) { resident_ = resident; }
    /// Stores up to there in both, unmeasured.
    void fill(std::uint64_t until);
    /// Fills the smaller store up to there, unmeasured.
    void fill_smaller(std::uint64_t until);
    /// Stores these in SQLite alone, unmeasured: the store has them.
    void fill_sqlite(std::uint64_t from, std::uint64_t until);

    /// What a database does for itself after much was stored; so that no question pays for another.
    void settle();

private:
    static double ingest(op_store& store, std::vector<std::vector<bench_op>> const& batches);

    bench_server& server_;
    results& out_;
    effort effort_;
    std::uint64_t resident_ = 0;
    std::unique_ptr<op_store> store_;
    std::unique_ptr<op_store> smaller_;
    std::uint64_t smaller_resident_ = 0;
    sqlite_rival sqlite_;
};

}  // namespace opstore::bench
