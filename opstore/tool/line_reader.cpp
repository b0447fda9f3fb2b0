#include <opstore/tool/line_reader.hpp>

#include <opstore/tool/exit_code.hpp>
#include <opstore/tool/interrupt.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

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

line_reader::line_reader(std::string const& path, std::size_t line_bytes_max)
    : path_(path),
      line_bytes_max_(line_bytes_max),
      fd_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0)
        throw cannot("open", path);
    watch_interrupts();
}

line_reader::~line_reader() {
    if (fd_ != STDIN_FILENO)
        ::close(fd_);
}

bool line_reader::ready() {
    if (ended_ || buffer_.find('\n', scanned_) != std::string::npos)
        return true;
    // A pipe that is readable has at least a part of a line; its rest follows soon, or never.
    pollfd input{fd_, POLLIN, 0};
    return ::poll(&input, 1, 0) > 0;
}

std::optional<line_reader::line> line_reader::next() {
    line result;
    for (;;) {
        if (interrupted())
            return std::nullopt;
        if (take_line(result))
            return result;
        if (ended_) {
            if (begin_ == buffer_.size() && !skipping_)
                return std::nullopt;
            result.text = buffer_.substr(begin_);
            result.too_long = std::exchange(skipping_, false);
            result.number = number_++;
            begin_ = scanned_ = buffer_.size();
            return result;
        }
        ended_ = !fill();
    }
}

/// Takes a whole line out of the buffer, if there is one.
bool line_reader::take_line(line& out) {
    auto const end = buffer_.find('\n', scanned_);
    if (end == std::string::npos) {
        scanned_ = buffer_.size();
        if (skipping_ || buffer_.size() - begin_ > line_bytes_max_) {
            skipping_ = true;
            buffer_.clear();
            begin_ = scanned_ = 0;
        }
        return false;
    }
    out.too_long = std::exchange(skipping_, false) || end - begin_ > line_bytes_max_;
    if (!out.too_long)
        out.text.assign(buffer_, begin_, end - begin_);
    if (!out.text.empty() && out.text.back() == '\r')
        out.text.pop_back();
    out.number = number_++;
    begin_ = scanned_ = end + 1;
    return true;
}

/// Reads more; false at the end.
bool line_reader::fill() {
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
    auto const size = buffer_.size();
    buffer_.resize(size + read_bytes);
    ssize_t const got = ::read(fd_, buffer_.data() + size, read_bytes);
    buffer_.resize(size + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got < 0 && errno != EINTR)
        throw cannot("read", path_);
    return got != 0;
}

}  // namespace opstore::tool
