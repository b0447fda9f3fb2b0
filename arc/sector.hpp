#pragma once

#include <arc/dht_arc.hpp>
#include <arc/location.hpp>

#include <cstdint>
#include <vector>

namespace opstore::arc {

/// The ring is cut into equal sectors, so that two peers whose arcs differ can still compare summaries: each
/// keeps one per sector and combines those that both cover. All peers must use the same cut.
inline constexpr std::uint32_t sector_count = 512;

/// In locations: sector i is [i * sector_size, (i + 1) * sector_size - 1].
inline constexpr std::uint32_t sector_size = 1u << 23;

/// 0 to sector_count - 1.
using sector_index = std::uint16_t;

sector_index sector_of(location at);

/// Precondition: sector < sector_count.
dht_arc sector_arc(sector_index sector);

/// The part of one sector, or all of it, that lies in some arc. Locations; both ends inclusive.
struct sector_piece {
    sector_index sector = 0;
    std::uint32_t first = 0;
    std::uint32_t last = 0;

    /// Whether it is the sector from its first location to its last.
    bool whole() const { return last - first == sector_size - 1; }

    friend bool operator==(sector_piece const&, sector_piece const&) = default;
};

/// The arc cut at the borders of the sectors: disjoint pieces, ascending by `first`, that together hold
/// exactly the arc's locations. A sector appears once, except that an arc which leaves out only a part of one
/// sector's inside, and so starts and ends there, has that sector twice. At most sector_count + 1 pieces.
std::vector<sector_piece> sector_pieces(dht_arc arc);

}  // namespace opstore::arc
