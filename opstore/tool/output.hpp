#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace opstore::tool {

/// Whoever read our output went away, as `head` does; the run ends without a word.
class reader_gone : public std::runtime_error {
public:
    reader_gone() : std::runtime_error("nobody reads the output any more") {}
};

/// Standard output, buffered, where nothing is lost silently: a full disk is an error of the run.
///
/// Whatever was written counts only once flush() returned; nothing is flushed on destruction, so that a run
/// which fails leaves no half document behind that fits the buffer.
class output {
public:
    /// Throws reader_gone, or tool_error when the bytes cannot be written.
    void write(std::string_view text);
    void flush();

private:
    static constexpr std::size_t buffer_bytes_max = 1u << 16;

    std::string buffer_;
};

}  // namespace opstore::tool
