#pragma once

#include <opstore/plugin/opstore_plugin.h>
#include <opstore/errors.hpp>
#include <tests/plugin/plugin_library.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

/// How a coroutine awaits the callback of a call of the C table.
namespace opstore::testing {

/// The plugin did something that opstore_plugin.h rules out.
class plugin_broke_its_word : public std::logic_error {
    using std::logic_error::logic_error;
};

/// The refusal that an error of the C interface stands for, if it is one. Throws what else it stands for:
/// store_error, system_error(operation_aborted), or std::runtime_error for what only hosts can cause.
refusal read_error(opstore_error const& error);

/// A call of the C table that a coroutine awaits. The coroutine's cancellation slot asks the plugin to cancel
/// the call, and the wait goes on until its callback came.
///
/// Thread safety: ended() on any thread; the rest on the executor of the coroutine.
class plugin_wait : public std::enable_shared_from_this<plugin_wait> {
public:
    plugin_wait(opstore_database* database, boost::asio::any_io_executor executor)
        : database_(database), executor_(std::move(executor)) {}
    virtual ~plugin_wait() = default;

    /// To be awaited once. `begin` starts the C call, with this object behind its user pointer, and returns
    /// its number. It has to live until the wait has ended.
    template <class Begin>
    boost::asio::awaitable<void> run(Begin& begin) {
        auto start = [self = shared_from_this(), &begin](auto handler) {
            self->arm(std::move(handler));
            auto const number = begin();
            self->number_ = number;
            if (number == 0) {
                self->did_not_begin();
                self->ended();
            }
        };
        return boost::asio::async_initiate<boost::asio::use_awaitable_t<> const, void()>(
            std::move(start), boost::asio::use_awaitable);
    }

    /// The call's callback was called, or never will be.
    void ended();

private:
    using handler_type = boost::asio::any_completion_handler<void()>;

    virtual void did_not_begin() = 0;
    void arm(handler_type handler);

    opstore_database* const database_;
    std::atomic<std::uint64_t> number_{0};

    // Belong to the coroutine before the call begins, and to the callback from then on.
    boost::asio::any_io_executor executor_;
    std::optional<boost::asio::executor_work_guard<boost::asio::any_io_executor>> work_;
    std::optional<handler_type> handler_;
    std::shared_ptr<plugin_wait> alive_;
};

/// The wait with what the callback brought.
template <class T>
class plugin_answer final : public plugin_wait {
public:
    using plugin_wait::plugin_wait;

    std::optional<result<T>> answer;
    std::exception_ptr error;

    result<T> take() {
        if (error)
            std::rethrow_exception(error);
        return std::move(*answer);
    }

private:
    void did_not_begin() override {
        error = std::make_exception_ptr(plugin_broke_its_word("a call did not begin"));
    }
};

template <class T, auto Read, class... Answer>
void on_plugin_answer(void* user, opstore_error const* error, Answer... answer) noexcept {
    auto& call = *static_cast<plugin_answer<T>*>(user);
    try {
        if (error) {
            call.answer.emplace(read_error(*error));
        } else if constexpr (std::is_void_v<T>) {
            call.answer.emplace();
        } else {
            call.answer.emplace(Read(answer...));
        }
    } catch (...) {
        call.error = std::current_exception();
    }
    call.ended();
}

/// Starts `start(done, user)`, a call of the C table on this database, and awaits its answer, which `Read`
/// makes a T of. `start` has to be an object with a name, in the coroutine that awaits this.
template <class T, auto Read, class Done, class Start>
boost::asio::awaitable<result<T>> call_plugin(opstore_database* database, Start& start) {
    auto const executor = co_await boost::asio::this_coro::executor;
    auto const call = std::make_shared<plugin_answer<T>>(database, executor);
    auto begin = [&start, &call] {
        Done const done = &on_plugin_answer<T, Read>;
        return start(done, static_cast<void*>(call.get()));
    };
    co_await call->run(begin);
    co_return call->take();
}

}  // namespace opstore::testing
