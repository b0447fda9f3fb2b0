// Goal: shares, durations and numbers are read exactly, what is printed is read back, and nonsense is
// refused. Method: examples at the borders, and a round trip of random values.
#include <gossip/simulator/plan.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <array>
#include <utility>

namespace opstore::simulator {
namespace {

using namespace std::chrono_literals;

std::optional<std::uint32_t> ppm(std::string_view text) {
    auto const parsed = parse_share(text);
    return parsed ? std::optional(parsed->ppm) : std::nullopt;
}

TEST_CASE("share: below 1 a fraction, from 1 on percent") {
    CHECK(ppm("0") == 0u);
    CHECK(ppm("0.05") == 50'000u);
    CHECK(ppm("5") == 50'000u);
    CHECK(ppm("5%") == 50'000u);
    CHECK(ppm("0.999999") == 999'999u);
    CHECK(ppm("1") == 10'000u);
    CHECK(ppm("0.5%") == 5'000u);
    CHECK(ppm("2.5") == 25'000u);
    CHECK(ppm("100") == 1'000'000u);
    CHECK(ppm("0.000001") == 1u);
    for (auto const* bad : {"", "%", "-1", "x", "5%%", "5 %", "1e3", ".5", "5.", "101", "100.01%",
                            "0.0000001", "1234567890123"}) {
        CAPTURE(bad);
        CHECK_FALSE(ppm(bad));
    }
}

TEST_CASE("share: of a number it is rounded up") {
    CHECK(share{0}.of(1'000) == 0);
    CHECK(share{1}.of(10) == 1);
    CHECK(share{100'000}.of(10) == 1);
    CHECK(share{100'001}.of(10) == 2);
    CHECK(share{share::whole}.of(10) == 10);
    random_source random(1);
    CHECK_FALSE(share{0}.hits(random));
    CHECK(share{share::whole}.hits(random));
}

TEST_CASE("duration: units, and the option's own where there is none") {
    std::array<std::pair<std::string_view, microseconds>, 9> const good{{
        {"20ms", 20ms},
        {"1.5s", 1'500ms},
        {"2m", 2min},
        {"3h", 3h},
        {"4d", 96h},
        {"7us", 7us},
        {"0", 0s},
        {"12", 12ms},
        {"0.001", 1us},
    }};
    for (auto const& [text, value] : good) {
        CAPTURE(text);
        CHECK(parse_duration(text, 1ms) == value);
    }
    CHECK(parse_duration("49y", 1s) == std::nullopt);
    CHECK(parse_duration("18249d", 1s) == 24h * 18'249);
    CHECK(parse_duration("18250d", 1s) == std::nullopt);
    for (auto const* bad : {"", "s", "-1s", "1 s", "1sec", "1.s", "999999999999d"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_duration(bad, 1s));
    }
}

TEST_CASE("number: bytes have suffixes, counts end where they end") {
    CHECK(parse_bytes("4096") == 4'096u);
    CHECK(parse_bytes("4K") == 4'096u);
    CHECK(parse_bytes("2G") == std::uint64_t{2} << 30);
    CHECK_FALSE(parse_bytes("K"));
    CHECK_FALSE(parse_bytes("4294967296"));
    CHECK(parse_number("18446744073709551615") == 18'446'744'073'709'551'615u);
    for (auto const* bad : {"", "-1", "+1", "1x", " 1", "18446744073709551616"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_number(bad));
    }
}

TEST_CASE("share and duration: what is printed is read back") {
    random_source random(3);
    for (int i = 0; i < 1'000; ++i) {
        share const s{static_cast<std::uint32_t>(random.below(share::whole + 1))};
        CHECK(parse_share(to_string(s))->ppm == s.ppm);
        microseconds const d(random.between(0, 1'000'000'000'000));
        CHECK(parse_duration(to_string(d), 1s) == d);
    }
}

}  // namespace
}  // namespace opstore::simulator
