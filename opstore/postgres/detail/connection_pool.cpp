#include <opstore/postgres/detail/connection_pool.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <random>
#include <system_error>

namespace opstore::postgres::detail {
namespace {

constexpr std::string_view server_is_read_only = "25006";

std::exception_ptr timed_out(char const* where, bool in_doubt) {
    store_error::facts facts;
    facts.code = errc::timed_out;
    facts.retryable = true;
    facts.commit_in_doubt = in_doubt;
    return std::make_exception_ptr(
        store_error(fmt::format("the deadline passed {}", where), std::move(facts)));
}

std::exception_ptr overloaded(char const* why, bool in_doubt = false) {
    store_error::facts facts;
    facts.code = errc::overloaded;
    facts.retryable = true;
    facts.commit_in_doubt = in_doubt;
    return std::make_exception_ptr(store_error(why, std::move(facts)));
}

constexpr char const* is_closing = "the database is being closed";

/// The largest that the server takes is 2^31 - 1.
constexpr std::int64_t statement_timeout_max_ms = 2'000'000'000;

/// A statement_timeout for a call with so much time left: that, and up to a quarter more. A connection of
/// which every call asks for another timeout would send a SET before each statement, which costs a call half
/// as much again. The server's timeout may be the later one, because it is not what ends a call in time: the
/// pool's watch is, and cancels the statement.
std::chrono::milliseconds statement_timeout_for(job::clock::duration left) {
    auto const left_ms = std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
    auto const whole =
        static_cast<std::uint64_t>(std::clamp<std::int64_t>(left_ms, 1, statement_timeout_max_ms));
    auto const step = std::max<std::uint64_t>(std::bit_floor(whole) / 4, 1);
    auto const rounded = static_cast<std::int64_t>((whole + step - 1) / step * step);
    return std::chrono::milliseconds(std::min(rounded, statement_timeout_max_ms));
}

/// What `answer` says of the error; false if it is no store_error.
template <class Answer>
bool tells(std::exception_ptr const& error, Answer answer) {
    try {
        std::rethrow_exception(error);
    } catch (store_error const& e) {
        return answer(e);
    } catch (...) {
        return false;
    }
}

bool is_retryable(std::exception_ptr const& error) {
    return tells(error, [](store_error const& e) { return e.retryable(); });
}

bool says_read_only(std::exception_ptr const& error) {
    return tells(error, [](store_error const& e) { return e.sqlstate() == server_is_read_only; });
}

}  // namespace

bool is_in_doubt(std::exception_ptr const& error) {
    return tells(error, [](store_error const& e) { return e.commit_in_doubt(); });
}

std::exception_ptr in_doubt(std::exception_ptr const& error, char const* what) {
    try {
        std::rethrow_exception(error);
    } catch (store_error const& e) {
        store_error::facts facts;
        facts.code = e.code();
        facts.retryable = e.retryable();
        facts.commit_in_doubt = true;
        facts.sqlstate = e.sqlstate();
        facts.statement = e.statement();
        return std::make_exception_ptr(store_error(std::string(e.what()) + what, std::move(facts)));
    } catch (...) {
        return error;
    }
}

store_error impl::cancelled_in_doubt() {
    store_error::facts facts;
    facts.code = errc::cancelled_in_doubt;
    facts.commit_in_doubt = true;
    return store_error("cancelled while the database worked on the call, which may have happened",
                       std::move(facts));
}

connection_pool::connection_pool(std::size_t connections, std::chrono::milliseconds default_timeout,
                                 connect_function connect)
    : default_timeout_(default_timeout),
      write_limit_(std::max<std::size_t>(connections, 2) - 1),
      connect_(std::move(connect)) {
    for (std::size_t i = 0; i < std::max<std::size_t>(connections, 2); ++i)
        workers_.push_back(std::make_unique<worker>());
    idle_.reserve(workers_.size());
    try {
        for (auto const& w : workers_)
            w->thread = std::thread([this, &w = *w] { work(w); });
    } catch (std::system_error const& e) {
        stop();
        store_error::facts facts;
        facts.retryable = true;
        throw store_error(
            fmt::format("cannot start a thread for each of {} connections: {}", workers_.size(), e.what()),
            std::move(facts));
    }
}

connection_pool::~connection_pool() {
    stop();
}

void connection_pool::stop() {
    job_list dropped;
    {
        std::lock_guard const lock(mutex_);
        stopping_ = true;
        dropped.splice(dropped.end(), waiting_reads_);
        dropped.splice(dropped.end(), waiting_writes_);
        for (auto const& j : dropped)
            j->place_.reset();
    }
    for (auto const& w : workers_)
        w->woken.notify_one();
    stopped_.notify_all();
    for (auto const& j : dropped) {
        if (settle(*j))
            j->fail(overloaded(is_closing));
    }
    bool ended = false;
    {
        std::unique_lock lock(mutex_);
        ended = thread_ended_.wait_for(lock, close_grace, [this] { return threads_ == 0; });
    }
    if (!ended)
        cancel_all_running();
    for (auto const& w : workers_) {
        if (w->thread.joinable())
            w->thread.join();
    }
}

void connection_pool::cancel_all_running() {
    for (auto const& w : workers_) {
        std::shared_ptr<job> running;
        {
            std::lock_guard const lock(w->guard);
            running = w->current;
        }
        if (!running)
            continue;
        if (settle(*running))
            running->fail(overloaded(is_closing, running->lane_ == lane::write));
        cancels_.run_soon([this, running] { cancel_running(running); });
    }
}

void connection_pool::submit(std::shared_ptr<job> j) {
    // Not left to the watch: a quick statement would sometimes win against it.
    if (j->until_ <= job::clock::now()) {
        if (settle(*j))
            j->fail(timed_out("before the call", false));
        return;
    }
    j->watch_ = watch_.add(j->until_, [this, weak = std::weak_ptr<job>(j)] {
        if (auto const due = weak.lock())
            expire(due);
    });
    char const* refused = nullptr;
    worker* chosen = nullptr;
    {
        std::lock_guard const lock(mutex_);
        auto& queue = j->lane_ == lane::read ? waiting_reads_ : waiting_writes_;
        if (stopping_) {
            refused = is_closing;
        } else if (!idle_.empty() && may_run(j->lane_)) {
            chosen = idle_.back();
            idle_.pop_back();
            chosen->handed = j;
            note_started(j->lane_);
        } else if (queue.size() >= waiting_jobs_max) {
            refused = "too many calls wait for a connection";
        } else {
            j->place_ = queue.insert(queue.end(), j);
        }
    }
    if (chosen)
        chosen->woken.notify_one();
    else if (refused && settle(*j))
        j->fail(overloaded(refused));
}

bool connection_pool::abandon(std::shared_ptr<job> const& j) {
    if (!settle(*j))
        return false;
    if (remove_waiting(*j))
        return true;
    cancels_.run_soon([this, j] { cancel_running(j); });
    return false;
}

void connection_pool::expire(std::shared_ptr<job> const& j) {
    if (j->settled_.exchange(true))
        return;
    if (remove_waiting(*j)) {
        j->fail(timed_out("while no connection was free", false));
        return;
    }
    j->fail(timed_out("while the database worked on the call", j->lane_ == lane::write));
    cancels_.run_soon([this, j] { cancel_running(j); });
}

bool connection_pool::settle(job& j) {
    if (j.settled_.exchange(true))
        return false;
    if (j.watch_)
        watch_.remove(*j.watch_);
    return true;
}

bool connection_pool::remove_waiting(job& j) {
    std::shared_ptr<job> kept;  // Beyond the lock: its end may run anything.
    std::lock_guard const lock(mutex_);
    if (!j.place_)
        return false;
    kept = std::move(**j.place_);
    (j.lane_ == lane::read ? waiting_reads_ : waiting_writes_).erase(*j.place_);
    j.place_.reset();
    return true;
}

void connection_pool::cancel_running(std::shared_ptr<job> const& j) {
    for (auto const& w : workers_) {
        std::lock_guard const lock(w->guard);
        if (w->current == j && w->link) {
            w->cancel_sent = true;
            w->link->cancel();
        }
    }
}

void connection_pool::work(worker& w) {
    {
        std::lock_guard const lock(mutex_);
        ++threads_;
    }
    auto j = next_or_idle(w, std::nullopt);
    for (;;) {
        if (!j)
            j = wait_for_job(w);
        if (!j)
            break;
        auto const outcome = attempt_until_done(w, j);
        // Idle before the answer goes out, or the caller's next call comes too early to find this worker
        // idle, and calls in a row go to two connections in turns. Not behind a write: its answer may be for
        // a thousand callers and take its time, and what is handed to an idle worker does not wait.
        auto const l = j->lane_;
        auto next = l == lane::read ? next_or_idle(w, l) : nullptr;
        if (outcome)
            *outcome ? j->fail(*outcome) : j->succeed();
        j.reset();
        j = l == lane::read ? std::move(next) : next_or_idle(w, l);
    }
    disconnect(w);
    std::lock_guard const lock(mutex_);
    --threads_;
    thread_ended_.notify_one();
}

std::shared_ptr<job> connection_pool::next_or_idle(worker& w, std::optional<lane> done) {
    std::lock_guard const lock(mutex_);
    // Under the same lock as the search: a write that is submitted now must not pass those that wait.
    if (done == lane::write)
        --running_writes_;
    auto j = take_waiting();
    // Without a connection it is the last choice.
    if (!j)
        idle_.insert(w.link ? idle_.end() : idle_.begin(), &w);
    return j;
}

std::shared_ptr<job> connection_pool::wait_for_job(worker& w) {
    std::unique_lock lock(mutex_);
    w.woken.wait(lock, [&] { return w.handed || stopping_; });
    return std::exchange(w.handed, nullptr);
}

std::shared_ptr<job> connection_pool::take_waiting() {
    bool const write_may_run = !waiting_writes_.empty() && may_run(lane::write);
    if (!write_may_run && waiting_reads_.empty())
        return nullptr;
    // In turns, so that neither lane starves the other, however full it is.
    bool const write = write_may_run && (waiting_reads_.empty() || !last_was_write_);
    auto& queue = write ? waiting_writes_ : waiting_reads_;
    auto j = std::move(queue.front());
    queue.pop_front();
    j->place_.reset();
    note_started(j->lane_);
    return j;
}

void connection_pool::note_started(lane l) {
    last_was_write_ = l == lane::write;
    running_writes_ += l == lane::write ? 1 : 0;
}

std::optional<std::exception_ptr> connection_pool::attempt_until_done(worker& w,
                                                                      std::shared_ptr<job> const& j) {
    bool doubted = false;
    for (int number = 1; !j->settled_; ++number) {
        auto error = attempt(w, j);
        bool again = false;
        if (error) {
            disconnect(w);
            // An attempt that failed for sure says nothing about those before it.
            if (doubted && !is_in_doubt(error))
                error = in_doubt(error, "; whether an attempt before was successful is in doubt");
            doubted = j->lane_ == lane::write && is_in_doubt(error);
            if (says_read_only(error))
                ++generation_;
            again = j->persistence_ == persistence::retry && is_retryable(error) && number < attempts_max &&
                    back_off(number, *j);
        }
        if (!again && settle(*j))
            return error;
    }
    return std::nullopt;
}

std::exception_ptr connection_pool::attempt(worker& w, std::shared_ptr<job> const& j) {
    std::exception_ptr error;
    {
        std::lock_guard const lock(w.guard);
        w.current = j;
    }
    try {
        connect(w, *j);
        if (!j->settled_)
            j->run(*w.link);
    } catch (...) {
        error = std::current_exception();
    }
    std::lock_guard const lock(w.guard);
    w.current = nullptr;
    if (std::exchange(w.cancel_sent, false))
        w.link.reset();
    return error;
}

void connection_pool::connect(worker& w, job const& j) {
    if (w.link && w.generation != generation_)
        disconnect(w);
    if (!w.link) {
        auto link = connect_();
        std::lock_guard const lock(w.guard);
        w.link = std::move(link);
        w.generation = generation_;
    }
    w.link->set_statement_timeout(j.default_deadline_ ? default_timeout_
                                                      : statement_timeout_for(j.until_ - job::clock::now()));
}

void connection_pool::disconnect(worker& w) {
    std::unique_ptr<connection> dropped;
    std::lock_guard const lock(w.guard);
    dropped = std::move(w.link);
}

bool connection_pool::back_off(int attempt, job const& j) {
    thread_local std::minstd_rand jitter{std::random_device{}()};
    auto const longest = std::min(longest_back_off, first_back_off * (1 << std::min(attempt - 1, 10)));
    std::uniform_int_distribution<std::chrono::milliseconds::rep> draw(longest.count() / 2, longest.count());
    auto const until = job::clock::now() + std::chrono::milliseconds(draw(jitter));
    if (until >= j.until_)
        return false;
    std::unique_lock lock(mutex_);
    stopped_.wait_until(lock, until, [this] { return stopping_; });
    return !stopping_;
}

}  // namespace opstore::postgres::detail
