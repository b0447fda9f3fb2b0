#include <opstore/tool/printable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace opstore::tool {
namespace {

constexpr std::size_t preview_columns = 88;
constexpr std::size_t preview_bytes_max = 4096;
constexpr std::size_t hex_bytes_shown = 32;
constexpr std::string_view replacement = "\xef\xbf\xbd";

std::uint8_t byte_at(std::string_view text, std::size_t at) {
    return at < text.size() ? static_cast<std::uint8_t>(text[at]) : 0;
}

bool is_continuation(std::uint8_t byte) {
    return (byte & 0xc0) == 0x80;
}

/// Length of the well-formed character at `at`, or 0. Precondition: at < text.size().
std::size_t character_length(std::string_view text, std::size_t at) {
    std::uint8_t const first = byte_at(text, at);
    std::uint8_t const second = byte_at(text, at + 1);
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4 || !is_continuation(second))
        return 0;
    if (first < 0xe0)
        return 2;
    if (!is_continuation(byte_at(text, at + 2)))
        return 0;
    if (first < 0xf0)
        return (first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0) ? 0 : 3;
    if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90))
        return 0;
    return is_continuation(byte_at(text, at + 3)) ? 4 : 0;
}

/// C0, DEL, C1 (U+0080 to U+009F): all that a terminal takes for a command.
bool is_control(std::string_view character) {
    auto const first = byte_at(character, 0);
    return first < 0x20 || first == 0x7f || (first == 0xc2 && byte_at(character, 1) < 0xa0);
}

bool looks_like_text(std::string_view bytes) {
    return std::none_of(bytes.begin(), bytes.end(), [](char c) {
        return static_cast<std::uint8_t>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r';
    });
}

std::string cut_to_columns(std::string line, std::size_t columns) {
    std::size_t characters = 0;
    for (std::size_t at = 0; at < line.size(); at += std::max<std::size_t>(1, character_length(line, at))) {
        if (++characters == columns)
            return line.substr(0, at) + "…";
    }
    return line;
}

std::string hex_preview(std::string_view bytes, std::string_view indent) {
    std::string hex;
    for (char const c : bytes.substr(0, hex_bytes_shown))
        hex += fmt::format("{:02x}", static_cast<std::uint8_t>(c));
    return fmt::format("{}0x{}{}\n", indent, hex, bytes.size() > hex_bytes_shown ? "…" : "");
}

}  // namespace

bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        auto const length = character_length(text, at);
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

std::string as_utf8(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        auto const length = character_length(text, at);
        out += length == 0 ? replacement : text.substr(at, length);
        at += std::max<std::size_t>(1, length);
    }
    return out;
}

std::string printable_line(std::string_view text) {
    auto const utf8 = as_utf8(text);
    std::string out;
    bool gap = false;
    for (std::size_t at = 0; at < utf8.size();) {
        auto const character = std::string_view(utf8).substr(at, character_length(utf8, at));
        at += character.size();
        if (is_control(character)) {
            gap = true;
            continue;
        }
        if (gap && !out.empty())
            out += ' ';
        gap = false;
        out += character;
    }
    return out;
}

std::string preview(std::span<const std::byte> payload, std::string_view indent, std::size_t lines_max) {
    std::string_view const all(reinterpret_cast<char const*>(payload.data()), payload.size());
    auto const head = all.substr(0, preview_bytes_max);
    if (all.empty())
        return fmt::format("{}(nothing)\n", indent);
    if (!looks_like_text(head))
        return hex_preview(all, indent);
    std::string out;
    std::size_t at = 0;
    for (std::size_t line = 0; line < lines_max && at < head.size(); ++line) {
        auto const end = std::min(head.find('\n', at), head.size());
        auto const shown = cut_to_columns(printable_line(head.substr(at, end - at)), preview_columns);
        out.append(shown.empty() ? "" : indent).append(shown).append("\n");
        at = end + 1;
    }
    if (at < all.size())
        out.append(indent).append("…\n");
    return out;
}

std::string human_bytes(std::uint64_t bytes) {
    constexpr std::array<char const*, 5> units = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < 1024)
        return fmt::format("{} B", bytes);
    double value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    for (; value >= 1023.95 && unit + 1 < units.size(); ++unit)
        value /= 1024;
    return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string human_count(std::uint64_t count) {
    std::string digits = fmt::format("{}", count);
    for (std::size_t at = digits.size(); at > 3; at -= 3)
        digits.insert(at - 3, " ");
    return digits;
}

}  // namespace opstore::tool
