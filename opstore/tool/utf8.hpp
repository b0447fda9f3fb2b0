#pragma once

#include <string_view>

namespace opstore::tool {

/// Whether every byte belongs to a well-formed sequence of UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);

}  // namespace opstore::tool
