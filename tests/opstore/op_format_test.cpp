// Goal: the three formats read and write exactly what contract.md says. Method: golden bytes made by another
// implementation (Python's hashlib and cryptography), every length around the envelope, every flipped bit of
// a signed op.
#include <opstore/op_format.hpp>
#include <tests/support/signing_key.hpp>

#include <doctest/doctest.h>
#include <sodium.h>

#include <string>

namespace opstore {
namespace {

constexpr auto created_at = arc::from_micros(1731690797907204);
constexpr std::string_view hello = "hello";

std::span<const std::byte> payload_hello() {
    return std::as_bytes(std::span(hello));
}

std::string hex(std::span<const std::byte> bytes) {
    std::string text(bytes.size() * 2 + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), reinterpret_cast<unsigned char const*>(bytes.data()),
                   bytes.size());
    text.pop_back();
    return text;
}

}  // namespace

TEST_CASE("plain: golden op") {
    auto const op = encode_plain(created_at, payload_hello());
    CHECK(hex(op) == "04bddeaef626060068656c6c6f");
    auto const header = plain_format()->decode(op, {});
    REQUIRE(header.has_value());
    CHECK(hex(header->id.bytes()) == "2b6dc6be81d533661bf5ac7d236d9940ca9d9349f2dd6b78c92dfc0aba20c210");
    CHECK(header->created_at == created_at);
    CHECK(plain_format()->locate(header->id) == arc::location{3456527833});
    CHECK(hex(plain_format()->payload(op)) == "68656c6c6f");
    CHECK(plain_format()->id_length() == 32);
}

TEST_CASE("located: golden op") {
    auto const op = encode_located(created_at, arc::location{0xfedcba98}, payload_hello());
    CHECK(hex(op) == "04bddeaef626060098badcfe68656c6c6f");
    auto const header = located_format()->decode(op, {});
    REQUIRE(header.has_value());
    CHECK(hex(header->id.bytes()) ==
          "afcc621a6fdaa73253843de267eeb78f48040b9c1dcb144fcadab5f277bba62198badcfe");
    CHECK(header->created_at == created_at);
    CHECK(located_format()->locate(header->id) == arc::location{0xfedcba98});
    CHECK(hex(located_format()->payload(op)) == "68656c6c6f");
    CHECK(located_format()->id_length() == 36);
}

TEST_CASE("signed: golden op") {
    auto const op = encode_signed(testing::signing_key(), created_at, payload_hello());
    CHECK(hex(op) ==
          "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a716080a2f3b2fead15315f5a5222971de1"
          "93f54c"
          "01d8a88a47c3cc65b5888987b3701b0f62e714c8023d12a456e775d4d175ea3f4cec6676d703980aed62910804bddeaef6"
          "260600"
          "68656c6c6f");
    auto const header = signed_format()->decode(op, {});
    REQUIRE(header.has_value());
    CHECK(hex(header->id.bytes()) == "923205d7fa66cdfc99245de7588873be9a39073cde1223dd3839591f307ae8f5");
    CHECK(header->created_at == created_at);
    CHECK(signed_format()->locate(header->id) == arc::location{2037616869});
    CHECK(hex(signed_format()->payload(op)) == "68656c6c6f");
}

TEST_CASE("signed: assembling the parts gives the same op") {
    auto const op = encode_signed(testing::signing_key(), created_at, payload_hello());
    std::span<const std::byte> const all(op);
    CHECK(assemble_signed(all.first<32>(), all.subspan<32, 64>(), created_at, payload_hello()) == op);
}

TEST_CASE("signed: any flipped bit is a bad signature") {
    auto const op = encode_signed(testing::signing_key(), created_at, payload_hello());
    for (std::size_t bit = 0; bit < op.size() * 8; ++bit) {
        auto flipped = op;
        flipped[bit / 8] ^= std::byte{1} << (bit % 8);
        auto const header = signed_format()->decode(flipped, {});
        CAPTURE(bit);
        REQUIRE(header.has_error());
        CHECK(header.error().reason() == rejection_reason::bad_signature);
    }
}

TEST_CASE("formats: an op shorter than its envelope is unreadable, an empty payload is fine") {
    auto const shortest = [](std::string_view name) {
        if (name == "signed") {
            return encode_signed(testing::signing_key(), created_at, {});
        }
        return name == "plain" ? encode_plain(created_at, {})
                               : encode_located(created_at, arc::location{1}, {});
    };
    for (auto const& format : {plain_format(), signed_format(), located_format()}) {
        CAPTURE(format->name());
        auto const op = shortest(format->name());
        REQUIRE(format->decode(op, {}).has_value());
        CHECK(format->payload(op).empty());
        for (std::size_t size = 0; size < op.size(); ++size) {
            auto const header = format->decode(std::span(op).first(size), {});
            REQUIRE(header.has_error());
            CHECK(header.error().reason() == rejection_reason::unreadable);
            CHECK_FALSE(header.error().message().empty());
        }
    }
}

TEST_CASE("formats: times of either sign and any size come back") {
    for (std::int64_t micros : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN, INT64_MAX}) {
        auto const time = arc::from_micros(micros);
        CHECK(plain_format()->decode(encode_plain(time, {}), {})->created_at == time);
        CHECK(located_format()->decode(encode_located(time, arc::location{0}, {}), {})->created_at == time);
        CHECK(signed_format()->decode(encode_signed(testing::signing_key(), time, {}), {})->created_at ==
              time);
    }
}

TEST_CASE("formats: are found by name") {
    for (auto name : {"plain", "signed", "located"}) {
        REQUIRE(find_format(name));
        CHECK(find_format(name)->name() == name);
    }
    CHECK(find_format("Plain") == nullptr);
    CHECK(find_format("") == nullptr);
}

TEST_CASE("formats: the answer of a failed decode throws when it is taken for a header") {
    CHECK_THROWS_AS(plain_format()->decode({}, {}).value(), std::runtime_error);
}

}  // namespace opstore
