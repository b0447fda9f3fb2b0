#pragma once

#include <opstore/plugin/detail/answers.hpp>
#include <opstore/plugin/detail/arguments.hpp>
#include <opstore/plugin/detail/database.hpp>
#include <opstore/plugin/detail/failure.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

/// How a function of the C table becomes a coroutine, and its end one callback.
namespace opstore::plugin::detail {

template <class... Rest>
void deliver_failure(void (*done)(void*, opstore_error const*, Rest...), void* user,
                     failure const& why) noexcept {
    auto const error = c_error(why);
    done(user, &error, Rest{}...);
}

/// Calls the callback with what the call ended with. No memory for the answer is an error like others.
template <class Done, class T>
void deliver_outcome(Done done, void* user, std::exception_ptr const& error,
                     result<T> const& answer) noexcept {
    try {
        if (error)
            return deliver_failure(done, user, describe(error));
        if (answer.has_error())
            return deliver_failure(done, user, describe(answer.error()));
        if constexpr (std::is_void_v<T>)
            deliver(done, user);
        else
            deliver(done, user, *answer);
    } catch (...) {
        deliver_failure(done, user, no_memory());
    }
}

/// A call between its begin and its end: `job` makes the coroutine and has to outlive it.
template <class Job, class Done>
struct pending_call {
    opstore_database& database;
    std::shared_ptr<call> const registered;
    Done const done;
    void* const user;
    std::optional<Job> job;
    failure refused;  ///< If there is no job: why.

    pending_call(opstore_database& d, Done f, void* u)
        : database(d), registered(d.calls().begin()), done(f), user(u) {}
    /// Here, so that whatever becomes of the call, it leaves the registry once.
    ~pending_call() {
        job.reset();
        database.calls().end(*registered);
    }

    pending_call(pending_call const&) = delete;
    pending_call& operator=(pending_call const&) = delete;
};

/// Runs the job, on the call's strand. Whatever becomes of it, its end is one callback.
template <class Job, class Done>
void run(std::shared_ptr<pending_call<Job, Done>> const& pending) noexcept {
    using awaitable_type = decltype((*pending->job)());
    using result_type = typename awaitable_type::value_type;
    if (!pending->job)
        return deliver_failure(pending->done, pending->user, pending->refused);
    if (pending->registered->cancel_asked)
        return deliver_failure(pending->done, pending->user, cancelled());
    auto finish = [pending](std::exception_ptr const& error, result_type const& answer) {
        deliver_outcome(pending->done, pending->user, error, answer);
    };
    try {
        boost::asio::co_spawn(
            pending->registered->strand, (*pending->job)(),
            boost::asio::bind_cancellation_slot(pending->registered->cancelled.slot(), finish));
    } catch (...) {
        deliver_failure(pending->done, pending->user, no_memory());
    }
}

/// Starts a call: `prepare` reads the host's arguments and returns the job, which makes the coroutine,
/// awaitable<result<T>>. What prepare throws, the callback gets, as it gets what the coroutine ends with.
/// Returns the call's number, or 0 if there is no memory to begin it; then `prepare` was not called and the
/// callback is not.
template <class Done, class Prepare>
std::uint64_t start_call(opstore_database& database, Done done, void* user, Prepare prepare) noexcept {
    using pending_type = pending_call<decltype(prepare()), Done>;
    std::shared_ptr<pending_type> pending;
    try {
        pending = std::make_shared<pending_type>(database, done, user);
    } catch (...) {
        return 0;
    }
    // From here on no lack of memory keeps the callback from coming: what the host gives away to the plugin
    // is taken, and given back, exactly if there is a number. Also of a call that is refused.
    call& registered = *pending->registered;
    try {
        pending->job.emplace(prepare());
    } catch (...) {
        pending->refused = describe(std::current_exception());
    }
    if (registered.refused) {
        pending->job.reset();
        pending->refused = failure(OPSTORE_CLOSING, "the database is being drained or destroyed");
    }
    auto const number = registered.number;
    // Posted, so that nothing of it happens inside of the host's call, on whatever thread that is; and moved,
    // so that the end of the call does not happen there either.
    run_soon(registered.strand, registered.begin_memory, [pending = std::move(pending)] { run(pending); });
    return number;
}

/// The same for a call that needs the server: prepare(shared_ptr<postgres_database>), which the job has to
/// keep.
template <class Done, class Prepare>
std::uint64_t start_database_call(opstore_database* database, Done done, void* user,
                                  Prepare prepare) noexcept {
    if (!database || !done)
        return 0;
    return start_call(*database, done, user, [&] {
        auto connected = database->connected();
        if (!connected)
            throw not_connected();
        return prepare(std::move(connected));
    });
}

/// The same for a call on a space: the job is called with its space_state, which is kept alive for it.
template <class Done, class Prepare>
std::uint64_t start_space_call(opstore_space* space, Done done, void* user, Prepare prepare) noexcept {
    if (!space || !done)
        return 0;
    return start_call(space->database, done, user, [&] {
        return [state = space->state, work = prepare()]() mutable { return work(*state); };
    });
}

}  // namespace opstore::plugin::detail
