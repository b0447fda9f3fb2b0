#include <opstore/tool/text_table.hpp>

#include <algorithm>

namespace opstore::tool {
namespace {

/// Characters, not bytes; wide characters are not worth a table of widths here.
std::size_t width_of(std::string const& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

void text_table::print(output& out, std::string_view indent) const {
    std::vector<std::size_t> widths(columns_.size(), 0);
    for (auto const& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], width_of(row[i]));
    }
    for (auto const& row : rows_) {
        std::string line(indent);
        for (std::size_t i = 0; i < row.size(); ++i) {
            std::string const padding(widths[i] - width_of(row[i]), ' ');
            line += columns_[i] == align::right ? padding + row[i] : row[i] + padding;
            line += "  ";
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out.write(line + "\n");
    }
}

}  // namespace opstore::tool
