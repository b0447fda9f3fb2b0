#pragma once

#include <gossip/wire/protocol_error.hpp>

#include <cstddef>
#include <span>

namespace google::protobuf {
class Descriptor;
}

namespace opstore::gossip::detail {

/// Walks the bytes of a message before anything is allocated for it: an empty entry of a list is two bytes on
/// the wire and up to a hundred in memory, so the size of a frame alone bounds nothing.
///
/// Errors: malformed if it cannot be walked, at every level that `type` declares; too_large if it has more
/// than elements_max elements. An element is a field of a message at any level, known or not; a packed list
/// counts as one field for each of its numbers, and as one if it has none.
protocol_result<void> check_elements(google::protobuf::Descriptor const& type,
                                     std::span<const std::byte> message);

}  // namespace opstore::gossip::detail
