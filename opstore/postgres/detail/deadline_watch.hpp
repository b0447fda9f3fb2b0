#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace opstore::postgres::detail {

/// Runs actions at their times on a thread of its own, so that a caller learns of its deadline also while the
/// thread that works for it is stuck in a system call.
///
/// Thread safety: every method from any thread. An action may block for a while; the others wait then.
class deadline_watch {
public:
    using clock = std::chrono::steady_clock;
    using token = std::pair<clock::time_point, std::uint64_t>;

    deadline_watch();
    /// Drops the actions that have not run, waits for the one that does.
    ~deadline_watch();

    token add(clock::time_point at, std::function<void()> action);
    /// Afterwards the action will not start; it may be running or over.
    void remove(token const& t);
    /// As soon as possible.
    void run_soon(std::function<void()> action) { add(clock::time_point::min(), std::move(action)); }

private:
    void run();
    void sleep_until(clock::time_point due, std::unique_lock<std::mutex>& lock);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<token, std::function<void()>> actions_;
    std::uint64_t next_ = 0;
    bool stopping_ = false;
    /// When the thread will look by itself; the past, while it is awake. Only what is due earlier wakes it.
    /// Calls end long before their deadlines, so that waking it for each new first deadline would be for each
    /// call.
    clock::time_point sleeps_until_ = clock::time_point::min();
    std::thread thread_;
};

}  // namespace opstore::postgres::detail
