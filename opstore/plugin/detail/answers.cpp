#include <opstore/plugin/detail/answers.hpp>

#include <algorithm>
#include <iterator>
#include <limits>

namespace opstore::plugin::detail {
namespace {

template <class Answer>
Answer sized() {
    Answer answer{};
    answer.struct_size = sizeof answer;
    return answer;
}

/// A callback that throws ends the process: to go on would mean to call it again, with the error.
template <class Done, class... Answer>
void tell(Done done, void* user, Answer... answer) noexcept {
    done(user, nullptr, answer...);
}

/// The C form of each element.
template <class From, class Convert>
auto c_list(std::vector<From> const& list, Convert convert) {
    std::vector<decltype(convert(list.front()))> result;
    result.reserve(list.size());
    std::transform(list.begin(), list.end(), std::back_inserter(result), convert);
    return result;
}

std::vector<opstore_bytes> c_ids(std::vector<op_id> const& ids) {
    return c_list(ids, [](op_id const& id) { return c_bytes(id.bytes()); });
}

opstore_maybe_time c_time(std::optional<arc::timestamp> const& time) {
    return time ? opstore_maybe_time{1, arc::to_micros(*time)} : opstore_maybe_time{};
}

opstore_slice_hash c_slice(slice_hash const& s) {
    return {s.index, c_bytes(s.hash)};
}

opstore_sector_hash c_sector(sector_hash const& s) {
    return {s.sector, c_bytes(s.hash.bytes()), s.op_count};
}

/// Lists of lists: the inner arrays in `storage`, which has to outlive what is returned.
template <class List, class Element, class From, class Convert>
std::vector<List> c_lists(std::vector<std::vector<From>> const& lists, Convert convert,
                          std::vector<std::vector<Element>>& storage) {
    std::vector<List> result;
    result.reserve(lists.size());
    storage.reserve(lists.size());
    for (auto const& list : lists) {
        storage.push_back(c_list(list, convert));
        result.push_back({storage.back().data(), storage.back().size()});
    }
    return result;
}

std::vector<opstore_outcome> c_outcomes(ingest_report const& report) {
    std::vector<opstore_outcome> outcomes(report.held.size() + report.rejected.size());
    auto rejected = report.rejected.begin();
    auto held = report.held.begin();
    auto fresh = report.newly_stored.begin();
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (rejected != report.rejected.end() && rejected->index == i) {
            ++rejected;
            continue;
        }
        // Both lists are in input order, and of a repeated op the first one is the new one.
        bool const stored = fresh != report.newly_stored.end() && fresh->id == *held;
        if (stored)
            ++fresh;
        outcomes[i].what = stored ? OPSTORE_STORED : OPSTORE_DUPLICATE;
        outcomes[i].id = c_bytes(held->bytes());
        ++held;
    }
    return outcomes;
}

}  // namespace

opstore_bytes c_bytes(std::span<const std::byte> bytes) {
    return {reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()};
}

opstore_text c_text(std::string_view text) {
    return {text.data(), text.size()};
}

std::uint32_t narrow(std::uint64_t bytes) {
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(bytes, std::numeric_limits<std::int32_t>::max()));
}

void deliver(opstore_done_fn done, void* user) {
    tell(done, user);
}

void deliver(opstore_ingest_fn done, void* user, ingest_report const& report) {
    auto const outcomes = c_outcomes(report);
    auto const held = c_ids(report.held);
    auto const fresh = c_list(report.newly_stored, [](new_op const& op) {
        return opstore_new_op{c_bytes(op.id.bytes()), arc::to_micros(op.created_at)};
    });
    auto const rejected = c_list(report.rejected, [](rejection const& r) {
        return opstore_rejection{r.index, static_cast<std::int32_t>(r.reason), c_text(r.message)};
    });
    auto answer = sized<opstore_ingest_report>();
    answer.outcomes = outcomes.data();
    answer.outcome_count = outcomes.size();
    answer.held = held.data();
    answer.held_count = held.size();
    answer.newly_stored = fresh.data();
    answer.newly_stored_count = fresh.size();
    answer.newly_stored_bytes = report.newly_stored_bytes;
    answer.rejected = rejected.data();
    answer.rejected_count = rejected.size();
    tell(done, user, &answer);
}

void deliver(opstore_ids_fn done, void* user, id_list const& list) {
    auto const ids = c_ids(list.ids);
    auto answer = sized<opstore_ids>();
    answer.bytes = list.bytes;
    answer.bytes_narrow = narrow(list.bytes);
    answer.ids = ids.data();
    answer.count = ids.size();
    tell(done, user, &answer);
}

void deliver(opstore_ids_fn done, void* user, std::vector<op_id> const& ids) {
    auto const listed = c_ids(ids);
    auto answer = sized<opstore_ids>();
    answer.ids = listed.data();
    answer.count = listed.size();
    tell(done, user, &answer);
}

