#include <opstore/space.hpp>

#include <fmt/format.h>

namespace opstore {

std::string_view to_string(slice_mode mode) {
    return mode == slice_mode::host ? "host" : "store";
}

std::optional<slice_mode> parse_slice_mode(std::string_view text) {
    for (auto const mode : {slice_mode::host, slice_mode::store}) {
        if (text == to_string(mode)) {
            return mode;
        }
    }
    return std::nullopt;
}

result<void> check(space_options const& options) {
    auto refuse = [](std::string message) { return refusal(errc::invalid_argument, std::move(message)); };
    if (options.key.empty() || options.key.size() > space_options::key_bytes_max) {
        return refuse(fmt::format("key: {} bytes, a space is named by 1 to {}", options.key.size(),
                                  space_options::key_bytes_max));
    }
    if (!options.format) {
        return refuse("format: a space needs one");
    }
    if (auto const length = options.format->id_length(); length < 1 || length > op_id::length_max) {
        return refuse(fmt::format("format {}: ids of {} bytes, possible are 1 to {}", options.format->name(),
                                  length, op_id::length_max));
    }
    if (options.max_op_bytes < 1 || options.max_op_bytes > space_options::max_op_bytes_limit) {
        return refuse(fmt::format("max_op_bytes: {}, possible are 1 to {}", options.max_op_bytes,
                                  space_options::max_op_bytes_limit));
    }
    if (options.slice_factor < 0 || options.slice_factor > arc::factor_max) {
        return refuse(
            fmt::format("slice_factor: {}, possible are 0 to {}", options.slice_factor, arc::factor_max));
    }
    if (options.max_future && options.max_future->count() < 0) {
        return refuse(fmt::format("max_future: {} us, it must not be negative", options.max_future->count()));
    }
    return {};
}

}  // namespace opstore
