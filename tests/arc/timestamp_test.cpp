// Goal: times are read strictly, and printed so that they read back the same.
// Method: known instants; every kind of text that must be refused; random instants through text and back, and
// against a calendar that counts days one month at a time.

#include <arc/timestamp.hpp>

#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace opstore::arc {
namespace {

constexpr std::int64_t micros_min = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t micros_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t year_0 = -62'167'219'200'000'000;
constexpr std::int64_t year_10000 = 253'402'300'800'000'000;

std::optional<std::int64_t> micros_of(std::string_view text) {
    auto const at = parse_timestamp(text);
    return at ? std::optional(to_micros(*at)) : std::nullopt;
}

static_assert(to_micros(from_micros(micros_min)) == micros_min);
static_assert(to_micros(timestamp{}) == 0);

TEST_CASE("microseconds are read as they are") {
    CHECK(micros_of("0") == 0);
    CHECK(micros_of("-0") == 0);
    CHECK(micros_of("-1") == -1);
    CHECK(micros_of("2024") == 2024);
    CHECK(micros_of("0010") == 10);
    CHECK(micros_of("1700000000000000") == 1'700'000'000'000'000);
    CHECK(micros_of("9223372036854775807") == micros_max);
    CHECK(micros_of("-9223372036854775808") == micros_min);
}

TEST_CASE("RFC 3339 is read to the microsecond, in every offset") {
    CHECK(micros_of("1970-01-01T00:00:00Z") == 0);
    CHECK(micros_of("1969-12-31T23:59:59.999999Z") == -1);
    CHECK(micros_of("2023-11-14T22:13:20Z") == 1'700'000'000'000'000);
    CHECK(micros_of("2023-11-14T22:13:20.5Z") == 1'700'000'000'500'000);
    CHECK(micros_of("2023-11-14T22:13:20.000001Z") == 1'700'000'000'000'001);
    CHECK(micros_of("2023-11-14T22:13:20.12345Z") == 1'700'000'000'123'450);
    CHECK(micros_of("2023-11-15T03:43:20+05:30") == 1'700'000'000'000'000);
    CHECK(micros_of("2023-11-14T12:13:20.5-10:00") == 1'700'000'000'500'000);
    CHECK(micros_of("1970-01-01T00:00:00-00:00") == 0);
    CHECK(micros_of("1970-01-01T23:59:00+23:59") == 0);
    CHECK(micros_of("2024-02-29T00:00:00Z") == 1'709'164'800'000'000);
    CHECK(micros_of("2000-02-29T00:00:00Z") == 951'782'400'000'000);
    CHECK(micros_of("0000-01-01T00:00:00Z") == year_0);
    CHECK(micros_of("0000-01-01T00:00:00+00:01") == year_0 - 60'000'000);
    CHECK(micros_of("9999-12-31T23:59:59.999999Z") == year_10000 - 1);
    CHECK(micros_of("9999-12-31T23:59:59-00:01") == year_10000 + 59'000'000);
}

TEST_CASE("anything else is refused") {
    for (char const* const text : {
             "",
             "-",
             "+1",
             "--1",
             " 1",
             "1 ",
             "1\n",
             "1x",
             "x1",
             "0x10",
             "1.0",
             "1e6",
             "now",
             "9223372036854775808",
             "-9223372036854775809",
             "99999999999999999999999",
             "2023-11-14",
             "2023-11-14T22:13:20",
             "2023-11-14T22:13Z",
             "22:13:20Z",
             "T",
             "Z",
             "2023-11-14 22:13:20Z",
             "2023-11-14t22:13:20Z",
             "2023-11-14T22:13:20z",
             "20231114T221320Z",
             " 2023-11-14T22:13:20Z",
             "2023-11-14T22:13:20Z ",
             "2023-11-14T22:13:20 Z",
             "2023-11-14T22:13:20ZZ",
             "2023-11-14T22:13:20.Z",
             "2023-11-14T22:13:20.1234567Z",
             "2023-11-14T22:13:20.0000000Z",
             "2023-11-14T22:13:20,5Z",
             "2023-11-14T22:13:20.5",
             "2023-11-14T22:13:20.-5Z",
             "2023-00-14T22:13:20Z",
             "2023-13-14T22:13:20Z",
             "2023-11-00T22:13:20Z",
             "2023-11-31T22:13:20Z",
             "2023-02-29T22:13:20Z",
             "1900-02-29T22:13:20Z",
             "2024-02-30T22:13:20Z",
             "2023-01-32T22:13:20Z",
             "2023-11-14T24:00:00Z",
             "2023-11-14T22:60:20Z",
             "2023-11-14T22:13:60Z",
             "2016-12-31T23:59:60Z",
             "2023-11-14T22:13:20+24:00",
             "2023-11-14T22:13:20+05:60",
             "2023-11-14T22:13:20+0530",
             "2023-11-14T22:13:20+05",
             "2023-11-14T22:13:20+5:30",
             "2023-11-14T22:13:20+05:30Z",
             "2023-11-14T22:13:20Z+05:30",
             "2023-11-14T22:13:20+-5:30",
             "2023-11-14T22:13:20+05:3",
             "223-11-14T22:13:20Z",
             "12023-11-14T22:13:20Z",
             "-2023-11-14T22:13:20Z",
             "+2023-11-14T22:13:20Z",
             "2023-1-14T22:13:20Z",
             "2023-11-4T22:13:20Z",
             "2023-11-14T2:13:20Z",
             "2023-11-14T22:13:2Z",
             "2023/11/14T22:13:20Z",
             "2023-11-14T22.13.20Z",
             "2023-11--1T22:13:20Z",
             "2023-11-14T-1:13:20Z",
         }) {
        CAPTURE(text);
        CHECK_FALSE(parse_timestamp(text).has_value());
    }
    CHECK_FALSE(parse_timestamp(std::string_view("1\0", 2)).has_value());
    CHECK_FALSE(parse_timestamp(std::string_view("1970-01-01T00:00:00Z\0", 21)).has_value());
}

TEST_CASE("every beginning of a time is no time, except where it is a number") {
    std::string const whole = "2023-11-14T22:13:20.123456+05:30";
    REQUIRE(parse_timestamp(whole).has_value());
    for (std::size_t length = 5; length < whole.size(); ++length) {
        CAPTURE(length);
        CHECK_FALSE(parse_timestamp(std::string_view(whole).substr(0, length)).has_value());
    }
}

TEST_CASE("times print in UTC with all digits, or as microseconds outside of four-digit years") {
    CHECK(to_rfc3339(from_micros(0)) == "1970-01-01T00:00:00.000000Z");
    CHECK(to_rfc3339(from_micros(-1)) == "1969-12-31T23:59:59.999999Z");
    CHECK(to_rfc3339(from_micros(1'700'000'000'000'001)) == "2023-11-14T22:13:20.000001Z");
    CHECK(to_rfc3339(from_micros(1'709'164'800'250'000)) == "2024-02-29T00:00:00.250000Z");
    CHECK(to_rfc3339(from_micros(year_0)) == "0000-01-01T00:00:00.000000Z");
    CHECK(to_rfc3339(from_micros(year_0 - 1)) == "-62167219200000001");
    CHECK(to_rfc3339(from_micros(year_10000 - 1)) == "9999-12-31T23:59:59.999999Z");
    CHECK(to_rfc3339(from_micros(year_10000)) == "253402300800000000");
    CHECK(to_rfc3339(from_micros(micros_min)) == "-9223372036854775808");
    CHECK(to_rfc3339(from_micros(micros_max)) == "9223372036854775807");
}

TEST_CASE("random times come back from both texts unchanged") {
    constexpr std::uint64_t seed = 0x71e5;
    INFO("seed ", seed);
    testing::random_source random(seed);
    for (int round = 0; round < 3'000; ++round) {
        bool const anywhere = random.one_in(4);
        std::int64_t const micros =
            anywhere ? random.between(micros_min, micros_max) : random.between(year_0 - 5, year_10000 + 5);
        CAPTURE(micros);
        CHECK(micros_of(std::to_string(micros)) == micros);
        CHECK(micros_of(to_rfc3339(from_micros(micros))) == micros);
    }
}

int days_in(int year, int month) {
    constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool const leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

TEST_CASE("the days of eight centuries, counted month by month") {
    auto const two_digits = [](int value) { return (value < 10 ? "0" : "") + std::to_string(value); };
    auto const text_of = [&](int year, int month, int day) {
        return std::to_string(year) + "-" + two_digits(month) + "-" + two_digits(day) + "T00:00:00.000000Z";
    };
    constexpr std::int64_t day_micros = 86'400'000'000;
    std::int64_t day_number = 0;
    for (int year = 1970; year < 2770; ++year) {
        for (int month = 1; month <= 12; ++month) {
            int const days = days_in(year, month);
            CHECK(to_rfc3339(from_micros(day_number * day_micros)) == text_of(year, month, 1));
            CHECK(micros_of(text_of(year, month, days)) == (day_number + days - 1) * day_micros);
            CHECK_FALSE(micros_of(text_of(year, month, days + 1)).has_value());
            day_number += days;
        }
    }
}

}  // namespace
}  // namespace opstore::arc
