#pragma once

#include <arc/dht_arc.hpp>
#include <arc/sector.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace opstore::arc {

/// Why arcs do not make an arc_set: one is not as long as a number of whole sectors.
struct misaligned_arc {
    /// One past the last location of the sectors that the arc reaches into, modulo 2^32.
    std::uint32_t expected_end = 0;
    /// The arc's own end, inclusive.
    std::uint32_t specified_end = 0;

    /// kitsune2's text: "Invalid arc, expected end at X but arc specifies Y".
    std::string message() const;

    friend bool operator==(misaligned_arc const&, misaligned_arc const&) = default;
};

/// A set of whole sectors: what a peer claims to hold, in the form that is sent, intersected and compared.
///
/// Two peers reconcile the intersection of their sets, sector by sector; locations inside a sector play no
/// part. The default value is the empty set.
///
/// Thread safety: a value type of 64 bytes; distinct objects are independent.
class arc_set {
public:
    /// In 32-bit words, of the encoded form.
    static constexpr std::size_t encoded_words = sector_count / 32;

    arc_set() = default;

    static arc_set full();

    /// The union of the arcs as kitsune2 takes it, for agreement with its peers. Only the length of an arc is
    /// checked: one as long as n sectors that starts inside a sector passes as that sector and the n - 1
    /// after it, so (5, sector_size + 4) is sector 0. Empty arcs add nothing. Arcs that follow when the set
    /// is full are neither read nor checked.
    static std::variant<arc_set, misaligned_arc> from_arcs(std::span<const dht_arc> arcs);

    /// The sectors of an arc that starts and ends on borders of sectors, or covers the whole circle from
    /// wherever it starts. None for any other arc: sectors in part are not rounded.
    static std::optional<arc_set> from_whole_sectors(dht_arc arc);

    arc_set intersection(arc_set const& other) const;
    arc_set union_with(arc_set const& other) const;

    /// The sectors of this set that are not in the other.
    arc_set without(arc_set const& other) const;

    /// False for an index that is no sector.
    bool includes(sector_index sector) const;

    /// Number of sectors, 0 to sector_count.
    std::uint32_t count() const;
    bool empty() const;

    /// Ascending.
    std::vector<sector_index> sectors() const;

    /// Precondition: sector < sector_count. No effect if it is in the set already.
    void insert(sector_index sector);

    /// The form peers send (do not renumber): sector k is bit k % 32, from the lowest, of word k / 32.
    std::array<std::uint32_t, encoded_words> encode() const { return words_; }

    /// None unless there are exactly encoded_words words.
    static std::optional<arc_set> decode(std::span<const std::uint32_t> words);

    /// The fewest arcs that do not wrap, ascending: dht_arc::full() for the full set, and sectors that join
    /// across location 0 come as two arcs.
    std::vector<dht_arc> as_arcs() const;

    friend bool operator==(arc_set const&, arc_set const&) = default;

private:
    std::array<std::uint32_t, encoded_words> words_{};
};

}  // namespace opstore::arc
