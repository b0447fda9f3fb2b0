#pragma once

#include <opstore/tool/command_line.hpp>
#include <opstore/tool/exit_code.hpp>
#include <opstore/tool/session.hpp>

/// The commands. Each prints its answer on standard output and returns the exit code; a failure is thrown:
/// command_failure, refused or store_error.
namespace opstore::tool {

// ingest_command.cpp, import_git_command.cpp
exit_code run_ingest(session& s, command_line const& line);
exit_code run_import_git(session& s, command_line const& line);

// read_commands.cpp
exit_code run_get(session& s, command_line const& line);
exit_code run_missing(session& s, command_line const& line);
exit_code run_page(session& s, command_line const& line);
exit_code run_slice(session& s, command_line const& line);
exit_code run_earliest(session& s, command_line const& line);
exit_code run_summary(session& s, command_line const& line);

// slice_commands.cpp
exit_code run_slices_list(session& s, command_line const& line);
exit_code run_slices_get(session& s, command_line const& line);
exit_code run_slices_put(session& s, command_line const& line);
exit_code run_slices_count(session& s, command_line const& line);

// peer_command.cpp
exit_code run_peer(session& s, command_line const& line);

// maintenance_commands.cpp
exit_code run_init(session& s, command_line const& line);
exit_code run_seal(session& s, command_line const& line);
exit_code run_verify(session& s, command_line const& line);
exit_code run_stat(session& s, command_line const& line);
exit_code run_spaces(session& s, command_line const& line);
exit_code run_spaces_drop(session& s, command_line const& line);
exit_code run_server_start(session& s, command_line const& line);
exit_code run_server_stop(session& s, command_line const& line);
exit_code run_server_status(session& s, command_line const& line);
exit_code run_completion(session& s, command_line const& line);

}  // namespace opstore::tool
