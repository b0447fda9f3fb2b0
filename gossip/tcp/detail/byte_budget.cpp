#include <gossip/tcp/detail/byte_budget.hpp>

#include <cassert>

namespace opstore::gossip::detail {

byte_budget::byte_budget(boost::asio::any_io_executor executor, std::size_t bytes_max)
    : executor_(std::move(executor)), bytes_max_(bytes_max) {}

boost::asio::awaitable<byte_budget::share> byte_budget::take(std::size_t bytes) {
    assert(bytes <= bytes_max_);
    auto const mine = waiters_.emplace(waiters_.end(), executor_, bytes);
    // Leaves the line when the wait is cancelled; what was granted by then is handed on.
    struct place {
        byte_budget& budget;
        std::list<waiter>::iterator at;
        bool kept = false;
        ~place() {
            auto const returned = at->granted && !kept ? at->bytes : 0;
            budget.waiters_.erase(at);
            budget.give_back(returned);
        }
    } in_line{*this, mine};
    grant();
    while (!mine->granted)
        co_await mine->turn.wait();
    in_line.kept = true;
    co_return share(*this, bytes);
}

void byte_budget::give_back(std::size_t bytes) {
    used_ -= bytes;
    grant();
}

void byte_budget::grant() {
    for (waiter& next : waiters_) {
        if (next.granted)
            continue;
        if (bytes_max_ - used_ < next.bytes)
            return;
        used_ += next.bytes;
        next.granted = true;
        next.turn.notify();
    }
}

}  // namespace opstore::gossip::detail
