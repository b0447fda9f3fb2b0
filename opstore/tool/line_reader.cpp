#include <opstore/tool/line_reader.hpp>

#include <opstore/tool/exit_code.hpp>
#include <opstore/tool/interrupt.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace opstore::tool {
namespace {

constexpr std::size_t read_bytes = 256u << 10;

command_failure cannot(char const* what, std::string const& path) {
    auto const name = path == "-" ? std::string("standard input") : path;
    return command_failure(exit_code::failure,
                           fmt::format("cannot {} {}: {}", what, name, std::strerror(errno)));
}

}  // namespace

line_reader::line_reader(std::string const& path)
    : path_(path), fd_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0)
        throw cannot("open", path);
    struct stat info {};
    if (::fstat(fd_, &info) == 0 && S_ISDIR(info.st_mode)) {
        if (fd_ != STDIN_FILENO)
            ::close(fd_);
        errno = EISDIR;
        throw cannot("read", path);
    }
}

line_reader::~line_reader() {
    if (fd_ != STDIN_FILENO)
        ::close(fd_);
}

bool line_reader::ready() {
    while (!has_line() && !ended_) {
        pollfd input{fd_, POLLIN, 0};
        if (::poll(&input, 1, 0) <= 0)
            return false;
        fill();
    }
    return true;
}

std::optional<line_reader::line> line_reader::next() {
    while (!has_line() && !ended_) {
        if (interrupted())
            return std::nullopt;
        fill();
    }
    auto const end = std::min(buffer_.find('\n', scanned_), buffer_.size());
    if (interrupted() || (end == buffer_.size() && begin_ == end && !skipping_))
        return std::nullopt;
    line result;
    result.number = number_++;
    result.too_long = std::exchange(skipping_, false) || end - begin_ > line_bytes_max_;
    if (!result.too_long)
        result.text.assign(buffer_, begin_, end - begin_);
    if (result.text.ends_with('\r'))
        result.text.pop_back();
    begin_ = scanned_ = std::min(end + 1, buffer_.size());
    return result;
}

bool line_reader::has_line() {
    scanned_ = std::min(buffer_.find('\n', scanned_), buffer_.size());
    return scanned_ < buffer_.size();
}

/// Reads what there is; waits only if there is nothing. Of a line that is too long nothing is kept.
void line_reader::fill() {
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
    auto const size = buffer_.size();
    buffer_.resize(size + read_bytes);
    ssize_t const got = ::read(fd_, buffer_.data() + size, read_bytes);
    buffer_.resize(size + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got < 0 && errno != EINTR)
        throw cannot("read", path_);
    ended_ = got == 0;
    if (!has_line() && (skipping_ || buffer_.size() > line_bytes_max_)) {
        skipping_ = true;
        buffer_.clear();
        scanned_ = 0;
    }
}

}  // namespace opstore::tool
