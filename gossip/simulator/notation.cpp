#include <gossip/simulator/plan.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace opstore::simulator {
namespace {

constexpr std::uint64_t millionths = 1'000'000;

/// A decimal number in millionths, and what follows it.
struct decimal {
    std::uint64_t millionths = 0;
    std::string_view rest;
};

/// At most 12 digits before the point and 6 behind it.
std::optional<decimal> parse_decimal(std::string_view text) {
    auto const digits = [](std::string_view of) {
        auto const end = std::ranges::find_if(of, [](char c) { return c < '0' || c > '9'; });
        return static_cast<std::size_t>(end - of.begin());
    };
    auto const whole = digits(text);
    if (whole == 0 || whole > 12) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + whole, value);
    decimal result{value * millionths, text.substr(whole)};
    if (result.rest.starts_with('.')) {
        auto const places = digits(result.rest.substr(1));
        if (places == 0 || places > 6) {
            return std::nullopt;
        }
        std::uint64_t unit = millionths;
        for (std::size_t i = 1; i <= places; ++i) {
            unit /= 10;
            result.millionths += static_cast<std::uint64_t>(result.rest[i] - '0') * unit;
        }
        result.rest.remove_prefix(places + 1);
    }
    return result;
}

/// Descending, so that the first that divides a duration is the shortest way to write it.
constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> duration_units{{
    {"d", 86'400'000'000},
    {"h", 3'600'000'000},
    {"m", 60'000'000},
    {"s", 1'000'000},
    {"ms", 1'000},
    {"us", 1},
}};

}  // namespace

std::optional<share> parse_share(std::string_view text) {
    auto const number = parse_decimal(text);
    if (!number || (!number->rest.empty() && number->rest != "%")) {
        return std::nullopt;
    }
    bool const fraction = number->rest.empty() && number->millionths < millionths;
    auto const ppm = fraction ? number->millionths : number->millionths / 100;
    if (ppm > share::whole) {
        return std::nullopt;
    }
    return share{static_cast<std::uint32_t>(ppm)};
}

std::string to_string(share s) {
    auto text = fmt::format("{}.{:04}", s.ppm / 10'000, s.ppm % 10'000);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) {
        text.pop_back();
    }
    return text + '%';
}

std::optional<microseconds> parse_duration(std::string_view text, microseconds unit) {
    auto const number = parse_decimal(text);
    if (!number) {
        return std::nullopt;
    }
    std::int64_t micros = unit.count();
    if (!number->rest.empty()) {
        auto const at =
            std::ranges::find(duration_units, number->rest, [](auto const& u) { return u.first; });
        if (at == duration_units.end()) {
            return std::nullopt;
        }
        micros = at->second;
    }
    constexpr microseconds longest = std::chrono::hours(24 * 365 * 50);
    auto const whole = static_cast<std::int64_t>(number->millionths / millionths);
    auto const fraction = static_cast<std::int64_t>(number->millionths % millionths);
    if (whole >= longest.count() / micros) {
        return std::nullopt;
    }
    return microseconds(whole * micros + fraction * micros / static_cast<std::int64_t>(millionths));
}

std::string to_string(microseconds duration) {
    for (auto const& [name, micros] : duration_units) {
        if (duration.count() != 0 && duration.count() % micros == 0) {
            return fmt::format("{}{}", duration.count() / micros, name);
        }
    }
    return "0s";
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
    constexpr std::string_view suffixes = "KMG";
    int shift = 0;
    if (!text.empty()) {
        if (auto const at = suffixes.find(text.back()); at != std::string_view::npos) {
            shift = static_cast<int>(at + 1) * 10;
            text.remove_suffix(1);
        }
    }
    auto const number = parse_number(text);
    if (!number || *number > std::numeric_limits<std::uint32_t>::max()) {
        return std::nullopt;
    }
    return *number << shift;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

}  // namespace opstore::simulator
