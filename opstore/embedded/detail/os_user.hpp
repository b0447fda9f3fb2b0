#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

namespace opstore::embedded::detail {

/// An account of the operating system.
struct os_user {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home;

    bool is_root() const { return uid == 0; }
};

std::optional<os_user> find_user(std::string const& name);
std::optional<os_user> find_user(uid_t uid);

/// Whose rights this process has. Throws if the user id has no account: PostgreSQL would refuse it too.
os_user current_user();

/// Who runs the server of `data_directory` (see embedded_cluster). Throws if that may not or cannot be.
os_user choose_server_user(std::filesystem::path const& data_directory);

}  // namespace opstore::embedded::detail
