#pragma once

#include <opstore/embedded/detail/os_user.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace opstore::embedded::detail {

/// A program to run to its end.
///
/// It inherits no open file but the ones named here, and an environment of PATH and LC_ALL=C only: PGOPTIONS,
/// PGDATA and their kind would reach into the server.
struct command {
    std::vector<std::string> words;  ///< The program (looked up in PATH if without a slash), its arguments.
    os_user user;                    ///< Root runs it as this user; anybody else as himself.
    std::filesystem::path directory = "/";
    std::string input;   ///< On its standard input; at most input_max.
    int kept_open = -1;  ///< A descriptor that it and what it starts hold open too.

    /// What a pipe takes before anybody reads it.
    static constexpr std::size_t input_max = 4096;

    command(os_user as, std::vector<std::string> program_and_arguments)
        : words(std::move(program_and_arguments)), user(std::move(as)) {}
};

struct command_result {
    int exit_code = 0;   ///< 128 + the signal's number if a signal ended it; 126 or 127 if it cannot be run.
    std::string output;  ///< Standard output and error together, without line breaks at the end.
};

/// Blocks until the program and all that hold its output have ended; whatever the host does with SIGCHLD.
/// Throws if nothing can be started.
command_result run(command const& what);

}  // namespace opstore::embedded::detail
