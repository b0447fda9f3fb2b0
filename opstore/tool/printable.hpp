#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace opstore::tool {

// Ops and names come from strangers: nothing of theirs may steer a terminal or break a line-based reader.

/// Whether it is well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

/// The text as UTF-8: each byte that is not part of a well-formed character becomes U+FFFD.
std::string as_utf8(std::string_view text);

/// The text as one line without control characters: each run of them becomes a space.
std::string printable_line(std::string_view text);

/// What a person can recognise an op by: up to `lines_max` lines of it if it is text, else hex of its first
/// bytes. Each line starts with `indent`, ends with a line break, and is cut to fit a terminal.
std::string preview(std::span<const std::byte> payload, std::string_view indent, std::size_t lines_max);

/// "1234", "1.2 KiB", "3.4 MiB".
std::string human_bytes(std::uint64_t bytes);

/// "1 234 567".
std::string human_count(std::uint64_t count);

}  // namespace opstore::tool
