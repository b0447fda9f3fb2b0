// Goal: the empty and combine rules of kitsune2. Method: its golden examples.
#include <opstore/combined_hash.hpp>

#include <doctest/doctest.h>

#include <array>

namespace opstore {
namespace {

op_id filled(std::uint8_t value) {
    std::array<std::byte, 32> bytes;
    bytes.fill(std::byte{value});
    return op_id(bytes);
}

}  // namespace

TEST_CASE("combined hash: no ops is empty, and not zero bytes") {
    combined_hash hash;
    CHECK(hash.empty());
    CHECK(to_string(hash) == "");
    hash.add(filled(7));
    hash.add(filled(7));
    CHECK_FALSE(hash.empty());
    CHECK(hash == combined_hash(filled(0).bytes()));
    CHECK(hash != combined_hash());
}

TEST_CASE("combined hash: XOR, in any order") {
    combined_hash forward, backward;
    forward.add(filled(7));
    forward.add(filled(23));
    backward.add(filled(23));
    backward.add(filled(7));
    CHECK(forward == backward);
    CHECK(forward == combined_hash(filled(7 ^ 23).bytes()));
}

TEST_CASE("combined hash: adding an empty hash changes nothing, adding to an empty one copies") {
    combined_hash hash(filled(7).bytes());
    hash.add(combined_hash());
    CHECK(hash == combined_hash(filled(7).bytes()));
    combined_hash empty;
    empty.add(hash);
    CHECK(empty == hash);
}

}  // namespace opstore
