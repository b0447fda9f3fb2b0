#pragma once

#include <string>
#include <string_view>

namespace opstore {

/// Whether every byte belongs to a well-formed sequence of UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);

/// For a terminal or a JSON document: control characters, and every byte from 0x80 on unless the text is
/// UTF-8, as \xNN.
std::string printable(std::string_view text);

}  // namespace opstore
