#include <opstore/postgres/detail/page_queries.hpp>

#include <opstore/postgres/detail/queries.hpp>
#include <sql/statements.hpp>

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>

namespace opstore::postgres::detail {
namespace {

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
        if (sizes.size() != stamps.size())
            throw std::logic_error("page: the server returned lists of different lengths");
        require_ascending(stamps, "page");
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
    // For a narrow arc in a crowded sector: by then a chunk looks at 16 000 ops or more.
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

}  // namespace

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

}  // namespace opstore::postgres::detail
