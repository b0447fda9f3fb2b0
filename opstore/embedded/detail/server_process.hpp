#pragma once

#include <opstore/embedded/detail/home.hpp>
#include <opstore/embedded/detail/server_programs.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace opstore::embedded::detail {

/// What PostgreSQL's postmaster.pid says of the server that wrote it, which may be long gone.
struct postmaster_record {
    int pid = 0;
    std::filesystem::path socket_directory;
    bool ready = false;  ///< Not starting, recovering or stopping.

    postmaster_record() = default;
};
std::optional<postmaster_record> read_postmaster_record(home_layout const& layout);

/// The PostgreSQL processes of a home as they are now.
struct server_processes {
    /// The server, if it lives: the process that the record names, and proven to be one of this data
    /// directory.
    std::optional<postmaster_record> postmaster;
    /// Any that work in the data directory: the server, its children, or what a killed server left.
    std::vector<int> of_data;
    /// Any that work in a data directory of this name that was deleted under them.
    std::vector<int> of_deleted_data;

    server_processes() = default;
};
server_processes find_server_processes(home_layout const& layout, os_user const& server_user);

/// Whether the server behind a socket directory takes connections. Throws if the directory is not private.
bool answers(std::filesystem::path const& socket_directory, os_user const& server_user);

/// For libpq.
std::string make_conninfo(std::filesystem::path const& socket_directory, os_user const& server_user);

/// Such as "15.20"; empty if it takes no connection.
std::string ask_server_version(std::string const& conninfo);

/// Makes the data directory: under another name, until it is complete. Precondition: the lock, which the
/// programs that do it hold too, should this process be killed under them.
void make_data(home_layout const& layout, server_programs const& programs, os_user const& server_user,
               home_lock const& lock);

/// Starts the server and waits until it is ready. Preconditions: the lock; no process works in the data; the
/// server's lock, which it inherits.
void start_server(home_layout const& layout, server_programs const& programs, os_user const& server_user,
                  descriptor const& server_lock, std::chrono::seconds wait_max);

/// Stops it and waits for its end; `mode` is pg_ctl's word. Preconditions: the lock; it runs.
void stop_server(home_layout const& layout, server_programs const& programs, os_user const& server_user,
                 std::string const& mode, std::chrono::seconds wait_max);

}  // namespace opstore::embedded::detail
