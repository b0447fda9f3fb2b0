#include <opstore/postgres/detail/queries.hpp>

#include <sql/statements.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <stdexcept>

namespace opstore::postgres::detail {
namespace {

/// An arc cut at sector borders, as the arrays that statements take.
struct piece_arrays {
    std::vector<std::int64_t> arc, sector, first, last;

    void add(std::int64_t number, arc::dht_arc const& of) {
        for (arc::sector_piece const& piece : arc::sector_pieces(of)) {
            arc.push_back(number);
            sector.push_back(piece.sector);
            first.push_back(piece.first);
            last.push_back(piece.last);
        }
    }
    bool empty() const { return sector.empty(); }
};

/// An arc as the key of its slice hashes. The Empty arc has none: no stored key is negative.
std::pair<std::int64_t, std::int64_t> slice_key(arc::dht_arc arc) {
    if (arc.is_empty())
        return {-1, -1};
    return {arc.start().value, arc.end().value};
}

/// What the pages of an arc walk.
struct page_walk {
    piece_arrays pieces;  ///< None: the whole ring.
    std::function<bool(arc::location)> contains;

    bool whole_ring() const { return pieces.empty(); }
};

/// Ops of the arc from one statement, all there are from its start to before `next`.
struct page_chunk {
    // Ops at the front, which fit if they are there. Their order is not to be checked without their stamps.
    std::vector<op_id> head;
    std::uint64_t head_bytes = 0;
    std::vector<op_id> ids;
    std::vector<std::int64_t> sizes, stamps;  ///< Of `ids`.

    std::int64_t watermark;
    bool exhausted = false;  ///< There are no more up to the watermark, and `next` means nothing.
    std::int64_t next = 0;
    bool reached_tail = false;  ///< What is next may not be folded yet.