void deliver(opstore_page_fn done, void* user, id_page const& page) {
    auto const ids = c_ids(page.ids);
    auto answer = sized<opstore_page>();
    answer.bytes = page.bytes;
    answer.bytes_narrow = narrow(page.bytes);
    answer.ids = ids.data();
    answer.count = ids.size();
    answer.next = arc::to_micros(page.next);
    answer.cut = page.next_op_bytes.has_value();
    answer.next_op_bytes = page.next_op_bytes.value_or(0);
    tell(done, user, &answer);
}

void deliver(opstore_ops_fn done, void* user, op_batch const& batch) {
    auto const ops = c_list(batch.ops, [](stored_op const& op) {
        return opstore_op{c_bytes(op.id.bytes()), op.location.value, arc::to_micros(op.created_at),
                          arc::to_micros(op.stored_at), c_bytes(op.data)};
    });
    auto answer = sized<opstore_ops>();
    answer.ops = ops.data();
    answer.count = ops.size();
    answer.ids_read = batch.ids_read;
    tell(done, user, &answer);
}

void deliver(opstore_times_fn done, void* user, std::vector<std::optional<arc::timestamp>> const& times) {
    auto const listed = c_list(times, c_time);
    auto answer = sized<opstore_times>();
    answer.times = listed.data();
    answer.count = listed.size();
    tell(done, user, &answer);
}

void deliver(opstore_times_fn done, void* user, std::optional<arc::timestamp> const& time) {
    auto const only = c_time(time);
    auto answer = sized<opstore_times>();
    answer.times = &only;
    answer.count = 1;
    tell(done, user, &answer);
}

void deliver(opstore_count_fn done, void* user, std::uint64_t count) {
    tell(done, user, count);
}

void deliver(opstore_hash_fn done, void* user, std::optional<std::vector<std::byte>> const& hash) {
    tell(done, user, hash ? c_bytes(*hash) : opstore_bytes{});
}

void deliver(opstore_slice_hashes_fn done, void* user, std::vector<slice_hash> const& list) {
    auto const hashes = c_list(list, c_slice);
    opstore_slice_hash_list const only{hashes.data(), hashes.size()};
    auto answer = sized<opstore_slice_hash_lists>();
    answer.lists = &only;
    answer.count = 1;
    tell(done, user, &answer);
}

void deliver(opstore_slice_hashes_fn done, void* user, std::vector<std::vector<slice_hash>> const& lists) {
    std::vector<std::vector<opstore_slice_hash>> storage;
    auto const listed = c_lists<opstore_slice_hash_list>(lists, c_slice, storage);
    auto answer = sized<opstore_slice_hash_lists>();
    answer.lists = listed.data();
    answer.count = listed.size();
    tell(done, user, &answer);
}

void deliver(opstore_sector_hashes_fn done, void* user, std::vector<std::vector<sector_hash>> const& lists) {
    std::vector<std::vector<opstore_sector_hash>> storage;
    auto const listed = c_lists<opstore_sector_hash_list>(lists, c_sector, storage);
    auto answer = sized<opstore_sector_hash_lists>();
    answer.lists = listed.data();
    answer.count = listed.size();
    tell(done, user, &answer);
}

void deliver(opstore_summary_fn done, void* user, store_summary const& summary) {
    auto const rings =
        c_list(summary.ring_top_hashes, [](combined_hash const& h) { return c_bytes(h.bytes()); });
    auto answer = sized<opstore_summary>();
    answer.disc_boundary = arc::to_micros(summary.disc_boundary);
    answer.disc_top_hash = c_bytes(summary.disc_top_hash.bytes());
    answer.ring_top_hashes = rings.data();
    answer.ring_count = rings.size();
    tell(done, user, &answer);
}

void deliver(opstore_space_hashes_fn done, void* user, space_hashes const& hashes) {
    auto const disc = c_list(hashes.disc, c_sector);
    auto const recent = c_list(hashes.recent, [](unit_hash const& u) {
        return opstore_unit_hash{u.unit, u.sector, c_bytes(u.hash.bytes()), u.op_count};
    });
    auto answer = sized<opstore_space_hashes>();
    answer.watermark = arc::to_micros(hashes.watermark);
    answer.op_count = hashes.op_count;
    answer.disc = disc.data();
    answer.disc_count = disc.size();
    answer.recent = recent.data();
    answer.recent_count = recent.size();
    tell(done, user, &answer);
}

