#pragma once

#include <opstore/embedded/detail/os_user.hpp>

#include <filesystem>

namespace opstore::embedded::detail {

/// Where a server of `home` that starts now puts its socket: below /run for root, else $XDG_RUNTIME_DIR, else
/// /tmp; a path short enough for a socket's address, named after the home. Touches nothing.
std::filesystem::path choose_socket_directory(std::filesystem::path const& home, os_user const& server_user);

/// Whether it exists and nobody but `server_user` can enter it. Throws if something else is there: somebody
/// may have put it there to play the server.
bool is_private_directory(std::filesystem::path const& directory, os_user const& server_user);

/// Makes it if it is absent. Throws as is_private_directory().
void claim_private_directory(std::filesystem::path const& directory, os_user const& server_user);

/// The socket's file in it.
std::filesystem::path socket_file(std::filesystem::path const& directory);

}  // namespace opstore::embedded::detail
