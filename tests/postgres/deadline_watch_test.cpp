// Goal: every action runs, none before its time, none that was removed in time; and a call that ends before
// its deadline costs the watching thread nothing. Method: the steady clock itself with waits that have a
// limit, and the kernel's count of how often the thread went to sleep.
#include <opstore/postgres/detail/deadline_watch.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace opstore::testing {
namespace {

using namespace std::chrono_literals;
using postgres::detail::deadline_watch;
using watch_clock = deadline_watch::clock;

constexpr auto far_away = 24h;
constexpr auto wait_max = 60s;

/// Runs an action behind all that are due.
pid_t thread_of(deadline_watch& watch) {
    std::promise<pid_t> id;
    watch.run_soon([&] { id.set_value(::gettid()); });
    auto found = id.get_future();
    REQUIRE(found.wait_for(wait_max) == std::future_status::ready);
    return found.get();
}

/// How often the thread has given up its processor to wait for something.
long waits_of(pid_t thread) {
    std::ifstream status("/proc/self/task/" + std::to_string(thread) + "/status");
    std::string const key = "voluntary_ctxt_switches:";
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(key))
            return std::stol(line.substr(key.size()));
    }
    FAIL("the kernel does not count the waits of thread ", thread);
    return 0;
}

}  // namespace

TEST_CASE("deadline watch: actions run once, none before its time, whatever the order they come in") {
    constexpr std::size_t action_count = 200;
    std::mutex mutex;
    std::vector<int> runs(action_count);
    std::size_t left = action_count;
    bool early = false;
    std::promise<void> all_ran;
    deadline_watch watch;
    random_source random(4711);
    auto const start = watch_clock::now();
    for (std::size_t i = 0; i < action_count; ++i) {
        // The first half comes in reverse, so that each is the new first.
        auto const order = i < action_count / 2 ? action_count - i : random.below(action_count);
        auto const at = start + order * 1ms;
        watch.add(at, [&, i, at] {
            std::lock_guard const lock(mutex);
            ++runs[i];
            early = early || watch_clock::now() < at;
            if (--left == 0)
                all_ran.set_value();
        });
    }
    REQUIRE(all_ran.get_future().wait_for(wait_max) == std::future_status::ready);
    std::lock_guard const lock(mutex);
    CHECK(runs == std::vector<int>(action_count, 1));
    CHECK_FALSE(early);
}

TEST_CASE("deadline watch: what is due wakes a thread that sleeps for long, or for ever") {
    deadline_watch watch;
    for (int i = 0; i < 20; ++i) {
        std::promise<void> soon;
        auto const later = watch.add(watch_clock::now() + far_away, [] {});
        watch.add(watch_clock::now() + 1ms, [&] { soon.set_value(); });
        CHECK(soon.get_future().wait_for(wait_max) == std::future_status::ready);
        if (i % 2 == 0)
            watch.remove(later);
    }
}

TEST_CASE("deadline watch: what was removed does not run") {
    std::atomic<int> ran{0};
    deadline_watch watch;
    std::vector<deadline_watch::token> tokens;
    auto const at = watch_clock::now() + 100ms;
    for (int i = 0; i < 100; ++i)
        tokens.push_back(watch.add(at, [&] { ++ran; }));
    bool const in_time = [&] {
        for (std::size_t i = 0; i < tokens.size(); i += 2)
            watch.remove(tokens[i]);
        return watch_clock::now() < at;
    }();
    std::promise<void> last;
    watch.add(at + 1ms, [&] { last.set_value(); });
    REQUIRE(last.get_future().wait_for(wait_max) == std::future_status::ready);
    if (in_time)
        CHECK(ran == 50);
}

TEST_CASE("deadline watch: calls that end in time do not wake the thread") {
    constexpr int calls = 2000;
    deadline_watch watch;
    pid_t const thread = thread_of(watch);
    watch.remove(watch.add(watch_clock::now() + far_away, [] {}));
    auto const before = waits_of(thread);
    for (int i = 0; i < calls; ++i) {
        watch.remove(watch.add(watch_clock::now() + far_away, [] {}));
        if (i % 100 == 0)
            std::this_thread::yield();
    }
    // Not zero: the thread may only now be on its way to sleep, and meet the lock taken a few times.
    CHECK(waits_of(thread) - before <= calls / 100);
}

}  // namespace opstore::testing
