#pragma once

#include <tests/contract/contract_suite.hpp>

#include <arc/arc_set.hpp>
#include <arc/sector.hpp>
#include <arc/time_slices.hpp>

#include <initializer_list>

/// Ops at chosen sectors, for the rules of the reads that a gossip peer makes: those are asked by sector,
/// where most others are asked by arc.
namespace opstore::testing {

/// Size of an op of the chosen format without payload.
inline constexpr std::uint64_t empty_op_bytes = 8 + chosen_id_length;

/// The first location of a sector.
std::uint32_t first_of(arc::sector_index sector);
arc::arc_set sectors_of(std::initializer_list<arc::sector_index> list);
arc::time_range all_time();

/// Stores a batch that must not be refused.
void put(store_under_test& space, std::vector<incoming_op> ops);

/// Five ops of 17, 18, 19, 20 and 21 bytes in sector 3, two of them created at once. Answers their ids in the
/// order of the batch, which is that of (created_at, id) too.
std::vector<op_id> put_five(store_under_test& space);

}  // namespace opstore::testing
