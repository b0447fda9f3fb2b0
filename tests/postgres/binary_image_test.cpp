// Goal: what the server sends in binary form is read as it was meant, and what is of another type, or cut
// short, or longer than it says, is an error, never a read beyond its end. Method: images written here byte
// by byte; integers at the ends of their widths; each cut of an array and one byte more; then every type from
// a real server.
#include <opstore/postgres/detail/binary_image.hpp>

#include <opstore/errors.hpp>
#include <opstore/postgres/detail/connection.hpp>
#include <sql/statements.hpp>
#include <tests/postgres/test_database.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

namespace opstore::testing {
namespace {

using namespace postgres::detail;

constexpr type_oid boolean_type = 16, bytea_type = 17, bigint_type = 20, smallint_type = 21,
                   integer_type = 23, text_type = 25, tid_type = 27, smallint_array_type = 1005,
                   integer_array_type = 1007, bigint_array_type = 1016, float8_type = 701,
                   numeric_type = 1700;

std::string big_endian(std::int64_t value, std::size_t length) {
    std::string image;
    while (length-- > 0)
        image.push_back(static_cast<char>(value >> (8 * length)));
    return image;
}

std::string array_image(type_oid element, std::size_t length, std::vector<std::int64_t> const& values) {
    auto image = big_endian(1, 4) + big_endian(0, 4) + big_endian(element, 4) +
                 big_endian(static_cast<std::int64_t>(values.size()), 4) + big_endian(1, 4);
    for (auto const value : values)
        image += big_endian(static_cast<std::int64_t>(length), 4) + big_endian(value, length);
    return image;
}

template <class Integer>
std::vector<std::int64_t> values_of_width() {
    return {0, 1, -1, 0x7f, 0x80, std::numeric_limits<Integer>::min(), std::numeric_limits<Integer>::max()};
}

connection connect_to_test_database() {
    auto const options = test_database_options();
    connection_settings settings;
    settings.conninfo = options.conninfo;
    settings.schema = options.schema;
    return connection(settings);
}

}  // namespace

TEST_CASE("binary image: integers of every width, and of no other length or type") {
    for (auto const value : values_of_width<std::int16_t>())
        CHECK(bigint_from_image(smallint_type, big_endian(value, 2)) == value);
    for (auto const value : values_of_width<std::int32_t>())
        CHECK(bigint_from_image(integer_type, big_endian(value, 4)) == value);
    for (auto const value : values_of_width<std::int64_t>())
        CHECK(bigint_from_image(bigint_type, big_endian(value, 8)) == value);
    for (std::size_t length = 0; length < 12; ++length) {
        INFO(length);
        std::string const image(length, '\1');
        if (length != 8)
            CHECK_THROWS_AS(bigint_from_image(bigint_type, image), store_error);
        if (length != 4)
            CHECK_THROWS_AS(bigint_from_image(integer_type, image), store_error);
        if (length != 2)
            CHECK_THROWS_AS(bigint_from_image(smallint_type, image), store_error);
        for (type_oid const other : {unknown_type, numeric_type, float8_type, bytea_type, text_type})
            CHECK_THROWS_AS(bigint_from_image(other, image), store_error);
    }
}

TEST_CASE("binary image: arrays of integers, and every cut of them") {
    random_source random(7);
    for (std::size_t count : {1, 2, 3, 100}) {
        std::vector<std::int64_t> values;
        for (std::size_t i = 0; i < count; ++i)
            values.push_back(static_cast<std::int16_t>(random.below(1 << 16)));
        CHECK(bigint_array_from_image(smallint_array_type, array_image(smallint_type, 2, values)) == values);
        CHECK(bigint_array_from_image(integer_array_type, array_image(integer_type, 4, values)) == values);
        auto const image = array_image(bigint_type, 8, values);
        CHECK(bigint_array_from_image(bigint_array_type, image) == values);
        for (std::size_t length = 0; length < image.size(); ++length)
            CHECK_THROWS_AS(bigint_array_from_image(bigint_array_type, image.substr(0, length)), store_error);
        CHECK_THROWS_AS(bigint_array_from_image(bigint_array_type, image + '\0'), store_error);
        CHECK_THROWS_AS(bigint_array_from_image(numeric_type, image), store_error);
    }
    auto const none = big_endian(0, 4) + big_endian(0, 4) + big_endian(bigint_type, 4);
    CHECK(bigint_array_from_image(bigint_array_type, none).empty());
}

TEST_CASE("binary image: an array that lies about itself is refused before memory is asked for") {
    auto const good = array_image(bigint_type, 8, {1, 2});
    auto const with = [&](std::size_t word, std::int64_t value) {
        auto image = good;
        return image.replace(word * 4, 4, big_endian(value, 4));
    };
    constexpr std::size_t dimensions = 0, element = 2, count = 3, first_length = 5;
    CHECK_NOTHROW(bigint_array_from_image(bigint_array_type, with(dimensions, 1)));
    for (std::int64_t const wrong : {0, 2, -1})
        CHECK_THROWS_AS(bigint_array_from_image(bigint_array_type, with(dimensions, wrong)), store_error);
    for (std::int64_t const wrong : {0, 1, 3, -1, 0x15555555})
        CHECK_THROWS_AS(bigint_array_from_image(bigint_array_type, with(count, wrong)), store_error);
    for (type_oid const wrong : {unknown_type, integer_type, float8_type, numeric_type})
        CHECK_THROWS_AS(bigint_array_from_image(bigint_array_type, with(element, wrong)), store_error);
    // -1 is a null.
    for (std::int64_t const wrong : {-1, 0, 4, 9})
        CHECK_THROWS_AS(bigint_array_from_image(bigint_array_type, with(first_length, wrong)), store_error);
}

TEST_CASE("binary image: booleans, bytes and text") {
    CHECK(boolean_from_image(boolean_type, std::string_view("\1", 1)));
    CHECK_FALSE(boolean_from_image(boolean_type, std::string_view("\0", 1)));
    CHECK_THROWS_AS(boolean_from_image(boolean_type, ""), store_error);
    CHECK_THROWS_AS(boolean_from_image(boolean_type, "tt"), store_error);
    CHECK_THROWS_AS(boolean_from_image(text_type, "t"), store_error);
    CHECK(bytea_from_image(bytea_type, std::string_view("\0\xff", 2)).size() == 2);
    CHECK(bytea_from_image(bytea_type, "").empty());
    CHECK_THROWS_AS(bytea_from_image(text_type, "\\x00"), store_error);
    CHECK(text_from_image(text_type, "a") == "a");
    CHECK_THROWS_AS(text_from_image(numeric_type, "1"), store_error);
}

TEST_CASE("binary image: places of rows, alone and joined") {
    auto const first = big_endian(0x01020304, 4) + big_endian(5, 2);
    auto const last = big_endian(0xffffffff, 4) + big_endian(0xffff, 2);
    tuple_id const of_first{0x01020304, 5}, of_last{0xffffffff, 0xffff};
    CHECK(tuple_id_from_image(tid_type, first) == of_first);
    CHECK(tuple_id_from_image(tid_type, last) == of_last);
    CHECK_THROWS_AS(tuple_id_from_image(tid_type, first.substr(1)), store_error);
    CHECK_THROWS_AS(tuple_id_from_image(tid_type, first + '\0'), store_error);
    CHECK_THROWS_AS(tuple_id_from_image(bytea_type, first), store_error);
    CHECK_THROWS_AS(tuple_id_from_image(tid_type, big_endian(7, 4) + big_endian(0, 2)), store_error);
    auto const joined = [](std::string const& bytes) {
        return joined_tuple_ids(std::as_bytes(std::span(bytes)));
    };
    CHECK(joined("").empty());
    CHECK(joined(first + last) == std::vector{of_first, of_last});
    CHECK_THROWS_AS(joined((first + last).substr(0, 11)), store_error);
    auto const nowhere = big_endian(7, 4) + big_endian(0, 2);
    CHECK_THROWS_AS(joined(first + nowhere), store_error);
    CHECK_THROWS_AS(joined(nowhere + first), store_error);
}

TEST_CASE("rows: a real server's values, prepared and as SQL text") {
    auto c = connect_to_test_database();
    sql::statement const all{"all_types", R"(
        SELECT $1::bytea, $2::text, 7::smallint, -7::integer, $3::bigint, true, $4::bigint[],
               ARRAY[1, -1]::integer[], ARRAY[2]::smallint[], ARRAY[]::bigint[], NULL::bytea, 1::numeric,
               ($5::tid[])[2], tidsend(($5::tid[])[1]) || tidsend(($5::tid[])[2])
        WHERE cardinality($5::tid[]) = 2)"};
    std::string const bytes("\0a\xff\0", 4);
    std::vector<std::int64_t> const numbers{std::numeric_limits<std::int64_t>::min(), 0, 5};
    parameters values;
    values.bytea(std::as_bytes(std::span(bytes))).text("t\xc3\xa4xt").bigint(-1).bigint_array(numbers);
    std::vector<tuple_id> const places{{7, 1}, {0xfffffffe, 0xffff}};
    values.tuple_id_array(places);
    // Twice: the second time it is prepared already.
    for (int i = 0; i < 2; ++i) {
        auto const r = c.execute(all, values);
        REQUIRE(r.count() == 1);
        auto const returned = r.bytea(0, 0);
        CHECK(std::string(reinterpret_cast<char const*>(returned.data()), returned.size()) == bytes);
        CHECK(r.text(0, 1) == "t\xc3\xa4xt");
        CHECK(r.bigint(0, 2) == 7);
        CHECK(r.bigint(0, 3) == -7);
        CHECK(r.bigint(0, 4) == -1);
        CHECK(r.boolean(0, 5));
        CHECK(r.bigint_array(0, 6) == numbers);
        CHECK(r.bigint_array(0, 7) == std::vector<std::int64_t>{1, -1});
        CHECK(r.bigint_array(0, 8) == std::vector<std::int64_t>{2});
        CHECK(r.bigint_array(0, 9).empty());
        CHECK(r.is_null(0, 10));
        CHECK(r.bytea(0, 10).empty());
        CHECK(r.tid(0, 12) == places[1]);
        CHECK(joined_tuple_ids(r.bytea(0, 13)) == places);
        CHECK_THROWS_AS(r.tid(0, 11), store_error);
        CHECK_THROWS_AS(r.bigint(0, 11), store_error);
        CHECK_THROWS_AS(r.text(0, 11), store_error);
        CHECK_THROWS_AS(r.bigint(0, 10), store_error);
    }
    auto const text =
        c.execute_text("text", "SELECT 1; SELECT -5::bigint, false, 1.5::numeric, '\\x00'::bytea");
    CHECK(text.bigint(0, 0) == -5);
    CHECK_FALSE(text.boolean(0, 1));
    CHECK(text.text(0, 2) == "1.5");
    CHECK_THROWS_AS(text.bigint(0, 2), store_error);
    CHECK_THROWS_AS(text.bytea(0, 3), store_error);
    CHECK_THROWS_AS(text.bigint_array(0, 3), store_error);
}

}  // namespace opstore::testing
