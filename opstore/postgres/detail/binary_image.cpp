#include <opstore/postgres/detail/binary_image.hpp>

#include <opstore/errors.hpp>

#include <charconv>

namespace opstore::postgres::detail {
namespace {

// From PostgreSQL's catalogue (pg_type.dat); they never change.
constexpr type_oid boolean_oid = 16;
constexpr type_oid bytea_oid = 17;
constexpr type_oid bigint_oid = 20;
constexpr type_oid smallint_oid = 21;
constexpr type_oid integer_oid = 23;
constexpr type_oid text_oid = 25;
constexpr type_oid tid_oid = 27;
constexpr type_oid smallint_array_oid = 1005;
constexpr type_oid integer_array_oid = 1007;
constexpr type_oid bigint_array_oid = 1016;

/// A block and an offset.
constexpr std::size_t tuple_id_bytes = 6;

template <class Unsigned>
void append_big_endian(std::string& out, Unsigned value) {
    for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(value >> shift));
}

/// Dimensions 1, no nulls, element type; then the number of elements and the first index. An empty array has
/// no dimensions at all.
void append_array_header(std::string& out, type_oid element_oid, std::size_t count) {
    append_big_endian(out, std::uint32_t{count == 0 ? 0u : 1u});
    append_big_endian(out, std::uint32_t{0});
    append_big_endian(out, element_oid);
    if (count != 0) {
        append_big_endian(out, static_cast<std::uint32_t>(count));
        append_big_endian(out, std::uint32_t{1});
    }
}

void append_bytes(std::string& out, std::span<const std::byte> bytes) {
    out.append(reinterpret_cast<char const*>(bytes.data()), bytes.size());
}

[[noreturn]] void throw_unreadable(char const* type) {
    store_error::facts facts;
    facts.code = errc::rejected_by_database;
    throw store_error(std::string("the server sent something that is no ") + type, std::move(facts));
}

template <class Unsigned>
Unsigned big_endian(char const* bytes) {
    Unsigned value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i)
        value = static_cast<Unsigned>(value << 8 | static_cast<unsigned char>(bytes[i]));
    return value;
}

/// Takes the next number of four bytes.
std::uint32_t take_word(std::string_view& image, char const* type) {
    if (image.size() < 4)
        throw_unreadable(type);
    auto const word = big_endian<std::uint32_t>(image.data());
    image.remove_prefix(4);
    return word;
}

/// The bytes of such an integer; 0 for another type.
std::size_t integer_bytes(type_oid type) {
    return type == bigint_oid ? 8 : type == integer_oid ? 4 : type == smallint_oid ? 2 : 0;
}

std::int64_t integer_of(char const* bytes, std::size_t length) {
    switch (length) {
        case 2:
            return static_cast<std::int16_t>(big_endian<std::uint16_t>(bytes));
        case 4:
            return static_cast<std::int32_t>(big_endian<std::uint32_t>(bytes));
        default:
            return static_cast<std::int64_t>(big_endian<std::uint64_t>(bytes));
    }
}

tuple_id tuple_id_of(char const* bytes) {
    return {big_endian<std::uint32_t>(bytes), big_endian<std::uint16_t>(bytes + 4)};
}

}  // namespace

parameters& parameters::bigint(std::int64_t value) {
    append_big_endian(images_.emplace_back(), static_cast<std::uint64_t>(value));
    return *this;
}

parameters& parameters::text(std::string_view value) {
    images_.emplace_back(value);
    return *this;
}

parameters& parameters::bytea(std::span<const std::byte> value) {
    append_bytes(images_.emplace_back(), value);
    return *this;
}

parameters& parameters::bigint_array(std::span<const std::int64_t> values) {
    std::string& out = images_.emplace_back();
    out.reserve(20 + values.size() * 12);
    append_array_header(out, bigint_oid, values.size());
    for (std::int64_t const value : values) {
        append_big_endian(out, std::uint32_t{8});
        append_big_endian(out, static_cast<std::uint64_t>(value));
    }
    return *this;
}

