#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// PostgreSQL's binary form of parameter values, and its text form of results. Binary going out, because a
/// text parameter ends at its first NUL and costs twice the bytes; text coming back, because libpqxx 6 reads
/// no other.
namespace opstore::postgres::detail {

/// The parameters of one statement, in order, each as the server's binary image of its declared type.
class parameters {
public:
    parameters& bigint(std::int64_t value);
    parameters& text(std::string_view value);
    parameters& bytea(std::span<const std::byte> value);
    parameters& bigint_array(std::span<const std::int64_t> values);
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

/// Reads bytea's hex output ("\x00ff") piece by piece, straight to where the bytes are wanted. Every
/// function throws store_error if the text is something else.
class bytea_reader {
public:
    /// The text must live as long as this object.
    explicit bytea_reader(std::string_view text);

    /// Bytes that were not read yet.
    std::size_t remaining() const { return digits_.size() / 2; }
    /// Precondition: no more than remain.
    void read(std::span<std::byte> out);

private:
    std::string_view digits_;
};

/// The whole of it.
std::vector<std::byte> bytea_from_text(std::string_view text);

/// Reads bigint[]'s output ("{1,2,3}"). Throws store_error if it is something else.
std::vector<std::int64_t> bigint_array_from_text(std::string_view text);

/// Throws store_error if the text is not a decimal number.
std::int64_t bigint_from_text(std::string_view text);

}  // namespace opstore::postgres::detail
