#include <opstore/postgres/detail/gossip_queries.hpp>

#include <arc/time_slices.hpp>
#include <sql/statements.hpp>

#include <algorithm>
#include <cassert>

namespace opstore::postgres::detail {
namespace {

/// Where the disc of so many slices ends.
std::int64_t disc_end(space_view space, std::uint64_t full_slices) {
    return arc::to_micros(arc::slice_range(full_slices, space.slice_factor).start);
}

/// Joined hashes, cut apart.
std::vector<op_id> hashes_of(rows const& r, std::size_t row, std::size_t column, std::size_t count,
                             space_view space) {
    std::vector<op_id> hashes;
    append_ids(hashes, r.bytea(row, column), space.id_length, count);
    return hashes;
}

/// Sorts hashes by their place, and combines the parts of each. Counts of parts may be below zero, modulo
/// 2^64; a place is left out whose parts cancel out.
template <class Hash, class Place>
void combine_parts(std::vector<Hash>& hashes, Place place) {
    bool const in_parts =
        std::ranges::adjacent_find(hashes, std::ranges::greater_equal(), place) != hashes.end();
    if (in_parts) {
        std::ranges::sort(hashes, {}, place);
        auto last = hashes.begin();
        for (auto part = last + 1; part != hashes.end(); ++part) {
            if (place(*part) == place(*last)) {
                last->hash.add(part->hash);
                last->op_count += part->op_count;
            } else {
                *++last = *part;
            }
        }
        hashes.erase(last + 1, hashes.end());
    }
    std::erase_if(hashes, [](Hash const& h) { return static_cast<std::int64_t>(h.op_count) <= 0; });
}

/// No op lies in a sector that does not exist, and the column would not hold its number.
std::int64_t sector_number(arc::sector_index sector) {
    return sector < arc::sector_count ? sector : -1;
}

struct region_arrays {
    std::vector<std::int64_t> sector, start, end;

    void add(op_region const& region) {
        sector.push_back(sector_number(region.sector));
        start.push_back(arc::to_micros(region.range.start));
        end.push_back(arc::to_micros(region.range.end));
    }
    parameters with(space_view space) const {
        parameters values = of_space(space);
        values.bigint_array(sector).bigint_array(start).bigint_array(end);
        return values;
    }
};

/// Notes the sums of the regions, and which are taken: their numbers.
std::vector<std::size_t> choose_regions(std::vector<region_ids>& answers, rows const& sums,
                                        std::uint64_t limit_bytes) {
    auto const counts = sums.bigint_array(0, 1);
    auto const bytes = sums.bigint_array(0, 2);
    std::vector<std::size_t> chosen;
    std::uint64_t bytes_left = limit_bytes;
    std::uint64_t ids_left = op_store::page_ids_max;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        region_ids& answer = answers[i];
        answer.op_count = static_cast<std::uint64_t>(counts.at(i));
        answer.bytes = static_cast<std::uint64_t>(bytes.at(i));
        answer.taken = answer.bytes <= bytes_left && answer.op_count <= ids_left;
        if (answer.taken) {
            bytes_left -= answer.bytes;
            ids_left -= answer.op_count;
            if (answer.op_count > 0)
                chosen.push_back(i);
        }
    }
    return chosen;
}

/// The columns of region_page.
struct region_chunk {
    std::vector<op_id> ids;
    std::vector<std::int64_t> sizes, created;
    bool exhausted;

    region_chunk(rows const& r, std::size_t id_length) : exhausted(r.boolean(0, 3)) {
        if (r.is_null(0, 0))
            return;
        sizes = r.bigint_array(0, 1);
        created = r.bigint_array(0, 2);
        append_ids(ids, r.bytea(0, 0), id_length, created.size());
        require_ascending(created, "region_page");
    }
};

/// Adds ops of the chunk while they fit, but always the page's first. Returns whether all of them went in.
bool take_what_fits(region_page& page, region_chunk const& chunk, std::optional<op_position>& last,
                    std::uint64_t limit_bytes) {
    for (std::size_t i = 0; i < chunk.ids.size(); ++i) {
        auto const size = static_cast<std::uint64_t>(chunk.sizes[i]);
        bool const fits = page.ids.size() < op_store::page_ids_max && page.bytes <= limit_bytes &&
                          size <= limit_bytes - page.bytes;
        if (!fits && !page.ids.empty())
            return false;
        page.ids.push_back(chunk.ids[i]);
        page.bytes += size;
        last = op_position{arc::from_micros(chunk.created[i]), chunk.ids[i]};
    }
    return true;
}

}  // namespace

result<space_hashes> fetch_space_hashes(connection& c, space_view space, std::uint64_t full_slices) {
    enum column { watermark, op_count, unit, sectors, hashes, counts };
    auto const found =
        c.execute(sql::space_hashes,
                  of_space(space).bigint(saturated(full_slices)).bigint(disc_end(space, full_slices)));
    if (found.empty())
        return space_is_gone();
    space_hashes all;
    all.watermark = arc::from_micros(found.bigint(0, watermark));
    all.op_count = static_cast<std::uint64_t>(found.bigint(0, op_count));
    // Their growth, copy by copy, would take a tenth of the call.
    std::size_t bytes = 0;
    for (std::size_t row = 0; row < found.count(); ++row)
        bytes += found.bytea(row, hashes).size();
    all.recent.reserve(bytes / space.id_length);
    for (std::size_t row = 0; row < found.count(); ++row) {
        if (found.is_null(row, sectors))
            continue;
        auto const numbers = found.bigint_array(row, sectors);
        require_ascending(numbers, "space_hashes");
        auto const op_counts = found.bigint_array(row, counts);
        auto const ids = hashes_of(found, row, hashes, numbers.size(), space);
        bool const of_disc = found.is_null(row, unit);
        // What was kept before the disc reached that far, and what was not kept, comes by unit.
        auto const number = of_disc ? 0
                                    : arc::stretch_start(static_cast<std::uint64_t>(found.bigint(row, unit)),
                                                         full_slices, space.slice_factor);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            auto const sector = static_cast<arc::sector_index>(numbers[i]);
            auto const number_of_ops = static_cast<std::uint64_t>(op_counts.at(i));
            combined_hash const hash(ids[i].bytes());
            if (of_disc)
                all.disc.push_back({sector, hash, number_of_ops});
            else
                all.recent.push_back({number, sector, hash, number_of_ops});
        }
    }
    combine_parts(all.disc, [](sector_hash const& h) { return h.sector; });
    combine_parts(all.recent, [](unit_hash const& h) { return std::pair(h.unit, h.sector); });
    return all;
}

