#include <opstore/embedded/detail/home.hpp>

#include <opstore/embedded/detail/command.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <fstream>
#include <sstream>
#include <thread>

namespace opstore::embedded::detail {
namespace fs = std::filesystem;
namespace {

constexpr std::uintmax_t log_bytes_max = 16u << 20;
constexpr std::size_t quoted_lines_max = 15;
constexpr std::size_t quoted_bytes_max = 8192;
constexpr std::chrono::milliseconds poll_interval{20};

void give_to(fs::path const& path, os_user const& user) {
    if (::geteuid() == 0 && ::lchown(path.c_str(), user.uid, user.gid) != 0)
        fail_with_errno(fmt::format("cannot give \"{}\" to {}", path.string(), user.name));
}

/// What is written in it by name must not end elsewhere, which a link that somebody else made would lead to.
void require_own(fs::path const& directory) {
    struct stat info {};
    if (::lstat(directory.c_str(), &info) != 0)
        fail_with_errno(fmt::format("cannot look at \"{}\"", directory.string()));
    // The group of a user is his own where the mask lets it write.
    unsigned const others_writing = ::geteuid() == 0 ? S_IWGRP | S_IWOTH : S_IWOTH;
    std::string wrong;
    if (!S_ISDIR(info.st_mode))
        wrong = "is not a directory";
    else if (info.st_uid != ::geteuid())
        wrong = fmt::format("belongs to user id {}, not to {}", info.st_uid, current_user().name);
    else if ((info.st_mode & others_writing) != 0)
        wrong = fmt::format("has mode {:o}: others may write in it", info.st_mode & 07777);
    if (!wrong.empty())
        fail(
            fmt::format("\"{}\" {}. Make it a directory that only {} can write in, or set OPSTORE_HOME to "
                        "another place",
                        directory.string(), wrong, current_user().name));
}

std::string last_lines(std::string const& text) {
    std::istringstream lines(text);
    std::deque<std::string> last;
    for (std::string line; std::getline(lines, line);) {
        last.push_back(line);
        if (last.size() > quoted_lines_max)
            last.pop_front();
    }
    std::string result;
    for (auto const& line : last)
        result += "\n  " + line;
    return result;
}

}  // namespace

std::optional<int> home_layout::data_version() const {
    if (!fs::exists(data()) || (fs::is_directory(data()) && fs::is_empty(data())))
        return std::nullopt;
    int version = 0;
    if (std::ifstream(data() / "PG_VERSION") >> version)
        return version;
    fail(fmt::format(
        "\"{}\" is not a whole data directory (its file PG_VERSION is missing or unreadable), and opstore "
        "never makes half a one under that name. Put back what was taken from it, restore it from a "
        "backup, or move it away to begin anew",
        data().string()));
}

void check_reachable(fs::path const& home, os_user const& user) {
    if (::geteuid() != 0)
        return;
    std::vector<std::string> words{"sh", "-c",
                                   R"(for d; do test -x "$d" || { printf %s "$d"; exit 1; }; done)", "sh"};
    fs::path directory;
    for (auto const& part : home) {
        directory /= part;
        if (fs::exists(directory))
            words.push_back(directory.string());
    }
    auto const result = run(command(user, std::move(words)));
    if (result.exit_code == 0)
        return;
    if (result.output.empty() || !fs::exists(result.output))
        fail(fmt::format("cannot look at \"{}\" as user {}: {}", home.string(), user.name, result.output));
    fail(fmt::format(
        "root's server runs as user {0}, who cannot enter \"{1}\". Let others through (chmod o+x '{1}'), "
        "or set OPSTORE_HOME to another place, such as /var/lib/opstore",
        user.name, result.output));
}

void make_home(fs::path const& home, os_user const& user) {
    if (home.string().find('\n') != std::string::npos)
        fail(fmt::format("the path \"{}\" holds a line break, which PostgreSQL's own files cannot bear",
                         home.string()));
    fs::path directory;
    for (auto const& part : home) {
        directory /= part;
        if (fs::exists(directory) && !fs::is_directory(directory))
            fail(fmt::format("\"{}\" is not a directory", directory.string()));
    }
    check_reachable(home, user);
    directory.clear();
    // The mask of a careful root (077) would lock the server out.
    unsigned const mode = ::geteuid() == 0 ? 0755 : 0700;
    for (auto const& part : home) {
        directory /= part;
        if (::mkdir(directory.c_str(), mode) == 0)
            fs::permissions(directory, fs::perms{mode});
        else if (errno != EEXIST && !fs::is_directory(directory))
            fail_with_errno(fmt::format("cannot make \"{}\"", directory.string()));
    }
    require_own(home);
}

void make_private_directory(fs::path const& directory, os_user const& user) {
    fs::remove_all(directory);
    if (::mkdir(directory.c_str(), 0700) != 0)
        fail_with_errno(fmt::format("cannot make \"{}\"", directory.string()));
    give_to(directory, user);
}

std::uintmax_t prepare_log(home_layout const& layout, os_user const& user) {
    if (fs::exists(layout.log()) && fs::file_size(layout.log()) > log_bytes_max)
        fs::rename(layout.log(), layout.previous_log());
    open_file(layout.log(), O_WRONLY | O_APPEND | O_CREAT);
    give_to(layout.log(), user);
    return fs::file_size(layout.log());
}

std::string quote_log(home_layout const& layout, std::uintmax_t from) {
    std::error_code none;
    auto const size = fs::file_size(layout.log(), none);
    if (none)
        return {};
    auto const begin = size - from > quoted_bytes_max ? size - quoted_bytes_max : from;
    std::ifstream log(layout.log());
    log.seekg(static_cast<std::streamoff>(begin));
    std::ostringstream text;
    text << log.rdbuf();
    return fmt::format(". The end of \"{}\":{}", layout.log().string(), last_lines(text.str()));
}

std::optional<descriptor> take_server_lock(home_layout const& layout) {
    auto file = open_file(layout.server_lock(), O_RDWR | O_CREAT);
    if (::flock(file.number(), LOCK_EX | LOCK_NB) == 0)
        return std::optional<descriptor>(std::move(file));
    if (errno != EWOULDBLOCK && errno != EINTR)
        fail_with_errno(fmt::format("cannot lock \"{}\"", layout.server_lock().string()));
    return std::nullopt;
}

home_lock::home_lock(fs::path const& file, std::chrono::seconds wait_max)
    : file_(open_file(file, O_RDWR | O_CREAT)) {
    auto const until = std::chrono::steady_clock::now() + wait_max;
    while (::flock(file_.number(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            fail_with_errno(fmt::format("cannot lock \"{}\"", file.string()));
        if (std::chrono::steady_clock::now() >= until)
            fail_for_now(fmt::format(
                "another process has held \"{}\" for {} s, to make, start or stop the server: its id is in "
                "that file ({})",
                file.string(), wait_max.count(), read_all(file_)));
        std::this_thread::sleep_for(poll_interval);
    }
    // For whoever waits in vain.
    if (::ftruncate(file_.number(), 0) != 0)
        fail_with_errno(fmt::format("cannot write \"{}\"", file.string()));
    write_all(file_, std::to_string(::getpid()));
}

}  // namespace opstore::embedded::detail
