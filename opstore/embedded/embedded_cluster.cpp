#include <opstore/embedded/embedded_cluster.hpp>

#include <opstore/embedded/detail/home.hpp>
#include <opstore/embedded/detail/server_process.hpp>
#include <opstore/embedded/detail/socket_directory.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace opstore {
namespace fs = std::filesystem;
using namespace embedded::detail;
namespace {

constexpr std::chrono::milliseconds poll_interval{50};
/// A server that ends again behind each start goes on doing so.
constexpr int starts_max = 3;
/// Who holds the server's lock and is not seen is about to be (pg_ctl, whose caller was killed), about to end
/// (what a killed server had started), or will never be.
constexpr std::chrono::seconds unseen_wait_max{10};

/// The value of an environment variable, if it is set to an absolute path.
std::optional<fs::path> path_variable(char const* name) {
    char const* const value = std::getenv(name);
    if (value == nullptr || !fs::path(value).is_absolute())
        return std::nullopt;
    return fs::path(value);
}

/// What the file system throws, as the error that this class promises.
template <class Work>
auto reported(Work const& work) {
    try {
        return work();
    } catch (fs::filesystem_error const& error) {
        fail(error.what());
    }
}

/// The home without links on the way, which PostgreSQL names it by too.
fs::path resolve(fs::path const& home) {
    auto path = fs::absolute(home);
    if (!path.has_filename())
        path = path.parent_path();
    struct stat info {};
    if (::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode) && info.st_uid != 0 &&
        info.st_uid != ::geteuid())
        fail(fmt::format("\"{}\" is a link that belongs to user id {}: name the place itself", path.string(),
                         info.st_uid));
    return fs::weakly_canonical(path);
}

/// Where the server's socket is if it runs, else where it will be.
fs::path find_socket_directory(home_layout const& layout, os_user const& server_user) {
    auto const record = read_postmaster_record(layout);
    std::error_code none;
    if (record && fs::exists(socket_file(record->socket_directory), none))
        return record->socket_directory;
    return choose_socket_directory(layout.home, server_user);
}

/// Waits until the server answers, starting it as often as it proves to be absent. Precondition: the lock.
void bring_up(home_layout const& layout, server_programs const& programs, os_user const& server_user,
              std::chrono::seconds wait_max) {
    auto const begin = std::chrono::steady_clock::now();
    for (int starts = 0;;) {
        auto const waited = std::chrono::steady_clock::now() - begin;
        auto const found = find_server_processes(layout, server_user);
        if (found.postmaster) {
            auto const& directory = found.postmaster->socket_directory;
            if (answers(directory, server_user))
                return;
            // A logout or a clean-up of /tmp took the socket away from under it.
            if (found.postmaster->ready && !fs::exists(socket_file(directory)))
                stop_server(layout, programs, server_user, "fast", wait_max);
        } else if (!found.of_deleted_data.empty()) {
            // Nothing is left that these could serve, but they hold the socket.
            for (int const pid : found.of_deleted_data)
                ::kill(pid, SIGQUIT);
        } else if (found.of_data.empty()) {
            if (auto const server_lock = take_server_lock(layout)) {
                if (starts++ == starts_max)
                    fail(fmt::format("PostgreSQL in \"{}\" ended again after each of {} starts{}",
                                     layout.home.string(), starts_max, quote_log(layout)));
                start_server(layout, programs, server_user, *server_lock, wait_max);
                continue;
            }
            if (waited >= std::min(wait_max, unseen_wait_max))
                fail(fmt::format(
                    "somebody who cannot be seen from here holds \"{}\": most likely a server that runs in "
                    "another container. One home serves one PID namespace of one machine; stop that server, "
                    "or set OPSTORE_HOME to another place (`fuser -v` on the machine itself tells who it is)",
                    layout.server_lock().string()));
        }
        // What a killed server left ends by itself, a recovery too; a start beside either would be refused.
        if (waited >= wait_max)
            fail_for_now(fmt::format(
                "PostgreSQL in \"{}\" is not ready after {} s (its processes: {}); it goes on, so try again "
                "later{}",
                layout.home.string(), wait_max.count(), fmt::join(found.of_data, ", "), quote_log(layout)));
        std::this_thread::sleep_for(poll_interval);
    }
}

}  // namespace

fs::path embedded_cluster::default_home() {
    char const* const chosen = std::getenv("OPSTORE_HOME");
    if (chosen != nullptr && *chosen != '\0')
        return chosen;
    if (::geteuid() == 0)
        return "/var/lib/opstore";
    if (auto const data = path_variable("XDG_DATA_HOME"))
        return *data / "opstore";
    auto const home = path_variable("HOME");
    return (home ? *home : fs::path(current_user().home)) / ".local/share/opstore";
}

embedded_cluster::embedded_cluster(fs::path home, std::chrono::seconds wait_max)
    : home_(reported([&] { return resolve(home); })), wait_max_(wait_max) {}

void embedded_cluster::ensure_running() {
    home_layout const layout{home_};
    reported([&] {
        auto const server_user = choose_server_user(layout.data());
        if (auto const record = read_postmaster_record(layout);
            record && answers(record->socket_directory, server_user))
            return;
        make_home(layout.home, server_user);
        home_lock const lock(layout.lock(), wait_max_);
        auto const version = layout.data_version();
        auto const programs = find_server_programs(version);
        if (!version)
            make_data(layout, programs, server_user, lock);
        bring_up(layout, programs, server_user, wait_max_);
    });
}

bool embedded_cluster::stop(stop_mode mode) {
    home_layout const layout{home_};
    return reported([&] {
        if (!fs::exists(layout.data()))
            return false;
        auto const server_user = choose_server_user(layout.data());
        home_lock const lock(layout.lock(), wait_max_);
        auto const found = find_server_processes(layout, server_user);
        if (!found.postmaster)
            return false;
        stop_server(layout, find_server_programs(layout.data_version()), server_user,
                    mode == stop_mode::fast ? "fast" : "immediate", wait_max_);
        // The next start makes it anew; a home that never starts again leaves nothing outside of itself.
        std::error_code not_empty;
        fs::remove(found.postmaster->socket_directory, not_empty);
        return true;
    });
}

embedded_cluster::status embedded_cluster::query_status() const {
    home_layout const layout{home_};
    return reported([&] {
        status result;
        result.home = layout.home;
        result.log_file = layout.log();
        auto const server_user = choose_server_user(layout.data());
        result.socket_directory = find_socket_directory(layout, server_user);
        result.initialised = layout.data_version().has_value();
        auto const found = find_server_processes(layout, server_user);
        result.running = found.postmaster.has_value();
        if (!result.running)
            return result;
        result.pid = found.postmaster->pid;
        if (answers(result.socket_directory, server_user))
            result.server_version = ask_server_version(conninfo());
        return result;
    });
}

std::string embedded_cluster::conninfo() const {
    home_layout const layout{home_};
    return reported([&] {
        auto const server_user = choose_server_user(layout.data());
        return make_conninfo(find_socket_directory(layout, server_user), server_user);
    });
}

}  // namespace opstore
