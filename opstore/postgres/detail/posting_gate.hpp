#pragma once

#include <boost/asio/execution_context.hpp>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

namespace opstore::postgres::detail {

/// Keeps an execution context until the threads that post to it have done with it.
///
/// What a thread posts may run, and the context be left by its run loop and destroyed, while that thread is
/// still between unlocking the context and signalling, or between giving its work back and stopping the loop.
/// So it passes through the context's gate, whose service waits at the context's end until nobody is inside.
///
/// Thread safety: every method from any thread.
class posting_gate {
public:
    /// Of the context, which outlives this call.
    static std::shared_ptr<posting_gate> of(boost::asio::execution_context& context) {
        return boost::asio::use_service<keeper>(context).gate;
    }

    /// Inside for as long as it lives. Precondition: the context cannot be gone before it is made.
    class passage {
    public:
        explicit passage(std::shared_ptr<posting_gate> gate) : gate_(std::move(gate)) {
            std::scoped_lock const lock(gate_->mutex_);
            ++gate_->inside_;
        }
        ~passage() {
            std::scoped_lock const lock(gate_->mutex_);
            if (--gate_->inside_ == 0)
                gate_->empty_.notify_all();
        }
        passage(passage const&) = delete;
        passage& operator=(passage const&) = delete;

    private:
        std::shared_ptr<posting_gate> const gate_;
    };

private:
    struct keeper : boost::asio::execution_context::service {
        using key_type = keeper;

        explicit keeper(boost::asio::execution_context& context) : service(context) {}
        void shutdown() override { gate->wait_until_empty(); }

        std::shared_ptr<posting_gate> const gate = std::make_shared<posting_gate>();
    };

    void wait_until_empty() {
        std::unique_lock lock(mutex_);
        empty_.wait(lock, [this] { return inside_ == 0; });
    }

    std::mutex mutex_;
    std::condition_variable empty_;
    std::size_t inside_ = 0;
};

}  // namespace opstore::postgres::detail
