// Goal: whoever wakes a coroutine from another thread has done with its io_context before the context can go,
// though the coroutine has gone on and its caller destroys it. Method: an executor that takes its time
// between handing a function over and its own end, as a thread does that the system stops there.
#include <opstore/postgres/detail/completion.hpp>

#include <doctest/doctest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

namespace opstore::testing {
namespace {

namespace asio = boost::asio;
using postgres::detail::completion;

struct life_of_context {
    std::atomic<bool> is_over{false};
    std::atomic<int> touched_after{0};
};

class slow_executor {
public:
    slow_executor(asio::io_context& io, life_of_context& life) : io_(&io), life_(&life) {}

    asio::execution_context& query(asio::execution::context_t) const noexcept { return *io_; }
    slow_executor require(asio::execution::blocking_t::never_t) const { return *this; }

    template <class Function>
    void execute(Function f) const {
        asio::post(*io_, std::move(f));
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        life_->touched_after += life_->is_over;
    }

    friend bool operator==(slow_executor const&, slow_executor const&) = default;

private:
    asio::io_context* io_;
    life_of_context* life_;
};

asio::awaitable<void> wait_for(std::shared_ptr<completion> done, bool& answered) {
    answered = co_await done->wait();
}

}  // namespace

TEST_CASE("completion: the io_context outlives the thread that answers") {
    for (int i = 0; i < 50; ++i) {
        life_of_context life;
        auto io = std::make_unique<asio::io_context>();
        auto const done = std::make_shared<completion>(slow_executor(*io, life));
        bool answered = false;
        asio::co_spawn(*io, wait_for(done, answered), asio::detached);
        std::thread other([done] { done->give(); });
        while (!answered)
            io->poll();
        io.reset();
        life.is_over = true;
        other.join();
        CHECK(life.touched_after == 0);
    }
}

}  // namespace opstore::testing
