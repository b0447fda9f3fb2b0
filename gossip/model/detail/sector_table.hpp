#pragma once

#include <arc/arc_set.hpp>
#include <arc/sector.hpp>
#include <gossip/model/snapshot.hpp>
#include <opstore/combined_hash.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace opstore::gossip::detail {

/// A combined hash for each sector that has ops.
///
/// A model holds a table for each recent quarter of an hour, most of them of a few sectors, and a process may
/// hold a thousand models. So a table has one bit for each sector, and the hashes behind each other in one
/// block, each as long as the ids of the space are. The hash of all sectors is kept too: what half of the
/// sectors or more have in common with it costs only what they leave out.
///
/// Thread safety: a value type.
class sector_table {
public:
    sector_table() = default;

    /// The sum of tables. One pass over what they hold.
    static sector_table combine(std::span<sector_table const* const> tables);

    /// XORs `hash` into that of `sector`; the empty hash changes nothing. Preconditions: sector <
    /// arc::sector_count; as long as everything combined before.
    void add(arc::sector_index sector, std::span<const std::byte> hash);

    bool empty() const { return hashes_.empty(); }

    /// The combined hash of those of `sectors` that have ops; the empty hash if none has.
    combined_hash top(arc::arc_set const& sectors) const;

    /// XORs the hash of each of `sectors` that has ops into what `to` lists for it.
    void add_to(sector_hashes& to, arc::arc_set const& sectors) const;

private:
    /// Sector s is bit s % 64, from the lowest, of word s / 64.
    using sector_bits = std::array<std::uint64_t, arc::sector_count / 64>;

    static sector_bits bits_of(arc::arc_set const& sectors);
    static std::size_t count(sector_bits const& bits);
    /// Calls `visit(sector, hash)` for each sector of `wanted`, ascending. Precondition: all of them have
    /// ops.
    template <class Visit>
    void visit_hashes(sector_bits const& wanted, Visit const& visit) const;
    std::byte* hash_at(std::size_t place) { return hashes_.data() + place * hash_bytes_; }
    std::byte const* hash_at(std::size_t place) const { return hashes_.data() + place * hash_bytes_; }

    sector_bits present_{};
    /// hash_bytes_ each: at place 0 that of all sectors, then those of the sectors, ascending.
    std::vector<std::byte> hashes_;
    std::size_t hash_bytes_ = 0;
};

}  // namespace opstore::gossip::detail
