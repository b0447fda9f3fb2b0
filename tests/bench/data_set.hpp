#pragma once

#include <arc/location.hpp>
#include <arc/timestamp.hpp>
#include <opstore/op_format.hpp>
#include <opstore/op_id.hpp>
#include <opstore/op_store.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace opstore::bench {

// The ops of all benchmarks: op number i is a function of i alone, so that every contender stores the same
// bytes and a question can name an op that is held without remembering it.

/// Ops of a batch where the question does not say otherwise.
inline constexpr std::size_t batch_ops = 1000;
/// In bytes, of the op as received: 8 of created_at and 248 of payload (the plain format).
inline constexpr std::size_t op_bytes_each = 256;
/// What all clocks stand at.
inline constexpr arc::timestamp now = arc::from_micros(1'750'000'000'000'000);
/// Ops keep being created at one rate, a million a year: a store with ten times the ops is ten times as old,
/// and what a call answers has the same size in it. Most lie in full slices.
inline constexpr std::int64_t us_per_op = 31'536'000;
/// The least scale, whose history fewer ops have too, and the largest. Each is ten times the one before.
inline constexpr std::uint64_t ops_min = 100'000;
inline constexpr std::uint64_t ops_max = 10'000'000;
/// How far back from `now` the ops of a scale reach.
constexpr std::int64_t history_us(std::uint64_t ops) {
    return static_cast<std::int64_t>(std::max(ops, ops_min)) * us_per_op;
}
/// No op with this number or a higher one is ever stored.
inline constexpr std::uint64_t unknown_from = std::uint64_t{1} << 40;

struct bench_op {
    op_id id;
    arc::location location;
    arc::timestamp created_at;
    op_bytes data;

    bench_op() = default;
};

bench_op make_op(std::uint64_t number);

/// Ops [first, first + count).
std::vector<bench_op> make_ops(std::uint64_t first, std::size_t count);

/// As a caller of the store hands them over.
std::vector<incoming_op> to_incoming(std::span<const bench_op> ops);

}  // namespace opstore::bench
