#pragma once

#include <arc/time_slices.hpp>
#include <opstore/errors.hpp>
#include <opstore/op_format.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace opstore {

/// Who computes the hashes of full time slices.
enum class slice_mode {
    host,  ///< The store is a plain keyed store for them; a kitsune2 node XORs into what it reads.
    store  ///< The store keeps those of the sector arcs itself, in the transaction that stores the ops.
};

std::string_view to_string(slice_mode mode);
std::optional<slice_mode> parse_slice_mode(std::string_view text);

/// What a space is, fixed when it is created. Opening it with other values is refused (errc::space_differs).
struct space_options {
    static constexpr std::size_t key_bytes_max = 255;
    static constexpr std::uint64_t max_op_bytes_default = 16u << 20;
    /// PostgreSQL sends a value as text, two characters a byte, and a field stays below 1 GiB.
    static constexpr std::uint64_t max_op_bytes_limit = 256u << 20;

    std::string key;  ///< 1 to 255 bytes, any value; the name of the DHT.
    std::shared_ptr<const op_format> format = plain_format();
    std::uint64_t max_op_bytes = max_op_bytes_default;  ///< 1 to max_op_bytes_limit.
    int slice_factor = arc::factor_default;             ///< 0 to arc::factor_max.
    slice_mode slices = slice_mode::store;
    /// How far created_at may lie ahead of the clock; none: any time is taken.
    std::optional<std::chrono::microseconds> max_future;

    space_options() = default;
    explicit space_options(std::string space_key) : key(std::move(space_key)) {}
};

/// Whether the values lie within the bounds above; the refusal (invalid_argument) names the first that does
/// not.
result<void> check(space_options const& options);

}  // namespace opstore
