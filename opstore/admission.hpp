#pragma once

#include <opstore/op_store.hpp>

#include <optional>
#include <vector>

namespace opstore {

/// An op that passed every rule of its space and only has to be written.
struct admitted_op {
    op_id id;
    arc::location location;
    arc::timestamp created_at;
    op_bytes data;

    admitted_op() = default;
};

struct admission {
    std::vector<admitted_op> ops;     ///< Input order, repeats included.
    std::vector<rejection> rejected;  ///< Ascending by index.

    admission() = default;
};

/// Judges a batch by the rules of a space, the same for every implementation: size, format, claimed id, id
/// length, time. `now` serves max_future only. Pure; takes about a microsecond for each 256 byte op
/// (hashing).
admission admit(std::vector<incoming_op> ops, space_options const& space, arc::timestamp now);

/// Judges a slice hash that a host wants kept: invalid_argument or slices_kept_by_store, naming the argument.
result<void> admit_slice_hash(space_options const& space, arc::dht_arc arc, std::uint64_t index,
                              std::vector<std::byte> const& hash);

}  // namespace opstore
