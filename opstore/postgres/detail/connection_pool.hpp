#pragma once

#include <opstore/deadline.hpp>
#include <opstore/errors.hpp>
#include <opstore/postgres/detail/completion.hpp>
#include <opstore/postgres/detail/connection.hpp>
#include <opstore/postgres/detail/deadline_watch.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace opstore::postgres::detail {

/// What kind of work a job is, for a fair share of the connections.
enum class lane {
    read,  ///< May use every connection.
    write  ///< Leaves one connection free, so that reads never starve behind writes.
};

/// How hard the pool tries.
enum class persistence {
    retry,  ///< Repeats after a passing failure, with back-off, until the deadline.
    once    ///< For a first contact, whose failure the user wants to hear at once.
};

class job;
using job_list = std::list<std::shared_ptr<job>>;

/// A piece of blocking work for one connection.
///
/// run() is called on a thread of the pool, again on a new connection if it threw something retryable: what
/// makes a repeat safe stands at each job. Then exactly one of succeed() and fail() is called, on any thread;
/// they do not wait for another job, and those of a read are short: the next job may have been handed to the
/// thread that calls them.
class job {
public:
    using clock = std::chrono::steady_clock;

    job(lane l, persistence p, clock::time_point until, bool default_deadline)
        : lane_(l), persistence_(p), until_(until), default_deadline_(default_deadline) {}
    virtual ~job() = default;

    virtual void run(connection& connection) = 0;
    virtual void succeed() = 0;
    virtual void fail(std::exception_ptr error) = 0;

private:
    friend class connection_pool;

    lane const lane_;
    persistence const persistence_;
    clock::time_point const until_;
    bool const default_deadline_;
    std::optional<deadline_watch::token> watch_;
    std::optional<job_list::iterator> place_;  ///< While it waits; guarded by the pool's mutex_.
    std::atomic<bool> settled_{false};
};

/// Connections to one database, each with a thread of its own, and the one retry loop of the project.
///
/// A connection is made when first needed and dropped after any failure. A job goes to the connection that
/// became idle last: its thread, its session's server process and what they hold in caches are warm. Jobs
/// without an idle connection wait in order, one queue a lane, at most waiting_jobs_max. At its deadline a
/// job fails with timed_out wherever it is; its statement is then cancelled in the server, and the connection
/// is dropped rather than reused, since a late cancel would hit the next statement.
///
/// Thread safety: every method from any thread.
class connection_pool {
public:
    /// Enough for every coroutine of a busy peer; a bound, so that a hanging server fills no memory.
    static constexpr std::size_t waiting_jobs_max = 65'536;
    /// The deadline is what ends the attempts; this is for one that is days away. It makes for most of an
    /// hour, and even if each connect takes its ten seconds, for less than the day after which an ingest
    /// whose answer was lost may find its mark forgotten (prune_marks).
    static constexpr int attempts_max = 4096;
    static constexpr std::chrono::milliseconds first_back_off{20};
    static constexpr std::chrono::milliseconds longest_back_off{1000};
    /// What runs when the pool is closed may end by itself for so long.
    static constexpr std::chrono::milliseconds close_grace{5000};

    using connect_function = std::function<std::unique_ptr<connection>()>;

    /// `connect` makes a connection that is ready for jobs, or throws store_error. The constructor throws
    /// store_error(unavailable) or std::system_error if the system has no threads left.
    connection_pool(std::size_t connections, std::chrono::milliseconds default_timeout,
                    connect_function connect);
    /// Fails what waits (overloaded) and waits for what runs; what has not ended after close_grace fails too,
    /// a write in doubt, and is cancelled in the server. One that answers not even that keeps the destructor
    /// waiting until the connection breaks.
    ~connection_pool();

    connection_pool(connection_pool const&) = delete;
    connection_pool& operator=(connection_pool const&) = delete;

    /// Runs `work` on a connection and returns what it returns, on the executor of the awaiting coroutine.
    /// Cancellation: the statement is cancelled in the server; throws operation_aborted, or of a write that
    /// had begun store_error(cancelled_in_doubt).
    template <class Result>
    boost::asio::awaitable<Result> run(lane l, deadline until, std::function<Result(connection&)> work,
                                       persistence p = persistence::retry);

    /// Queues a job; its succeed() or fail() follows, perhaps before this returns.
    void submit(std::shared_ptr<job> j);

    /// The job's outcome is no longer wanted: it is dropped from the queue or its statement is cancelled. Its
    /// succeed() and fail() are not called unless that happened before. Returns whether it never began.
    bool abandon(std::shared_ptr<job> const& j);

