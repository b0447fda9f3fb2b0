#include <opstore/memory/detail/memory_space.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace opstore::memory::detail {
namespace {

stored_op answer_of(held_op const& held) {
    stored_op answer;
    answer.id = held.id();
    answer.location = held.location();
    answer.created_at = held.created_at();
    answer.stored_at = held.stored_at;
    answer.data = held.op->data;
    return answer;
}

std::string describe(kept_hash const& kept) {
    return fmt::format("{} of {} ops", to_string(kept.hash), kept.op_count);
}

/// The sector whose whole arc this is, ends included.
std::optional<arc::sector_index> exact_sector(arc::dht_arc arc) {
    if (arc.is_empty()) {
        return std::nullopt;
    }
    auto const sector = arc::sector_of(arc.start());
    return arc == arc::sector_arc(sector) ? std::optional(sector) : std::nullopt;
}

std::vector<std::byte> copy_of(std::span<const std::byte> bytes) {
    return {bytes.begin(), bytes.end()};
}

void report(verify_report& to, std::string what, std::string where, std::string kept, std::string computed) {
    ++to.damage_count;
    if (to.damages.size() == verify_report::damages_max) {
        return;
    }
    damage& found = to.damages.emplace_back();
    found.what = std::move(what);
    found.where = std::move(where);
    found.kept = std::move(kept);
    found.computed = std::move(computed);
}

}  // namespace

held_op const* memory_space::insert(admitted_op op, std::int64_t stamp) {
    if (ops_.contains(op.id)) {
        return nullptr;
    }
    held_op const& held = *ops_.insert({pool_->acquire(std::move(op)), arc::from_micros(stamp)}).first;
    auto const sector = arc::sector_of(held.location());
    by_stored_at_.push_back(&held);
    by_sector_[sector].insert(&held);
    op_bytes_ += held.bytes();
    if (auto const slice = slice_of(held); slice < full_slices_) {
        kept_[{sector, slice}].add(held.id());
    }
    return &held;
}

std::vector<held_op const*>::const_iterator memory_space::stored_since(arc::timestamp start) const {
    return std::ranges::lower_bound(by_stored_at_, start, {}, &held_op::stored_at);
}

ingest_report memory_space::ingest(std::vector<incoming_op> ops) {
    auto const now = clock_();
    admission admitted = admit(std::move(ops), options_, now);
    ingest_report report;
    report.rejected = std::move(admitted.rejected);
    report.held.reserve(admitted.ops.size());

    std::scoped_lock const lock(mutex_);
    std::set<op_id> seen;
    // Every op of the call takes a stamp, also one that turns out to be held: the stamps of a batch are
    // reserved before anybody knows which of it is new.
    std::int64_t stamp = std::max(arc::to_micros(now), watermark_ + 1);
    for (admitted_op& op : admitted.ops) {
        report.held.push_back(op.id);
        if (!seen.insert(op.id).second) {
            continue;
        }
        if (auto const* held = insert(std::move(op), stamp)) {
            report.newly_stored.push_back({held->id(), held->created_at()});
            report.newly_stored_bytes += held->bytes();
        }
        watermark_ = stamp++;
    }
    return report;
}

id_list memory_space::time_slice(arc::dht_arc arc, arc::timestamp start, arc::timestamp end) const {
    std::scoped_lock const lock(mutex_);
    ops_by_creation found;
    for (auto const& piece : arc::sector_pieces(arc)) {
        auto const& ops = by_sector_[piece.sector];
        for (auto at = ops.lower_bound(start); at != ops.end() && (*at)->created_at() < end; ++at) {
            if (arc.contains((*at)->location())) {
                found.insert(*at);
            }
        }
    }
    id_list list;
    list.ids.reserve(found.size());
    for (auto const* op : found) {
        list.ids.push_back(op->id());
        list.bytes += op->bytes();
    }
    return list;
}

std::vector<stored_op> memory_space::find(std::vector<op_id> const& ids) const {
    std::scoped_lock const lock(mutex_);
    std::vector<stored_op> found;
    for (auto const& id : ids) {
        if (auto const at = ops_.find(id); at != ops_.end()) {
            found.push_back(answer_of(*at));
        }
    }
    return found;
}

std::vector<op_id> memory_space::missing(std::vector<op_id> const& ids) const {
    std::scoped_lock const lock(mutex_);
    std::vector<op_id> absent;
    for (auto const& id : ids) {
        if (id.length() == options_.format->id_length() && !ops_.contains(id)) {
            absent.push_back(id);
        }
    }
    return absent;
}

