#pragma once

#include <arc/location.hpp>
#include <arc/timestamp.hpp>
#include <opstore/op_format.hpp>

#include <cstdint>

namespace opstore::simulator {

/// Counts the ops of a simulation, from 0.
using op_number = std::uint32_t;

/// All it takes to write an op again, byte for byte: so the checker knows the bytes of every op without
/// keeping them.
struct op_recipe {
    op_number number = 0;
    arc::timestamp created_at;
    arc::location at;
    std::uint32_t payload_bytes = 0;
};

/// In the format "located". The payload begins with the number, so no two ops are alike.
op_bytes write_op(std::uint64_t seed, op_recipe const& recipe);

}  // namespace opstore::simulator
