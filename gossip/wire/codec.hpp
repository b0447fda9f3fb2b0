#pragma once

#include <gossip/wire/messages.hpp>
#include <gossip/wire/protocol_error.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

/// Messages to bytes and back: kitsune2's protobuf, byte for byte (docs/wire.md).
///
/// Encoding is canonical: fields and map keys ascending. Decoding takes what another implementation may send
/// (any order, unknown fields, of repeated keys the last) and refuses, before it allocates for it, what is
/// larger than the limits below; then what is out of range. Memory for decoding is bounded by the limits:
/// less than 200 bytes for each element, and three times the frame for texts and data.
///
/// Thread safety: all functions are pure and may be called from any thread at once.
namespace opstore::gossip {

/// Bytes of one frame, the most that is sent and accepted. kitsune2's transport takes 100 MiB; ours bounds
/// its messages far below, so that a hostile one costs little.
inline constexpr std::size_t frame_bytes_max = std::size_t{32} << 20;

/// Elements of a message: its fields and those of the messages in it, each entry of a list for one, known or
/// not. A list of ids of page_ids_max ops, with room to spare.
inline constexpr std::size_t elements_max = 1 << 19;

// Precondition of encoding: the value is within the bounds that decoding checks (docs/wire.md), so that it is
// taken elsewhere. They are the caller's to keep: nothing here could cut a message in a way that makes sense.

/// A frame of kitsune2's transport: a module message for `space`, which has 1 to 255 bytes.
std::vector<std::byte> encode_frame(std::span<const std::byte> space, message const& m);

/// Errors: malformed, too_large, out_of_range, unknown_type; other_space if it is not for `space`.
protocol_result<message> decode_frame(std::span<const std::byte> space, std::span<const std::byte> frame);

// The payload of a frame, by module: K2GossipMessage, K2FetchMessage, K2PublishMessage. Errors as above.

std::vector<std::byte> encode(gossip_message const& m);
std::vector<std::byte> encode(fetch_message const& m);
std::vector<std::byte> encode(publish_message const& m);
protocol_result<gossip_message> decode_gossip(std::span<const std::byte> bytes);
protocol_result<fetch_message> decode_fetch(std::span<const std::byte> bytes);
protocol_result<publish_message> decode_publish(std::span<const std::byte> bytes);

/// The word for a message in reports, such as "initiate" or "fetch_request".
std::string_view name_of(message const& m);

}  // namespace opstore::gossip