    job::clock::time_point resolve(deadline until) const {
        return until.at().value_or(job::clock::now() + default_timeout_);
    }
    std::chrono::milliseconds default_timeout() const { return default_timeout_; }
    std::size_t write_connections() const { return write_limit_; }
    deadline_watch& watch() { return watch_; }

private:
    struct worker {
        std::unique_ptr<connection> link;
        std::uint64_t generation = 0;
        std::shared_ptr<job>
            current;  ///< Guarded by `guard`, as is the life of `link` while a job runs on it.
        bool cancel_sent = false;
        std::mutex guard;
        std::shared_ptr<job> handed;  ///< Guarded by the pool's mutex_.
        std::condition_variable woken;
        std::thread thread;
    };

    void stop();
    void cancel_all_running();
    void work(worker& w);
    /// A job that waits, else nothing: then the worker is idle, and what is handed to it is its next.
    std::shared_ptr<job> next_or_idle(worker& w, std::optional<lane> done);
    /// Nothing: the pool ends.
    std::shared_ptr<job> wait_for_job(worker& w);
    std::shared_ptr<job> take_waiting();
    bool may_run(lane l) const { return l == lane::read || running_writes_ < write_limit_; }
    void note_started(lane l);
    /// The error, or a null one: how the job ended. Nothing if it was settled from elsewhere.
    std::optional<std::exception_ptr> attempt_until_done(worker& w, std::shared_ptr<job> const& j);
    std::exception_ptr attempt(worker& w, std::shared_ptr<job> const& j);
    void connect(worker& w, job const& j);
    void disconnect(worker& w);
    bool back_off(int attempt, job const& j);
    bool settle(job& j);
    void expire(std::shared_ptr<job> const& j);
    /// Returns whether it waited.
    bool remove_waiting(job& j);
    void cancel_running(std::shared_ptr<job> const& j);

    std::chrono::milliseconds const default_timeout_;
    std::size_t const write_limit_;
    connect_function const connect_;

    std::mutex mutex_;
    std::condition_variable stopped_, thread_ended_;
    std::size_t threads_ = 0;  ///< That have begun and not ended.
    /// While a worker is idle, nothing waits but writes above write_limit_.
    job_list waiting_reads_, waiting_writes_;
    std::vector<worker*> idle_;  ///< Those without a connection first, then as they became idle.
    std::size_t running_writes_ = 0;
    bool last_was_write_ = false;
    bool stopping_ = false;
    /// Connections older than this are dropped: the server said it has become read-only.
    std::atomic<std::uint64_t> generation_{0};

    std::vector<std::unique_ptr<worker>> workers_;
    /// Sends the cancels. Each blocks for a connect, and a server that hangs does not answer it: neither a
    /// caller's thread nor the deadlines of other calls may wait for that.
    deadline_watch cancels_;
    deadline_watch watch_;
};

/// Whether it is a store_error with commit_in_doubt().
bool is_in_doubt(std::exception_ptr const& error);

/// The same error, of which the caller has to hear that the call may have happened. `what` goes behind its
/// text.
std::exception_ptr in_doubt(std::exception_ptr const& error, char const* what);

namespace impl {

/// A write was cancelled when the server had it.
store_error cancelled_in_doubt();

template <class Result>
class awaited_job final : public job {
public:
    awaited_job(boost::asio::any_io_executor const& executor, lane l, persistence p, clock::time_point until,
                bool default_deadline, std::function<Result(connection&)> work)
        : job(l, p, until, default_deadline),
          done(std::make_shared<completion>(executor)),
          work_(std::move(work)) {}

    void run(connection& c) override { result_.emplace(work_(c)); }
    void succeed() override { done->give(); }
    void fail(std::exception_ptr error) override {
        error_ = std::move(error);
        done->give();
    }

    /// Behind `done`.
    Result take() {
        if (error_)
            std::rethrow_exception(error_);
        return std::move(*result_);
    }

    std::shared_ptr<completion> const done;

private:
    std::function<Result(connection&)> work_;
    std::optional<Result> result_;
    std::exception_ptr error_;
};

}  // namespace impl

template <class Result>
boost::asio::awaitable<Result> connection_pool::run(lane l, deadline until,
                                                    std::function<Result(connection&)> work, persistence p) {
    auto const executor = co_await boost::asio::this_coro::executor;
    auto const j = std::make_shared<impl::awaited_job<Result>>(executor, l, p, resolve(until), !until.at(),
                                                               std::move(work));
    submit(j);
    bool const answered = co_await j->done->wait();
    if (!answered) {
        bool const never_began = abandon(j);
        if (l == lane::write && !never_began)
            throw impl::cancelled_in_doubt();
        throw boost::system::system_error(boost::asio::error::operation_aborted);
    }
    co_return j->take();
}

}  // namespace opstore::postgres::detail
