#include <opstore/postgres/detail/binary_image.hpp>

#include <opstore/errors.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <charconv>
#include <cstring>

namespace opstore::postgres::detail {
namespace {

// From PostgreSQL's catalogue (pg_type.dat); they never change.
constexpr std::uint32_t bytea_oid = 17;
constexpr std::uint32_t bigint_oid = 20;

template <class Unsigned>
void append_big_endian(std::string& out, Unsigned value) {
    for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(value >> shift));
}

/// Dimensions 1, no nulls, element type; then the number of elements and the first index. An empty array has
/// no dimensions at all.
void append_array_header(std::string& out, std::uint32_t element_oid, std::size_t count) {
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

/// Vectors as GCC and Clang have them on every processor.
using digit_block = std::uint8_t __attribute__((vector_size(16)));
using pair_block = std::uint16_t __attribute__((vector_size(16)));
using byte_block = std::uint8_t __attribute__((vector_size(8)));

/// Turns 16 digits into 8 bytes. What is no digit sets bits of `wrong`.
///
/// Ids and payloads arrive as hex by the hundred kilobytes, and a table of digits reads less than a gigabyte
/// a second. This reads six.
void read_block(char const* in, std::byte* out, digit_block& wrong) {
    digit_block text;
    std::memcpy(&text, in, sizeof text);
    digit_block const decimal = text - '0', letter = text - 'a';
    auto const is_decimal = reinterpret_cast<digit_block>(decimal < 10);
    auto const is_letter = reinterpret_cast<digit_block>(letter < 6);
    wrong |= ~(is_decimal | is_letter);
    auto const values = (decimal & is_decimal) | ((letter + 10) & is_letter);
    auto const pairs = reinterpret_cast<pair_block>(values);
    // The first digit of a pair, which is the higher half of the byte, is in the lower half of a lane.
    static_assert(std::endian::native == std::endian::little);
    auto const bytes = __builtin_convertvector((pairs << 4 | pairs >> 8) & 0xff, byte_block);
    std::memcpy(out, &bytes, sizeof bytes);
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

bytea_reader::bytea_reader(std::string_view text) {
    if (text.size() % 2 != 0 || !text.starts_with("\\x"))
        throw_unreadable("bytea in hex (is bytea_output set?)");
    digits_ = text.substr(2);
}

void bytea_reader::read(std::span<std::byte> out) {
    assert(out.size() <= remaining());
    constexpr std::size_t block_bytes = sizeof(byte_block);
    digit_block wrong{};
    for (; out.size() >= block_bytes; out = out.subspan(block_bytes)) {
        read_block(digits_.data(), out.data(), wrong);
        digits_.remove_prefix(2 * block_bytes);
    }
    if (!out.empty()) {
        std::array<char, 2 * block_bytes> digits;
        std::array<std::byte, block_bytes> bytes;
        digits.fill('0');
        std::copy_n(digits_.begin(), 2 * out.size(), digits.begin());
        read_block(digits.data(), bytes.data(), wrong);
        std::copy_n(bytes.begin(), out.size(), out.begin());
        digits_.remove_prefix(2 * out.size());
    }
    auto const found = std::bit_cast<std::array<std::uint8_t, sizeof wrong>>(wrong);
    if (std::any_of(found.begin(), found.end(), [](std::uint8_t bits) { return bits != 0; }))
        throw_unreadable("bytea in hex");
}

std::vector<std::byte> bytea_from_text(std::string_view text) {
    bytea_reader reader(text);
    std::vector<std::byte> bytes(reader.remaining());
    reader.read(bytes);
    return bytes;
}

std::int64_t bigint_from_text(std::string_view text) {
    std::int64_t value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        throw_unreadable("bigint");
    return value;
}

std::vector<std::int64_t> bigint_array_from_text(std::string_view text) {
    if (text.size() < 2 || text.front() != '{' || text.back() != '}')
        throw_unreadable("bigint[]");
    text = text.substr(1, text.size() - 2);
    std::vector<std::int64_t> values;
    while (!text.empty()) {
        auto const comma = std::min(text.find(','), text.size());
        values.push_back(bigint_from_text(text.substr(0, comma)));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return values;
}

}  // namespace opstore::postgres::detail
