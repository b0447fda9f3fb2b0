#pragma once

#include <arc/arc_set.hpp>
#include <arc/dht_arc.hpp>
#include <arc/timestamp.hpp>
#include <opstore/errors.hpp>
#include <opstore/op_id.hpp>
#include <opstore/op_store.hpp>
#include <opstore/postgres/detail/connection.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace opstore::postgres::detail {

/// A space, as it was when it was opened.
struct space_identity {
    std::int64_t space_id;
    std::int64_t incarnation;
};

/// One space, as the statements need it.
struct space_view : space_identity {
    std::size_t id_length;
    int slice_factor;
};

/// Ids in one statement: enough that the round trip does not count, few enough to hold a few times.
inline constexpr std::size_t statement_ids_max = 16'384;
/// Bytes of ops in one result, which is in memory beside the ops for a while.
inline constexpr std::int64_t result_bytes_max = 32 << 20;

/// The first parameters of every statement about a space: of a space that was dropped, and perhaps made anew,
/// it finds nothing.
parameters of_space(space_identity space);

inline constexpr std::int64_t fold_ops_max = 16'384;

/// Folds at most fold_ops_max ops of a space's tail (see sql/statements/fold.sql). Returns whether some are
/// left. A repeat goes on where the one before ended.
bool fold_some(connection& c, space_identity space);

refusal space_is_gone();

/// The nearest number that a statement takes.
std::int64_t saturated(std::uint64_t value);

/// What is left of a limit; 0 if more was used.
std::uint64_t rest_of(std::uint64_t limit, std::uint64_t used);

std::vector<std::int64_t> sector_numbers(arc::arc_set const& sectors);

/// The sectors as the bit mask that SQL's get_bit() takes.
std::vector<std::byte> sector_mask(arc::arc_set const& sectors);

/// Arcs cut at sector borders, as the parallel arrays that statements take.
struct piece_arrays {
    std::vector<std::int64_t> arc;  ///< Which of the arcs the piece is of.
    std::vector<std::int64_t> sector, first, last;

    piece_arrays() = default;
    void add(std::int64_t number, arc::dht_arc const& of);
    bool empty() const { return sector.empty(); }
};

/// ids[begin, end), as a parameter.
std::string id_array(std::vector<op_id> const& ids, std::size_t begin, std::size_t end);

/// Throws std::logic_error unless the list is in order: that an aggregate sees the rows of an ordered
/// subquery in their order is custom, not law.
void require_ascending(std::vector<std::int64_t> const& values, char const* statement);

/// Cuts joined ids, or hashes, apart and adds them. Throws store_error unless they are `count`.
void append_ids(std::vector<op_id>& out, std::span<const std::byte> joined, std::size_t id_length,
                std::size_t count);

/// A hash as the database keeps it. Throws store_error unless it is as long as the space's ids.
combined_hash hash_of(std::span<const std::byte> bytes, std::size_t id_length);

/// Combines one more part of a slice's hash with those before it (see sql/statements/fold.sql). Empty: none
/// yet.
void add_part(std::vector<std::byte>& hash, std::span<const std::byte> part);

/// Adds a slice where its index belongs, or one more part of its hash. Quick at the end.
void add_part(std::vector<slice_hash>& slices, std::uint64_t index, std::span<const std::byte> part);

/// max(start, W + 1).
arc::timestamp after_watermark(arc::timestamp start, std::int64_t watermark);

}  // namespace opstore::postgres::detail
