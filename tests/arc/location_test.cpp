// Goal: ids lie where kitsune2 puts them.
// Method: the locations its own tests assert, then random ids against a fold of whole zero-filled groups.

#include <arc/location.hpp>

#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <limits>
#include <string_view>
#include <vector>

namespace opstore::arc {
namespace {

constexpr std::uint32_t u32_max = std::numeric_limits<std::uint32_t>::max();

std::uint32_t fold_text(std::string_view text) {
    return fold_location(std::as_bytes(std::span(text))).value;
}

std::uint32_t fold_bytes(std::initializer_list<unsigned char> bytes) {
    return fold_location(std::as_bytes(std::span(bytes.begin(), bytes.size()))).value;
}

std::uint32_t fold_repeated(unsigned char byte, std::size_t count) {
    std::vector<std::byte> const bytes(count, std::byte{byte});
    return fold_location(bytes).value;
}

std::uint32_t little_endian(std::span<const std::byte> group) {
    std::uint32_t value = 0;
    for (std::size_t i = group.size(); i > 0; --i) {
        value = value * 256 + std::to_integer<std::uint32_t>(group[i - 1]);
    }
    return value;
}

TEST_CASE("fold_location gives kitsune2's locations") {
    CHECK(fold_location({}).value == 0);
    CHECK(fold_text("hello") == 1819043079);
    CHECK(fold_text("1") == 49);
    CHECK(fold_text("asntoheunatoheuntahoeusth") == 454101873);
    CHECK(fold_repeated(0xff, 6) == 4294901760);
    CHECK(fold_bytes({1, 2, 3, 230, 44, 77, 99, 82}) == 3026210605);
    CHECK(fold_bytes({42, 0, 0, 0, 99, 0, 0, 0}) == 73);
    CHECK(fold_bytes({1, 2, 3}) == 197121);
    CHECK(fold_repeated(0x07, 32) == 0);
    CHECK(fold_repeated(0xff, 32) == 0);

    std::vector<std::byte> counting;
    for (unsigned i = 0; i < 32; ++i) {
        counting.push_back(static_cast<std::byte>(i));
    }
    CHECK(fold_location(counting).value == 0);
}

TEST_CASE("four bytes are their own location, little-endian") {
    for (std::uint32_t const value : {0u, 42u, 999u, u32_max / 13, u32_max / 4, u32_max}) {
        std::vector<std::byte> id;
        for (int shift = 0; shift < 32; shift += 8) {
            id.push_back(static_cast<std::byte>(value >> shift & 0xff));
        }
        CHECK(fold_location(id) == location{value});
    }
}

TEST_CASE("fold_location is the XOR of zero-filled groups, at every length") {
    constexpr std::uint64_t seed = 0x10ca7e;
    INFO("seed ", seed);
    testing::random_source random(seed);
    for (std::size_t length = 0; length <= 70; ++length) {
        auto id = random.bytes(length);
        auto const folded = fold_location(id);
        id.resize((length + 3) / 4 * 4);
        std::uint32_t expected = 0;
        for (std::size_t at = 0; at < id.size(); at += 4) {
            expected ^= little_endian(std::span(id).subspan(at, 4));
        }
        CAPTURE(length);
        CHECK(folded.value == expected);
    }
}

}  // namespace
}  // namespace opstore::arc