    /// From the columns that all page statements begin with.
    page_chunk(rows const& r, std::size_t id_length) : watermark(r.bigint(0, 0)) {
        if (r.is_null(0, 1))
            return;
        sizes = r.bigint_array(0, 2);
        stamps = r.bigint_array(0, 3);
        append_ids(ids, r.bytea(0, 1), id_length, sizes.size());
        // The order in which an aggregate sees the rows of an ordered subquery is custom, not law.
        if (sizes.size() != stamps.size() || !std::is_sorted(stamps.begin(), stamps.end()))
            throw std::logic_error("page: the server returned a chunk out of order");
    }
};

page_chunk chunk_of_ring(rows const& r, space_view space) {
    page_chunk chunk(r, space.id_length);
    if (!r.is_null(0, 5)) {
        append_ids(chunk.head, r.bytea(0, 5), space.id_length, static_cast<std::size_t>(r.bigint(0, 6)));
        chunk.head_bytes = static_cast<std::uint64_t>(r.bigint(0, 7));
    }
    chunk.exhausted = chunk.stamps.empty() || r.boolean(0, 4);
    if (!chunk.exhausted)
        chunk.next = chunk.stamps.back() + 1;
    return chunk;
}

page_chunk chunk_of_sectors(rows const& r, space_view space, std::int64_t from) {
    page_chunk chunk(r, space.id_length);
    auto const covered_to = r.bigint(0, 4), folded_to = r.bigint(0, 5);
    chunk.exhausted = covered_to >= chunk.watermark;
    if (!chunk.exhausted)
        chunk.next = std::max(from, covered_to + 1);
    chunk.reached_tail = covered_to >= folded_to;
    return chunk;
}

page_chunk chunk_of_tail(rows const& r, space_view space, page_walk const& walk) {
    page_chunk chunk(r, space.id_length);
    chunk.reached_tail = true;
    chunk.exhausted = chunk.stamps.empty() || r.boolean(0, 5);
    if (chunk.stamps.empty())
        return chunk;
    if (!chunk.exhausted)
        chunk.next = chunk.stamps.back() + 1;
    auto const locations = r.bigint_array(0, 4);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < chunk.ids.size(); ++i) {
        if (!walk.contains(arc::location{static_cast<std::uint32_t>(locations.at(i))}))
            continue;
        chunk.ids[kept] = chunk.ids[i];
        chunk.sizes[kept] = chunk.sizes[i];
        chunk.stamps[kept++] = chunk.stamps[i];
    }
    chunk.ids.resize(kept);
    chunk.sizes.resize(kept);
    chunk.stamps.resize(kept);
    return chunk;
}

/// Where the next chunk of a page starts.
struct walk_position {
    std::int64_t from;
    bool in_tail = false;
    std::int64_t reach = 1;  ///< How many times as far as usual a chunk should look for ops of the arc.
};

/// Nothing if the space is gone.
std::optional<page_chunk> read_page_chunk(connection& c, space_view space, page_walk const& walk,
                                          walk_position at, std::uint64_t bytes_left, std::size_t ids_left) {
    parameters values = of_space(space);
    values.bigint(at.from).bigint(saturated(bytes_left)).bigint(static_cast<std::int64_t>(ids_left));
    if (at.in_tail) {
        auto const sectors = static_cast<std::int64_t>(walk.pieces.sector.size());
        auto const found = c.execute(sql::page_tail, values.bigint(sectors));
        return found.empty() ? std::nullopt : std::optional(chunk_of_tail(found, space, walk));
    }
    if (walk.whole_ring()) {
        auto const found = c.execute(sql::page_full, values);
        return found.empty() ? std::nullopt : std::optional(chunk_of_ring(found, space));
    }
    auto const& [arc, sector, first, last] = walk.pieces;
    values.bigint_array(sector).bigint_array(first).bigint_array(last).bigint(at.reach);
    auto const found = c.execute(sql::page_sectors, values);
    return found.empty() ? std::nullopt : std::optional(chunk_of_sectors(found, space, at.from));
}

/// Adds the ops of a chunk while they fit. Returns whether all did; if not, the page is done.
bool take_what_fits(id_page& page, page_chunk& chunk, std::uint64_t limit_bytes) {
    if (page.ids.empty())
        page.ids.swap(chunk.head);
    else
        page.ids.insert(page.ids.end(), chunk.head.begin(), chunk.head.end());
    page.bytes += chunk.head_bytes;
    std::size_t const room = op_store::page_ids_max - page.ids.size();
    std::size_t fitting = 0;
    for (; fitting < std::min(room, chunk.sizes.size()); ++fitting) {
        auto const size = static_cast<std::uint64_t>(chunk.sizes[fitting]);
        if (size > limit_bytes - page.bytes)
            break;
        page.bytes += size;
    }
    page.ids.insert(page.ids.end(), chunk.ids.begin(),
                    chunk.ids.begin() + static_cast<std::ptrdiff_t>(fitting));
    if (fitting == chunk.sizes.size())
        return true;
    page.next = arc::from_micros(chunk.stamps[fitting]);
    page.next_op_bytes = static_cast<std::uint64_t>(chunk.sizes[fitting]);
    return false;
}

/// The page of nothing: it advances too.
result<id_page> empty_page(connection& c, space_view space, arc::timestamp start) {
    auto const stat = fetch_stat(c, space);
    if (!stat)
        return stat.error();
    id_page page;
    page.next = after_watermark(start, arc::to_micros(stat->watermark));
    return page;
}

result<id_page> walk_page(connection& c, space_view space, page_walk const& walk, arc::timestamp start,
                          std::uint64_t limit_bytes) {
    id_page page;
    constexpr std::int64_t reach_max = 256;
    walk_position at{arc::to_micros(start)};
    for (;;) {
        auto chunk = read_page_chunk(c, space, walk, at, limit_bytes - page.bytes,
                                     op_store::page_ids_max - page.ids.size());
        if (!chunk)
            return space_is_gone();
        if (!take_what_fits(page, *chunk, limit_bytes))
            return page;
        if (chunk->exhausted) {
            page.next = after_watermark(start, chunk->watermark);
            return page;
        }
        at.from = chunk->next;
        at.in_tail = chunk->reached_tail;
        if (chunk->ids.empty())
            at.reach = std::min(at.reach * 2, reach_max);
    }
}

std::string hash_and_count(rows const& r, std::size_t row, std::size_t hash_column,
                           std::size_t count_column) {
    if (r.is_null(row, hash_column))
        return "none";
    auto const hash = r.bytea(row, hash_column);
    auto const text =
        to_string(combined_hash(std::span(hash).first(std::min(hash.size(), op_id::length_max))));
    return r.is_null(row, count_column) ? fmt::format("{} of ? ops", text)
                                        : fmt::format("{} of {} ops", text, r.bigint(row, count_column));
}

damage make_damage(std::string what, std::string where, std::string kept, std::string computed) {
    damage d;
    d.what = std::move(what);
    d.where = std::move(where);
    d.kept = std::move(kept);
    d.computed = std::move(computed);
    return d;
}

void note(verify_report& report, damage d) {
    ++report.damage_count;
    if (report.damages.size() < verify_report::damages_max)
        report.damages.push_back(std::move(d));
}

void compare_slices(connection& c, space_view space, verify_report& report) {
    auto const found =
        c.execute(sql::verify_slices, of_space(space).bigint(std::int64_t{verify_report::damages_max}));
    report.slice_hashes = static_cast<std::uint64_t>(found.bigint(0, 2));
    auto const differing = static_cast<std::uint64_t>(found.bigint(0, 3));
    for (std::size_t row = 1; row < found.count(); ++row) {
        note(report,
             make_damage("slice_hash",
                         fmt::format("sector {} slice {}", found.bigint(row, 0), found.bigint(row, 1)),
                         hash_and_count(found, row, 4, 2), hash_and_count(found, row, 5, 3)));
    }
    report.damage_count += differing - (found.count() - 1);
}

/// Precondition, as of the next: the space exists.
void compare_sectors(connection& c, space_view space, verify_report& report) {
    auto const found = c.execute(sql::verify_sectors, parameters().bigint(space.space_id));
    for (std::size_t row = 0; row < found.count(); ++row) {
        note(report, make_damage("sector_hash", fmt::format("sector {}", found.bigint(row, 0)),
                                 hash_and_count(found, row, 3, 1), hash_and_count(found, row, 4, 2)));
    }
}

void compare_stamps(connection& c, space_view space, verify_report& report) {
    auto const found = c.execute(sql::verify_stamps, parameters().bigint(space.space_id));
    for (std::size_t row = 0; row < found.count(); ++row) {
        note(report, make_damage("sector_stamps", fmt::format("sector {}", found.bigint(row, 0)),
                                 fmt::format("{} stamps", found.bigint(row, 1)),
                                 fmt::format("{} ops", found.bigint(row, 2))));
    }
}

/// False if the space is gone.
bool compare_totals(connection& c, space_view space, verify_report& report) {
    auto const found = c.execute(sql::verify_totals, of_space(space));
    if (found.empty())
        return false;
    report.ops = static_cast<std::uint64_t>(found.bigint(0, 1));
    auto number = [&](std::size_t column) { return std::to_string(found.bigint(0, column)); };
    auto compare = [&](char const* what, std::size_t kept, std::size_t computed) {
        if (found.bigint(0, kept) != found.bigint(0, computed))
            note(report, make_damage(what, "space", number(kept), number(computed)));
    };
    compare("op_count", 0, 1);
    compare("op_bytes", 2, 3);
    if (found.bigint(0, 4) < found.bigint(0, 5))
        note(report, make_damage("watermark", "space", number(4), number(5)));
    if (found.bigint(0, 7) != 0)
        note(report, make_damage("op_twice", "space", number(7) + " ops too many", "each once"));
    if (found.boolean(0, 8))
        note(report, make_damage("folded_to", "space", number(9), number(4)));
    if (found.bigint(0, 6) != 0)
        note(report, make_damage("op_columns", "sector or size of ops", "", number(6) + " ops differ"));
    return true;
}

/// Behind lock_space and lock_fold: then there is an end to it.
void fold_all(connection& c, space_view space) {
    while (fold_some(c, {space.space_id, space.incarnation})) {
    }
}

/// Scans of all ops want the plans that the session otherwise forbids.
constexpr char const* allow_scans =
    "SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on; SET LOCAL enable_hashjoin = on; "
    "SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL plan_cache_mode = force_custom_plan";

/// So many ops of a piece are read in one go.
constexpr std::size_t piece_ids_max = 65'536;

/// Up to one more than piece_ids_max. Precondition: one piece.
result<id_list> fetch_time_slice_of_piece(connection& c, space_view space, piece_arrays const& pieces,
                                          arc::time_range range) {
    auto const found = c.execute(sql::time_slice_of_piece, of_space(space)
                                                               .bigint(arc::to_micros(range.start))
                                                               .bigint(arc::to_micros(range.end))
                                                               .bigint(pieces.sector.front())
                                                               .bigint(pieces.first.front())
                                                               .bigint(pieces.last.front())
                                                               .bigint(std::int64_t{piece_ids_max + 1}));
    if (found.empty())
        return space_is_gone();
    id_list list;
    if (!found.is_null(0, 0)) {
        append_ids(list.ids, found.bytea(0, 0), space.id_length,
                   static_cast<std::size_t>(found.bigint(0, 2)));
        list.bytes = static_cast<std::uint64_t>(found.bigint(0, 1));
    }
    return list;
}

}  // namespace

