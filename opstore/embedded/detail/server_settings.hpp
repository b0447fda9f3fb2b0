#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace opstore::embedded::detail {

/// The role that owns everything in the cluster, and its database.
inline constexpr char const* role_name = "opstore";
inline constexpr char const* database_name = "opstore";
/// Names the socket file only: nothing listens on a network port.
inline constexpr int port = 5432;

/// Bytes of memory that this process may count on: the machine's, or its control group's if that is less.
std::uint64_t available_memory();

/// The three files that decide how the server works and whom it lets in.
std::string server_conf(std::filesystem::path const& config_directory,
                        std::filesystem::path const& socket_directory, std::uint64_t memory_bytes);
std::string pg_hba_conf();
std::string pg_ident_conf(std::string const& server_user);

}  // namespace opstore::embedded::detail
