#include <arc/dht_arc.hpp>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace opstore::arc {
namespace {

constexpr std::uint32_t location_max = std::numeric_limits<std::uint32_t>::max();
constexpr std::string_view separator = "..";

std::optional<location> parse_location(std::string_view text) {
    int base = 10;
    if (text.starts_with("0x")) {
        base = 16;
        text.remove_prefix(2);
    }
    location at;
    char const* const end = text.data() + text.size();
    auto const [stop, error] = std::from_chars(text.data(), end, at.value, base);
    if (error != std::errc{} || stop != end) {
        return std::nullopt;
    }
    return at;
}

}  // namespace

std::uint32_t dht_arc::distance(location at) const {
    if (is_empty()) {
        return location_max;
    }
    if (contains(at)) {
        return 0;
    }
    return std::min(start_.value - at.value, at.value - end_.value);
}

std::vector<location_range> dht_arc::pieces() const {
    if (is_empty()) {
        return {};
    }
    if (is_full()) {
        return {{0, location_max}};
    }
    if (start_ <= end_) {
        return {{start_.value, end_.value}};
    }
    return {{0, end_.value}, {start_.value, location_max}};
}

std::string to_string(dht_arc arc) {
    if (arc.is_empty()) {
        return "empty";
    }
    if (arc == dht_arc::full()) {
        return "full";
    }
    std::string text = std::to_string(arc.start().value);
    text += separator;
    text += std::to_string(arc.end().value);
    return text;
}

std::optional<dht_arc> parse_arc(std::string_view text) {
    if (text == "empty") {
        return dht_arc::empty();
    }
    if (text == "full") {
        return dht_arc::full();
    }
    auto const cut = text.find(separator);
    if (cut == std::string_view::npos) {
        return std::nullopt;
    }
    auto const start = parse_location(text.substr(0, cut));
    auto const end = parse_location(text.substr(cut + separator.size()));
    if (!start || !end) {
        return std::nullopt;
    }
    return dht_arc::between(*start, *end);
}

}  // namespace opstore::arc
