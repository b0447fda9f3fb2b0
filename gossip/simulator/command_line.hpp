#pragma once

#include <gossip/simulator/plan.hpp>

#include <optional>
#include <stdexcept>
#include <string>

namespace opstore::simulator {

/// What the user asked for.
struct command_line {
    plan chosen;  ///< Complete.
    bool json = false;
    bool log = false;

    command_line() = default;
};

/// The user's mistake, with a sentence that says which.
class usage_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Throws usage_error. Prints help or the version itself and then returns none.
std::optional<command_line> parse_command_line(int argc, char const* const* argv);

}  // namespace opstore::simulator
