#pragma once

#include <opstore/postgres/detail/posting_gate.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace opstore::postgres::detail {

/// Wakes one coroutine, once, from any thread: how the pool's threads answer.
///
/// A cancelled wait ends at once, and nothing of the coroutine or its executor stays behind here, however
/// long the work that it waited for goes on. That is why this is no channel: a channel is bound to its
/// executor for as long as it exists.
class completion : public std::enable_shared_from_this<completion> {
public:
    explicit completion(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

    /// Ends the wait, now or when it begins. Only the first call of give() or a cancellation counts.
    void give() { finish(true); }

    /// To be awaited once, on the executor that the constructor was given. False: the coroutine was
    /// cancelled.
    boost::asio::awaitable<bool> wait() {
        auto start = [self = shared_from_this()](auto handler) { self->arm(std::move(handler)); };
        return boost::asio::async_initiate<boost::asio::use_awaitable_t<> const, void(bool)>(
            std::move(start), boost::asio::use_awaitable);
    }

private:
    using handler_type = boost::asio::any_completion_handler<void(bool)>;

    template <class Handler>
    void arm(Handler handler) {
        std::unique_lock lock(mutex_);
        // The wrapper takes the coroutine's slot for itself and offers one of its own: that is the one to
        // use.
        auto slot = boost::asio::get_associated_cancellation_slot(handler_.emplace(std::move(handler)));
        if (slot.is_connected()) {
            slot.assign([weak = weak_from_this()](boost::asio::cancellation_type) {
                if (auto const self = weak.lock())
                    self->finish(false);
            });
        }
        work_.emplace(boost::asio::make_work_guard(executor_));
        gate_ = posting_gate::of(boost::asio::query(executor_, boost::asio::execution::context));
        if (outcome_)
            post(lock);
    }

    void finish(bool answered) {
        std::unique_lock lock(mutex_);
        if (outcome_)
            return;
        outcome_ = answered;
        if (handler_)
            post(lock);
    }

    void post(std::unique_lock<std::mutex>& lock) {
        auto resume = [handler = std::move(*handler_), answered = *outcome_]() mutable {
            boost::asio::get_associated_cancellation_slot(handler).clear();
            std::move(handler)(answered);
        };
        handler_.reset();
        // Ends behind all that touches the executor's context.
        posting_gate::passage const inside(std::move(gate_));
        auto const executor = std::exchange(executor_, boost::asio::any_io_executor());
        auto const work = std::exchange(work_, std::nullopt);
        lock.unlock();
        boost::asio::post(executor, std::move(resume));
    }

    std::mutex mutex_;
    boost::asio::any_io_executor executor_;
    std::optional<boost::asio::executor_work_guard<boost::asio::any_io_executor>> work_;
    std::shared_ptr<posting_gate> gate_;  ///< While it waits.
    std::optional<handler_type> handler_;
    std::optional<bool> outcome_;
};

}  // namespace opstore::postgres::detail
