#include <opstore/tool/diagnostics.hpp>

#include <opstore/tool/printable.hpp>

#include <iostream>

namespace opstore::tool {

void complain(std::string_view text) {
    std::cerr << "opstore: " + printable_line(text) + "\n" << std::flush;
}

}  // namespace opstore::tool