result<id_list> fetch_time_slice(connection& c, space_view space, arc::dht_arc arc, arc::time_range range) {
    piece_arrays pieces;
    pieces.add(0, arc);
    if (pieces.sector.size() == 1) {
        auto list = fetch_time_slice_of_piece(c, space, pieces, range);
        if (!list || list->ids.size() <= piece_ids_max)
            return list;
    }
    auto const found = c.execute(sql::time_slice, of_space(space)
                                                      .bigint(arc::to_micros(range.start))
                                                      .bigint(arc::to_micros(range.end))
                                                      .bigint_array(pieces.sector)
                                                      .bigint_array(pieces.first)
                                                      .bigint_array(pieces.last));
    if (found.empty())
        return space_is_gone();
    id_list list;
    for (std::size_t row = 0; row < found.count(); ++row) {
        if (found.is_null(row, 0))
            continue;
        auto const joined = found.bytea(row, 0);
        append_ids(list.ids, joined, space.id_length, joined.size() / space.id_length);
        list.bytes += static_cast<std::uint64_t>(found.bigint(row, 1));
    }
    return list;
}

result<std::vector<stored_op>> fetch_ops(connection& c, space_view space, std::vector<op_id> const& ids) {
    std::vector<stored_op> ops;
    std::size_t begin = 0, last = 0;
    do {
        std::size_t const end = std::min(begin + statement_ids_max, ids.size());
        auto const found = c.execute(
            sql::retrieve, of_space(space).image(id_array(ids, begin, end)).bigint(result_bytes_max));
        if (found.empty())
            return space_is_gone();
        std::int64_t bytes = 0;
        for (std::size_t row = 0; row < found.count() && !found.is_null(row, 0); ++row) {
            last = begin + static_cast<std::size_t>(found.bigint(row, 0));
            stored_op op;
            op.id = ids[last];
            op.location = arc::location{static_cast<std::uint32_t>(found.bigint(row, 1))};
            op.created_at = arc::from_micros(found.bigint(row, 2));
            op.stored_at = arc::from_micros(found.bigint(row, 3));
            auto const payload = found.bytea(row, 4);
            op.data.assign(payload.begin(), payload.end());
            bytes += static_cast<std::int64_t>(op.data.size());
            ops.push_back(std::move(op));
        }
        begin = bytes < result_bytes_max ? end : last + 1;
    } while (begin < ids.size());
    return ops;
}

