#include <opstore/tool/peer_identity.hpp>

#include <opstore/tool/exit_code.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace opstore::tool {
namespace {

using seed = std::array<std::byte, 32>;

class open_file {
public:
    open_file(std::string const& path, int flags)
        : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
    ~open_file() {
        if (descriptor_ >= 0)
            ::close(descriptor_);
    }
    open_file(open_file const&) = delete;
    open_file& operator=(open_file const&) = delete;

    int descriptor() const { return descriptor_; }

private:
    int const descriptor_;
};

command_failure failed(std::string const& path, std::string_view why) {
    return command_failure(exit_code::failure, fmt::format("--identity {}: {}", path, why));
}

command_failure failed(std::string const& path) {
    return failed(path, std::strerror(errno));
}

seed draw_seed() {
    seed drawn;
    // Up to 256 bytes come whole.
    if (::getrandom(drawn.data(), drawn.size(), 0) != static_cast<ssize_t>(drawn.size()))
        throw command_failure(exit_code::failure,
                              fmt::format("the system gives no random bytes: {}", std::strerror(errno)));
    return drawn;
}

/// None if there is no such file.
std::optional<seed> read_seed(std::string const& path) {
    open_file const file(path, O_RDONLY);
    if (file.descriptor() < 0 && errno == ENOENT)
        return std::nullopt;
    struct stat facts {};
    if (file.descriptor() < 0 || ::fstat(file.descriptor(), &facts) != 0)
        throw failed(path);
    if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        throw failed(path, "others may read it; chmod 600 it");
    std::array<std::byte, std::tuple_size_v<seed> + 1> bytes;
    auto const count = ::read(file.descriptor(), bytes.data(), bytes.size());
    if (count < 0)
        throw failed(path);
    seed found;
    if (count != static_cast<ssize_t>(found.size()))
        throw failed(path, "a seed has 32 bytes");
    std::memcpy(found.data(), bytes.data(), found.size());
    return found;
}

/// False if another process was quicker.
bool write_seed(std::string const& path, seed const& drawn) {
    // Complete under its name, or not there: another process may read it at any time, and this one may die.
    auto const unfinished = fmt::format("{}.{}", path, ::getpid());
    {
        open_file const file(unfinished, O_WRONLY | O_CREAT | O_EXCL);
        if (file.descriptor() < 0)
            throw failed(path);
        bool const written =
            ::write(file.descriptor(), drawn.data(), drawn.size()) == static_cast<ssize_t>(drawn.size()) &&
            ::fsync(file.descriptor()) == 0;
        if (!written) {
            auto const why = failed(path);
            ::unlink(unfinished.c_str());
            throw why;
        }
    }
    bool const placed = ::link(unfinished.c_str(), path.c_str()) == 0;
    int const error = errno;
    ::unlink(unfinished.c_str());
    errno = error;
    if (!placed && error != EEXIST)
        throw failed(path);
    return placed;
}

}  // namespace

gossip::agent_key open_identity(std::optional<std::string> const& path) {
    if (!path)
        return gossip::make_agent_key(draw_seed());
    for (;;) {
        if (auto const found = read_seed(*path))
            return gossip::make_agent_key(*found);
        auto const drawn = draw_seed();
        if (write_seed(*path, drawn))
            return gossip::make_agent_key(drawn);
    }
}

}  // namespace opstore::tool