result<op_tail> fetch_tail(connection& c, space_view space, arc::timestamp start, std::size_t ops_max) {
    assert(ops_max > 0 && ops_max <= op_store::page_ids_max);
    // One more than wanted: where the next tail starts.
    auto const found = c.execute(
        sql::tail,
        of_space(space).bigint(arc::to_micros(start)).bigint(static_cast<std::int64_t>(ops_max) + 1));
    if (found.empty())
        return space_is_gone();
    op_tail tail;
    tail.next = after_watermark(start, found.bigint(0, 0));
    tail.complete = true;
    if (found.is_null(0, 1))
        return tail;
    auto const locations = found.bigint_array(0, 2);
    auto const created = found.bigint_array(0, 3);
    auto const stamps = found.bigint_array(0, 4);
    auto const ids = hashes_of(found, 0, 1, stamps.size(), space);
    require_ascending(stamps, "tail");
    if (stamps.size() > ops_max) {
        tail.next = arc::from_micros(stamps[ops_max]);
        tail.complete = false;
    }
    for (std::size_t i = 0; i < std::min(ops_max, stamps.size()); ++i)
        tail.ops.push_back({ids[i], arc::location{static_cast<std::uint32_t>(locations.at(i))},
                            arc::from_micros(created.at(i))});
    return tail;
}

result<std::vector<sector_slices>> fetch_disc_slices(connection& c, space_view space,
                                                     arc::arc_set const& sectors, std::uint64_t full_slices) {
    auto const found = c.execute(sql::disc_slices, of_space(space)
                                                       .bigint_array(sector_numbers(sectors))
                                                       .bigint(saturated(full_slices))
                                                       .bigint(disc_end(space, full_slices))
                                                       .bytea(sector_mask(sectors)));
    if (found.empty())
        return space_is_gone();
    std::vector<sector_slices> all;
    std::size_t row = found.is_null(0, 0) ? found.count() : 0;
    for (auto const sector : sectors.sectors()) {
        sector_slices& of_sector = all.emplace_back();
        of_sector.sector = sector;
        if (row == found.count() || found.bigint(row, 0) != sector)
            continue;
        auto const indices = found.bigint_array(row, 1);
        auto const hashes = hashes_of(found, row, 2, indices.size(), space);
        for (std::size_t i = 0; i < indices.size(); ++i) {
            add_part(of_sector.slices, static_cast<std::uint64_t>(indices[i]), hashes[i].bytes());
        }
        ++row;
    }
    return all;
}

result<std::vector<region_ids>> fetch_region_ids(connection& c, space_view space,
                                                 std::vector<op_region> const& regions,
                                                 std::uint64_t limit_bytes) {
    region_arrays all;
    for (op_region const& region : regions)
        all.add(region);
    auto const sums = c.execute(sql::region_sums, all.with(space));
    if (sums.empty())
        return space_is_gone();
    std::vector<region_ids> answers(regions.size());
    if (regions.empty())
        return answers;
    auto const chosen = choose_regions(answers, sums, limit_bytes);
    if (chosen.empty())
        return answers;
    region_arrays wanted;
    for (std::size_t const i : chosen)
        wanted.add(regions[i]);
    auto const found = c.execute(sql::region_ids, wanted.with(space).bigint(sums.bigint(0, 0)));
    if (found.empty())
        return space_is_gone();
    for (std::size_t row = 0; row < found.count(); ++row) {
        if (found.is_null(row, 0))
            continue;
        region_ids& answer = answers[chosen.at(static_cast<std::size_t>(found.bigint(row, 0)))];
        append_ids(answer.ids, found.bytea(row, 1), space.id_length, answer.op_count);
    }
    return answers;
}

result<region_page> fetch_region_page(connection& c, space_view space, op_region const& region,
                                      std::optional<op_position> const& after, std::uint64_t limit_bytes) {
    region_page page;
    // Every id is behind the empty one.
    op_position from = after.value_or(op_position{region.range.start, op_id()});
    for (;;) {
        auto const found =
            c.execute(sql::region_page,
                      of_space(space)
                          .bigint(sector_number(region.sector))
                          .bigint(arc::to_micros(region.range.start))
                          .bigint(arc::to_micros(region.range.end))
                          .bigint(arc::to_micros(from.created_at))
                          .bytea(from.id.bytes())
                          .bigint(saturated(rest_of(limit_bytes, page.bytes)))
                          .bigint(static_cast<std::int64_t>(op_store::page_ids_max - page.ids.size())));
        if (found.empty())
            return space_is_gone();
        region_chunk const chunk(found, space.id_length);
        std::optional<op_position> last;
        if (!page.ids.empty())
            last = from;
        if (!take_what_fits(page, chunk, last, limit_bytes)) {
            page.next = last;
            return page;
        }
        if (chunk.exhausted)
            return page;
        from = last.value();
    }
}

}  // namespace opstore::postgres::detail
