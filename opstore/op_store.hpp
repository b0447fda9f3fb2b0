#pragma once

#include <arc/arc_set.hpp>
#include <arc/dht_arc.hpp>
#include <arc/sector.hpp>
#include <arc/timestamp.hpp>
#include <opstore/combined_hash.hpp>
#include <opstore/deadline.hpp>
#include <opstore/errors.hpp>
#include <opstore/op_id.hpp>
#include <opstore/space.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace opstore {

/// An op as a peer or an author hands it over.
struct incoming_op {
    op_bytes data;
    /// What the sender says the id is: checked, never trusted.
    std::optional<op_id> claimed_id;
    /// Opaque to the store; passed to the space's format.
    std::vector<std::byte> metadata;

    incoming_op() = default;
    explicit incoming_op(op_bytes bytes, std::optional<op_id> claimed = std::nullopt)
        : data(std::move(bytes)), claimed_id(claimed) {}
};

/// An op that this call made part of the space, or one before it that ended in doubt; no other call lists it.
struct new_op {
    op_id id;
    arc::timestamp created_at;
};

struct rejection {
    std::size_t index;  ///< Position in the batch.
    rejection_reason reason;
    std::string message;  ///< A sentence that names the limit and the value.

    rejection(std::size_t at, rejection_reason why, std::string text)
        : index(at), reason(why), message(std::move(text)) {}
};

/// What became of a batch: every op of it is in `held` or in `rejected`.
struct ingest_report {
    std::vector<op_id> held;  ///< Now in the space; input order, repeats and ops held before included.
    std::vector<new_op> newly_stored;  ///< Input order. Each op is in exactly one call's list, ever.
    std::uint64_t newly_stored_bytes = 0;
    std::vector<rejection> rejected;  ///< Ascending by index.

    ingest_report() = default;
    std::size_t duplicate_count() const { return held.size() - newly_stored.size(); }
};

struct stored_op {
    op_id id;
    arc::location location;
    arc::timestamp created_at;
    arc::timestamp stored_at;
    op_bytes data;  ///< As received; its size is the op's size.

    stored_op() = default;
};

/// Ids with the sum of the sizes of their ops.
struct id_list {
    std::vector<op_id> ids;
    std::uint64_t bytes = 0;

    id_list() = default;
};

/// One page of a walk in stored_at order.
struct id_page {
    std::vector<op_id> ids;
    std::uint64_t bytes = 0;  ///< Sum of the sizes of the ops, <= the limit asked for.
    arc::timestamp next;      ///< Where the walk goes on: the `start` of the next call.
    /// The page was cut: size of the first op not returned. A page that is empty though cut means that the
    /// limit is smaller than that op.
    std::optional<std::uint64_t> next_op_bytes;

    id_page() = default;
};

struct slice_hash {
    std::uint64_t index;
    std::vector<std::byte> hash;

    slice_hash(std::uint64_t i, std::vector<std::byte> h) : index(i), hash(std::move(h)) {}
    friend bool operator==(slice_hash const&, slice_hash const&) = default;
};

/// The combined hash of the ops of one sector in one span of creation time; never the empty hash.
struct sector_hash {
    arc::sector_index sector;
    combined_hash hash;
    std::uint64_t op_count;

    friend bool operator==(sector_hash const&, sector_hash const&) = default;
};

/// Disc and rings of a set of sectors at one moment: what two peers compare first.
struct store_summary {
    arc::timestamp disc_boundary;
    combined_hash disc_top_hash;
    std::vector<combined_hash> ring_top_hashes;  ///< One for each ring, oldest first; empty ones included.

    store_summary() = default;
    friend bool operator==(store_summary const&, store_summary const&) = default;
};

/// The combined hash of the ops of one sector that were created in one stretch of time
/// (arc::stretch_start()); never the empty hash.
struct unit_hash {
    std::uint64_t unit;  ///< The stretch's first: it starts at unit * arc::unit.
    arc::sector_index sector;
    combined_hash hash;
    std::uint64_t op_count;

    friend bool operator==(unit_hash const&, unit_hash const&) = default;
};

/// The hashes of a whole space at one moment, and that moment: where who follows the space starts.
struct space_hashes {
    arc::timestamp watermark;  ///< W: the ops with stored_at <= W are in these hashes, and no others.
    std::uint64_t op_count = 0;
    std::vector<sector_hash> disc;  ///< Of the ops before the boundary asked for, ascending by sector.
    std::vector<unit_hash> recent;  ///< Of all others, ascending by (unit, sector).

    space_hashes() = default;
};

/// An op as who follows the space needs it.
struct tail_op {
    op_id id;
    arc::location location;
    arc::timestamp created_at;
};

