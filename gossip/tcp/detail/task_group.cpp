#include <gossip/tcp/detail/task_group.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <cassert>
#include <vector>

namespace opstore::gossip::detail {
namespace {

bool is_cancelled(std::exception_ptr const& error) {
    try {
        std::rethrow_exception(error);
    } catch (boost::system::system_error const& e) {
        return e.code() == boost::asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

}  // namespace

task_group::task_group(boost::asio::any_io_executor executor, std::function<void()> failed)
    : executor_(executor), failed_(std::move(failed)), ended_(executor) {}

task_group::~task_group() {
    assert(signals_.empty());
}

void task_group::spawn(boost::asio::awaitable<void> task) {
    auto const id = next_++;
    auto ended = [this, id](std::exception_ptr error) {
        signals_.erase(id);
        ended_.notify();
        if (error && !failure_ && !is_cancelled(error)) {
            failure_ = error;
            failed_();
        }
    };
    boost::asio::co_spawn(executor_, std::move(task),
                          boost::asio::bind_cancellation_slot(signals_[id].slot(), std::move(ended)));
}

void task_group::cancel_all() {
    // Ending a task takes its signal away.
    std::vector<std::uint64_t> tasks;
    for (auto const& [id, signal] : signals_)
        tasks.push_back(id);
    for (auto const id : tasks) {
        if (auto const found = signals_.find(id); found != signals_.end())
            found->second.emit(boost::asio::cancellation_type::terminal);
    }
}

boost::asio::awaitable<void> task_group::join() {
    while (!signals_.empty())
        co_await ended_.wait();
}

}  // namespace opstore::gossip::detail
