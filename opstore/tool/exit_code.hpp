#pragma once

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

inline command_failure usage_error(std::string const& message) {
    return command_failure(exit_code::usage, message);
}

}  // namespace opstore::tool
