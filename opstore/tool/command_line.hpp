#pragma once

#include <arc/arc_set.hpp>
#include <arc/dht_arc.hpp>
#include <arc/timestamp.hpp>
#include <opstore/space.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace opstore::tool {

/// What the user asked for: the options before the command, the command, and its own options. Values are
/// checked here as far as the text alone tells.
struct command_line {
    // Before the command.
    std::string database;  ///< Empty: found in the environment, else the embedded cluster.
    std::string schema = "opstore";
    std::string space = "default";
    bool json = false;
    std::optional<std::chrono::milliseconds> timeout;

    /// The words of the command: "page", or "slices get".
    std::string command;

    // ingest
    std::string file = "-";
    bool strict = false, ack = false, ids = false;
    // get, missing
    std::vector<std::string> id_texts;
    // page, slice, earliest, summary, slices
    arc::dht_arc arc = arc::dht_arc::full();
    arc::timestamp since, from, to;
    std::optional<std::uint64_t> limit_bytes;
    bool all = false, follow = false;
    std::optional<arc::timestamp> now;
    std::uint64_t slice_index = 0;
    std::string hash_text;
    // verify
    bool repair = false;
    // init
    std::optional<std::string> format;
    std::optional<std::uint64_t> max_op_bytes;
    std::optional<slice_mode> slices;
    bool roles = false;
    // import-git
    std::string repository;
    bool all_objects = false;
    // spaces drop
    std::string dropped_space;
    bool yes = false;
    // peer; `arc` above is what it means to hold.
    std::optional<std::string> network;
    std::string listen = "127.0.0.1:0";
    std::optional<std::string> announce;
    std::vector<std::string> connect;
    std::optional<std::string> secret_file, identity_file;
    std::chrono::milliseconds interval{120'000}, jitter{10'000};
    std::optional<std::chrono::milliseconds> until_idle, report;
    // completion
    std::string shell;

    command_line() = default;
};

/// Throws command_failure(usage). Prints help or the version itself and then returns none.
std::optional<command_line> parse_command_line(int argc, char const* const* argv);

/// The completion script for bash, zsh or fish, made from the commands and options there are.
std::string completion_script(std::string const& shell);

}  // namespace opstore::tool