result<std::vector<op_id>> fetch_missing(connection& c, space_view space, std::vector<op_id> const& ids) {
    std::vector<op_id> missing;
    std::size_t begin = 0;
    do {
        std::size_t const end = std::min(begin + statement_ids_max, ids.size());
        auto const found = c.execute(sql::missing, of_space(space).image(id_array(ids, begin, end)));
        if (found.empty())
            return space_is_gone();
        for (std::int64_t const ordinal : found.bigint_array(0, 0))
            missing.push_back(ids[begin + static_cast<std::size_t>(ordinal)]);
        begin = end;
    } while (begin < ids.size());
    return missing;
}

result<id_page> fetch_page(connection& c, space_view space, arc::dht_arc arc, arc::timestamp start,
                           std::uint64_t limit_bytes) {
    if (arc.is_empty())
        return empty_page(c, space, start);
    page_walk walk;
    walk.contains = [arc](arc::location at) { return arc.contains(at); };
    if (!arc.is_full())
        walk.pieces.add(0, arc);
    return walk_page(c, space, walk, start, limit_bytes);
}

result<id_page> fetch_page(connection& c, space_view space, arc::arc_set const& sectors, arc::timestamp start,
                           std::uint64_t limit_bytes) {
    if (sectors.empty())
        return empty_page(c, space, start);
    page_walk walk;
    walk.contains = [&sectors](arc::location at) { return sectors.includes(arc::sector_of(at)); };
    if (sectors != arc::arc_set::full()) {
        for (auto const sector : sectors.sectors())
            walk.pieces.add(0, arc::sector_arc(sector));
    }
    return walk_page(c, space, walk, start, limit_bytes);
}

