#pragma once

#include <opstore/op_format.hpp>
#include <opstore/op_store.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace opstore::testing {

/// A host's own format, for tests: the bytes of an op say outright what its id, and so its place, and its
/// time are. So a test can have any id, any location, and two ops of one id.
///
/// Op: created_at (i64 LE, us), the id, payload. Location: the last four bytes of the id, LE; a shorter id
/// counts as if zero bytes followed. Metadata: see below.
std::shared_ptr<const op_format> chosen_id_format(std::size_t id_length);

/// Metadata that makes the format refuse the op (refused_by_host).
inline constexpr std::string_view metadata_refuse = "refuse";
/// Metadata that makes the format compute an id one byte too short.
inline constexpr std::string_view metadata_short_id = "short id";

std::vector<std::byte> bytes_of(std::string_view text);

/// `name` in big-endian at the front, zeros, and `at` in the last four bytes. Precondition: length >= 5, and
/// `name` fits before the location.
op_id chosen_id(std::uint32_t name, arc::location at, std::size_t length);

op_bytes encode_chosen(op_id const& id, arc::timestamp created_at, std::span<const std::byte> payload = {});
op_bytes encode_chosen(op_id const& id, arc::timestamp created_at, std::string_view payload);

/// The op that encode_chosen() writes, without a claimed id.
incoming_op chosen_op(op_id const& id, arc::timestamp created_at, std::string_view payload = {});

}  // namespace opstore::testing
