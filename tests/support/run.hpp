#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <utility>

namespace opstore::testing {

/// Longer than any single call of a test needs, on a busy machine under a sanitizer.
inline constexpr std::chrono::seconds run_limit{120};

/// Runs `work` to its end on an io_context of its own and answers what it answers, or throws what it throws.
///
/// A call that outlives `limit` ends the process: it may still be held by a thread of a store, so that going
/// on without it is not safe.
template <class T>
T run(boost::asio::awaitable<T> work, std::chrono::seconds limit = run_limit) {
    boost::asio::io_context io;
    std::future<T> answer = boost::asio::co_spawn(io, std::move(work), boost::asio::use_future);
    io.run_for(limit);
    if (answer.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        std::fprintf(stderr, "run(): no answer within %lld s\n", static_cast<long long>(limit.count()));
        std::abort();
    }
    return answer.get();
}

}  // namespace opstore::testing
