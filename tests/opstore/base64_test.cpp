// Goal: both alphabets write and read exactly RFC 4648, and reading is strict. Method: the RFC's vectors,
// kitsune2's golden values, and each way in which a text can be almost right.
#include <opstore/base64.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>

namespace opstore {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

std::string decoded(std::string_view text, base64_form form) {
    auto const bytes = from_base64(text, form);
    if (!bytes) {
        return "none";
    }
    return {reinterpret_cast<char const*>(bytes->data()), bytes->size()};
}

constexpr auto standard = base64_form::standard;
constexpr auto url = base64_form::url_unpadded;

}  // namespace

TEST_CASE("base64: the vectors of RFC 4648") {
    struct vector {
        std::string_view plain, padded, unpadded;
    };
    for (auto const& v : std::array<vector, 7>{{{"", "", ""},
                                                {"f", "Zg==", "Zg"},
                                                {"fo", "Zm8=", "Zm8"},
                                                {"foo", "Zm9v", "Zm9v"},
                                                {"foob", "Zm9vYg==", "Zm9vYg"},
                                                {"fooba", "Zm9vYmE=", "Zm9vYmE"},
                                                {"foobar", "Zm9vYmFy", "Zm9vYmFy"}}}) {
        CHECK(to_base64(bytes_of(v.plain), standard) == v.padded);
        CHECK(to_base64(bytes_of(v.plain), url) == v.unpadded);
        CHECK(decoded(v.padded, standard) == v.plain);
        CHECK(decoded(v.unpadded, url) == v.plain);
    }
}

TEST_CASE("base64: kitsune2's texts") {
    CHECK(to_base64(bytes_of("test-hash-1"), url) == "dGVzdC1oYXNoLTE");
    CHECK(to_base64(bytes_of("s"), url) == "cw");
    CHECK(to_base64(bytes_of("\xff\xff\xff\xff\xff\xff\xff"), url) == "_________w");
    CHECK(to_base64(bytes_of("\xff\xff\xff\xff\xff\xff\xff"), standard) == "/////////w==");
}

TEST_CASE("base64: every byte value at every length comes back") {
    std::string text;
    for (int i = 0; i < 300; ++i) {
        for (auto form : {standard, url}) {
            CHECK(decoded(to_base64(bytes_of(text), form), form) == text);
        }
        text.push_back(static_cast<char>(i * 7));
    }
}

TEST_CASE("base64: reading is strict") {
    for (auto text : {"Zg", "Zg=", "Zg===", "Zm8", "Zm9vYg=", "=", "====", "Z",
                      "Zh==", "Zm9=", "Zm 8=", "Zm8=\n", " Zm8=", "Zm8=Zm8=", "Zm-_", "Zm8!", "Zg==Z"}) {
        CAPTURE(std::string_view(text));
        CHECK(decoded(text, standard) == "none");
    }
    for (auto text : {"Zg==", "Zm8=", "Z", "Zh", "Zm9", "Zm+/", "Zm 8", "Zm8\n", "Zm9vZ"}) {
        CAPTURE(std::string_view(text));
        CHECK(decoded(text, url) == "none");
    }
    CHECK(decoded(std::string_view("Zm9v\0Zm9v", 9), url) == "none");
}

}  // namespace opstore