result<std::vector<std::optional<arc::timestamp>>> fetch_earliest(connection& c, space_view space,
                                                                  std::vector<arc::dht_arc> const& arcs) {
    piece_arrays pieces;
    for (std::size_t i = 0; i < arcs.size(); ++i)
        pieces.add(static_cast<std::int64_t>(i), arcs[i]);
    auto const found = c.execute(sql::earliest, of_space(space)
                                                    .bigint_array(pieces.arc)
                                                    .bigint_array(pieces.sector)
                                                    .bigint_array(pieces.first)
                                                    .bigint_array(pieces.last));
    if (found.empty())
        return space_is_gone();
    std::vector<std::optional<arc::timestamp>> earliest(arcs.size());
    for (std::size_t row = 0; row < found.count(); ++row) {
        if (found.is_null(row, 0))
            continue;
        auto& of_arc = earliest[static_cast<std::size_t>(found.bigint(row, 0))];
        auto const created_at = arc::from_micros(found.bigint(row, 1));
        of_arc = std::min(of_arc.value_or(created_at), created_at);
    }
    return earliest;
}

result<void> put_slice_hash(connection& c, space_view space, arc::dht_arc arc, std::uint64_t index,
                            std::vector<std::byte> const& hash) {
    auto const [start, end] = slice_key(arc);
    auto const stored = c.execute(
        sql::put_slice_hash,
        of_space(space).bigint(start).bigint(end).bigint(static_cast<std::int64_t>(index)).bytea(hash));
    if (stored.empty())
        return space_is_gone();
    return {};
}

result<std::uint64_t> fetch_slice_hash_count(connection& c, space_view space, arc::dht_arc arc) {
    auto const [start, end] = slice_key(arc);
    auto const found = c.execute(sql::highest_slice, of_space(space).bigint(start).bigint(end));
    if (found.empty())
        return space_is_gone();
    return found.is_null(0, 0) ? 0 : static_cast<std::uint64_t>(found.bigint(0, 0)) + 1;
}