id_page memory_space::page(std::function<bool(arc::location)> const& holds, arc::timestamp start,
                           std::uint64_t limit_bytes) const {
    std::scoped_lock const lock(mutex_);
    id_page page;
    for (auto at = stored_since(start); at != by_stored_at_.end(); ++at) {
        held_op const& op = **at;
        if (!holds(op.location())) {
            continue;
        }
        if (page.ids.size() == op_store::page_ids_max || op.bytes() > limit_bytes - page.bytes) {
            page.next = op.stored_at;
            page.next_op_bytes = op.bytes();
            return page;
        }
        page.ids.push_back(op.id());
        page.bytes += op.bytes();
    }
    page.next = std::max(start, after_watermark());
    return page;
}

std::optional<arc::timestamp> memory_space::earliest_in(arc::dht_arc arc) const {
    std::optional<arc::timestamp> earliest;
    for (auto const& piece : arc::sector_pieces(arc)) {
        auto const& ops = by_sector_[piece.sector];
        auto const first =
            std::ranges::find_if(ops, [&](auto const* op) { return arc.contains(op->location()); });
        if (first != ops.end() && (!earliest || (*first)->created_at() < *earliest)) {
            earliest = (*first)->created_at();
        }
    }
    return earliest;
}

std::vector<std::optional<arc::timestamp>> memory_space::earliest(
    std::vector<arc::dht_arc> const& arcs) const {
    std::scoped_lock const lock(mutex_);
    std::vector<std::optional<arc::timestamp>> answers;
    for (auto const& arc : arcs) {
        answers.push_back(earliest_in(arc));
    }
    return answers;
}

result<void> memory_space::put_slice_hash(arc::dht_arc arc, std::uint64_t index,
                                          std::vector<std::byte> hash) {
    if (auto const admitted = admit_slice_hash(options_, arc, index, hash); !admitted) {
        return admitted.error();
    }
    std::scoped_lock const lock(mutex_);
    given_[arc][index] = std::move(hash);
    return {};
}

std::vector<slice_hash> memory_space::slice_hashes_of(arc::dht_arc arc) const {
    std::vector<slice_hash> hashes;
    if (auto const sector = exact_sector(arc); sector && options_.slices == slice_mode::store) {
        for (auto at = kept_.lower_bound({*sector, 0}); at != kept_.end() && at->first.sector == *sector;
             ++at) {
            hashes.emplace_back(at->first.slice, copy_of(at->second.hash.bytes()));
        }
        return hashes;
    }
    if (auto const given = given_.find(arc); given != given_.end()) {
        for (auto const& [index, hash] : given->second) {
            hashes.emplace_back(index, hash);
        }
    }
    return hashes;
}

std::vector<std::vector<slice_hash>> memory_space::slice_hashes(std::vector<arc::dht_arc> const& arcs) const {
    std::scoped_lock const lock(mutex_);
    std::vector<std::vector<slice_hash>> answers;
    for (auto const& arc : arcs) {
        answers.push_back(slice_hashes_of(arc));
    }
    return answers;
}

std::vector<sector_hash> memory_space::combine(arc::arc_set const& sectors, arc::time_range range) const {
    std::vector<sector_hash> hashes;
    for (auto const sector : sectors.sectors()) {
        sector_hash combined{sector, {}, 0};
        auto const& ops = by_sector_[sector];
        for (auto at = ops.lower_bound(range.start); at != ops.end() && (*at)->created_at() < range.end;
             ++at) {
            combined.hash.add((*at)->id());
            ++combined.op_count;
        }
        if (combined.op_count > 0) {
            hashes.push_back(combined);
        }
    }
    return hashes;
}

std::vector<std::vector<sector_hash>> memory_space::combine(
    arc::arc_set const& sectors, std::vector<arc::time_range> const& ranges) const {
    std::scoped_lock const lock(mutex_);
    std::vector<std::vector<sector_hash>> answers;
    for (auto const& range : ranges) {
        answers.push_back(combine(sectors, range));
    }
    return answers;
}

