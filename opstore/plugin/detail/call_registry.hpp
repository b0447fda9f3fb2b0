#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <optional>
#include <utility>

namespace opstore::plugin::detail {

/// Room for one run_soon(): for the operation, and for the one that wakes the strand if it is idle.
class post_memory {
public:
    using allocator_type = std::pmr::polymorphic_allocator<std::byte>;

    allocator_type allocator() { return &resource_; }

private:
    static constexpr std::size_t operation_bytes_max = 96;

    alignas(std::max_align_t) std::array<std::byte, 2 * operation_bytes_max> bytes_;
    std::pmr::monotonic_buffer_resource resource_{bytes_.data(), bytes_.size(),
                                                  std::pmr::null_memory_resource()};
};

/// A call of the host, from its begin to the return of its callback.
struct call {
    using strand_type = boost::asio::strand<boost::asio::io_context::executor_type>;

    std::uint64_t const number;
    /// Begun after close(): it must end with OPSTORE_CLOSING.
    bool const refused;
    /// The call's coroutine and its cancels run on it, one after the other.
    strand_type const strand;
    boost::asio::cancellation_signal cancelled;
    /// On the strand, too: a cancel that came before the coroutine, which the signal does not keep.
    bool cancel_asked = false;
    /// Guarded by the registry's mutex: one cancel does what many would.
    bool cancel_posted = false;
    post_memory begin_memory, cancel_memory;

    call(std::uint64_t n, bool r, boost::asio::io_context& io)
        : number(n), refused(r), strand(boost::asio::make_strand(io)) {}
};

/// Work on its way to a strand, in memory that was there before.
template <class Work>
struct posted_work {
    using allocator_type = post_memory::allocator_type;

    Work work;
    allocator_type allocator;

    allocator_type get_allocator() const noexcept { return allocator; }
    void operator()() { work(); }
};

/// Runs `work` on the strand, but not within this. `work` has to keep `memory` alive, which is used once.
///
/// A post that finds no memory for the second of its two operations leaves the strand locked for ever. So a
/// call brings the memory along: once it is there, neither its begin nor its cancel fails.
template <class Work>
void run_soon(call::strand_type const& strand, post_memory& memory, Work work) noexcept {
    boost::asio::post(strand, posted_work<Work>{std::move(work), memory.allocator()});
}

/// The calls of one database that are in flight, so that they can be cancelled and waited for.
///
/// Thread safety: every method from any thread.
class call_registry {
public:
    explicit call_registry(boost::asio::io_context& io) : io_(io) {}

    /// A new call, to be ended with end().
    std::shared_ptr<call> begin();
    /// Its callback has returned. The registry may be gone when this returns.
    void end(call const& ended);

    /// Of a number that is not in flight: nothing. A call whose coroutine has not begun is cancelled too.
    void cancel(std::uint64_t number);
    void cancel_all();

    /// Calls that begin from now on are `refused`.
    void close();
    /// False: the limit passed first. None: no limit.
    bool wait_until_idle(std::optional<std::chrono::milliseconds> limit);

private:
    boost::asio::io_context& io_;
    std::mutex mutex_;
    std::condition_variable idle_;
    std::map<std::uint64_t, std::shared_ptr<call>> calls_;
    std::uint64_t last_number_ = 0;
    bool closed_ = false;
};

}  // namespace opstore::plugin::detail
