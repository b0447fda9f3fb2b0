#pragma once

#include <opstore/errors.hpp>

#include <stdexcept>
#include <string>

namespace opstore::tool {

/// What the shell is told. Documented in docs/command-line.md; do not renumber.
enum class exit_code {
    ok = 0,
    failure = 1,
    usage = 2,
    damage = 3,  ///< verify found damage.
    cannot_connect = 4,
    schema_mismatch = 5,
    try_again = 75  ///< EX_TEMPFAIL: the same command may succeed later.
};

/// Ends a command: one line for stderr, and the code.
class command_failure : public std::runtime_error {
public:
    command_failure(exit_code code, std::string const& message) : std::runtime_error(message), code_(code) {}
    exit_code code() const { return code_; }

private:
    exit_code code_;
};

/// The code for an error of the library, once the database was reached.
inline exit_code exit_code_of(errc code) {
    switch (code) {
        case errc::invalid_argument:
            return exit_code::usage;
        case errc::schema_mismatch:
            return exit_code::schema_mismatch;
        case errc::unavailable:
        case errc::timed_out:
        case errc::overloaded:
        case errc::cancelled_in_doubt:
            return exit_code::try_again;
        default:
            return exit_code::failure;
    }
}

/// Runs what reaches for the database: where that is not to be had, the code says so.
template <class Work>
auto reaching(Work const& work) {
    try {
        return work();
    } catch (store_error const& e) {
        if (e.code() == errc::unavailable)
            throw command_failure(exit_code::cannot_connect, e.what());
        throw;
    }
}

inline command_failure usage_error(std::string const& message) {
    return command_failure(exit_code::usage, message);
}

}  // namespace opstore::tool
