#include <opstore/utf8.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>

namespace opstore {

bool is_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        auto const lead = static_cast<unsigned char>(text[i]);
        std::size_t const length = lead < 0x80       ? 1
                                   : lead >> 5 == 6  ? 2
                                   : lead >> 4 == 14 ? 3
                                   : lead >> 3 == 30 ? 4
                                                     : 0;
        if (length == 0 || i + length > text.size())
            return false;
        std::uint32_t point = length == 1 ? lead : lead & (0x7fu >> length);
        for (std::size_t k = 1; k < length; ++k) {
            auto const next = static_cast<unsigned char>(text[i + k]);
            if (next >> 6 != 2)
                return false;
            point = point << 6 | (next & 0x3f);
        }
        constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
            return false;
        i += length;
    }
    return true;
}

std::string printable(std::string_view text) {
    bool const utf8 = is_utf8(text);
    std::string shown;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if ((byte >= 0x80 && utf8) || (byte >= 0x20 && byte < 0x7f))
            shown.push_back(c);
        else
            shown += fmt::format("\\x{:02x}", byte);
    }
    return shown;
}

}  // namespace opstore
