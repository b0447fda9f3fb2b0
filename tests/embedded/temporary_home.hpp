#pragma once

#include <opstore/embedded/embedded_cluster.hpp>

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace opstore::testing {

/// A directory of its own for the cluster of one test case. At its end the server in it is stopped, the
/// directory is removed, and both are checked.
class temporary_home {
public:
    /// The home is this path below a new directory; it does not exist yet.
    explicit temporary_home(std::filesystem::path const& below = "home");
    ~temporary_home();

    std::filesystem::path const& path() const { return home_; }
    std::filesystem::path data() const { return home_ / "data"; }
    embedded_cluster cluster() const { return embedded_cluster(home_); }

private:
    std::filesystem::path parent_;
    std::filesystem::path home_;
};

/// Sets an environment variable for as long as it lives.
class scoped_variable {
public:
    /// Null: not set.
    scoped_variable(char const* name, char const* value);
    ~scoped_variable();

private:
    char const* name_;
    char const* before_;
};

/// The first value of the answer, as text. A failure is a failed check.
std::string query(embedded_cluster const& cluster, std::string const& sql);

/// Runs `work` in a process of its own, which ends without running anything else of this one.
pid_t fork_process(std::function<void()> const& work);

/// How it ended: its exit code, or 128 + the signal.
int wait_for_process(pid_t pid);

/// Starts `words` as the owner of `path`, or as the caller if he is not root.
pid_t start_as_owner(std::filesystem::path const& path, std::vector<std::string> words);

/// Polls until `condition` holds; false if it does not for 30 s.
bool eventually(std::function<bool()> const& condition);

std::string read_file(std::filesystem::path const& path);
void write_file(std::filesystem::path const& path, std::string const& text);

/// What the call throws, or the empty text.
std::string message_of(std::function<void()> const& call);

}  // namespace opstore::testing
