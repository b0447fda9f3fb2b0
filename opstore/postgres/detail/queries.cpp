#include <opstore/postgres/detail/queries.hpp>

#include <opstore/postgres/detail/delegates.hpp>
#include <sql/statements.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

namespace opstore::postgres::detail {
namespace {

/// An arc as the key of its slice hashes. The Empty arc has none: no stored key is negative.
std::pair<std::int64_t, std::int64_t> slice_key(arc::dht_arc arc) {
    if (arc.is_empty())
        return {-1, -1};
    return {arc.start().value, arc.end().value};
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

void compare_units(connection& c, space_view space, verify_report& report) {
    auto const found =
        c.execute(sql::verify_units,
                  parameters().bigint(space.space_id).bigint(std::int64_t{verify_report::damages_max}));
    for (std::size_t row = 0; row < found.count(); ++row) {
        note(report, make_damage("unit_hash",
                                 fmt::format("sector {} unit {}", found.bigint(row, 0), found.bigint(row, 1)),
                                 hash_and_count(found, row, 4, 2), hash_and_count(found, row, 5, 3)));
    }
    if (!found.empty())
        report.damage_count += static_cast<std::uint64_t>(found.bigint(0, 6)) - found.count();
}

void compare_lists(connection& c, space_view space, verify_report& report) {
    auto const found = c.execute(sql::verify_lists, parameters().bigint(space.space_id));
    for (std::size_t row = 0; row < found.count(); ++row) {
        note(report, make_damage("sector_list", fmt::format("sector {}", found.bigint(row, 0)),
                                 fmt::format("{} ops", found.bigint(row, 1)),
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

result<std::vector<std::optional<arc::timestamp>>> fetch_earliest(connection& c, space_identity space,
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
        hash.hash = hash_of(found.bytea(row, 2), space.id_length);
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
        top.add(hash_of(found.bytea(row, 1), space.id_length));
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
    auto const present = clock ? clock() : arc::from_micros(locked.bigint(0, 3));
    auto const due = arc::full_slice_count(std::min(now, present), space.slice_factor);
    seal_report report;
    report.full_slices = static_cast<std::uint64_t>(locked.bigint(0, 1));
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
        compare_units(c, space, report);
        compare_lists(c, space, report);
    }
    c.commit();
    if (!exists)
        return space_is_gone();
    return report;
}

result<verify_report> repair_space(connection& c, space_view space) {
    verify_report report;
    parameters const id = parameters().bigint(space.space_id);
    // What is mended may be where an op lies.
    if (!lock_against_delegates(c, sql::lock_space, space, 0, [] { return true; }))
        return space_is_gone();
    c.execute(sql::lock_fold, id);
    c.execute_text("allow_scans", allow_scans);
    compare_totals(c, space, report);
    compare_slices(c, space, report);
    compare_sectors(c, space, report);
    compare_units(c, space, report);
    compare_lists(c, space, report);
    if (report.damage_count > 0) {
        c.execute(sql::repair_duplicates, id);
        c.execute(sql::repair_columns, id);
        c.execute(sql::repair_totals, id);
        c.execute(sql::repair_slices, id);
        c.execute(sql::repair_sectors, id);
        c.execute(sql::repair_units, id);
        c.execute(sql::repair_lists, id);
        // A fold that waits has seen the lists as they were. It does nothing if there is nothing left to
        // fold.
        fold_all(c, space);
    }
    c.commit();
    return report;
}

}  // namespace opstore::postgres::detail
