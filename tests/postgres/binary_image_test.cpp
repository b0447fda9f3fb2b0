// Goal: bytes that the server writes as hex arrive as they were, and what is no hex is refused, wherever in
// the text it stands. Method: random bytes of every length around the blocks in which they are read, in one
// piece and in random pieces, beside digits written one by one; then each possible character at each place.
#include <opstore/postgres/detail/binary_image.hpp>

#include <opstore/errors.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace opstore::testing {
namespace {

using postgres::detail::bytea_from_text;
using postgres::detail::bytea_reader;

constexpr std::string_view digits = "0123456789abcdef";

std::string text_of(std::vector<std::byte> const& bytes) {
    std::string text = "\\x";
    for (auto const byte : bytes) {
        text.push_back(digits[std::to_integer<std::size_t>(byte) / 16]);
        text.push_back(digits[std::to_integer<std::size_t>(byte) % 16]);
    }
    return text;
}

}  // namespace

TEST_CASE("bytea: text is read back, at once and in pieces") {
    random_source random(7);
    for (std::size_t length = 0; length < 100; ++length) {
        auto const bytes = random.bytes(length);
        auto const text = text_of(bytes);
        CHECK(bytea_from_text(text) == bytes);

        std::vector<std::byte> pieces(length);
        bytea_reader reader(text);
        for (std::size_t at = 0; at < length;) {
            REQUIRE(reader.remaining() == length - at);
            auto const piece = std::min<std::size_t>(random.below(40), length - at);
            reader.read(std::span(pieces).subspan(at, piece));
            at += piece;
        }
        CHECK(reader.remaining() == 0);
        CHECK(pieces == bytes);
    }
}

TEST_CASE("bytea: every character that is no digit is refused, at every place") {
    auto const good = text_of(std::vector<std::byte>(27));
    for (std::size_t place = 2; place < good.size(); ++place) {
        for (int value = 0; value < 256; ++value) {
            auto text = good;
            text[place] = static_cast<char>(value);
            if (digits.find(text[place]) != std::string_view::npos) {
                CHECK_NOTHROW(bytea_from_text(text));
            } else {
                CHECK_THROWS_AS(bytea_from_text(text), store_error);
            }
        }
    }
}

TEST_CASE("bytea: what is no hex output is refused") {
    for (char const* text : {"", "\\", "x", "00", "\\x0", "\\000", "\\y00", "\\x000"}) {
        INFO(text);
        CHECK_THROWS_AS(bytea_from_text(text), store_error);
    }
    CHECK(bytea_from_text("\\x").empty());
}

}  // namespace opstore::testing
