#include <gossip/model/detail/model_hashes.hpp>

#include <algorithm>
#include <cassert>

namespace opstore::gossip {
namespace {

/// Precondition: not before the epoch.
std::uint64_t unit_of(arc::timestamp time) {
    return static_cast<std::uint64_t>(time.time_since_epoch() / arc::unit);
}

}  // namespace

summary_model::hashes::hashes(int factor, std::uint64_t full_slices, space_hashes const& all)
    : factor_(factor),
      full_slices_(full_slices),
      boundary_(arc::slice_range(full_slices, factor).start),
      next_(all.watermark + arc::timestamp::duration(1)),
      op_count_(all.op_count) {
    for (auto const& of_sector : all.disc) {
        disc_.add(of_sector.sector, of_sector.hash.bytes());
    }
    for (auto const& of_unit : all.recent) {
        units_[of_unit.unit].add(of_unit.sector, of_unit.hash.bytes());
    }
}

void summary_model::hashes::layout_tables::add(tail_op const& op) {
    auto const sector = arc::sector_of(op.location);
    if (op.created_at < layout.disc_boundary()) {
        unfolded_disc.add(sector, op.id.bytes());
        return;
    }
    auto const behind = std::ranges::upper_bound(layout.rings, op.created_at, {}, &arc::ring_slice::start);
    if (behind == layout.rings.begin()) {
        return;
    }
    auto const ring = behind - 1;
    if (op.created_at < ring->range().end) {
        rings[static_cast<std::size_t>(ring - layout.rings.begin())].add(sector, op.id.bytes());
    }
}

void summary_model::hashes::apply(op_tail const& tail) {
    for (auto const& op : tail.ops) {
        auto const sector = arc::sector_of(op.location);
        if (op.created_at < boundary_) {
            disc_.add(sector, op.id.bytes());
            continue;
        }
        units_[unit_of(op.created_at)].add(sector, op.id.bytes());
        for (auto& tables : layouts_) {
            tables.add(op);
        }
    }
    op_count_ += tail.ops.size();
    next_ = tail.next;
}

void summary_model::hashes::fold(std::uint64_t full_slices) {
    assert(full_slices >= full_slices_);
    if (full_slices == full_slices_) {
        return;
    }
    auto const boundary = arc::slice_range(full_slices, factor_).start;
    auto parts = units_in({boundary_, boundary});
    parts.push_back(&disc_);
    disc_ = detail::sector_table::combine(parts);
    units_.erase(units_.begin(), units_.lower_bound(unit_of(boundary)));
    // What they call the unfolded disc is folded now, in part or as a whole.
    layouts_.clear();
    boundary_ = boundary;
    full_slices_ = full_slices;
}

bool summary_model::hashes::can_answer(arc::slice_layout const& layout) const {
    return layout.factor == factor_ && layout.full_slices >= full_slices_;
}

std::vector<detail::sector_table const*> summary_model::hashes::units_in(arc::time_range range) const {
    std::vector<detail::sector_table const*> parts;
    auto const end = units_.lower_bound(unit_of(range.end));
    for (auto at = units_.lower_bound(unit_of(range.start)); at != end; ++at) {
        parts.push_back(&at->second);
    }
    return parts;
}

summary_model::hashes::layout_tables const& summary_model::hashes::tables_of(
    arc::slice_layout const& layout) {
    assert(can_answer(layout));
    auto const known = std::ranges::find(layouts_, layout, &layout_tables::layout);
    if (known != layouts_.end()) {
        std::rotate(layouts_.begin(), known, known + 1);
        return layouts_.front();
    }
    layout_tables tables;
    tables.layout = layout;
    tables.unfolded_disc = detail::sector_table::combine(units_in({boundary_, layout.disc_boundary()}));
    tables.rings.reserve(layout.rings.size());
    for (auto const& ring : layout.rings) {
        tables.rings.push_back(detail::sector_table::combine(units_in(ring.range())));
    }
    if (layouts_.size() == layouts_max) {
        layouts_.pop_back();
    }
    return *layouts_.insert(layouts_.begin(), std::move(tables));
}

minimal_snapshot summary_model::hashes::minimal(arc::arc_set const& sectors,
                                                arc::slice_layout const& layout) {
    auto const& tables = tables_of(layout);
    minimal_snapshot answer;
    answer.disc_boundary = layout.disc_boundary();
    answer.disc_top_hash = disc_.top(sectors);
    answer.disc_top_hash.add(tables.unfolded_disc.top(sectors));
    answer.ring_top_hashes.reserve(tables.rings.size());
    for (auto const& ring : tables.rings) {
        answer.ring_top_hashes.push_back(ring.top(sectors));
    }
    return answer;
}

disc_sectors_snapshot summary_model::hashes::disc_sectors(arc::arc_set const& sectors,
                                                          arc::slice_layout const& layout) {
    disc_sectors_snapshot answer;
    answer.disc_boundary = layout.disc_boundary();
    disc_.add_to(answer.sectors, sectors);
    tables_of(layout).unfolded_disc.add_to(answer.sectors, sectors);
    return answer;
}

ring_details_snapshot summary_model::hashes::ring_details(arc::arc_set const& sectors,
                                                          arc::slice_layout const& layout,
                                                          std::span<const std::uint32_t> rings) {
    auto const& tables = tables_of(layout);
    ring_details_snapshot answer;
    answer.disc_boundary = layout.disc_boundary();
    for (auto const ring : rings) {
        if (ring < tables.rings.size() && !answer.rings.contains(ring)) {
            tables.rings[ring].add_to(answer.rings[ring], sectors);
        }
    }
    return answer;
}

}  // namespace opstore::gossip
