#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace opstore::tool {

/// Reads a file or standard input line by line, in bounded memory, and knows whether a line is there without
/// waiting: whoever sends a few lines and waits for an answer must get one.
class line_reader {
public:
    struct line {
        std::uint64_t number = 0;  ///< From 0; every line counts, empty ones too.
        std::string text;          ///< Without the line break. Empty if too_long.
        bool too_long = false;     ///< More than the limit; its text was skipped, not held.

        line() = default;
    };

    /// `path` "-" is standard input. Throws command_failure if it cannot be opened, or is a directory.
    explicit line_reader(std::string const& path);
    ~line_reader();

    line_reader(line_reader const&) = delete;
    line_reader& operator=(line_reader const&) = delete;

    /// From now on a longer line is too_long. To be called before anything is read.
    void limit_lines(std::size_t line_bytes_max) { line_bytes_max_ = line_bytes_max; }

    /// Whether next() would answer at once.
    bool ready();
    /// The next line, the last one with or without a line break; none at the end, or once a process that
    /// watches interrupts (interrupt.hpp) was asked to end. Throws command_failure if reading fails.
    std::optional<line> next();

private:
    bool has_line();
    void fill();

    std::string const path_;
    std::size_t line_bytes_max_ = 0;
    int fd_;
    std::string buffer_;
    std::size_t begin_ = 0;    ///< Of what is unread in buffer_.
    std::size_t scanned_ = 0;  ///< From begin_ up to here there is no line break.
    std::uint64_t number_ = 0;
    bool skipping_ = false;
    bool ended_ = false;
};

}  // namespace opstore::tool
