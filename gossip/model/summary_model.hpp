#pragma once

#include <arc/arc_set.hpp>
#include <arc/time_slices.hpp>
#include <gossip/model/snapshot.hpp>
#include <opstore/op_store.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

namespace opstore::gossip {

/// The hashes that a peer compares with others, of all 512 sectors, kept beside a store and never stale.
///
/// It follows the store instead of being told: start() takes the hashes of all ops with the watermark W of
/// one snapshot, follow() applies the ops behind W, in the order in which they became visible. So whoever
/// stored an op, in this process or another, it is counted once; being told of new ops is only a hint to
/// look.
///
/// In memory: the XOR of the disc of each sector, and of each sector and unit of time (15 minutes) or stretch
/// (arc::stretch_start()) since. All layouts consist of these, so time passing costs no store call, and a
/// peer whose clock is off by less than `skew_max` can be answered in its own layout. The hashes of single
/// full slices are the store's. The layouts asked for last are kept ready, so that a snapshot costs at most
/// one XOR for each sector and ring.
///
/// A store that was put back to an earlier state behind its back (a backup, a standby that lost the last
/// commits) no longer holds what was counted, and its tail cannot show that. So once in each unit of time
/// follow() compares the counters too, and starts anew where they differ. What repair() mends in kept hashes
/// does not show there: start() behind it.
///
/// Thread safety: none. One coroutine at a time in start() and follow(); while it waits for the store, the
/// others may be called, and answer for the watermark() of that moment.
class summary_model {
public:
    /// How far another peer's layout may lie in the past and still be answered: the units of a full slice are
    /// folded into the disc only this long after it became full.
    static constexpr std::chrono::microseconds skew_max = std::chrono::hours(1);
    static constexpr std::size_t tail_ops_max = op_store::page_ids_max;

    /// The store must outlive it.
    explicit summary_model(op_store& store);
    ~summary_model();

    /// Effect: takes the hashes as they are at `now`, any time; what was there before is forgotten.
    /// Errors: the store's; the model is then as before. One store call.
    boost::asio::awaitable<result<void>> start(arc::timestamp now);

    /// Effect: applies what was stored since, and folds slices that are full for long enough. Starts anew by
    ///   itself if `now` lies so far back that a fold would have to be undone, or if never started.
    /// Errors: the store's; the model then has applied whole pages only, and goes on where it stopped.
    /// Cost: one store call for each tail_ops_max new ops, at least one; one more in each unit of time.
    boost::asio::awaitable<result<void>> follow(arc::timestamp now);

    /// Everything with stored_at <= this is in the hashes, and nothing else. Precondition of this and of all
    /// below but layout_at() and disc_details(): start() or follow() has succeeded.
    arc::timestamp watermark() const;
    std::uint64_t op_count() const;

    /// The layout of slices at `now`: what the functions below take.
    arc::slice_layout layout_at(arc::timestamp now) const;

    /// Whether what this layout, one of layout_at(), needs is still apart: its boundary is not before the
    /// fold.
    bool can_answer(arc::slice_layout const& layout) const;

    // Precondition of the next three: can_answer(layout). No store call.

    minimal_snapshot minimal(arc::arc_set const& sectors, arc::slice_layout const& layout) const;
    disc_sectors_snapshot disc_sectors(arc::arc_set const& sectors, arc::slice_layout const& layout) const;
    /// Indices that the layout does not have are left out. For every ring, all sectors with ops.
    ring_details_snapshot ring_details(arc::arc_set const& sectors, arc::slice_layout const& layout,
                                       std::span<const std::uint32_t> rings) const;

    /// The single slices of `sectors`, from the store. One store call.
    boost::asio::awaitable<result<disc_details_snapshot>> disc_details(arc::arc_set sectors,
                                                                       arc::slice_layout layout) const;

private:
    class hashes;

    /// Whether `stat` contradicts what was followed up to now.
    bool contradicts(space_stat const& stat) const;

    op_store& store_;
    std::unique_ptr<hashes> hashes_;
    /// When the counters were compared last.
    arc::timestamp compared_at_;
};

}  // namespace opstore::gossip
