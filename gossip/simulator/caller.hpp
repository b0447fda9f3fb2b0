#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace opstore::simulator {

/// Runs coroutines one at a time, each to its end, before virtual time goes on.
///
/// Thread safety: none.
class caller {
public:
    template <class T>
    T run(boost::asio::awaitable<T> work) {
        std::optional<T> answer;
        std::exception_ptr failure;
        boost::asio::co_spawn(io_, std::move(work), [&](std::exception_ptr e, T value) {
            failure = e;
            answer.emplace(std::move(value));
        });
        finish(failure);
        return std::move(*answer);
    }

    void run(boost::asio::awaitable<void> work) {
        std::exception_ptr failure;
        boost::asio::co_spawn(io_, std::move(work), [&](std::exception_ptr e) { failure = e; });
        finish(failure);
    }

private:
    void finish(std::exception_ptr const& failure) {
        io_.run();
        io_.restart();
        if (failure) {
            std::rethrow_exception(failure);
        }
    }

    boost::asio::io_context io_{1};
};

}  // namespace opstore::simulator
