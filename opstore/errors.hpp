#pragma once

#include <boost/system/result.hpp>

#include <boost/assert/source_location.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

/// How this library says no. Three kinds, never mixed:
///  - a caller's bug (a broken precondition) asserts;
///  - what input can cause is a *refusal*, a value: result<T> holds either the answer or the refusal;
///  - an outage is thrown as store_error.
/// A call that the caller cancelled throws boost::system::system_error(asio::error::operation_aborted), as
/// every Asio operation does, unless its effect is in doubt: then it is a store_error that says so.
namespace opstore {

/// Why the store did not do what it was asked. Stable numbers: they cross the C interface, do not renumber.
enum class errc {
    /// The space was never created, or was dropped. Create it, or correct its name.
    no_such_space = 1,
    /// The space exists with another format, id length or limit. Open it as it was created.
    space_differs = 2,
    /// An argument is outside what the method allows; the message names it. Correct the call.
    invalid_argument = 3,
    /// A sector's slice hashes are kept by the store itself. Use slice mode host, or another arc.
    slices_kept_by_store = 4,
    /// The database holds another schema version than this binary knows. Run `opstore init` with the newer
    /// binary; the message has both versions.
    schema_mismatch = 5,
    /// The database cannot be reached or went away. Try again; look at the server.
    unavailable = 6,
    /// The deadline passed first. Try again with more time; `stat` shows what holds the space.
    timed_out = 7,
    /// The caller cancelled after the point of no return: the write may or may not have happened. Repeat
    /// it; ingest is idempotent.
    cancelled_in_doubt = 8,
    /// The database refused the statement (permission, disk full, damaged data). The SQLSTATE tells.
    rejected_by_database = 9,
    /// More is queued than the store's bounds allow, or it is shutting down. Slow down, then try again.
    overloaded = 10,
};

/// The errc as one snake_case word, such as "no_such_space".
std::string_view to_string(errc code);

/// A refusal: which rule, and a sentence that names the offending thing.
class refusal {
public:
    /// Boost 1.81's result::error() makes one where there is none.
    refusal() = default;
    refusal(errc code, std::string message) : code_(code), message_(std::move(message)) {}

    errc code() const { return code_; }
    std::string const& message() const { return message_; }

private:
    errc code_ = errc::invalid_argument;
    std::string message_;
};

/// What result<T>::value() throws when it holds a refusal.
class refused : public std::runtime_error {
public:
    explicit refused(refusal const& r) : std::runtime_error(r.message()), code_(r.code()) {}
    errc code() const { return code_; }

private:
    errc code_;
};

[[noreturn]] inline void throw_exception_from_error(refusal const& r, boost::source_location const&) {
    throw refused(r);
}

/// The answer, or the refusal. `value()` returns the first or throws `refused`.
template <class T>
using result = boost::system::result<T, refusal>;

/// An outage: the store could not carry out a valid request.
class store_error : public std::runtime_error {
public:
    struct facts {
        errc code = errc::unavailable;
        bool retryable = false;        ///< The same call may succeed later, unchanged.
        bool commit_in_doubt = false;  ///< A write may have happened although no answer came.
        std::string sqlstate;          ///< Five characters, or empty if no server said anything.
        std::string statement;         ///< Name of the statement under sql/, never its data.

        facts() = default;
    };

    store_error(std::string const& message, facts f) : std::runtime_error(message), facts_(std::move(f)) {}

    errc code() const { return facts_.code; }
    bool retryable() const { return facts_.retryable; }
    bool commit_in_doubt() const { return facts_.commit_in_doubt; }
    std::string const& sqlstate() const { return facts_.sqlstate; }
    std::string const& statement() const { return facts_.statement; }

private:
    facts facts_;
};

}  // namespace opstore