store_summary memory_space::summarize(arc::arc_set const& sectors, arc::timestamp now) const {
    std::scoped_lock const lock(mutex_);
    auto const top_hash = [&](arc::time_range range) {
        combined_hash top;
        for (auto const& hash : combine(sectors, range)) {
            top.add(hash.hash);
        }
        return top;
    };
    auto const slices = arc::layout_at(now, options_.slice_factor);
    store_summary summary;
    summary.disc_boundary = slices.disc_boundary();
    summary.disc_top_hash = top_hash({arc::from_micros(0), summary.disc_boundary});
    for (auto const& ring : slices.rings) {
        summary.ring_top_hashes.push_back(top_hash(ring.range()));
    }
    return summary;
}

space_hashes memory_space::hashes(std::uint64_t full_slices) const {
    std::scoped_lock const lock(mutex_);
    space_hashes all;
    all.watermark = arc::from_micros(watermark_);
    all.op_count = ops_.size();
    auto const boundary = arc::slice_range(full_slices, options_.slice_factor).start;
    std::map<std::pair<std::uint64_t, arc::sector_index>, kept_hash> recent;
    for (arc::sector_index sector = 0; sector < arc::sector_count; ++sector) {
        kept_hash disc;
        for (auto const* op : by_sector_[sector]) {
            if (op->created_at() < boundary) {
                disc.add(op->id());
            } else {
                auto const unit = static_cast<std::uint64_t>(op->created_at().time_since_epoch() / arc::unit);
                auto const stretch = arc::stretch_start(unit, full_slices, options_.slice_factor);
                recent[{stretch, sector}].add(op->id());
            }
        }
        if (disc.op_count > 0) {
            all.disc.push_back({sector, disc.hash, disc.op_count});
        }
    }
    for (auto const& [cell, kept] : recent) {
        all.recent.push_back({cell.first, cell.second, kept.hash, kept.op_count});
    }
    return all;
}

op_tail memory_space::tail(arc::timestamp start, std::size_t ops_max) const {
    std::scoped_lock const lock(mutex_);
    op_tail tail;
    for (auto at = stored_since(start); at != by_stored_at_.end(); ++at) {
        held_op const& op = **at;
        if (tail.ops.size() == ops_max) {
            tail.next = op.stored_at;
            return tail;
        }
        tail.ops.push_back({op.id(), op.location(), op.created_at()});
    }
    tail.next = std::max(start, after_watermark());
    tail.complete = true;
    return tail;
}

std::vector<sector_slices> memory_space::disc_slices(arc::arc_set const& sectors,
                                                     std::uint64_t full_slices) const {
    std::scoped_lock const lock(mutex_);
    auto const boundary = arc::slice_range(full_slices, options_.slice_factor).start;
    std::vector<sector_slices> all;
    for (auto const sector : sectors.sectors()) {
        std::map<std::uint64_t, combined_hash> hashes;
        auto at = kept_.lower_bound({sector, 0});
        for (; at != kept_.end() && at->first.sector == sector && at->first.slice < full_slices; ++at) {
            hashes[at->first.slice] = at->second.hash;
        }
        auto const& ops = by_sector_[sector];
        auto const unkept = arc::slice_range(full_slices_, options_.slice_factor).start;
        for (auto op = ops.lower_bound(unkept); op != ops.end() && (*op)->created_at() < boundary; ++op) {
            hashes[slice_of(**op)].add((*op)->id());
        }
        sector_slices& of_sector = all.emplace_back();
        of_sector.sector = sector;
        for (auto const& [index, hash] : hashes) {
            of_sector.slices.emplace_back(index, copy_of(hash.bytes()));
        }
    }
    return all;
}

std::vector<region_ids> memory_space::regions(std::vector<op_region> const& wanted,
                                              std::uint64_t limit_bytes) const {
    std::scoped_lock const lock(mutex_);
    std::vector<region_ids> answers;
    std::uint64_t bytes_left = limit_bytes;
    std::size_t ids_left = op_store::page_ids_max;
    for (auto const& region : wanted) {
        region_ids& answer = answers.emplace_back();
        auto const& ops = ops_of(region.sector);
        auto const first = ops.lower_bound(region.range.start);
        auto last = first;
        for (; last != ops.end() && (*last)->created_at() < region.range.end; ++last) {
            ++answer.op_count;
            answer.bytes += (*last)->bytes();
        }
        answer.taken = answer.bytes <= bytes_left && answer.op_count <= ids_left;
        if (answer.taken) {
            std::for_each(first, last, [&](auto const* op) { answer.ids.push_back(op->id()); });
            bytes_left -= answer.bytes;
            ids_left -= answer.ids.size();
        }
    }
    return answers;
}