result<std::optional<std::vector<std::byte>>> fetch_slice_hash(connection& c, space_view space,
                                                               arc::dht_arc arc, std::uint64_t index) {
    auto const [start, end] = slice_key(arc);
    // An index of 2^63 or more turns negative here, and was never stored.
    auto const found = c.execute(
        sql::slice_hash, of_space(space).bigint(start).bigint(end).bigint(static_cast<std::int64_t>(index)));
    if (found.empty())
        return space_is_gone();
    if (found.is_null(0, 0))
        return std::nullopt;
    std::vector<std::byte> hash;
    for (std::size_t row = 0; row < found.count(); ++row)
        add_part(hash, found.bytea(row, 0));
    return hash;
}

result<std::vector<std::vector<slice_hash>>> fetch_slice_hashes(connection& c, space_view space,
                                                                std::vector<arc::dht_arc> const& arcs) {
    std::vector<std::int64_t> starts, ends;
    // Only the hashes of sectors can lack what is not folded yet.
    arc::arc_set sectors;
    std::multimap<std::int64_t, std::size_t> arcs_of_sector;
    for (std::size_t i = 0; i < arcs.size(); ++i) {
        auto const [start, end] = slice_key(arcs[i]);
        starts.push_back(start);
        ends.push_back(end);
        if (arcs[i].is_empty())
            continue;
        auto const sector = arc::sector_of(arcs[i].start());
        if (arcs[i] == arc::sector_arc(sector)) {
            sectors.insert(sector);
            arcs_of_sector.emplace(sector, i);
        }
    }
    auto const found =
        c.execute(sql::slice_hashes,
                  of_space(space).bigint_array(starts).bigint_array(ends).bytea(sector_mask(sectors)));
    if (found.empty())
        return space_is_gone();
    std::vector<std::vector<slice_hash>> hashes(arcs.size());
    for (std::size_t row = 0; row < found.count() && !found.is_null(row, 2); ++row) {
        auto const index = static_cast<std::uint64_t>(found.bigint(row, 2));
        auto const part = found.bytea(row, 3);
        if (!found.is_null(row, 0)) {
            add_part(hashes[static_cast<std::size_t>(found.bigint(row, 0))], index, part);
            continue;
        }
        auto const [begin, end] = arcs_of_sector.equal_range(found.bigint(row, 1));
        for (auto at = begin; at != end; ++at)
            add_part(hashes[at->second], index, part);
    }
    return hashes;
}

result<std::vector<std::vector<sector_hash>>> fetch_combined_hashes(
    connection& c, space_view space, arc::arc_set const& sectors,
    std::vector<arc::time_range> const& ranges) {
    std::vector<std::int64_t> starts, ends;
    for (arc::time_range const& range : ranges) {
        starts.push_back(arc::to_micros(range.start));
        ends.push_back(arc::to_micros(range.end));
    }
    auto const found = c.execute(
        sql::combined_hashes,
        of_space(space).bigint_array(sector_numbers(sectors)).bigint_array(starts).bigint_array(ends));
    if (found.empty())
        return space_is_gone();
    std::vector<std::vector<sector_hash>> hashes(ranges.size());
    for (std::size_t row = 0; row < found.count(); ++row) {
        if (found.is_null(row, 0))
            continue;
        sector_hash hash;
        hash.sector = static_cast<arc::sector_index>(found.bigint(row, 1));
        hash.hash = combined_hash(found.bytea(row, 2));
        hash.op_count = static_cast<std::uint64_t>(found.bigint(row, 3));
        hashes[static_cast<std::size_t>(found.bigint(row, 0))].push_back(hash);
    }
    return hashes;
}

