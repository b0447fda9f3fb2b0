// Goal: check() holds every bound of space_options. Method: each option at its edges, and one beyond.
#include <opstore/space.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <string>

namespace opstore {
namespace {

/// The default options with one change.
space_options with(std::function<void(space_options&)> const& change) {
    space_options options("key");
    change(options);
    return options;
}

void refuses(std::string const& word, std::function<void(space_options&)> const& change) {
    auto const checked = check(with(change));
    REQUIRE(checked.has_error());
    CHECK(checked.error().code() == errc::invalid_argument);
    CHECK(checked.error().message().starts_with(word));
}

void accepts(std::function<void(space_options&)> const& change) {
    CHECK(check(with(change)).has_value());
}

}  // namespace

TEST_CASE("space: key is 1 to 255 bytes of any value") {
    refuses("key", [](auto& o) { o.key.clear(); });
    accepts([](auto& o) { o.key = std::string(1, '\0'); });
    accepts([](auto& o) { o.key = std::string(255, '\xff'); });
    refuses("key", [](auto& o) { o.key = std::string(256, 'x'); });
}

TEST_CASE("space: limits") {
    refuses("format", [](auto& o) { o.format = nullptr; });
    refuses("max_op_bytes", [](auto& o) { o.max_op_bytes = 0; });
    accepts([](auto& o) { o.max_op_bytes = 1; });
    accepts([](auto& o) { o.max_op_bytes = space_options::max_op_bytes_limit; });
    refuses("max_op_bytes", [](auto& o) { o.max_op_bytes = space_options::max_op_bytes_limit + 1; });
    refuses("slice_factor", [](auto& o) { o.slice_factor = -1; });
    accepts([](auto& o) { o.slice_factor = 0; });
    accepts([](auto& o) { o.slice_factor = arc::factor_max; });
    refuses("slice_factor", [](auto& o) { o.slice_factor = arc::factor_max + 1; });
    refuses("max_future", [](auto& o) { o.max_future = std::chrono::microseconds(-1); });
    accepts([](auto& o) { o.max_future = std::chrono::microseconds(0); });
}

TEST_CASE("space: slice modes have a text") {
    for (auto mode : {slice_mode::host, slice_mode::store}) {
        CHECK(parse_slice_mode(to_string(mode)) == mode);
    }
    CHECK_FALSE(parse_slice_mode("Store"));
    CHECK_FALSE(parse_slice_mode(""));
}

}  // namespace opstore
