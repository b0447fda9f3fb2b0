#pragma once

#include <opstore/postgres/detail/tuple_id.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// PostgreSQL's binary form of values, going out and coming back: a text parameter ends at its first NUL, and
/// text costs bytes twice their number and both sides the time to write and read it.
namespace opstore::postgres::detail {

/// The parameters of one statement, in order, each as the server's binary image of its declared type.
class parameters {
public:
    parameters& bigint(std::int64_t value);
    parameters& text(std::string_view value);
    parameters& bytea(std::span<const std::byte> value);
    parameters& bigint_array(std::span<const std::int64_t> values);
    parameters& tuple_id_array(std::span<const tuple_id> values);
    /// An array of the value, or an empty one: how a statement takes an optional number.
    parameters& optional_bigint(std::optional<std::int64_t> value);
    /// Takes an array that bytea_array_image made.
    parameters& image(std::string value);

    std::vector<std::string> const& images() const { return images_; }

private:
    std::vector<std::string> images_;
};

/// Writes a bytea[] element by element, so that no list of its elements is needed beside it.
class bytea_array_image {
public:
    bytea_array_image(std::size_t element_count, std::size_t bytes_total);
    void add(std::span<const std::byte> element);
    /// Precondition: element_count elements were added.
    std::string take() { return std::move(image_); }

private:
    std::string image_;
};

/// A type of PostgreSQL's catalogue.
using type_oid = std::uint32_t;
/// No type: what every function below refuses.
inline constexpr type_oid unknown_type = 0;

/// Read a value of a result. They throw store_error if its type is another, or its length not that of its
/// type.
std::string_view text_from_image(type_oid type, std::string_view image);
/// A bigint, integer or smallint.
std::int64_t bigint_from_image(type_oid type, std::string_view image);
/// Nowhere is an error too.
tuple_id tuple_id_from_image(type_oid type, std::string_view image);
bool boolean_from_image(type_oid type, std::string_view image);
/// The same bytes.
std::span<const std::byte> bytea_from_image(type_oid type, std::string_view image);
/// An array of one dimension, or none, without nulls, of bigint, integer or smallint.
std::vector<std::int64_t> bigint_array_from_image(type_oid type, std::string_view image);

/// Such values joined, without lengths. Throws store_error if they are not, or if one is nowhere.
std::vector<tuple_id> joined_tuple_ids(std::span<const std::byte> bytes);

/// Throws store_error if the text is not a decimal number.
std::int64_t bigint_from_text(std::string_view text);

}  // namespace opstore::postgres::detail
