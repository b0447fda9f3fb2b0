#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace opstore::gossip::detail {

/// Wakes one coroutine that waits for something to happen. What happens while nobody waits is remembered.
///
/// Thread safety: none.
class event {
public:
    using clock = std::chrono::steady_clock;

    explicit event(boost::asio::any_io_executor executor) : timer_(std::move(executor)) {}

    void notify() {
        happened_ = true;
        timer_.cancel();
    }

    /// Returns when notified, or at `until`. At most one coroutine waits at a time.
    boost::asio::awaitable<void> wait(clock::time_point until = clock::time_point::max()) {
        while (!happened_ && clock::now() < until) {
            timer_.expires_at(until);
            // An error here says that it was notified or cancelled; a cancelled coroutine ends at its next
            // wait.
            co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        }
        happened_ = false;
    }

private:
    boost::asio::steady_timer timer_;
    bool happened_ = false;
};

}  // namespace opstore::gossip::detail
