#include <opstore/embedded/detail/socket_directory.hpp>

#include <opstore/embedded/detail/descriptor.hpp>
#include <opstore/embedded/detail/server_settings.hpp>

#include <fmt/format.h>
#include <sodium.h>

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <vector>

namespace opstore::embedded::detail {
namespace fs = std::filesystem;
namespace {

constexpr unsigned private_mode = 0700;
constexpr unsigned others_bits = 0077;

/// Enough of a hash to tell the homes of one machine apart.
std::string short_name(fs::path const& home) {
    if (::sodium_init() < 0)
        fail("libsodium cannot be initialised");
    std::array<unsigned char, crypto_generichash_BYTES_MIN> hash;
    auto const text = home.string();
    ::crypto_generichash(hash.data(), hash.size(), reinterpret_cast<unsigned char const*>(text.data()),
                         text.size(), nullptr, 0);
    std::string name;
    for (std::size_t i = 0; i < 6; ++i)
        name += fmt::format("{:02x}", hash[i]);
    return name;
}

/// PostgreSQL and libpq read some characters of a socket directory as syntax (comma, quotes, @).
bool has_plain_characters(std::string const& path) {
    return path.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") ==
           std::string::npos;
}

bool is_usable(fs::path const& directory) {
    std::error_code none;
    auto const parent = directory.parent_path();
    return parent.is_absolute() && has_plain_characters(directory.string()) &&
           socket_file(directory).string().size() < sizeof(sockaddr_un::sun_path) &&
           fs::is_directory(parent, none) && ::access(parent.c_str(), W_OK | X_OK) == 0;
}

}  // namespace

fs::path choose_socket_directory(fs::path const& home, os_user const& server_user) {
    auto const name = short_name(home);
    std::vector<fs::path> candidates;
    if (::geteuid() == 0)
        candidates.push_back("/run/opstore-" + name);
    else if (char const* const runtime = std::getenv("XDG_RUNTIME_DIR"))
        candidates.push_back(fs::path(runtime) / ("opstore-" + name));
    candidates.push_back(fmt::format("/tmp/opstore-{}-{}", server_user.uid, name));
    for (auto const& candidate : candidates) {
        if (is_usable(candidate))
            return candidate;
    }
    fail(fmt::format("the server has no place for its socket: \"{}\" cannot be made",
                     candidates.back().string()));
}

bool is_private_directory(fs::path const& directory, os_user const& server_user) {
    struct stat info {};
    if (::lstat(directory.c_str(), &info) != 0) {
        if (errno == ENOENT)
            return false;
        fail_with_errno(fmt::format("cannot look at the socket directory \"{}\"", directory.string()));
    }
    std::string wrong;
    if (!S_ISDIR(info.st_mode))
        wrong = "is not a directory";
    else if (info.st_uid != server_user.uid)
        wrong = fmt::format("belongs to user id {}, not to {}", info.st_uid, server_user.name);
    else if ((info.st_mode & others_bits) != 0)
        wrong = fmt::format("has mode {:o} instead of {:o}", info.st_mode & 07777, private_mode);
    if (wrong.empty())
        return true;
    fail(
        fmt::format("the socket directory \"{}\" {}; somebody else may have made it to pose as the server. "
                    "Remove it, then try again",
                    directory.string(), wrong));
}

void claim_private_directory(fs::path const& directory, os_user const& server_user) {
    if (::mkdir(directory.c_str(), private_mode) != 0 && errno != EEXIST)
        fail_with_errno(fmt::format("cannot make the socket directory \"{}\"", directory.string()));
    // One that root owns is ours: just made, or left by a process that ended before it came to the next line.
    struct stat info {};
    if (::geteuid() == 0 && ::lstat(directory.c_str(), &info) == 0 && S_ISDIR(info.st_mode) &&
        info.st_uid == 0 && ::lchown(directory.c_str(), server_user.uid, server_user.gid) != 0)
        fail_with_errno(fmt::format("cannot give \"{}\" to {}", directory.string(), server_user.name));
    is_private_directory(directory, server_user);
}

fs::path socket_file(fs::path const& directory) {
    return directory / fmt::format(".s.PGSQL.{}", port);
}

}  // namespace opstore::embedded::detail
