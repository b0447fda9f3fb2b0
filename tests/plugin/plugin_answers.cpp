#include <tests/plugin/plugin_answers.hpp>

#include <tests/plugin/plugin_call.hpp>

#include <algorithm>
#include <limits>

namespace opstore::testing {
namespace {

void promised(bool so, char const* what) {
    if (!so)
        throw plugin_broke_its_word(what);
}

template <class Answer>
Answer const& sized(Answer const* answer) {
    promised(answer && answer->struct_size == sizeof *answer, "an answer without its size");
    return *answer;
}

void check_narrow(std::uint64_t bytes, std::uint32_t bytes_narrow) {
    promised(bytes_narrow == std::min<std::uint64_t>(bytes, std::numeric_limits<std::int32_t>::max()),
             "bytes_narrow is not the same number");
}

template <class Element>
std::span<const Element> array(Element const* data, std::size_t count) {
    promised(data || count == 0, "an array at NULL");
    return {data, count};
}

op_id cpp_id(opstore_bytes id) {
    promised(id.data && id.size >= 1 && id.size <= OPSTORE_ID_BYTES_MAX, "an id of an impossible length");
    return op_id(std::as_bytes(std::span(id.data, id.size)));
}

std::vector<op_id> cpp_ids(opstore_bytes const* ids, std::size_t count) {
    std::vector<op_id> result;
    for (opstore_bytes const id : array(ids, count))
        result.push_back(cpp_id(id));
    return result;
}

combined_hash cpp_hash(opstore_bytes hash) {
    return combined_hash(std::as_bytes(array(hash.data, hash.size)));
}

std::optional<arc::timestamp> cpp_time(opstore_maybe_time time) {
    promised(time.present <= 1 && (time.present || time.value == 0), "a time that is neither here nor not");
    return time.present ? std::optional(arc::from_micros(time.value)) : std::nullopt;
}

std::vector<slice_hash> cpp_slices(opstore_slice_hash_list const& list) {
    std::vector<slice_hash> result;
    for (opstore_slice_hash const& s : array(list.hashes, list.count))
        result.emplace_back(s.index, cpp_bytes(s.hash));
    return result;
}

arc::sector_index cpp_sector(std::uint32_t sector) {
    promised(sector < arc::sector_count, "a sector that does not exist");
    return static_cast<arc::sector_index>(sector);
}

std::vector<sector_hash> cpp_sector_hashes(opstore_sector_hash const* hashes, std::size_t count) {
    std::vector<sector_hash> result;
    for (opstore_sector_hash const& h : array(hashes, count))
        result.push_back({cpp_sector(h.sector), cpp_hash(h.hash), h.op_count});
    return result;
}

/// The outcomes say the same as the three lists: what a host zips with its request.
void check_outcomes(opstore_ingest_report const& report) {
    auto held = array(report.held, report.held_count).begin();
    auto fresh = array(report.newly_stored, report.newly_stored_count).begin();
    auto rejected = array(report.rejected, report.rejected_count).begin();
    promised(report.outcome_count == report.held_count + report.rejected_count, "outcomes are missing");
    std::size_t index = 0;
    for (opstore_outcome const& outcome : array(report.outcomes, report.outcome_count)) {
        if (outcome.what == OPSTORE_REJECTED) {
            promised(outcome.id.size == 0 && rejected++->index == index, "a wrong outcome of a rejected op");
        } else {
            promised(cpp_id(outcome.id) == cpp_id(*held++), "a wrong id of an outcome");
            promised(outcome.what == OPSTORE_DUPLICATE || outcome.what == OPSTORE_STORED, "no outcome");
            if (outcome.what == OPSTORE_STORED)
                promised(cpp_id(fresh++->id) == cpp_id(outcome.id), "a wrong outcome of a new op");
        }
        ++index;
    }
    promised(fresh == array(report.newly_stored, report.newly_stored_count).end(), "a new op has no outcome");
}

}  // namespace

opstore_bytes c_bytes(std::span<const std::byte> bytes) {
    return {reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()};
}

opstore_bytes c_bytes(std::string const& bytes) {
    return c_bytes(std::as_bytes(std::span(bytes)));
}

opstore_arc c_arc(arc::dht_arc arc) {
    if (arc.is_empty())
        return {};
    return {OPSTORE_ARC_RANGE, arc.start().value, arc.end().value};
}

opstore_sector_set c_sectors(arc::arc_set const& sectors) {
    opstore_sector_set result;
    std::ranges::copy(sectors.encode(), result.words);
    return result;
}

opstore_time_range c_range(arc::time_range range) {
    return {arc::to_micros(range.start), arc::to_micros(range.end)};
}

opstore_region c_region(op_region region) {
    return {region.sector, c_range(region.range)};
}

std::vector<std::byte> cpp_bytes(opstore_bytes bytes) {
    auto const span = std::as_bytes(array(bytes.data, bytes.size));
    return {span.begin(), span.end()};
}

std::string cpp_text(opstore_text text) {
    promised(text.size == 0 || text.data[text.size] == '\0', "a text without its zero byte");
    return {text.data, text.size};
}

std::string cpp_key(opstore_bytes key) {
    return {reinterpret_cast<char const*>(key.data), key.size};
}

void read_done() {}

ingest_report read_report(opstore_ingest_report const* given) {
    auto const& c = sized(given);
    check_outcomes(c);
    ingest_report report;
    report.held = cpp_ids(c.held, c.held_count);
    for (opstore_new_op const& op : array(c.newly_stored, c.newly_stored_count))
        report.newly_stored.push_back({cpp_id(op.id), arc::from_micros(op.created_at)});
    report.newly_stored_bytes = c.newly_stored_bytes;
    for (opstore_rejection const& r : array(c.rejected, c.rejected_count)) {
        report.rejected.emplace_back(r.index, static_cast<rejection_reason>(r.reason), cpp_text(r.message));
    }
    return report;
}

id_list read_id_list(opstore_ids const* given) {
    auto const& c = sized(given);
    check_narrow(c.bytes, c.bytes_narrow);
    id_list list;
    list.ids = cpp_ids(c.ids, c.count);
    list.bytes = c.bytes;
    return list;
}

std::vector<op_id> read_missing_ids(opstore_ids const* given) {
    auto const& c = sized(given);
    promised(c.bytes == 0 && c.bytes_narrow == 0, "bytes of ops that are not held");
    return cpp_ids(c.ids, c.count);
}

id_page read_page(opstore_page const* given) {
    auto const& c = sized(given);
    check_narrow(c.bytes, c.bytes_narrow);
    promised(c.cut <= 1 && (c.cut || c.next_op_bytes == 0), "next_op_bytes of a page that is not cut");
    id_page page;
    page.ids = cpp_ids(c.ids, c.count);
    page.bytes = c.bytes;
    page.next = arc::from_micros(c.next);
    if (c.cut)
        page.next_op_bytes = c.next_op_bytes;
    return page;
}

op_batch read_ops(opstore_ops const* given) {
    auto const& c = sized(given);
    op_batch batch;
    for (opstore_op const& from : array(c.ops, c.count)) {
        stored_op op;
        op.id = cpp_id(from.id);
        op.location = arc::location{from.location};
        op.created_at = arc::from_micros(from.created_at);
        op.stored_at = arc::from_micros(from.stored_at);
        op.data = cpp_bytes(from.data);
        batch.ops.push_back(std::move(op));
    }
    batch.ids_read = c.ids_read;
    return batch;
}

std::vector<std::optional<arc::timestamp>> read_times(opstore_times const* given) {
    auto const& c = sized(given);
    std::vector<std::optional<arc::timestamp>> times;
    for (opstore_maybe_time const time : array(c.times, c.count))
        times.push_back(cpp_time(time));
    return times;
}

std::uint64_t read_count(std::uint64_t count) {
    return count;
}

std::optional<std::vector<std::byte>> read_hash(opstore_bytes hash) {
    return hash.size > 0 ? std::optional(cpp_bytes(hash)) : std::nullopt;
}

std::vector<std::vector<slice_hash>> read_slice_hashes(opstore_slice_hash_lists const* given) {
    auto const& c = sized(given);
    std::vector<std::vector<slice_hash>> lists;
    for (opstore_slice_hash_list const& list : array(c.lists, c.count))
        lists.push_back(cpp_slices(list));
    return lists;
}

std::vector<std::vector<sector_hash>> read_sector_hashes(opstore_sector_hash_lists const* given) {
    auto const& c = sized(given);
    std::vector<std::vector<sector_hash>> lists;
    for (opstore_sector_hash_list const& list : array(c.lists, c.count))
        lists.push_back(cpp_sector_hashes(list.hashes, list.count));
    return lists;
}

store_summary read_summary(opstore_summary const* given) {
    auto const& c = sized(given);
    store_summary summary;
    summary.disc_boundary = arc::from_micros(c.disc_boundary);
    summary.disc_top_hash = cpp_hash(c.disc_top_hash);
    for (opstore_bytes const ring : array(c.ring_top_hashes, c.ring_count))
        summary.ring_top_hashes.push_back(cpp_hash(ring));
    return summary;
}

space_hashes read_space_hashes(opstore_space_hashes const* given) {
    auto const& c = sized(given);
    space_hashes hashes;
    hashes.watermark = arc::from_micros(c.watermark);
    hashes.op_count = c.op_count;
    hashes.disc = cpp_sector_hashes(c.disc, c.disc_count);
    for (opstore_unit_hash const& h : array(c.recent, c.recent_count))
        hashes.recent.push_back({h.unit, cpp_sector(h.sector), cpp_hash(h.hash), h.op_count});
    return hashes;
}

op_tail read_tail(opstore_tail const* given) {
    auto const& c = sized(given);
    op_tail tail;
    for (opstore_tail_op const& op : array(c.ops, c.count))
        tail.ops.push_back({cpp_id(op.id), arc::location{op.location}, arc::from_micros(op.created_at)});
    tail.next = arc::from_micros(c.next);
    tail.complete = c.complete != 0;
    return tail;
}

std::vector<sector_slices> read_disc_slices(opstore_disc_slices const* given) {
    auto const& c = sized(given);
    std::vector<sector_slices> sectors;
    for (opstore_sector_slices const& from : array(c.sectors, c.count)) {
        sector_slices s;
        s.sector = cpp_sector(from.sector);
        s.slices = cpp_slices(from.slices);
        sectors.push_back(std::move(s));
    }
    return sectors;
}

std::vector<region_ids> read_region_ids(opstore_region_id_lists const* given) {
    auto const& c = sized(given);
    std::vector<region_ids> regions;
    for (opstore_region_ids const& from : array(c.regions, c.count)) {
        region_ids region;
        region.op_count = from.op_count;
        region.bytes = from.bytes;
        region.taken = from.taken != 0;
        region.ids = cpp_ids(from.ids, from.count);
        regions.push_back(std::move(region));
    }
    return regions;
}

region_page read_region_page(opstore_region_page const* given) {
    auto const& c = sized(given);
    check_narrow(c.bytes, c.bytes_narrow);
    region_page page;
    page.ids = cpp_ids(c.ids, c.count);
    page.bytes = c.bytes;
    if (c.next)
        page.next = op_position{arc::from_micros(c.next->created_at), cpp_id(c.next->id)};
    return page;
}

seal_report read_seal(opstore_seal_report const* given) {
    auto const& c = sized(given);
    return {c.full_slices, c.sealed};
}

verify_report read_verify(opstore_verify_report const* given) {
    auto const& c = sized(given);
    verify_report report;
    report.ops = c.ops;
    report.slice_hashes = c.slice_hashes;
    report.damage_count = c.damage_count;
    for (opstore_damage const& from : array(c.damages, c.listed_count)) {
        damage d;
        d.what = cpp_text(from.what);
        d.where = cpp_text(from.where);
        d.kept = cpp_text(from.kept);
        d.computed = cpp_text(from.computed);
        report.damages.push_back(std::move(d));
    }
    return report;
}

space_stat read_stat(opstore_stat const* given) {
    auto const& c = sized(given);
    return {c.op_count, c.op_bytes, arc::from_micros(c.watermark), c.full_slices};
}

std::vector<peer_meta_entry> read_peer_entries(opstore_peer_entries const* given) {
    auto const& c = sized(given);
    std::vector<peer_meta_entry> entries;
    for (opstore_peer_entry const& from : array(c.entries, c.count)) {
        peer_meta_entry entry;
        entry.peer = cpp_key(from.peer);
        entry.key = cpp_key(from.key);
        entry.value = cpp_bytes(from.value);
        entry.expires_at = cpp_time(from.expires_at);
        entries.push_back(std::move(entry));
    }
    return entries;
}

}  // namespace opstore::testing
