// Goal: the pool gives each job one outcome, in a fair order, on a warm connection, within its bounds.
// Method: jobs of the test, which record when they ran or wait at a gate that the test opens, on a
// real server.
#include <opstore/postgres/detail/connection_pool.hpp>
#include <tests/postgres/locked_space.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <thread>
#include <vector>

namespace opstore::testing {
namespace {

using namespace std::chrono_literals;
using postgres::detail::connection;
using postgres::detail::connection_pool;
using postgres::detail::job;
using postgres::detail::lane;
using postgres::detail::persistence;

constexpr auto wait_max = 60s;

/// A pool on the test's server that counts the connections it made.
struct counted_pool {
    std::atomic<int> connects{0};
    connection_pool pool;

    explicit counted_pool(std::size_t connections, std::chrono::milliseconds default_timeout = wait_max)
        : pool(connections, default_timeout, [this] {
              ++connects;
              return std::make_unique<connection>(locked_space::settings());
          }) {}
};

/// Keeps its outcome; the test asserts that there is exactly one.
class recorded_job final : public job {
public:
    using work_type = std::function<void(connection&)>;

    recorded_job(lane l, work_type work, deadline until = deadline(), persistence p = persistence::once)
        : job(l, p, until.at().value_or(clock::now() + wait_max), !until.at()), work_(std::move(work)) {}

    void run(connection& c) override { work_(c); }
    void succeed() override {
        ++outcomes;
        done_.set_value(errc{});
    }
    void fail(std::exception_ptr error) override {
        ++outcomes;
        try {
            std::rethrow_exception(error);
        } catch (store_error const& e) {
            in_doubt = e.commit_in_doubt();
            done_.set_value(e.code());
        }
    }

    /// errc{}: it succeeded.
    errc wait() {
        auto done = done_.get_future();
        REQUIRE(done.wait_for(wait_max) == std::future_status::ready);
        return done.get();
    }

