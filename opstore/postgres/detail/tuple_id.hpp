#pragma once

#include <compare>
#include <cstdint>

namespace opstore::postgres::detail {

/// Where a version of a row lies in its table: PostgreSQL's ctid. A row gets another one when it is changed,
/// or when its table is written anew (VACUUM FULL), and then another row may have this one.
struct tuple_id {
    std::uint32_t block = 0;
    std::uint16_t offset = 0;  ///< In the block, from 1; 0: nowhere.

    bool is_nowhere() const { return offset == 0; }
    friend auto operator<=>(tuple_id const&, tuple_id const&) = default;
};

}  // namespace opstore::postgres::detail
