#include <opstore/memory/memory_op_store.hpp>

#include <arc/sector.hpp>
#include <arc/time_slices.hpp>
#include <opstore/admission.hpp>
#include <opstore/memory/op_pool.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <tuple>

namespace asio = boost::asio;

namespace opstore {
namespace {

constexpr std::int64_t time_max = std::numeric_limits<std::int64_t>::max();

/// An op of this store. Small, because it is there once for each store that has the op.
struct held_op {
    pooled_op const* op;
    arc::timestamp stored_at;

    op_id const& id() const { return op->id; }
    arc::location location() const { return op->location; }
    arc::timestamp created_at() const { return op->created_at; }
    std::uint64_t bytes() const { return op->data.size(); }
};

stored_op answer_of(held_op const& held) {
    stored_op answer;
    answer.id = held.id();
    answer.location = held.location();
    answer.created_at = held.created_at();
    answer.stored_at = held.stored_at;
    answer.data = held.op->data;
    return answer;
}

struct id_order {
    using is_transparent = void;

    bool operator()(held_op const& a, held_op const& b) const { return a.id() < b.id(); }
    bool operator()(held_op const& a, op_id const& b) const { return a.id() < b; }
    bool operator()(op_id const& a, held_op const& b) const { return a < b.id(); }
};

/// Ops in the order of their creation; of equal times, by id.
struct creation_order {
    using is_transparent = void;

    bool operator()(held_op const* a, held_op const* b) const {
        return std::forward_as_tuple(a->created_at(), a->id()) <
               std::forward_as_tuple(b->created_at(), b->id());
    }
    bool operator()(held_op const* a, arc::timestamp b) const { return a->created_at() < b; }
    bool operator()(arc::timestamp a, held_op const* b) const { return a < b->created_at(); }
};

using ops_by_creation = std::set<held_op const*, creation_order>;

/// The hash that the store itself keeps of a sector's full slice.
struct kept_hash {
    combined_hash hash;
    std::uint64_t op_count = 0;

    void add(op_id const& id) {
        hash.add(id);
        ++op_count;
    }
    friend bool operator==(kept_hash const&, kept_hash const&) = default;
};

struct sector_slice {
    arc::sector_index sector;
    std::uint64_t slice;

    friend auto operator<=>(sector_slice const&, sector_slice const&) = default;
};

using kept_hashes = std::map<sector_slice, kept_hash>;

/// What the ops alone say: everything else that is kept is derived from them.
struct derived {
    std::uint64_t op_bytes = 0;
    kept_hashes kept;
};

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

/// Everything behind the mutex. Each function runs in one critical section of its own.
class memory_op_store::state {
public:
    state(space_options options, clock_function clock, std::shared_ptr<op_pool> pool)
        : options_(std::move(options)),
          clock_(std::move(clock)),
          pool_(pool ? std::move(pool) : std::make_shared<op_pool>()) {
        assert(check(options_));
        if (options_.slices == slice_mode::store) {
            full_slices_ = full_slices_at(clock_());
        }
    }

    ~state() {
        for (held_op const& op : ops_) {
            pool_->release(op.op);
        }
    }
    state(state const&) = delete;
    state& operator=(state const&) = delete;

    space_options const& options() const { return options_; }

    ingest_report ingest(std::vector<incoming_op> ops);
    id_list time_slice(arc::dht_arc arc, arc::timestamp start, arc::timestamp end) const;
    std::vector<stored_op> find(std::vector<op_id> const& ids) const;
    std::vector<op_id> missing(std::vector<op_id> const& ids) const;
    /// Holds: whether an op at this location belongs to the walk.
    template <class Holds>
    id_page page(Holds const& holds, arc::timestamp start, std::uint64_t limit_bytes) const;
    std::vector<std::optional<arc::timestamp>> earliest(std::vector<arc::dht_arc> const& arcs) const;