    std::atomic<int> outcomes{0};
    std::atomic<bool> in_doubt{false};

private:
    work_type work_;
    std::promise<errc> done_;
};

std::shared_ptr<recorded_job> submit(connection_pool& pool, lane l, recorded_job::work_type work,
                                     deadline until = deadline()) {
    auto j = std::make_shared<recorded_job>(l, std::move(work), until);
    pool.submit(j);
    return j;
}

/// Holds the jobs that pass through it until it is opened.
class gate {
public:
    void pass() {
        std::unique_lock lock(mutex_);
        ++held_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
    }
    void wait_for_held(int count) {
        std::unique_lock lock(mutex_);
        REQUIRE(changed_.wait_for(lock, wait_max, [&] { return held_ >= count; }));
    }
    void open() {
        std::lock_guard const lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int held_ = 0;
    bool open_ = false;
};

std::string setting(connection& c, std::string const& name) {
    return std::string(
        c.execute_text("setting", "SELECT setting FROM pg_settings WHERE name = '" + name + "'").text(0, 0));
}

}  // namespace

TEST_CASE("pool: calls one after the other stay on one connection") {
    counted_pool counted(4);
    for (int i = 0; i < 100; ++i)
        REQUIRE(submit(counted.pool, lane::read, [](connection&) {})->wait() == errc{});
    CHECK(counted.connects == 1);
}

TEST_CASE("pool: where a connection was dropped, the others come first") {
    counted_pool counted(3);
    gate both;
    std::vector<std::shared_ptr<recorded_job>> jobs;
    for (int i = 0; i < 2; ++i)
        jobs.push_back(submit(counted.pool, lane::read, [&](connection&) { both.pass(); }));
    both.wait_for_held(2);
    both.open();
    for (auto const& j : jobs)
        CHECK(j->wait() == errc{});
    CHECK(counted.connects == 2);
    auto const fail = [](connection& c) { c.execute_text("fail", "SELECT 1 / 0"); };
    CHECK(submit(counted.pool, lane::read, fail)->wait() == errc::rejected_by_database);
    for (int i = 0; i < 10; ++i)
        CHECK(submit(counted.pool, lane::read, [](connection&) {})->wait() == errc{});
    CHECK(counted.connects == 2);
}

TEST_CASE("pool: writes leave one connection free, and keep their order") {
    counted_pool counted(2);
    gate first_write;
    std::mutex mutex;
    std::vector<int> order;
    std::vector<std::shared_ptr<recorded_job>> writes;
    auto const record = [&](int number) {
        return [&, number](connection&) {
            std::lock_guard const lock(mutex);
            order.push_back(number);
        };
    };
    auto const held = submit(counted.pool, lane::write, [&](connection&) { first_write.pass(); });
    first_write.wait_for_held(1);
    for (int i = 0; i < 50; ++i)
        writes.push_back(submit(counted.pool, lane::write, record(i)));
    // The idle worker takes none of the writes that wait, but every read.
    for (int i = 0; i < 10; ++i)
        CHECK(submit(counted.pool, lane::read, [](connection&) {})->wait() == errc{});
    CHECK(order.empty());
    first_write.open();
    // Nor do late writes pass those that wait, although the other worker is idle.
    for (int i = 50; i < 300; ++i)
        writes.push_back(submit(counted.pool, lane::write, record(i)));
    for (auto const& write : writes)
        CHECK(write->wait() == errc{});
    CHECK(held->wait() == errc{});
    CHECK(order.size() == 300);
    CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("pool: at most waiting_jobs_max jobs wait in a lane") {
    auto const bound = connection_pool::waiting_jobs_max;
    counted_pool counted(2);
    gate all;
    std::vector<std::shared_ptr<recorded_job>> jobs;
    for (int i = 0; i < 2; ++i)
        jobs.push_back(submit(counted.pool, lane::read, [&](connection&) { all.pass(); }));
    all.wait_for_held(2);
    for (std::size_t i = 0; i < bound; ++i) {
        jobs.push_back(submit(counted.pool, lane::read, [](connection&) {}));
        if (i + 2 >= bound)
            CHECK(jobs.back()->outcomes == 0);
    }
    auto const surplus = submit(counted.pool, lane::read, [](connection&) {});
    CHECK(surplus->outcomes == 1);
    CHECK(surplus->wait() == errc::overloaded);
    auto const other_lane = submit(counted.pool, lane::write, [](connection&) {});
    CHECK(other_lane->outcomes == 0);
    all.open();
    bool all_succeeded = other_lane->wait() == errc{};
    for (auto const& j : jobs)
        all_succeeded = j->wait() == errc{} && all_succeeded;
    CHECK(all_succeeded);
}

TEST_CASE("pool: the server's statement_timeout is not before the deadline, and not much behind it") {
    counted_pool counted(2, 12'345ms);
    auto const timeout_for = [&](deadline until) {
        std::int64_t timeout = 0;
        auto const ask = [&](connection& c) { timeout = std::stoll(setting(c, "statement_timeout")); };
        CHECK(submit(counted.pool, lane::read, ask, until)->wait() == errc{});
        return timeout;
    };
    CHECK(timeout_for(deadline()) == 12'345);
    for (std::int64_t const ms : {2'000, 4'096, 5'000, 7'777, 8'200, 86'400'000, 1'999'999'999}) {
        auto const before = deadline::clock::now();
        auto const until = deadline::after(ms * 1ms);
        auto const timeout = timeout_for(until);
        auto const spent =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline::clock::now() - before);
        CHECK(timeout >= ms - 1 - spent.count());
        CHECK(timeout <= ms + ms / 4);
        CHECK(timeout <= 2'000'000'000);
    }
    // Further than the server counts.
    CHECK(timeout_for(deadline::after(100'000h)) == 2'000'000'000);
    // No SET for each call of one deadline: in a minute of five there is one step, and this takes less.
    auto const round = deadline::after(300s);
    auto last = timeout_for(round);
    int changes = 0;
    for (int i = 0; i < 50; ++i) {
        auto const timeout = timeout_for(round);
        changes += timeout == last ? 0 : 1;
        last = timeout;
    }
    CHECK(changes <= 1);
    CHECK(timeout_for(deadline()) == 12'345);
}

TEST_CASE("pool: every job has one outcome, however threads, deadlines and an early end mix") {
    constexpr int threads = 4;
    constexpr int jobs_each = 400;
    constexpr std::size_t connections = 3;
    std::array<std::vector<std::shared_ptr<recorded_job>>, threads> jobs;
    std::atomic<int> writes_running{0}, writes_max{0};
    {
        counted_pool counted(connections);
        auto const write = [&](connection& c) {
            // At its deadline the statement throws.
            std::shared_ptr<void> const end(nullptr, [&](void*) { --writes_running; });
            auto const now = ++writes_running;
            int seen = writes_max;
            while (seen < now && !writes_max.compare_exchange_weak(seen, now)) {
            }
            c.execute_text("write", "SELECT 1");
        };
        auto const read = [](connection& c) { c.execute_text("read", "SELECT 1"); };
        std::vector<std::thread> submitters;
        for (std::size_t t = 0; t < threads; ++t) {
            submitters.emplace_back([&, t] {
                random_source random(t);
                for (int i = 0; i < jobs_each; ++i) {
                    bool const writes = random.below(2) == 0;
                    auto const until =
                        random.below(10) == 0 ? deadline::after(random.below(3) * 1ms) : deadline();
                    jobs[t].push_back(submit(counted.pool, writes ? lane::write : lane::read,
                                             writes ? recorded_job::work_type(write) : read, until));
                    // Now and then, so that workers become idle.
                    if (random.below(4) == 0)
                        jobs[t].back()->wait();
                }
            });
        }
        for (auto& submitter : submitters)
            submitter.join();
    }
    for (auto const& list : jobs) {
        for (auto const& j : list)
            CHECK(j->outcomes == 1);
    }
    CHECK(writes_max <= static_cast<int>(connections) - 1);
}

TEST_CASE("pool: a write is in doubt if any of its attempts is") {
    counted_pool counted(2);
    int attempts = 0;
    auto const lost_then_refused = [&](connection& c) {
        if (++attempts > 1)
            c.execute_text("fail", "SELECT 1 / 0");
        store_error::facts facts;
        facts.retryable = true;
        facts.commit_in_doubt = true;
        throw store_error("the answer was lost", std::move(facts));
    };
    for (lane const l : {lane::write, lane::read}) {
        attempts = 0;
        auto const j = std::make_shared<recorded_job>(l, lost_then_refused, deadline(), persistence::retry);
        counted.pool.submit(j);
        CHECK(j->wait() == errc::rejected_by_database);
        CHECK(attempts == 2);
        CHECK(j->in_doubt == (l == lane::write));
    }
}

TEST_CASE("pool: what runs when it is closed is cancelled in the server, in the end") {
    auto pool = std::make_unique<counted_pool>(2);
    std::atomic<bool> runs{false};
    auto const j = submit(pool->pool, lane::write, [&](connection& c) {
        runs = true;
        c.execute_text("sleep", "SELECT pg_sleep(600)");
    });
    while (!runs)
        std::this_thread::yield();
    auto const begin = std::chrono::steady_clock::now();
    pool.reset();
    auto const waited = std::chrono::steady_clock::now() - begin;
    CHECK(waited >= connection_pool::close_grace);
    CHECK(waited < connection_pool::close_grace + wait_max / 2);
    CHECK(j->wait() == errc::overloaded);
    CHECK(j->in_doubt);
    CHECK(j->outcomes == 1);
}

TEST_CASE("pool: a cancel that comes between two statements holds for the second") {
    connection c(locked_space::settings());
    c.execute_text("first", "SELECT 1");
    c.cancel();
    CHECK_THROWS_AS(c.execute_text("second", "SELECT 1"), store_error);
}

TEST_CASE("pool: a session does not inherit what would end its waits") {
    auto settings = locked_space::settings();
    settings.conninfo += " options='-c lock_timeout=5s -c idle_session_timeout=7s'";
    connection c(settings);
    CHECK(setting(c, "lock_timeout") == "0");
    CHECK(setting(c, "idle_session_timeout") == "0");
}

}  // namespace opstore::testing
