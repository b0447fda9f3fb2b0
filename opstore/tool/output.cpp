#include <opstore/tool/output.hpp>

#include <opstore/tool/exit_code.hpp>

#include <cerrno>

#include <unistd.h>

namespace opstore::tool {

void output::write(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= buffer_bytes_max)
        flush();
}

void output::flush() {
    std::string_view left = buffer_;
    while (!left.empty()) {
        auto const written = ::write(STDOUT_FILENO, left.data(), left.size());
        if (written >= 0)
            left.remove_prefix(static_cast<std::size_t>(written));
        else if (errno == EPIPE)
            throw reader_gone();
        else if (errno != EINTR)
            throw system_failure("cannot write to standard output", errno);
    }
    buffer_.clear();
}

}  // namespace opstore::tool
