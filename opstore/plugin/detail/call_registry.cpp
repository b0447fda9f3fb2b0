#include <opstore/plugin/detail/call_registry.hpp>

namespace opstore::plugin::detail {
namespace {

void post_cancel(std::shared_ptr<call> const& c) noexcept {
    if (std::exchange(c->cancel_posted, true))
        return;
    run_soon(c->strand, c->cancel_memory, [c] {
        c->cancel_asked = true;
        c->cancelled.emit(boost::asio::cancellation_type::terminal);
    });
}

}  // namespace

std::shared_ptr<call> call_registry::begin() {
    std::lock_guard const lock(mutex_);
    auto const begun = std::make_shared<call>(last_number_ + 1, closed_, io_);
    calls_.emplace(begun->number, begun);
    ++last_number_;
    return begun;
}

void call_registry::end(call const& ended) {
    // Notified under the lock: who waits may destroy this object as soon as it is free.
    std::lock_guard const lock(mutex_);
    calls_.erase(ended.number);
    if (calls_.empty())
        idle_.notify_all();
}

void call_registry::cancel(std::uint64_t number) {
    std::lock_guard const lock(mutex_);
    if (auto const found = calls_.find(number); found != calls_.end())
        post_cancel(found->second);
}

void call_registry::cancel_all() {
    std::lock_guard const lock(mutex_);
    for (auto const& [number, c] : calls_)
        post_cancel(c);
}

void call_registry::close() {
    std::lock_guard const lock(mutex_);
    closed_ = true;
}

bool call_registry::wait_until_idle(std::optional<std::chrono::milliseconds> limit) {
    std::unique_lock lock(mutex_);
    auto const idle = [this] { return calls_.empty(); };
    if (limit)
        return idle_.wait_for(lock, *limit, idle);
    idle_.wait(lock, idle);
    return true;
}

}  // namespace opstore::plugin::detail
