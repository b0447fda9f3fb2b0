#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace opstore::plugin::detail {

/// A call of the host, from its begin to the return of its callback.
struct call {
    using strand_type = boost::asio::strand<boost::asio::io_context::executor_type>;

    std::uint64_t const number;
    /// Begun after close(): it must end with OPSTORE_CLOSING.
    bool const refused;
    /// The call's coroutine and its cancels run on it, one after the other.
    strand_type const strand;
    boost::asio::cancellation_signal cancelled;
    /// On the strand, too: a cancel that came before the coroutine, which the signal does not keep.
    bool cancel_asked = false;

    call(std::uint64_t n, bool r, boost::asio::io_context& io)
        : number(n), refused(r), strand(boost::asio::make_strand(io)) {}
};

/// The calls of one database that are in flight, so that they can be cancelled and waited for.
///
/// Thread safety: every method from any thread.
class call_registry {
public:
    explicit call_registry(boost::asio::io_context& io) : io_(io) {}

    /// A new call, to be ended with end().
    std::shared_ptr<call> begin();
    /// Its callback has returned. The registry may be gone when this returns.
    void end(call const& ended);

    /// Of a number that is not in flight: nothing. A call whose coroutine has not begun is cancelled too.
    void cancel(std::uint64_t number);
    void cancel_all();

    /// Calls that begin from now on are `refused`.
    void close();
    /// False: the limit passed first. None: no limit.
    bool wait_until_idle(std::optional<std::chrono::milliseconds> limit);

private:
    boost::asio::io_context& io_;
    std::mutex mutex_;
    std::condition_variable idle_;
    std::map<std::uint64_t, std::shared_ptr<call>> calls_;
    std::uint64_t last_number_ = 0;
    bool closed_ = false;
};

}  // namespace opstore::plugin::detail
