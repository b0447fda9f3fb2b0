#pragma once

#include <arc/sector.hpp>
#include <arc/time_slices.hpp>
#include <opstore/admission.hpp>
#include <opstore/memory/op_pool.hpp>
#include <opstore/op_store.hpp>

#include <array>
#include <cassert>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <tuple>
#include <vector>

namespace opstore::memory::detail {

inline constexpr std::int64_t time_max = std::numeric_limits<std::int64_t>::max();

/// An op of this store. Small, because it is there once for each store that has the op.
struct held_op {
    pooled_op const* op;
    arc::timestamp stored_at;

    op_id const& id() const { return op->id; }
    arc::location location() const { return op->location; }
    arc::timestamp created_at() const { return op->created_at; }
    std::uint64_t bytes() const { return op->data.size(); }
};

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

/// The ops of one space in memory, and what is kept of them: memory_op_store without the coroutines.
///
/// Thread safety: every method from any thread; each is one critical section.
class memory_space {
public:
    memory_space(space_options options, std::function<arc::timestamp()> clock, std::shared_ptr<op_pool> pool)
        : options_(std::move(options)),
          clock_(std::move(clock)),
          pool_(pool ? std::move(pool) : std::make_shared<op_pool>()) {
        assert(check(options_));
        if (options_.slices == slice_mode::store) {
            full_slices_ = full_slices_at(clock_());
        }
    }

    ~memory_space() {
        for (held_op const& op : ops_) {
            pool_->release(op.op);
        }
    }
    memory_space(memory_space const&) = delete;
    memory_space& operator=(memory_space const&) = delete;

    space_options const& options() const { return options_; }

    ingest_report ingest(std::vector<incoming_op> ops);
    id_list time_slice(arc::dht_arc arc, arc::timestamp start, arc::timestamp end) const;
    std::vector<stored_op> find(std::vector<op_id> const& ids) const;
    std::vector<op_id> missing(std::vector<op_id> const& ids) const;
    /// `holds`: whether an op at this location belongs to the walk.
    id_page page(std::function<bool(arc::location)> const& holds, arc::timestamp start,
                 std::uint64_t limit_bytes) const;
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
    const std::function<arc::timestamp()> clock_;
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

}  // namespace opstore::memory::detail
