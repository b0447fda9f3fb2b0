#pragma once

#include <gossip/wire/protocol_error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// What is around a message: kitsune2's K2Proto for the whole frame, and in it the module's own envelope,
/// K2GossipMessage, K2FetchMessage or K2PublishMessage, all of one shape. Read and written in place: what
/// they hold may be as large as the frame.
namespace opstore::gossip::detail {

/// K2Proto { ty = 1, data = 2, optional space_id = 3, optional module_id = 4 }. Do not renumber.
struct frame_view {
    std::uint64_t type = 0;
    std::span<const std::byte> data;
    std::optional<std::span<const std::byte>> space;
    std::optional<std::string_view> module_id;
};

/// K2Proto's type of a message for a module; the others are the transport's own.
inline constexpr std::uint64_t frame_type_module = 3;

/// { type = 1, data = 2 }. Do not renumber.
struct payload_view {
    std::uint64_t type = 0;
    std::span<const std::byte> data;
};

// The views point into the bytes read. Of a field that comes twice the last counts; unknown ones are skipped.
// Errors: malformed; too_large for more than frame_bytes_max bytes.

protocol_result<frame_view> read_frame(std::span<const std::byte> bytes);
protocol_result<payload_view> read_payload(std::span<const std::byte> bytes);

/// Size of a payload whose data has `data_bytes` bytes.
std::size_t payload_bytes(std::uint64_t type, std::size_t data_bytes);

/// Everything of a payload that stands before its data.
void append_payload_header(std::vector<std::byte>& out, std::uint64_t type, std::size_t data_bytes);

/// Everything of a frame that stands before its data, which is not empty.
void append_frame_header(std::vector<std::byte>& out, std::size_t data_bytes);
/// Everything of a frame that stands behind its data.
void append_frame_trailer(std::vector<std::byte>& out, std::span<const std::byte> space,
                          std::string_view module_id);

}  // namespace opstore::gossip::detail
