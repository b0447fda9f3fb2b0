// Goal: each kind of "no" tells what a caller needs. Method: examples; the numbers are part of the C
// interface.
#include <opstore/errors.hpp>
#include <opstore/op_format.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace opstore {

TEST_CASE("errors: every errc and rejection reason has its own word and its stable number") {
    std::set<std::string_view> words;
    for (int number = 1; number <= 10; ++number) {
        words.insert(to_string(static_cast<errc>(number)));
    }
    CHECK(words.size() == 10);
    CHECK_FALSE(words.contains("unknown"));
    CHECK(to_string(static_cast<errc>(1)) == "no_such_space");
    CHECK(to_string(static_cast<errc>(10)) == "overloaded");
    words.clear();
    for (int number = 1; number <= 8; ++number) {
        words.insert(to_string(static_cast<rejection_reason>(number)));
    }
    CHECK(words.size() == 8);
    CHECK_FALSE(words.contains("unknown"));
    CHECK(to_string(static_cast<rejection_reason>(1)) == "unreadable");
    CHECK(to_string(static_cast<rejection_reason>(8)) == "refused_by_host");
}

TEST_CASE("errors: value() of a refusal throws it") {
    result<int> const refused_result = refusal(errc::no_such_space, "no space named x");
    CHECK_THROWS_WITH_AS(refused_result.value(), "no space named x", refused);
    try {
        refused_result.value();
    } catch (refused const& e) {
        CHECK(e.code() == errc::no_such_space);
    }
}

}  // namespace opstore