    result<void> put_slice_hash(arc::dht_arc arc, std::uint64_t index, std::vector<std::byte> hash);
    std::vector<std::vector<slice_hash>> slice_hashes(std::vector<arc::dht_arc> const& arcs) const;

    std::vector<std::vector<sector_hash>> combine(arc::arc_set const& sectors,
                                                  std::vector<arc::time_range> const& ranges) const;
    store_summary summarize(arc::arc_set const& sectors, arc::timestamp now) const;

    space_hashes hashes(std::uint64_t full_slices) const;
    op_tail tail(arc::timestamp start, std::size_t ops_max) const;
    std::vector<sector_slices> disc_slices(arc::arc_set const& sectors, std::uint64_t full_slices) const;
    std::vector<region_ids> regions(std::vector<op_region> const& wanted, std::uint64_t limit_bytes) const;
    region_page page_of_region(op_region const& region, std::optional<op_position> const& after,
                               std::uint64_t limit_bytes) const;
    op_batch find_bounded(std::vector<op_id> const& ids, std::uint64_t limit_bytes) const;

    result<seal_report> seal(arc::timestamp now, std::uint64_t slices_max);
    verify_report verify(bool repair);
    space_stat stat() const;

private:
    // Precondition of all below: mutex_ is held.

    /// None for a number that is no sector.
    ops_by_creation const& ops_of(arc::sector_index sector) const {
        static const ops_by_creation none;
        return sector < arc::sector_count ? by_sector_[sector] : none;
    }

    std::uint64_t full_slices_at(arc::timestamp now) const {
        return arc::full_slice_count(now, options_.slice_factor);
    }
    std::uint64_t slice_of(held_op const& op) const {
        return arc::slice_index(op.created_at(), options_.slice_factor);
    }
    arc::timestamp after_watermark() const {
        return arc::from_micros(watermark_ == time_max ? time_max : watermark_ + 1);
    }
    held_op const* insert(admitted_op op, std::int64_t stamp);
    /// The place in by_stored_at_ where a walk from `start` begins.
    std::vector<held_op const*>::const_iterator stored_since(arc::timestamp start) const;
    std::vector<slice_hash> slice_hashes_of(arc::dht_arc arc) const;
    std::optional<arc::timestamp> earliest_in(arc::dht_arc arc) const;
    std::vector<sector_hash> combine(arc::arc_set const& sectors, arc::time_range range) const;
    derived derive() const;
    void compare_kept(derived const& truth, verify_report& to) const;

    const space_options options_;
    const clock_function clock_;
    const std::shared_ptr<op_pool> pool_;

