// Goal: ids hold, compare and print any bytes, and texts are read by the rule of the header. Method: examples
// at the edges (no byte, one, 64, 65; NULs; texts that are hex and base64url at once).
#include <opstore/op_id.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace opstore {
namespace {

op_id id_of(std::string_view text) {
    return op_id(std::as_bytes(std::span(text)));
}

}  // namespace

TEST_CASE("op id: holds exactly its bytes, up to 64") {
    CHECK(op_id().empty());
    CHECK(op_id().length() == 0);
    std::string const longest(64, 'x');
    CHECK(id_of(longest).length() == 64);
    CHECK(op_id::from_bytes(std::as_bytes(std::span(longest))) == id_of(longest));
    std::string const too_long(65, 'x');
    CHECK_FALSE(op_id::from_bytes(std::as_bytes(std::span(too_long))));
}

TEST_CASE("op id: NULs count") {
    auto const none = id_of("ab");
    auto const one = id_of(std::string_view("ab\0", 3));
    auto const front = id_of(std::string_view("\0ab", 3));
    CHECK(none != one);
    CHECK(one != front);
    CHECK(one == id_of(std::string_view("ab\0", 3)));
    CHECK(std::set{none, one, front}.size() == 3);
}

TEST_CASE("op id: orders as unsigned byte strings, a prefix first") {
    CHECK(op_id() < id_of("a"));
    CHECK(id_of("a") < id_of("ab"));
    CHECK(id_of("ab") < id_of("b"));
    CHECK(id_of("\x7f") < id_of("\x80"));
    CHECK(id_of("ab") < id_of(std::string_view("ab\0", 3)));
    CHECK((id_of("ab") <=> id_of("ab")) == std::strong_ordering::equal);
}

TEST_CASE("op id: text is base64url without padding") {
    CHECK(to_string(id_of("test-hash-1")) == "dGVzdC1oYXNoLTE");
    CHECK(to_string(op_id()) == "");
    CHECK(op_id::from_text("dGVzdC1oYXNoLTE", 11) == id_of("test-hash-1"));
    CHECK(op_id::from_text("dGVzdC1oYXNoLTE", 32) == id_of("test-hash-1"));
}

TEST_CASE("op id: hex is read in either case") {
    CHECK(op_id::from_text("00ffAb", 3) == id_of(std::string_view("\0\xff\xab", 3)));
    CHECK(op_id::from_text(std::string(128, 'f'), 64) == id_of(std::string(64, '\xff')));
}

TEST_CASE("op id: a text that is both hex and base64url follows the expected length") {
    CHECK(op_id::from_text("abcdef01", 4) == id_of("\xab\xcd\xef\x01"));
    CHECK(op_id::from_text("abcdef01", 6)->length() == 6);
    CHECK(to_string(*op_id::from_text("abcdef01", 6)) == "abcdef01");
    CHECK(to_string(*op_id::from_text("abcdef01", 32)) == "abcdef01");
}

TEST_CASE("op id: other texts are refused") {
    for (auto text : {"Zg==", "Zh", "a b", "Z", "0g1", "abc!", " abcd"}) {
        CAPTURE(std::string_view(text));
        CHECK_FALSE(op_id::from_text(text, 4));
    }
    CHECK_FALSE(op_id::from_text(std::string(130, 'f'), 65));
    CHECK_FALSE(op_id::from_text(std::string(87, 'A'), 65));
    CHECK_FALSE(op_id::from_text(std::string(100'000, 'A'), 32));
    CHECK(op_id::from_text(std::string(86, 'A'), 64)->length() == 64);
}

TEST_CASE("op id: hashes by its first bytes, short ids too") {
    CHECK(std::hash<op_id>()(id_of("ab")) == std::hash<op_id>()(id_of("ab")));
    CHECK(std::hash<op_id>()(id_of("ab")) != std::hash<op_id>()(id_of("ac")));
}

}  // namespace opstore