parameters& parameters::tuple_id_array(std::span<const tuple_id> values) {
    std::string& out = images_.emplace_back();
    out.reserve(20 + values.size() * 10);
    append_array_header(out, tid_oid, values.size());
    for (tuple_id const value : values) {
        append_big_endian(out, static_cast<std::uint32_t>(tuple_id_bytes));
        append_big_endian(out, value.block);
        append_big_endian(out, value.offset);
    }
    return *this;
}

parameters& parameters::optional_bigint(std::optional<std::int64_t> value) {
    return value ? bigint_array({&*value, 1}) : bigint_array({});
}

parameters& parameters::image(std::string value) {
    images_.push_back(std::move(value));
    return *this;
}

bytea_array_image::bytea_array_image(std::size_t element_count, std::size_t bytes_total) {
    image_.reserve(20 + element_count * 4 + bytes_total);
    append_array_header(image_, bytea_oid, element_count);
}

void bytea_array_image::add(std::span<const std::byte> element) {
    append_big_endian(image_, static_cast<std::uint32_t>(element.size()));
    append_bytes(image_, element);
}

std::string_view text_from_image(type_oid type, std::string_view image) {
    if (type != text_oid)
        throw_unreadable("text");
    return image;
}

std::int64_t bigint_from_image(type_oid type, std::string_view image) {
    auto const length = integer_bytes(type);
    if (length == 0 || image.size() != length)
        throw_unreadable("bigint");
    return integer_of(image.data(), length);
}

tuple_id tuple_id_from_image(type_oid type, std::string_view image) {
    if (type != tid_oid || image.size() != tuple_id_bytes)
        throw_unreadable("tid");
    auto const id = tuple_id_of(image.data());
    if (id.is_nowhere())
        throw_unreadable("tid");
    return id;
}

bool boolean_from_image(type_oid type, std::string_view image) {
    if (type != boolean_oid || image.size() != 1)
        throw_unreadable("boolean");
    return image.front() != 0;
}

std::span<const std::byte> bytea_from_image(type_oid type, std::string_view image) {
    if (type != bytea_oid)
        throw_unreadable("bytea");
    return std::as_bytes(std::span(image));
}

std::vector<std::int64_t> bigint_array_from_image(type_oid type, std::string_view image) {
    constexpr char const* wanted = "bigint[]";
    if (type != bigint_array_oid && type != integer_array_oid && type != smallint_array_oid)
        throw_unreadable(wanted);
    auto const dimensions = take_word(image, wanted);
    take_word(image, wanted);  // whether there are nulls: the lengths of the elements tell
    auto const length = integer_bytes(take_word(image, wanted));
    std::size_t count = 0;
    if (dimensions == 1) {
        count = take_word(image, wanted);
        take_word(image, wanted);  // the first index
    }
    if (length == 0 || dimensions > 1 || image.size() != count * (4 + length))
        throw_unreadable(wanted);
    std::vector<std::int64_t> values;
    values.reserve(count);
    for (; !image.empty(); image.remove_prefix(length)) {
        // A null has the length -1.
        if (take_word(image, wanted) != length)
            throw_unreadable(wanted);
        values.push_back(integer_of(image.data(), length));
    }
    return values;
}

std::vector<tuple_id> joined_tuple_ids(std::span<const std::byte> bytes) {
    std::vector<tuple_id> ids;
    ids.reserve(bytes.size() / tuple_id_bytes);
    for (; bytes.size() >= tuple_id_bytes; bytes = bytes.subspan(tuple_id_bytes)) {
        ids.push_back(tuple_id_of(reinterpret_cast<char const*>(bytes.data())));
        if (ids.back().is_nowhere())
            break;
    }
    if (!bytes.empty())
        throw_unreadable("list of tid");
    return ids;
}

std::int64_t bigint_from_text(std::string_view text) {
    std::int64_t value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        throw_unreadable("bigint");
    return value;
}

}  // namespace opstore::postgres::detail
