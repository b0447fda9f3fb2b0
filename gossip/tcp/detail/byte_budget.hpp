#pragma once

#include <gossip/tcp/detail/event.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <list>
#include <utility>

namespace opstore::gossip::detail {

/// Memory that many connections share: who wants some waits, in order, until there is enough.
///
/// Thread safety: none.
class byte_budget {
public:
    /// A part of the budget, given back when it goes. The budget must outlive it.
    class share {
    public:
        share() = default;
        share(share&& other) noexcept
            : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
        share& operator=(share&& other) noexcept {
            share moved(std::move(other));
            std::swap(budget_, moved.budget_);
            std::swap(bytes_, moved.bytes_);
            return *this;
        }
        ~share() {
            if (budget_)
                budget_->give_back(bytes_);
        }

    private:
        friend class byte_budget;
        share(byte_budget& budget, std::size_t bytes) : budget_(&budget), bytes_(bytes) {}

        byte_budget* budget_ = nullptr;
        std::size_t bytes_ = 0;
    };

    byte_budget(boost::asio::any_io_executor executor, std::size_t bytes_max);

    /// Precondition: bytes <= bytes_max(). Cancellation: it has taken nothing.
    boost::asio::awaitable<share> take(std::size_t bytes);

    std::size_t bytes_max() const { return bytes_max_; }
    std::size_t used() const { return used_; }

private:
    struct waiter {
        event turn;
        std::size_t bytes;
        bool granted = false;

        waiter(boost::asio::any_io_executor executor, std::size_t wanted)
            : turn(std::move(executor)), bytes(wanted) {}
    };

    void give_back(std::size_t bytes);
    void grant();

    boost::asio::any_io_executor executor_;
    std::size_t const bytes_max_;
    std::size_t used_ = 0;
    std::list<waiter> waiters_;
};

}  // namespace opstore::gossip::detail
