#pragma once

#include <opstore/embedded/detail/descriptor.hpp>
#include <opstore/embedded/detail/os_user.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace opstore::embedded::detail {

/// What lies where in a cluster's directory. Started by root, the directory itself stays root's: the server's
/// user owns the data and the log, and can put nothing in the way of what root writes.
struct home_layout {
    std::filesystem::path home;

    /// Complete, or absent: it gets this name last of all.
    std::filesystem::path data() const { return home / "data"; }
    /// A data directory in the making.
    std::filesystem::path staging() const { return home / "data.new"; }
    std::filesystem::path config() const { return home / "config"; }
    std::filesystem::path log() const { return home / "server.log"; }
    std::filesystem::path previous_log() const { return home / "server.log.1"; }
    std::filesystem::path lock() const { return home / "lock"; }
    std::filesystem::path server_lock() const { return home / "server.lock"; }
    std::filesystem::path postmaster_pid() const { return data() / "postmaster.pid"; }

    /// PostgreSQL's major version that made the data; none if there is no data directory, or an empty one.
    /// Throws if it is damaged.
    std::optional<int> data_version() const;
};

/// Throws, naming the directory, if `user` cannot get to `home`; the part of it that exists counts.
void check_reachable(std::filesystem::path const& home, os_user const& user);

/// Makes the directory and its parents; what it makes lets `user` through. Throws if others may write in one
/// that is there: a link that they put there would be followed.
void make_home(std::filesystem::path const& home, os_user const& user);

/// Makes an empty directory that only `user` can enter; removes what had the name.
void make_private_directory(std::filesystem::path const& directory, os_user const& user);

/// Puts the log aside if it has grown, makes it if it is absent. Returns its size: what the coming start
/// writes begins there.
std::uintmax_t prepare_log(home_layout const& layout, os_user const& user);

/// The last lines of the log that begin at or behind byte `from`, for an error message; names the file.
std::string quote_log(home_layout const& layout, std::uintmax_t from = 0);

/// Locks the file that a server and its children hold open, and with it the lock, for as long as one of them
/// lives; none if somebody holds it. /proc tells of the processes of one PID namespace only, the lock of all
/// on this machine. A server that was started by hand does not hold it.
std::optional<descriptor> take_server_lock(home_layout const& layout);

/// One process at a time makes, starts or stops the cluster.
class home_lock {
public:
    /// Waits up to `wait_max`, then throws, naming the process that holds it.
    home_lock(std::filesystem::path const& file, std::chrono::seconds wait_max);

    /// A program that holds this open holds the lock.
    int number() const { return file_.number(); }

private:
    descriptor file_;
};

}  // namespace opstore::embedded::detail
