#pragma once

#include <string_view>

namespace opstore::tool {

/// One line on standard error, "opstore: " and the text with its line breaks taken out.
void complain(std::string_view text);

}  // namespace opstore::tool