/// The next ops of a space in stored_at order.
struct op_tail {
    std::vector<tail_op> ops;
    arc::timestamp next;    ///< The `start` of the next call: max(start, W + 1) if complete.
    bool complete = false;  ///< Nothing was held at or behind `next` when the end was read.

    op_tail() = default;
};

/// The hashes of the full slices of one sector.
struct sector_slices {
    arc::sector_index sector = 0;
    std::vector<slice_hash> slices;  ///< Ascending; only slices that hold ops.

    sector_slices() = default;
};

/// The ops of one sector that were created in one span of time.
struct op_region {
    arc::sector_index sector;
    arc::time_range range;
};

/// What retrieve_region_ids() answers for one region.
struct region_ids {
    std::uint64_t op_count = 0;
    std::uint64_t bytes = 0;  ///< Sum of the sizes of all ops of the region.
    bool taken = false;       ///< Whether the ids are here.
    std::vector<op_id> ids;   ///< By (created_at, id).

    region_ids() = default;
};

/// A place between the ops of a region: just behind this op in (created_at, id) order.
struct op_position {
    arc::timestamp created_at;
    op_id id;

    friend auto operator<=>(op_position const&, op_position const&) = default;
};

/// A part of a region.
struct region_page {
    std::vector<op_id> ids;  ///< By (created_at, id).
    std::uint64_t bytes = 0;
    std::optional<op_position> next;  ///< Where the next page starts; none: the region ends here.

    region_page() = default;
};

/// A part of an answer to retrieve_ops().
struct op_batch {
    std::vector<stored_op> ops;
    std::size_t ids_read = 0;  ///< The answer covers ids [0, ids_read) of the request; at least 1 of any.

    op_batch() = default;
};

struct seal_report {
    std::uint64_t full_slices = 0;  ///< Slices [0, full_slices) are kept now.
    std::uint64_t sealed = 0;       ///< How many of them this call added.
};

/// One difference between what is kept and what the ops say.
struct damage {
    /// "slice_hash", "op_count", "op_bytes", "watermark", "folded_to", "op_twice",
    /// "op_columns", "sector_hash", "unit_hash" or "sector_list".
    std::string what;
    std::string where;  ///< Such as "sector 17 slice 3688".
    std::string kept;
    std::string computed;

    damage() = default;
};

struct verify_report {
    static constexpr std::size_t damages_max = 1000;

    std::uint64_t ops = 0;           ///< Ops read.
    std::uint64_t slice_hashes = 0;  ///< Slice hashes compared.
    std::uint64_t damage_count = 0;
    std::vector<damage> damages;  ///< The first damages_max of them.

    verify_report() = default;
};

struct space_stat {
    std::uint64_t op_count = 0;
    std::uint64_t op_bytes = 0;
    arc::timestamp watermark;  ///< W of the contract; the epoch in a space that never stored an op.
    std::uint64_t full_slices = 0;
};

/// The durable memory of a gossip peer for one space: the contract of docs/contract.md.
///
/// Gives callers: ops that are durable and visible to every method once process_incoming_ops() returned, a
/// walk over them in the order in which they became visible that neither skips nor repeats, and hashes over
/// them that cannot go stale. Asks of implementers: pass the contract suite (tests/contract).
///
/// What holds for every method, unless it says otherwise:
///  - Effect: reads see every op that was acknowledged before the call.
///  - Preconditions: none that input can break; ids and arcs may hold any value.
///  - Cancellation: of every type that the coroutine's cancellation state lets through (asio's default:
///    terminal). The call then ends at once with system_error(operation_aborted), its statement is cancelled
///    in the server, and nothing was changed; or, of a write that was under way,
///    store_error(cancelled_in_doubt): it may have happened, or may happen shortly, even behind a later call.
///    All may be repeated.
///  - Errors: errc::no_such_space as a refusal; store_error (unavailable, timed_out, ...) thrown. The
///    deadline bounds the whole call: waiting, repeats and the statement.
///  - Ordering: calls may run at once and in any order; a caller that wants an order awaits.
///  - Completion: never inline for stores that do I/O; always on the executor of the awaiting coroutine.
///
/// Thread safety: every method may be called from any thread at once. Destroy it when no call is in flight.
class op_store {
public:
    /// Largest number of ids in a page, whatever the byte limit: bounds the memory of a page of tiny ops.
    static constexpr std::size_t page_ids_max = 65'536;

    virtual ~op_store() = default;

    virtual space_options const& options() const = 0;

    /// Stores what is new of `ops`.
    /// Effect: each op's id is computed here. A bad op is rejected alone, with its reason; the rest is stored
    ///   atomically. First write wins: an op never changes. Any number of ops, the empty batch included.
    /// Cancellation: before the batch was handed to the database: nothing is stored, operation_aborted.
    ///   After: store_error(cancelled_in_doubt); a repeat tells what is held, and lists what is new of both.
    /// Errors: beyond the common ones store_error with commit_in_doubt() after a deadline.
    /// Ordering and durability: on return the ops are durable and visible. stored_at grows strictly, in the
    ///   order of the batch.
    /// Cost: one round trip, shared with the calls that run at the same time.
    virtual boost::asio::awaitable<result<ingest_report>> process_incoming_ops(std::vector<incoming_op> ops,
                                                                               deadline until = {}) = 0;

