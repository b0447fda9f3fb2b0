#include <opstore/embedded/detail/descriptor.hpp>

#include <opstore/errors.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace opstore::embedded::detail {

void fail(std::string const& message) {
    store_error::facts facts;
    facts.code = errc::unavailable;
    throw store_error(message, std::move(facts));
}

void fail_for_now(std::string const& message) {
    store_error::facts facts;
    facts.code = errc::unavailable;
    facts.retryable = true;
    throw store_error(message, std::move(facts));
}

void fail_with_errno(std::string const& what) {
    fail(fmt::format("{}: {}", what, std::generic_category().message(errno)));
}

descriptor::descriptor(int fd) {
    fd_ = ::fcntl(fd, F_DUPFD_CLOEXEC, number_min);
    auto const saved = errno;
    ::close(fd);
    if (fd_ < 0) {
        errno = saved;
        fail_with_errno("cannot keep a file open");
    }
}

void descriptor::close() noexcept {
    if (fd_ >= 0)
        ::close(std::exchange(fd_, -1));
}

descriptor open_file(std::filesystem::path const& path, int flags, unsigned mode) {
    int const fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        fail_with_errno(fmt::format("cannot open \"{}\"", path.string()));
    return descriptor(fd);
}

void write_all(descriptor const& file, std::string_view text) {
    while (!text.empty()) {
        auto const written = ::write(file.number(), text.data(), text.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            fail_with_errno("cannot write");
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::string read_all(descriptor const& file) {
    std::string text;
    std::array<char, 4096> chunk;
    for (;;) {
        auto const count = ::read(file.number(), chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            fail_with_errno("cannot read");
        if (count == 0)
            return text;
        text.append(chunk.data(), static_cast<std::size_t>(count));
    }
}

void sync_to_disk(std::filesystem::path const& path) {
    auto const file = open_file(path, O_RDONLY);
    if (::fsync(file.number()) != 0)
        fail_with_errno(fmt::format("cannot write \"{}\" to the disk", path.string()));
}

}  // namespace opstore::embedded::detail