void deliver(opstore_tail_fn done, void* user, op_tail const& tail) {
    auto const ops = c_list(tail.ops, [](tail_op const& op) {
        return opstore_tail_op{c_bytes(op.id.bytes()), op.location.value, arc::to_micros(op.created_at)};
    });
    auto answer = sized<opstore_tail>();
    answer.complete = tail.complete;
    answer.next = arc::to_micros(tail.next);
    answer.ops = ops.data();
    answer.count = ops.size();
    tell(done, user, &answer);
}

void deliver(opstore_disc_slices_fn done, void* user, std::vector<sector_slices> const& sectors) {
    std::vector<std::vector<opstore_slice_hash>> storage;
    storage.reserve(sectors.size());
    auto const listed = c_list(sectors, [&storage](sector_slices const& s) {
        auto const& hashes = storage.emplace_back(c_list(s.slices, c_slice));
        return opstore_sector_slices{s.sector, {hashes.data(), hashes.size()}};
    });
    auto answer = sized<opstore_disc_slices>();
    answer.sectors = listed.data();
    answer.count = listed.size();
    tell(done, user, &answer);
}

void deliver(opstore_region_ids_fn done, void* user, std::vector<region_ids> const& regions) {
    std::vector<std::vector<opstore_bytes>> storage;
    storage.reserve(regions.size());
    auto const listed = c_list(regions, [&storage](region_ids const& r) {
        auto const& ids = storage.emplace_back(c_ids(r.ids));
        return opstore_region_ids{r.op_count, r.bytes, r.taken, ids.data(), ids.size()};
    });
    auto answer = sized<opstore_region_id_lists>();
    answer.regions = listed.data();
    answer.count = listed.size();
    tell(done, user, &answer);
}

void deliver(opstore_region_page_fn done, void* user, region_page const& page) {
    auto const ids = c_ids(page.ids);
    opstore_position next{};
    auto answer = sized<opstore_region_page>();
    answer.bytes = page.bytes;
    answer.bytes_narrow = narrow(page.bytes);
    answer.ids = ids.data();
    answer.count = ids.size();
    if (page.next) {
        next = {arc::to_micros(page.next->created_at), c_bytes(page.next->id.bytes())};
        answer.next = &next;
    }
    tell(done, user, &answer);
}

void deliver(opstore_seal_fn done, void* user, seal_report const& report) {
    auto answer = sized<opstore_seal_report>();
    answer.full_slices = report.full_slices;
    answer.sealed = report.sealed;
    tell(done, user, &answer);
}

void deliver(opstore_verify_fn done, void* user, verify_report const& report) {
    auto const damages = c_list(report.damages, [](damage const& d) {
        return opstore_damage{c_text(d.what), c_text(d.where), c_text(d.kept), c_text(d.computed)};
    });
    auto answer = sized<opstore_verify_report>();
    answer.ops = report.ops;
    answer.slice_hashes = report.slice_hashes;
    answer.damage_count = report.damage_count;
    answer.damages = damages.data();
    answer.listed_count = damages.size();
    tell(done, user, &answer);
}

void deliver(opstore_stat_fn done, void* user, space_stat const& stat) {
    auto answer = sized<opstore_stat>();
    answer.op_count = stat.op_count;
    answer.op_bytes = stat.op_bytes;
    answer.watermark = arc::to_micros(stat.watermark);
    answer.full_slices = stat.full_slices;
    tell(done, user, &answer);
}

void deliver(opstore_peer_entries_fn done, void* user, std::vector<peer_meta_entry> const& entries) {
    auto const listed = c_list(entries, [](peer_meta_entry const& e) {
        return opstore_peer_entry{c_bytes(std::as_bytes(std::span(e.peer))),
                                  c_bytes(std::as_bytes(std::span(e.key))), c_bytes(e.value),
                                  c_time(e.expires_at)};
    });
    auto answer = sized<opstore_peer_entries>();
    answer.entries = listed.data();
    answer.count = listed.size();
    tell(done, user, &answer);
}

void deliver(opstore_peer_entries_fn done, void* user, std::optional<peer_meta_entry> const& entry) {
    std::vector<peer_meta_entry> entries;
    if (entry)
        entries.push_back(*entry);
    deliver(done, user, entries);
}

void deliver(opstore_space_list_fn done, void* user, std::vector<space_listing> const& spaces) {
    auto const listed = c_list(spaces, [](space_listing const& s) {
        auto const mode = s.slices == slice_mode::store ? OPSTORE_SLICES_BY_STORE : OPSTORE_SLICES_BY_HOST;
        return opstore_space_listing{c_bytes(std::as_bytes(std::span(s.key))),
                                     c_text(s.format),
                                     static_cast<std::uint32_t>(mode),
                                     s.max_op_bytes,
                                     s.op_count,
                                     s.op_bytes};
    });
    auto answer = sized<opstore_space_list>();
    answer.spaces = listed.data();
    answer.count = listed.size();
    tell(done, user, &answer);
}

}  // namespace opstore::plugin::detail