    /// Ids of the ops with created_at in [start, end) and location in `arc`, by (created_at, id). No limit.
    /// Cost: one round trip; one index probe for each sector of the arc, then what it returns.
    virtual boost::asio::awaitable<result<id_list>> retrieve_op_hashes_in_time_slice(arc::dht_arc arc,
                                                                                     arc::timestamp start,
                                                                                     arc::timestamp end,
                                                                                     deadline until = {}) = 0;

    /// The ops of `ids`, in input order. Unknown and malformed ids are absent; a repeated id is answered
    /// each time. Holds all of them in memory at once: ask for no more than that can bear.
    virtual boost::asio::awaitable<result<std::vector<stored_op>>> retrieve_ops(std::vector<op_id> ids,
                                                                                deadline until = {}) = 0;

    /// Those of `ids` that are not held, in input order, repeats kept. Ids of another length than the
    /// space's cannot be held by anybody and are dropped. Any number of ids.
    virtual boost::asio::awaitable<result<std::vector<op_id>>> filter_out_existing_ops(
        std::vector<op_id> ids, deadline until = {}) = 0;

    /// The next page of the ops with stored_at >= start in `arc`, in stored_at order.
    /// Effect: ops are added while their sizes sum up to at most `limit_bytes` and their number to at most
    ///   page_ids_max; the page stops at the first that does not fit. If it was cut there, `next` is the
    ///   stored_at of that op; else `next` is max(start, W + 1), W read in the statement that found the end.
    ///   So following `next` visits every op exactly once, whatever is stored meanwhile, whatever the clock
    ///   does. An Empty arc and an arc without new ops advance too.
    /// Cost: for a full arc what it returns; for any other one probe for each sector, besides.
    virtual boost::asio::awaitable<result<id_page>> retrieve_op_ids_bounded(arc::dht_arc arc,
                                                                            arc::timestamp start,
                                                                            std::uint64_t limit_bytes,
                                                                            deadline until = {}) = 0;

    /// The smallest created_at in `arc`, if it holds any op. One probe for each sector of the arc.
    virtual boost::asio::awaitable<result<std::optional<arc::timestamp>>> earliest_timestamp_in_arc(
        arc::dht_arc arc, deadline until = {}) = 0;

    /// Keeps `hash` for slice `index` of `arc`, an exact key; overwrites.
    /// Errors: invalid_argument for an empty hash or arc, or index >= 2^63; slices_kept_by_store for a sector
    ///   arc in slice mode store. Nothing is stored then.
    virtual boost::asio::awaitable<result<void>> store_slice_hash(arc::dht_arc arc, std::uint64_t index,
                                                                  std::vector<std::byte> hash,
                                                                  deadline until = {}) = 0;

    /// The highest stored index of `arc` + 1, which is not the number of hashes; 0 if there is none.
    virtual boost::asio::awaitable<result<std::uint64_t>> slice_hash_count(arc::dht_arc arc,
                                                                           deadline until = {}) = 0;

    /// Exactly the bytes stored, or none.
    virtual boost::asio::awaitable<result<std::optional<std::vector<std::byte>>>> retrieve_slice_hash(
        arc::dht_arc arc, std::uint64_t index, deadline until = {}) = 0;

    /// All of `arc`, ascending by index.
    virtual boost::asio::awaitable<result<std::vector<slice_hash>>> retrieve_slice_hashes(
        arc::dht_arc arc, deadline until = {}) = 0;

    /// Number of ops held. Constant time.
    virtual boost::asio::awaitable<result<std::uint64_t>> query_total_op_count(deadline until = {}) = 0;

    // What a DHT model asks of all 512 sectors, each in one statement and so from one snapshot.

    /// retrieve_slice_hashes() of each of `arcs`, in their order.
    virtual boost::asio::awaitable<result<std::vector<std::vector<slice_hash>>>>
    retrieve_slice_hashes_of_arcs(std::vector<arc::dht_arc> arcs, deadline until = {}) = 0;

    /// earliest_timestamp_in_arc() of each of `arcs`, in their order.
    virtual boost::asio::awaitable<result<std::vector<std::optional<arc::timestamp>>>>
    earliest_timestamps_in_arcs(std::vector<arc::dht_arc> arcs, deadline until = {}) = 0;

