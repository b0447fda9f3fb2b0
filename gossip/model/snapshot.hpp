#pragma once

#include <arc/sector.hpp>
#include <arc/timestamp.hpp>
#include <opstore/combined_hash.hpp>

#include <cstdint>
#include <map>
#include <variant>
#include <vector>

namespace opstore::gossip {

// What two peers compare of the sectors they have in common, from coarse to fine. Each snapshot names the
// disc boundary that it was made for; those of different boundaries say nothing about each other.
//
// The empty hash stands for "no ops". Where a map lists hashes, a place without ops is left out of it.

using sector_hashes = std::map<arc::sector_index, combined_hash>;
using slice_hashes = std::map<std::uint64_t, combined_hash>;  ///< By index of the full slice.

/// The least that tells two peers apart, and in which half: the disc or which rings.
struct minimal_snapshot {
    arc::timestamp disc_boundary;
    combined_hash disc_top_hash;
    std::vector<combined_hash> ring_top_hashes;  ///< One for each ring of the layout, oldest first.

    minimal_snapshot() = default;
    friend bool operator==(minimal_snapshot const&, minimal_snapshot const&) = default;
};

/// The disc by sector.
struct disc_sectors_snapshot {
    arc::timestamp disc_boundary;
    sector_hashes sectors;

    disc_sectors_snapshot() = default;
    friend bool operator==(disc_sectors_snapshot const&, disc_sectors_snapshot const&) = default;
};

/// The disc by sector and slice, of the sectors that were asked for; one of them without ops is listed empty.
struct disc_details_snapshot {
    arc::timestamp disc_boundary;
    std::map<arc::sector_index, slice_hashes> sectors;

    disc_details_snapshot() = default;
    friend bool operator==(disc_details_snapshot const&, disc_details_snapshot const&) = default;
};

/// Rings by sector, of the rings that were asked for; one of them without ops is listed empty.
struct ring_details_snapshot {
    arc::timestamp disc_boundary;
    std::map<std::uint32_t, sector_hashes> rings;  ///< By index in the layout.

    ring_details_snapshot() = default;
    friend bool operator==(ring_details_snapshot const&, ring_details_snapshot const&) = default;
};

using snapshot =
    std::variant<minimal_snapshot, disc_sectors_snapshot, disc_details_snapshot, ring_details_snapshot>;

/// No difference.
struct identical {
    friend bool operator==(identical const&, identical const&) = default;
};
/// Another kind of snapshot, another boundary or other rings: nothing follows from it.
struct cannot_compare {
    friend bool operator==(cannot_compare const&, cannot_compare const&) = default;
};
struct disc_mismatch {
    friend bool operator==(disc_mismatch const&, disc_mismatch const&) = default;
};
struct ring_mismatches {
    std::vector<std::uint32_t> rings;  ///< Ascending.

    friend bool operator==(ring_mismatches const&, ring_mismatches const&) = default;
};
struct disc_sector_mismatches {
    std::vector<arc::sector_index> sectors;  ///< Ascending.

    friend bool operator==(disc_sector_mismatches const&, disc_sector_mismatches const&) = default;
};
struct disc_slice_mismatches {
    std::map<arc::sector_index, std::vector<std::uint64_t>> sectors;  ///< Slices ascending.

    friend bool operator==(disc_slice_mismatches const&, disc_slice_mismatches const&) = default;
};
struct ring_sector_mismatches {
    std::map<std::uint32_t, std::vector<arc::sector_index>> rings;  ///< Sectors ascending.

    friend bool operator==(ring_sector_mismatches const&, ring_sector_mismatches const&) = default;
};

using comparison = std::variant<identical, cannot_compare, disc_mismatch, ring_mismatches,
                                disc_sector_mismatches, disc_slice_mismatches, ring_sector_mismatches>;

/// kitsune2's rules, in its order: equal -> identical; other kinds or boundaries -> cannot_compare; then
///  - minimal: other disc -> disc_mismatch, whatever the rings; other number of rings -> cannot_compare;
///  - disc sectors: those on one side only, and those that differ;
///  - disc details: of a sector on one side only every slice, else slices on one side only or different. A
///    sector on one side only is listed even if it has no slices;
///  - ring details: other keys -> cannot_compare; sectors as above. A ring is listed even without sectors.
comparison compare(snapshot const& ours, snapshot const& theirs);

}  // namespace opstore::gossip