region_page memory_space::page_of_region(op_region const& region, std::optional<op_position> const& after,
                                         std::uint64_t limit_bytes) const {
    std::scoped_lock const lock(mutex_);
    region_page page;
    held_op const* last = nullptr;
    auto const& ops = ops_of(region.sector);
    for (auto at = ops.lower_bound(region.range.start);
         at != ops.end() && (*at)->created_at() < region.range.end; ++at) {
        held_op const& op = **at;
        if (after && op_position{op.created_at(), op.id()} <= *after) {
            continue;
        }
        bool const fits = page.ids.size() < op_store::page_ids_max && page.bytes + op.bytes() <= limit_bytes;
        if (!fits && !page.ids.empty()) {
            page.next = op_position{last->created_at(), last->id()};
            break;
        }
        page.ids.push_back(op.id());
        page.bytes += op.bytes();
        last = &op;
    }
    return page;
}

op_batch memory_space::find_bounded(std::vector<op_id> const& ids, std::uint64_t limit_bytes) const {
    std::scoped_lock const lock(mutex_);
    op_batch batch;
    std::uint64_t bytes = 0;
    for (auto const& id : ids) {
        auto const at = ops_.find(id);
        if (at != ops_.end()) {
            bytes += at->bytes();
            if (bytes > limit_bytes && !batch.ops.empty()) {
                break;
            }
            batch.ops.push_back(answer_of(*at));
        }
        ++batch.ids_read;
    }
    return batch;
}

result<seal_report> memory_space::seal(arc::timestamp now, std::uint64_t slices_max) {
    if (options_.slices == slice_mode::host) {
        return refusal(errc::invalid_argument, "seal: in slice mode host the host keeps the slices itself");
    }
    auto const clock_now = clock_();
    std::scoped_lock const lock(mutex_);
    auto const reachable = std::min(full_slices_at(now), full_slices_at(clock_now));
    auto const before = full_slices_;
    if (reachable > before) {
        full_slices_ += std::min(slices_max, reachable - before);
    }
    auto const start = arc::slice_range(before, options_.slice_factor).start;
    auto const end = arc::slice_range(full_slices_, options_.slice_factor).start;
    for (auto const& ops : by_sector_) {
        for (auto at = ops.lower_bound(start); at != ops.end() && (*at)->created_at() < end; ++at) {
            kept_[{arc::sector_of((*at)->location()), slice_of(**at)}].add((*at)->id());
        }
    }
    seal_report report;
    report.full_slices = full_slices_;
    report.sealed = full_slices_ - before;
    return report;
}

derived memory_space::derive() const {
    derived truth;
    for (held_op const& op : ops_) {
        truth.op_bytes += op.bytes();
        if (auto const slice = slice_of(op); slice < full_slices_) {
            truth.kept[{arc::sector_of(op.location()), slice}].add(op.id());
        }
    }
    return truth;
}

void memory_space::compare_kept(derived const& truth, verify_report& to) const {
    kept_hashes every_place = truth.kept;
    every_place.insert(kept_.begin(), kept_.end());
    for (auto const& [place, ignored] : every_place) {
        auto const at = kept_.find(place);
        auto const true_at = truth.kept.find(place);
        kept_hash const kept = at == kept_.end() ? kept_hash() : at->second;
        kept_hash const computed = true_at == truth.kept.end() ? kept_hash() : true_at->second;
        if (kept != computed) {
            report(to, "slice_hash", fmt::format("sector {} slice {}", place.sector, place.slice),
                   describe(kept), describe(computed));
        }
    }
    to.slice_hashes = every_place.size();
}

verify_report memory_space::verify(bool repair) {
    std::scoped_lock const lock(mutex_);
    auto const truth = derive();
    verify_report found;
    found.ops = ops_.size();
    if (op_bytes_ != truth.op_bytes) {
        report(found, "op_bytes", "space", fmt::to_string(op_bytes_), fmt::to_string(truth.op_bytes));
    }
    compare_kept(truth, found);
    if (repair) {
        op_bytes_ = truth.op_bytes;
        kept_ = truth.kept;
    }
    return found;
}

space_stat memory_space::stat() const {
    std::scoped_lock const lock(mutex_);
    space_stat stat;
    stat.op_count = ops_.size();
    stat.op_bytes = op_bytes_;
    stat.watermark = arc::from_micros(watermark_);
    stat.full_slices = full_slices_;
    return stat;
}

}  // namespace opstore::memory::detail
