#include <opstore/embedded/detail/os_user.hpp>

#include <opstore/embedded/detail/descriptor.hpp>

#include <fmt/format.h>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

namespace opstore::embedded::detail {
namespace {

template <class Key>
std::optional<os_user> look_up(int (*get)(Key, passwd*, char*, std::size_t, passwd**), Key key) {
    std::vector<char> buffer(1024);
    passwd entry{};
    passwd* found = nullptr;
    while (get(key, &entry, buffer.data(), buffer.size(), &found) == ERANGE)
        buffer.resize(2 * buffer.size());
    if (found == nullptr)
        return std::nullopt;
    return os_user{found->pw_name, found->pw_uid, found->pw_gid, found->pw_dir};
}

os_user user_for_new_cluster() {
    char const* const chosen = std::getenv("OPSTORE_SERVER_USER");
    if (chosen != nullptr && *chosen != '\0') {
        auto const user = find_user(std::string(chosen));
        if (!user)
            fail(
                fmt::format("OPSTORE_SERVER_USER names \"{}\", which is no account of this machine", chosen));
        if (user->is_root())
            fail("OPSTORE_SERVER_USER must not be root: PostgreSQL refuses to run as root");
        return *user;
    }
    for (char const* const name : {"postgres", "nobody"}) {
        if (auto const user = find_user(std::string(name)))
            return *user;
    }
    fail("there is neither a user \"postgres\" nor \"nobody\" to run the server as: set OPSTORE_SERVER_USER");
}

}  // namespace

std::optional<os_user> find_user(std::string const& name) {
    return look_up<char const*>(::getpwnam_r, name.c_str());
}

std::optional<os_user> find_user(uid_t uid) {
    return look_up<uid_t>(::getpwuid_r, uid);
}

os_user current_user() {
    auto const uid = ::geteuid();
    if (auto const user = find_user(uid))
        return *user;
    fail(fmt::format(
        "user id {} has no account on this machine (no line in /etc/passwd), which PostgreSQL asks for",
        uid));
}

os_user choose_server_user(std::filesystem::path const& data_directory) {
    auto const caller = current_user();
    struct stat info {};
    if (::stat(data_directory.c_str(), &info) != 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            fail_with_errno(
                fmt::format("cannot look at \"{}\" as user {}", data_directory.string(), caller.name));
        return caller.is_root() ? user_for_new_cluster() : caller;
    }
    auto const owner = find_user(info.st_uid);
    if (!owner)
        fail(fmt::format("\"{}\" belongs to user id {}, which has no account on this machine",
                         data_directory.string(), info.st_uid));
    if (owner->is_root())
        fail(fmt::format(
            "\"{}\" belongs to root, and PostgreSQL refuses to run as root: give it to another user "
            "(chown -R) or set OPSTORE_HOME",
            data_directory.string()));
    if (!caller.is_root() && caller.uid != owner->uid)
        fail(fmt::format("\"{}\" belongs to user {}, not to {}: run as {} or as root, or set OPSTORE_HOME",
                         data_directory.string(), owner->name, caller.name, owner->name));
    return *owner;
}

}  // namespace opstore::embedded::detail
