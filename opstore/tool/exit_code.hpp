#pragma once

#include <exception>
#include <stdexcept>
#include <string>

namespace opstore::tool {

/// What the program answers to the shell. Stable numbers, documented in docs/command-line.md: do not
/// renumber.
enum class exit_code {
    ok = 0,
    failure = 1,
    usage = 2,
    damage_found = 3,
    cannot_connect = 4,
    schema_mismatch = 5,
    try_again = 75,  ///< EX_TEMPFAIL: the same command may succeed later, unchanged.
};

/// Ends the run with its message as one line on standard error.
class tool_error : public std::runtime_error {
public:
    tool_error(exit_code code, std::string const& message) : std::runtime_error(message), code_(code) {}
    exit_code code() const { return code_; }

private:
    exit_code code_;
};

/// The exit code for anything that a command may throw.
exit_code exit_code_of(std::exception const& error);

/// "what: No such file or directory", from errno as it was when the call failed.
tool_error system_failure(std::string const& what, int error_number);

}  // namespace opstore::tool
