#pragma once

#include <gossip/tcp/detail/event.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <map>

namespace opstore::gossip::detail {

/// Coroutines that run beside each other and end together: none outlives the group.
///
/// Thread safety: none; the executor runs one handler at a time.
class task_group {
public:
    /// `failed` is called when a task has thrown, for another reason than that it was cancelled.
    task_group(boost::asio::any_io_executor executor, std::function<void()> failed);
    /// Precondition: join() returned, or nothing was spawned.
    ~task_group();

    /// Starts a coroutine.
    void spawn(boost::asio::awaitable<void> task);

    void cancel_all();

    /// Returns when all have ended. They may have failed.
    boost::asio::awaitable<void> join();

    /// What the first task that failed has thrown; null if none did.
    std::exception_ptr failure() const { return failure_; }

private:
    boost::asio::any_io_executor executor_;
    std::function<void()> failed_;
    std::map<std::uint64_t, boost::asio::cancellation_signal> signals_;
    std::uint64_t next_ = 0;
    std::exception_ptr failure_;
    event ended_;
};

}  // namespace opstore::gossip::detail