    mutable std::mutex mutex_;
    std::set<held_op, id_order> ops_;
    /// Ascending: stored_at grows strictly.
    std::vector<held_op const*> by_stored_at_;
    std::array<ops_by_creation, arc::sector_count> by_sector_;
    std::int64_t watermark_ = 0;
    std::uint64_t op_bytes_ = 0;
    /// Slices [0, full_slices_) of the sector arcs are in kept_; 0 in slice mode host.
    std::uint64_t full_slices_ = 0;
    kept_hashes kept_;
    /// Hashes that the host computed; an arc is an exact key.
    std::map<arc::dht_arc, std::map<std::uint64_t, std::vector<std::byte>>> given_;
};

held_op const* memory_op_store::state::insert(admitted_op op, std::int64_t stamp) {
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

std::vector<held_op const*>::const_iterator memory_op_store::state::stored_since(arc::timestamp start) const {
    return std::ranges::lower_bound(by_stored_at_, start, {}, &held_op::stored_at);
}

ingest_report memory_op_store::state::ingest(std::vector<incoming_op> ops) {
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

id_list memory_op_store::state::time_slice(arc::dht_arc arc, arc::timestamp start, arc::timestamp end) const {
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

std::vector<stored_op> memory_op_store::state::find(std::vector<op_id> const& ids) const {
    std::scoped_lock const lock(mutex_);
    std::vector<stored_op> found;
    for (auto const& id : ids) {
        if (auto const at = ops_.find(id); at != ops_.end()) {
            found.push_back(answer_of(*at));
        }
    }
    return found;
}

std::vector<op_id> memory_op_store::state::missing(std::vector<op_id> const& ids) const {
    std::scoped_lock const lock(mutex_);
    std::vector<op_id> absent;
    for (auto const& id : ids) {
        if (id.length() == options_.format->id_length() && !ops_.contains(id)) {
            absent.push_back(id);
        }
    }
    return absent;
}

template <class Holds>
id_page memory_op_store::state::page(Holds const& holds, arc::timestamp start,
                                     std::uint64_t limit_bytes) const {
    std::scoped_lock const lock(mutex_);
    id_page page;
    for (auto at = stored_since(start); at != by_stored_at_.end(); ++at) {
        held_op const& op = **at;
        if (!holds(op.location())) {
            continue;
        }
        if (page.ids.size() == page_ids_max || op.bytes() > limit_bytes - page.bytes) {
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

std::optional<arc::timestamp> memory_op_store::state::earliest_in(arc::dht_arc arc) const {
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

std::vector<std::optional<arc::timestamp>> memory_op_store::state::earliest(
    std::vector<arc::dht_arc> const& arcs) const {
    std::scoped_lock const lock(mutex_);
    std::vector<std::optional<arc::timestamp>> answers;
    for (auto const& arc : arcs) {
        answers.push_back(earliest_in(arc));
    }
    return answers;
}

result<void> memory_op_store::state::put_slice_hash(arc::dht_arc arc, std::uint64_t index,
                                                    std::vector<std::byte> hash) {
    if (auto const admitted = admit_slice_hash(options_, arc, index, hash); !admitted) {
        return admitted.error();
    }
    std::scoped_lock const lock(mutex_);
    given_[arc][index] = std::move(hash);
    return {};
}

std::vector<slice_hash> memory_op_store::state::slice_hashes_of(arc::dht_arc arc) const {
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

std::vector<std::vector<slice_hash>> memory_op_store::state::slice_hashes(
    std::vector<arc::dht_arc> const& arcs) const {
    std::scoped_lock const lock(mutex_);
    std::vector<std::vector<slice_hash>> answers;
    for (auto const& arc : arcs) {
        answers.push_back(slice_hashes_of(arc));
    }
    return answers;
}

std::vector<sector_hash> memory_op_store::state::combine(arc::arc_set const& sectors,
                                                         arc::time_range range) const {
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

std::vector<std::vector<sector_hash>> memory_op_store::state::combine(
    arc::arc_set const& sectors, std::vector<arc::time_range> const& ranges) const {
    std::scoped_lock const lock(mutex_);
    std::vector<std::vector<sector_hash>> answers;
    for (auto const& range : ranges) {
        answers.push_back(combine(sectors, range));
    }
    return answers;
}

store_summary memory_op_store::state::summarize(arc::arc_set const& sectors, arc::timestamp now) const {
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

space_hashes memory_op_store::state::hashes(std::uint64_t full_slices) const {
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
                recent[{unit, sector}].add(op->id());
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

op_tail memory_op_store::state::tail(arc::timestamp start, std::size_t ops_max) const {
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

std::vector<sector_slices> memory_op_store::state::disc_slices(arc::arc_set const& sectors,
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

std::vector<region_ids> memory_op_store::state::regions(std::vector<op_region> const& wanted,
                                                        std::uint64_t limit_bytes) const {
    std::scoped_lock const lock(mutex_);
    std::vector<region_ids> answers;
    std::uint64_t bytes_left = limit_bytes;
    std::size_t ids_left = page_ids_max;
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

region_page memory_op_store::state::page_of_region(op_region const& region,
                                                   std::optional<op_position> const& after,
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
        bool const fits = page.ids.size() < page_ids_max && page.bytes + op.bytes() <= limit_bytes;
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

op_batch memory_op_store::state::find_bounded(std::vector<op_id> const& ids,
                                              std::uint64_t limit_bytes) const {
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

result<seal_report> memory_op_store::state::seal(arc::timestamp now, std::uint64_t slices_max) {
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

derived memory_op_store::state::derive() const {
    derived truth;
    for (held_op const& op : ops_) {
        truth.op_bytes += op.bytes();
        if (auto const slice = slice_of(op); slice < full_slices_) {
            truth.kept[{arc::sector_of(op.location()), slice}].add(op.id());
        }
    }
    return truth;
}

void memory_op_store::state::compare_kept(derived const& truth, verify_report& to) const {
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

verify_report memory_op_store::state::verify(bool repair) {
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

space_stat memory_op_store::state::stat() const {
    std::scoped_lock const lock(mutex_);
    space_stat stat;
    stat.op_count = ops_.size();
    stat.op_bytes = op_bytes_;
    stat.watermark = arc::from_micros(watermark_);
    stat.full_slices = full_slices_;
    return stat;
}

memory_op_store::memory_op_store(space_options options, clock_function clock, std::shared_ptr<op_pool> pool)
    : state_(std::make_unique<state>(std::move(options), std::move(clock), std::move(pool))) {}

memory_op_store::~memory_op_store() = default;

arc::timestamp memory_op_store::system_clock_now() {
    using namespace std::chrono;
    return arc::from_micros(duration_cast<microseconds>(system_clock::now().time_since_epoch()).count());
}

space_options const& memory_op_store::options() const {
    return state_->options();
}

asio::awaitable<result<ingest_report>> memory_op_store::process_incoming_ops(std::vector<incoming_op> ops,
                                                                             deadline) {
    co_return state_->ingest(std::move(ops));
}

asio::awaitable<result<id_list>> memory_op_store::retrieve_op_hashes_in_time_slice(arc::dht_arc arc,
                                                                                   arc::timestamp start,
                                                                                   arc::timestamp end,
                                                                                   deadline) {
    co_return state_->time_slice(arc, start, end);
}

asio::awaitable<result<std::vector<stored_op>>> memory_op_store::retrieve_ops(std::vector<op_id> ids,
                                                                              deadline) {
    co_return state_->find(ids);
}

asio::awaitable<result<std::vector<op_id>>> memory_op_store::filter_out_existing_ops(std::vector<op_id> ids,
                                                                                     deadline) {
    co_return state_->missing(ids);
}

asio::awaitable<result<id_page>> memory_op_store::retrieve_op_ids_bounded(arc::dht_arc arc,
                                                                          arc::timestamp start,
                                                                          std::uint64_t limit_bytes,
                                                                          deadline) {
    auto const holds = [&](arc::location at) { return arc.contains(at); };
    co_return state_->page(holds, start, limit_bytes);
}

asio::awaitable<result<std::optional<arc::timestamp>>> memory_op_store::earliest_timestamp_in_arc(
    arc::dht_arc arc, deadline) {
    std::vector<arc::dht_arc> const one{arc};
    co_return state_->earliest(one)[0];
}

asio::awaitable<result<void>> memory_op_store::store_slice_hash(arc::dht_arc arc, std::uint64_t index,
                                                                std::vector<std::byte> hash, deadline) {
    co_return state_->put_slice_hash(arc, index, std::move(hash));
}

asio::awaitable<result<std::uint64_t>> memory_op_store::slice_hash_count(arc::dht_arc arc, deadline) {
    std::vector<arc::dht_arc> const one{arc};
    auto const hashes = state_->slice_hashes(one)[0];
    co_return hashes.empty() ? 0 : hashes.back().index + 1;
}

asio::awaitable<result<std::optional<std::vector<std::byte>>>> memory_op_store::retrieve_slice_hash(
    arc::dht_arc arc, std::uint64_t index, deadline) {
    std::vector<arc::dht_arc> const one{arc};
    auto const hashes = state_->slice_hashes(one)[0];
    auto const at = std::ranges::find(hashes, index, &slice_hash::index);
    co_return at == hashes.end() ? std::nullopt : std::optional(at->hash);
}

asio::awaitable<result<std::vector<slice_hash>>> memory_op_store::retrieve_slice_hashes(arc::dht_arc arc,
                                                                                        deadline) {
    std::vector<arc::dht_arc> const one{arc};
    co_return state_->slice_hashes(one)[0];
}

asio::awaitable<result<std::uint64_t>> memory_op_store::query_total_op_count(deadline) {
    co_return state_->stat().op_count;
}

asio::awaitable<result<std::vector<std::vector<slice_hash>>>> memory_op_store::retrieve_slice_hashes_of_arcs(
    std::vector<arc::dht_arc> arcs, deadline) {
    co_return state_->slice_hashes(arcs);
}

asio::awaitable<result<std::vector<std::optional<arc::timestamp>>>>
memory_op_store::earliest_timestamps_in_arcs(std::vector<arc::dht_arc> arcs, deadline) {
    co_return state_->earliest(arcs);
}

asio::awaitable<result<std::vector<std::vector<sector_hash>>>> memory_op_store::combined_hashes(
    arc::arc_set sectors, std::vector<arc::time_range> ranges, deadline) {
    co_return state_->combine(sectors, ranges);
}

asio::awaitable<result<store_summary>> memory_op_store::summarize(arc::arc_set sectors, arc::timestamp now,
                                                                  deadline) {
    co_return state_->summarize(sectors, now);
}

asio::awaitable<result<space_hashes>> memory_op_store::retrieve_space_hashes(std::uint64_t full_slices,
                                                                             deadline) {
    co_return state_->hashes(full_slices);
}

asio::awaitable<result<op_tail>> memory_op_store::retrieve_tail(arc::timestamp start, std::size_t ops_max,
                                                                deadline) {
    co_return state_->tail(start, ops_max);
}

asio::awaitable<result<id_page>> memory_op_store::retrieve_op_ids_of_sectors(arc::arc_set sectors,
                                                                             arc::timestamp start,
                                                                             std::uint64_t limit_bytes,
                                                                             deadline) {
    auto const holds = [&](arc::location at) { return sectors.includes(arc::sector_of(at)); };
    co_return state_->page(holds, start, limit_bytes);
}

asio::awaitable<result<std::vector<sector_slices>>> memory_op_store::retrieve_disc_slices(
    arc::arc_set sectors, std::uint64_t full_slices, deadline) {
    co_return state_->disc_slices(sectors, full_slices);
}

asio::awaitable<result<std::vector<region_ids>>> memory_op_store::retrieve_region_ids(
    std::vector<op_region> regions, std::uint64_t limit_bytes, deadline) {
    co_return state_->regions(regions, limit_bytes);
}

asio::awaitable<result<region_page>> memory_op_store::retrieve_region_page(op_region region,
                                                                           std::optional<op_position> after,
                                                                           std::uint64_t limit_bytes,
                                                                           deadline) {
    co_return state_->page_of_region(region, after, limit_bytes);
}

asio::awaitable<result<op_batch>> memory_op_store::retrieve_ops_bounded(std::vector<op_id> ids,
                                                                        std::uint64_t limit_bytes, deadline) {
    co_return state_->find_bounded(ids, limit_bytes);
}

asio::awaitable<result<seal_report>> memory_op_store::seal(arc::timestamp now, std::uint64_t slices_max,
                                                           deadline) {
    co_return state_->seal(now, slices_max);
}

asio::awaitable<result<verify_report>> memory_op_store::verify(deadline) {
    co_return state_->verify(false);
}

asio::awaitable<result<verify_report>> memory_op_store::repair(deadline) {
    co_return state_->verify(true);
}

asio::awaitable<result<space_stat>> memory_op_store::stat(deadline) {
    co_return state_->stat();
}

}  // namespace opstore
