#pragma once

#include <gossip/model/detail/sector_table.hpp>
#include <gossip/model/summary_model.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace opstore::gossip {

/// What a summary_model knows of its store at one watermark. No I/O: ops come in, hashes come out.
///
/// Time is cut once, at the fold: slices [0, full_slices()) are one table, every unit of time since that has
/// ops is another. Those units that no layout tells apart (arc::stretch_start()) come as one, in the first of
/// them. So a layout's tables are sums of these; those of the layouts asked for last are kept, as every
/// message of a round asks for the same one.
class summary_model::hashes {
public:
    /// Precondition: `all` was retrieved for `full_slices`.
    hashes(int factor, std::uint64_t full_slices, space_hashes const& all);

    /// The ops behind the watermark, and the new one.
    void apply(op_tail const& tail);

    /// Moves the fold on. Precondition: full_slices >= full_slices().
    void fold(std::uint64_t full_slices);

    std::uint64_t full_slices() const { return full_slices_; }
    arc::timestamp next() const { return next_; }  ///< Where the tail goes on: behind the watermark.
    std::uint64_t op_count() const { return op_count_; }

    bool can_answer(arc::slice_layout const& layout) const;

    // As in summary_model.
    minimal_snapshot minimal(arc::arc_set const& sectors, arc::slice_layout const& layout);
    disc_sectors_snapshot disc_sectors(arc::arc_set const& sectors, arc::slice_layout const& layout);
    ring_details_snapshot ring_details(arc::arc_set const& sectors, arc::slice_layout const& layout,
                                       std::span<const std::uint32_t> rings);

private:
    /// The tables of one layout, beside disc_.
    struct layout_tables {
        arc::slice_layout layout;
        detail::sector_table unfolded_disc;  ///< From the fold to the layout's boundary.
        std::vector<detail::sector_table> rings;

        layout_tables() = default;
        void add(tail_op const& op);
    };

    /// Our own and one of a peer whose clock is on the other side of a border of units.
    static constexpr std::size_t layouts_max = 2;

    layout_tables const& tables_of(arc::slice_layout const& layout);
    /// The tables of the units that start in `range`, slices of a layout. Precondition: not before the fold.
    std::vector<detail::sector_table const*> units_in(arc::time_range range) const;

    int factor_;
    std::uint64_t full_slices_;
    arc::timestamp boundary_;  ///< Of the fold.
    arc::timestamp next_;
    std::uint64_t op_count_;
    detail::sector_table disc_;
    /// From the fold on, by index; bounded by the number of ops, as those of the future are here too.
    std::map<std::uint64_t, detail::sector_table> units_;
    std::vector<layout_tables> layouts_;  ///< Most recently used first.
};

}  // namespace opstore::gossip
