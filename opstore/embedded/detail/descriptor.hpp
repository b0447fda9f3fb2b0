#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace opstore::embedded::detail {

/// Throws store_error(unavailable).
[[noreturn]] void fail(std::string const& message);
/// The same, as one that is retryable: what is in the way goes away by itself.
[[noreturn]] void fail_for_now(std::string const& message);
/// The same, followed by what errno says.
[[noreturn]] void fail_with_errno(std::string const& what);

/// An open file of this process that no program it starts inherits by accident.
///
/// Its number lies above those that command::run() hands out, so that none is overwritten before it is used.
class descriptor {
public:
    static constexpr int number_min = 10;

    descriptor() = default;
    /// Takes over `fd` and moves it to number_min or above.
    explicit descriptor(int fd);
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor() { close(); }

    int number() const { return fd_; }
    void close() noexcept;

private:
    int fd_ = -1;
};

/// open(2) with O_CLOEXEC and O_NOFOLLOW: a link in a directory that others may write is not an invitation.
descriptor open_file(std::filesystem::path const& path, int flags, unsigned mode = 0600);

void write_all(descriptor const& file, std::string_view text);

/// What is there to the end of the file or pipe.
std::string read_all(descriptor const& file);

/// Makes what was written to a file, or the names in a directory, survive a power cut.
void sync_to_disk(std::filesystem::path const& path);

}  // namespace opstore::embedded::detail