result<store_summary> fetch_summary(connection& c, space_view space, arc::arc_set const& sectors,
                                    arc::timestamp now) {
    auto const layout = arc::layout_at(now, space.slice_factor);
    std::vector<std::int64_t> starts, ends;
    for (arc::ring_slice const& ring : layout.rings) {
        starts.push_back(arc::to_micros(ring.range().start));
        ends.push_back(arc::to_micros(ring.range().end));
    }
    auto const found = c.execute(sql::summarize, of_space(space)
                                                     .bigint_array(sector_numbers(sectors))
                                                     .bigint(saturated(layout.full_slices))
                                                     .bigint_array(starts)
                                                     .bigint_array(ends)
                                                     .bytea(sector_mask(sectors)));
    if (found.empty())
        return space_is_gone();
    store_summary summary;
    summary.disc_boundary = layout.disc_boundary();
    summary.ring_top_hashes.resize(layout.rings.size());
    for (std::size_t row = 0; row < found.count(); ++row) {
        if (found.is_null(row, 1))
            continue;
        auto const ring = found.bigint(row, 0);
        auto& top =
            ring < 0 ? summary.disc_top_hash : summary.ring_top_hashes[static_cast<std::size_t>(ring)];
        top.add(combined_hash(found.bytea(row, 1)));
    }
    return summary;
}

result<space_stat> fetch_stat(connection& c, space_view space) {
    auto const found = c.execute(sql::space_stat, of_space(space));
    if (found.empty())
        return space_is_gone();
    space_stat stat;
    stat.op_count = static_cast<std::uint64_t>(found.bigint(0, 0));
    stat.op_bytes = static_cast<std::uint64_t>(found.bigint(0, 1));
    stat.watermark = arc::from_micros(found.bigint(0, 2));
    stat.full_slices = static_cast<std::uint64_t>(found.bigint(0, 3));
    return stat;
}

result<seal_report> seal_slices(connection& c, space_view space, arc::timestamp now, std::uint64_t slices_max,
                                std::function<arc::timestamp()> const& clock) {
    c.begin();
    auto const locked = c.execute(sql::lock_space, of_space(space));
    if (locked.empty()) {
        c.rollback();
        return space_is_gone();
    }
    auto const present = clock ? clock() : arc::from_micros(locked.bigint(0, 2));
    auto const due = arc::full_slice_count(std::min(now, present), space.slice_factor);
    seal_report report;
    report.full_slices = static_cast<std::uint64_t>(locked.bigint(0, 0));
    c.execute(sql::lock_fold, parameters().bigint(space.space_id));
    fold_all(c, space);
    if (due > report.full_slices) {
        report.sealed = std::min(due - report.full_slices, slices_max);
        c.execute(sql::seal, parameters()
                                 .bigint(space.space_id)
                                 .bigint(static_cast<std::int64_t>(report.full_slices))
                                 .bigint(static_cast<std::int64_t>(report.full_slices + report.sealed)));
        report.full_slices += report.sealed;
    }
    c.commit();
    return report;
}

result<verify_report> verify_space(connection& c, space_view space) {
    verify_report report;
    c.execute_text("begin_snapshot", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    c.execute_text("allow_scans", allow_scans);
    bool const exists = compare_totals(c, space, report);
    if (exists) {
        compare_slices(c, space, report);
        compare_sectors(c, space, report);
        compare_stamps(c, space, report);
    }
    c.commit();
    if (!exists)
        return space_is_gone();
    return report;
}

result<verify_report> repair_space(connection& c, space_view space) {
    verify_report report;
    parameters const id = parameters().bigint(space.space_id);
    c.begin();
    auto const locked = c.execute(sql::lock_space, of_space(space));
    if (locked.empty()) {
        c.rollback();
        return space_is_gone();
    }
    c.execute(sql::lock_fold, id);
    c.execute_text("allow_scans", allow_scans);
    compare_totals(c, space, report);
    compare_slices(c, space, report);
    compare_sectors(c, space, report);
    compare_stamps(c, space, report);
    if (report.damage_count > 0) {
        c.execute(sql::repair_duplicates, id);
        c.execute(sql::repair_columns, id);
        c.execute(sql::repair_totals, id);
        c.execute(sql::repair_slices, id);
        c.execute(sql::repair_sectors, id);
        c.execute(sql::repair_stamps, id);
        // A fold that waits has seen the lists as they were. It does nothing if there is nothing left to
        // fold.
        fold_all(c, space);
    }
    c.commit();
    return report;
}

}  // namespace opstore::postgres::detail
