#include <gossip/tcp/shared_secret.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace opstore::gossip {
namespace {

/// Separates this use of the text from any other that hashes it.
constexpr std::string_view purpose = "opstore.tcp.v1 shared secret";

class open_file {
public:
    explicit open_file(std::string const& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
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

}  // namespace

shared_secret::shared_secret(std::string_view text) {
    assert(text.size() >= text_bytes_min && text.size() <= text_bytes_max);
    crypto_generichash(reinterpret_cast<unsigned char*>(key_.data()), key_.size(),
                       reinterpret_cast<unsigned char const*>(text.data()), text.size(),
                       reinterpret_cast<unsigned char const*>(purpose.data()), purpose.size());
}

shared_secret::~shared_secret() {
    sodium_memzero(key_.data(), key_.size());
}

std::variant<shared_secret, std::string> read_shared_secret(std::string const& path) {
    open_file const file(path);
    struct stat facts {};
    if (file.descriptor() < 0 || ::fstat(file.descriptor(), &facts) != 0)
        return fmt::format("{}: {}", path, std::strerror(errno));
    if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return fmt::format("{}: others may read it; chmod 600 it, and take a new secret if they did", path);
    std::string text(shared_secret::text_bytes_max + 2, '\0');
    std::size_t length = 0;
    for (ssize_t got = 1; got > 0 && length < text.size(); length += static_cast<std::size_t>(got)) {
        got = ::read(file.descriptor(), text.data() + length, text.size() - length);
        if (got < 0)
            return fmt::format("{}: {}", path, std::strerror(errno));
    }
    std::string_view const read(text.data(), length);
    auto const used = read.substr(0, read.find_last_not_of(" \t\r\n") + 1);
    if (used.size() < shared_secret::text_bytes_min || used.size() > shared_secret::text_bytes_max) {
        sodium_memzero(text.data(), text.size());
        return fmt::format("{}: a shared secret has {} to {} bytes", path, shared_secret::text_bytes_min,
                           shared_secret::text_bytes_max);
    }
    shared_secret secret(used);
    sodium_memzero(text.data(), text.size());
    return secret;
}

}  // namespace opstore::gossip
