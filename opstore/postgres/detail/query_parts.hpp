#pragma once

#include <arc/arc_set.hpp>
#include <arc/timestamp.hpp>
#include <opstore/errors.hpp>
#include <opstore/op_id.hpp>
#include <opstore/postgres/detail/connection.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace opstore::postgres::detail {

/// One space, as the statements need it.
struct space_view {
    std::int64_t space_id;
    std::int64_t incarnation;
    std::size_t id_length;
    int slice_factor;
};

/// Ids in one statement: enough that the round trip does not count, few enough to hold a few times.
inline constexpr std::size_t statement_ids_max = 16'384;
/// Bytes of ops in one result, which arrives as text, twice as long.
inline constexpr std::int64_t result_bytes_max = 32 << 20;

/// The first parameters of every statement about a space: of a space that was dropped, and perhaps made anew,
/// it finds nothing.
parameters of_space(space_view space);

refusal space_is_gone();

/// The nearest number that a statement takes.
std::int64_t saturated(std::uint64_t value);

std::vector<std::int64_t> sector_numbers(arc::arc_set const& sectors);

/// ids[begin, end), as a parameter.
std::string id_array(std::vector<op_id> const& ids, std::size_t begin, std::size_t end);

/// Cuts joined ids, or hashes, apart and adds them. Throws store_error unless they are `count`.
void append_ids(std::vector<op_id>& out, std::vector<std::byte> const& joined, std::size_t id_length,
                std::size_t count);

/// max(start, W + 1).
arc::timestamp after_watermark(arc::timestamp start, std::int64_t watermark);

}  // namespace opstore::postgres::detail