    /// For each of `ranges` (of created_at, half-open), in their order: the combined hash and the number of
    /// the ops of each sector of `sectors`, ascending; sectors without ops are left out.
    virtual boost::asio::awaitable<result<std::vector<std::vector<sector_hash>>>> combined_hashes(
        arc::arc_set sectors, std::vector<arc::time_range> ranges, deadline until = {}) = 0;

    /// Disc and rings of `sectors` as they lie at `now`, any time, past or future; writes nothing. In slice
    /// mode store kept hashes serve, but for the rings of few sectors; the rest is computed from the ops.
    virtual boost::asio::awaitable<result<store_summary>> summarize(arc::arc_set sectors, arc::timestamp now,
                                                                    deadline until = {}) = 0;

    // What a gossip peer asks in each round: each call is one statement or two, whatever number of sectors,
    // slices or ops it is about.

    /// The hashes of all ops, with the watermark of the same snapshot: the disc (created_at before
    /// `full_slices` slices of the space's length) by sector, all else by sector and stretch of time.
    /// Cost: one round trip; a row for each; in mode host, and for fewer slices than are sealed, the ops.
    virtual boost::asio::awaitable<result<space_hashes>> retrieve_space_hashes(std::uint64_t full_slices,
                                                                               deadline until = {}) = 0;

    /// At most `ops_max` ops with stored_at >= start, whole ring, in stored_at order:
    /// retrieve_op_ids_bounded() with what a follower needs of each op. Precondition: 0 < ops_max <=
    /// page_ids_max.
    virtual boost::asio::awaitable<result<op_tail>> retrieve_tail(arc::timestamp start, std::size_t ops_max,
                                                                  deadline until = {}) = 0;

    /// retrieve_op_ids_bounded() for a set of sectors, in one walk with one continuation.
    virtual boost::asio::awaitable<result<id_page>> retrieve_op_ids_of_sectors(arc::arc_set sectors,
                                                                               arc::timestamp start,
                                                                               std::uint64_t limit_bytes,
                                                                               deadline until = {}) = 0;

    /// The combined hashes of the slices [0, full_slices) of each of `sectors`, ascending; a sector without
    /// such ops has an empty list. Kept hashes where the store keeps them, else computed from the ops; hashes
    /// that a host stored play no part.
    virtual boost::asio::awaitable<result<std::vector<sector_slices>>> retrieve_disc_slices(
        arc::arc_set sectors, std::uint64_t full_slices, deadline until = {}) = 0;

    /// The ids of whole regions, as far as they fit: one answer for each region, in their order. A region is
    /// taken if its bytes and ids fit into what the regions taken before it left of `limit_bytes` and of
    /// page_ids_max, and is skipped else; a later, smaller one may still be taken.
    /// Cost: one or two round trips; reads every op of the regions.
    virtual boost::asio::awaitable<result<std::vector<region_ids>>> retrieve_region_ids(
        std::vector<op_region> regions, std::uint64_t limit_bytes, deadline until = {}) = 0;

    /// A part of a region that does not fit as a whole: from `after` on (none: from its start) while the
    /// bytes stay <= limit_bytes and the ids <= page_ids_max; but at least one op if there is one left,
    /// however large it is.
    virtual boost::asio::awaitable<result<region_page>> retrieve_region_page(op_region region,
                                                                             std::optional<op_position> after,
                                                                             std::uint64_t limit_bytes,
                                                                             deadline until = {}) = 0;

    /// retrieve_ops() of as many of `ids`, from the first on, as keep the sum of sizes <= limit_bytes, but of
    /// at least one op that is held. So what a peer asks for cannot fill the memory.
    virtual boost::asio::awaitable<result<op_batch>> retrieve_ops_bounded(std::vector<op_id> ids,
                                                                          std::uint64_t limit_bytes,
                                                                          deadline until = {}) = 0;

    // Slices kept by the store. In slice mode host: errc::invalid_argument.

    /// Moves the boundary of the kept slices on to the full slices of `now`, at most `slices_max` further.
    /// Call it again until `sealed` is 0. Never beyond what `now` and the store's own clock allow.
    /// Cost: holds back the ingests of this space for as long as hashing those slices takes.
    virtual boost::asio::awaitable<result<seal_report>> seal(arc::timestamp now, std::uint64_t slices_max,
                                                             deadline until = {}) = 0;

    /// Recomputes every kept hash and counter from the ops, in one snapshot, and compares. Both slice modes
    /// (in host mode the host's slice hashes are its own and not compared). Changes nothing, blocks nobody.
    virtual boost::asio::awaitable<result<verify_report>> verify(deadline until = {}) = 0;

    /// Replaces by what the ops say whatever verify() would report, and reports what it replaced. Holds back
    /// the ingests of this space while it runs.
    virtual boost::asio::awaitable<result<verify_report>> repair(deadline until = {}) = 0;

    virtual boost::asio::awaitable<result<space_stat>> stat(deadline until = {}) = 0;
};

}  // namespace opstore
