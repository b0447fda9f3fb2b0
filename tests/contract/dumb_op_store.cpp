#include <tests/contract/dumb_op_store.hpp>

#include <algorithm>
#include <set>

namespace asio = boost::asio;

namespace opstore::testing {
namespace {

__extension__ typedef __int128 wide;

constexpr std::int64_t unit_micros = 900'000'000;

bool lies_in(arc::location at, arc::dht_arc arc) {
    if (arc.is_empty()) {
        return false;
    }
    std::uint32_t const x = at.value, start = arc.start().value, end = arc.end().value;
    return start <= end ? start <= x && x <= end : x >= start || x <= end;
}

arc::sector_index sector_number(arc::location at) {
    return static_cast<arc::sector_index>(at.value / 8'388'608);
}

bool created_in(stored_op const& op, arc::timestamp start, arc::timestamp end) {
    return op.created_at >= start && op.created_at < end;
}

combined_hash combined(std::vector<op_id> const& ids) {
    combined_hash hash;
    for (auto const& id : ids) {
        hash.add(id);
    }
    return hash;
}

}  // namespace

dumb_op_store::dumb_op_store(space_options options, manual_clock clock)
    : options_(std::move(options)), clock_(std::move(clock)) {
    if (options_.slices == slice_mode::store) {
        full_slices_ = full_slices_at(clock_.now());
    }
}

std::int64_t dumb_op_store::slice_micros() const {
    return unit_micros << options_.slice_factor;
}

std::int64_t dumb_op_store::full_slices_at(arc::timestamp now) const {
    std::int64_t const reserved = slice_micros() - unit_micros;
    auto const micros = arc::to_micros(now);
    return micros < reserved ? 0 : (micros - reserved) / slice_micros();
}

bool dumb_op_store::holds(op_id const& id) const {
    return std::ranges::find(ops_, id, &stored_op::id) != ops_.end();
}

bool dumb_op_store::keeps(arc::dht_arc arc) const {
    return options_.slices == slice_mode::store && !arc.is_empty() && arc.start().value % 8'388'608 == 0 &&
           arc.end().value - arc.start().value == 8'388'607;
}

std::optional<rejection_reason> dumb_op_store::judge(incoming_op const& op, arc::timestamp now) const {
    if (op.data.size() > options_.max_op_bytes) {
        return rejection_reason::too_large;
    }
    auto const header = options_.format->decode(op.data, op.metadata);
    if (header.has_error()) {
        return header.error().reason();
    }
    auto const length = options_.format->id_length();
    if (header->id.length() != length || (op.claimed_id && op.claimed_id->length() != length)) {
        return rejection_reason::wrong_id_length;
    }
    if (op.claimed_id && *op.claimed_id != header->id) {
        return rejection_reason::wrong_id;
    }
    wide const created_at = arc::to_micros(header->created_at);
    if (created_at < 0) {
        return rejection_reason::created_before_epoch;
    }
    if (options_.max_future && created_at > wide{arc::to_micros(now)} + options_.max_future->count()) {
        return rejection_reason::too_far_in_future;
    }
    return std::nullopt;
}

asio::awaitable<result<ingest_report>> dumb_op_store::process_incoming_ops(std::vector<incoming_op> ops,
                                                                           deadline) {
    ingest_report report;
    std::set<op_id> seen;
    auto stamp = std::max(arc::to_micros(clock_.now()), watermark_ + 1);
    for (std::size_t index = 0; index < ops.size(); ++index) {
        if (auto const reason = judge(ops[index], clock_.now())) {
            report.rejected.emplace_back(index, *reason, "");
            continue;
        }
        auto const header = options_.format->decode(ops[index].data, ops[index].metadata).value();
        report.held.push_back(header.id);
        if (!seen.insert(header.id).second) {
            continue;
        }
        watermark_ = stamp++;
        if (holds(header.id)) {
            continue;
        }
        stored_op& stored = ops_.emplace_back();
        stored.id = header.id;
        stored.location = options_.format->locate(header.id);
        stored.created_at = header.created_at;
        stored.stored_at = arc::from_micros(watermark_);
        stored.data = ops[index].data;
        report.newly_stored.push_back({header.id, header.created_at});
        report.newly_stored_bytes += stored.data.size();
    }
    co_return report;
}

asio::awaitable<result<id_list>> dumb_op_store::retrieve_op_hashes_in_time_slice(arc::dht_arc arc,
                                                                                 arc::timestamp start,
                                                                                 arc::timestamp end,
                                                                                 deadline) {
    std::set<std::pair<arc::timestamp, op_id>> order;
    id_list list;
    for (auto const& op : ops_) {
        if (lies_in(op.location, arc) && created_in(op, start, end)) {
            order.emplace(op.created_at, op.id);
            list.bytes += op.data.size();
        }
    }
    for (auto const& [created_at, id] : order) {
        list.ids.push_back(id);
    }
    co_return list;
}

asio::awaitable<result<std::vector<stored_op>>> dumb_op_store::retrieve_ops(std::vector<op_id> ids,
                                                                            deadline) {
    std::vector<stored_op> found;
    for (auto const& id : ids) {
        std::ranges::copy_if(ops_, std::back_inserter(found), [&](auto const& op) { return op.id == id; });
    }
    co_return found;
}

asio::awaitable<result<std::vector<op_id>>> dumb_op_store::filter_out_existing_ops(std::vector<op_id> ids,
                                                                                   deadline) {
    std::erase_if(ids,
                  [&](auto const& id) { return id.length() != options_.format->id_length() || holds(id); });
    co_return ids;
}

asio::awaitable<result<id_page>> dumb_op_store::retrieve_op_ids_bounded(arc::dht_arc arc,
                                                                        arc::timestamp start,
                                                                        std::uint64_t limit_bytes, deadline) {
    id_page page;
    for (auto const& op : ops_) {
        if (op.stored_at < start || !lies_in(op.location, arc)) {
            continue;
        }
        if (wide{page.bytes} + op.data.size() > limit_bytes || page.ids.size() == page_ids_max) {
            page.next = op.stored_at;
            page.next_op_bytes = op.data.size();
            co_return page;
        }
        page.ids.push_back(op.id);
        page.bytes += op.data.size();
    }
    page.next = std::max(start, arc::from_micros(watermark_ + 1));
    co_return page;
}

std::optional<arc::timestamp> dumb_op_store::earliest_in(arc::dht_arc arc) const {
    std::optional<arc::timestamp> earliest;
    for (auto const& op : ops_) {
        if (lies_in(op.location, arc)) {
            earliest = std::min(earliest.value_or(op.created_at), op.created_at);
        }
    }
    return earliest;
}

asio::awaitable<result<std::optional<arc::timestamp>>> dumb_op_store::earliest_timestamp_in_arc(
    arc::dht_arc arc, deadline) {
    co_return earliest_in(arc);
}

asio::awaitable<result<void>> dumb_op_store::store_slice_hash(arc::dht_arc arc, std::uint64_t index,
                                                              std::vector<std::byte> hash, deadline) {
    if (hash.empty() || arc.is_empty() || index > INT64_MAX) {
        co_return refusal(errc::invalid_argument, "");
    }
    if (keeps(arc)) {
        co_return refusal(errc::slices_kept_by_store, "");
    }
    given_.push_back({arc, index, std::move(hash)});
    co_return result<void>();
}

std::map<std::uint64_t, std::vector<std::byte>> dumb_op_store::hashes_of(arc::dht_arc arc) const {
    std::map<std::uint64_t, std::vector<std::byte>> hashes;
    for (auto const& given : given_) {
        if (given.arc == arc) {
            hashes[given.index] = given.hash;
        }
    }
    if (!keeps(arc)) {
        return hashes;
    }
    for (auto const& op : ops_) {
        auto const slice = arc::to_micros(op.created_at) / slice_micros();
        if (slice < full_slices_ && lies_in(op.location, arc)) {
            auto& hash = hashes[static_cast<std::uint64_t>(slice)];
            hash.resize(op.id.length());
            for (std::size_t i = 0; i < hash.size(); ++i) {
                hash[i] ^= op.id.bytes()[i];
            }
        }
    }
    return hashes;
}

std::vector<slice_hash> dumb_op_store::listed_hashes_of(arc::dht_arc arc) const {
    std::vector<slice_hash> list;
    for (auto const& [index, hash] : hashes_of(arc)) {
        list.emplace_back(index, hash);
    }
    return list;
}

asio::awaitable<result<std::uint64_t>> dumb_op_store::slice_hash_count(arc::dht_arc arc, deadline) {
    std::uint64_t count = 0;
    for (auto const& [index, hash] : hashes_of(arc)) {
        count = index + 1;
    }
    co_return count;
}

asio::awaitable<result<std::optional<std::vector<std::byte>>>> dumb_op_store::retrieve_slice_hash(
    arc::dht_arc arc, std::uint64_t index, deadline) {
    auto const hashes = hashes_of(arc);
    auto const at = hashes.find(index);
    co_return at == hashes.end() ? std::nullopt : std::optional(at->second);
}

asio::awaitable<result<std::vector<slice_hash>>> dumb_op_store::retrieve_slice_hashes(arc::dht_arc arc,
                                                                                      deadline) {
    co_return listed_hashes_of(arc);
}

asio::awaitable<result<std::uint64_t>> dumb_op_store::query_total_op_count(deadline) {
    co_return ops_.size();
}

asio::awaitable<result<std::vector<std::vector<slice_hash>>>> dumb_op_store::retrieve_slice_hashes_of_arcs(
    std::vector<arc::dht_arc> arcs, deadline) {
    std::vector<std::vector<slice_hash>> answers;
    for (auto const& arc : arcs) {
        answers.push_back(listed_hashes_of(arc));
    }
    co_return answers;
}

asio::awaitable<result<std::vector<std::optional<arc::timestamp>>>>
dumb_op_store::earliest_timestamps_in_arcs(std::vector<arc::dht_arc> arcs, deadline) {
    std::vector<std::optional<arc::timestamp>> answers;
    for (auto const& arc : arcs) {
        answers.push_back(earliest_in(arc));
    }
    co_return answers;
}

asio::awaitable<result<std::vector<std::vector<sector_hash>>>> dumb_op_store::combined_hashes(
    arc::arc_set sectors, std::vector<arc::time_range> ranges, deadline) {
    std::vector<std::vector<sector_hash>> answers;
    for (auto const& range : ranges) {
        std::map<arc::sector_index, sector_hash> by_sector;
        for (auto const& op : ops_) {
            auto const sector = sector_number(op.location);
            if (sectors.includes(sector) && created_in(op, range.start, range.end)) {
                sector_hash& hash = by_sector.try_emplace(sector, sector_hash{sector, {}, 0}).first->second;
                hash.hash.add(op.id);
                ++hash.op_count;
            }
        }
        auto& answer = answers.emplace_back();
        for (auto const& [sector, hash] : by_sector) {
            answer.push_back(hash);
        }
    }
    co_return answers;
}

combined_hash dumb_op_store::top_hash(arc::arc_set const& sectors, std::int64_t start,
                                      std::int64_t end) const {
    combined_hash hash;
    for (auto const& op : ops_) {
        if (sectors.includes(sector_number(op.location)) &&
            created_in(op, arc::from_micros(start), arc::from_micros(end))) {
            hash.add(op.id);
        }
    }
    return hash;
}

asio::awaitable<result<store_summary>> dumb_op_store::summarize(arc::arc_set sectors, arc::timestamp now,
                                                                deadline) {
    std::int64_t start = full_slices_at(now) * slice_micros();
    store_summary summary;
    summary.disc_boundary = arc::from_micros(start);
    summary.disc_top_hash = top_hash(sectors, 0, start);
    for (int i = options_.slice_factor - 1; i >= 0; --i) {
        wide const left = wide{arc::to_micros(now)} - start;
        wide const length = wide{unit_micros} << i;
        wide const rest = ((wide{1} << (i + 1)) - 1) * unit_micros;
        int const count = left > rest + length ? 2 : left > length ? 1 : 0;
        for (int slice = 0; slice < count; ++slice) {
            auto const end = start + static_cast<std::int64_t>(length);
            summary.ring_top_hashes.push_back(top_hash(sectors, start, end));
            start = end;
        }
    }
    co_return summary;
}

/// By walking from the disc's end over slices of half the length, a quarter, and so on.
std::int64_t dumb_op_store::stretch_of(std::int64_t created_at, std::uint64_t full_slices) const {
    wide start = wide{full_slices} * slice_micros();
    for (auto length = slice_micros() / 2; full_slices > 0 && length >= unit_micros; length /= 2) {
        if (created_at >= start && created_at < start + length) {
            return static_cast<std::int64_t>(start / unit_micros);
        }
        start += length;
    }
    return created_at / unit_micros;
}

asio::awaitable<result<space_hashes>> dumb_op_store::retrieve_space_hashes(std::uint64_t full_slices,
                                                                           deadline) {
    wide const boundary = wide{full_slices} * slice_micros();
    std::map<arc::sector_index, std::vector<op_id>> disc;
    std::map<std::pair<std::int64_t, arc::sector_index>, std::vector<op_id>> recent;
    for (auto const& op : ops_) {
        auto const created_at = arc::to_micros(op.created_at);
        auto const sector = sector_number(op.location);
        // The boundary is a time, and the last time there is lies behind every boundary.
        bool const in_disc = created_at < boundary && created_at < INT64_MAX;
        (in_disc ? disc[sector] : recent[{stretch_of(created_at, full_slices), sector}]).push_back(op.id);
    }
    space_hashes all;
    all.watermark = arc::from_micros(watermark_);
    all.op_count = ops_.size();
    for (auto const& [sector, ids] : disc) {
        all.disc.push_back({sector, combined(ids), ids.size()});
    }
    for (auto const& [cell, ids] : recent) {
        all.recent.push_back(
            {static_cast<std::uint64_t>(cell.first), cell.second, combined(ids), ids.size()});
    }
    co_return all;
}

asio::awaitable<result<op_tail>> dumb_op_store::retrieve_tail(arc::timestamp start, std::size_t ops_max,
                                                              deadline) {
    op_tail tail;
    for (auto const& op : ops_) {
        if (op.stored_at < start) {
            continue;
        }
        if (tail.ops.size() == ops_max) {
            tail.next = op.stored_at;
            co_return tail;
        }
        tail.ops.push_back({op.id, op.location, op.created_at});
    }
    tail.next = std::max(start, arc::from_micros(watermark_ + 1));
    tail.complete = true;
    co_return tail;
}

asio::awaitable<result<id_page>> dumb_op_store::retrieve_op_ids_of_sectors(arc::arc_set sectors,
                                                                           arc::timestamp start,
                                                                           std::uint64_t limit_bytes,
                                                                           deadline) {
    id_page page;
    for (auto const& op : ops_) {
        if (op.stored_at < start || !sectors.includes(sector_number(op.location))) {
            continue;
        }
        if (wide{page.bytes} + op.data.size() > limit_bytes || page.ids.size() == page_ids_max) {
            page.next = op.stored_at;
            page.next_op_bytes = op.data.size();
            co_return page;
        }
        page.ids.push_back(op.id);
        page.bytes += op.data.size();
    }
    page.next = std::max(start, arc::from_micros(watermark_ + 1));
    co_return page;
}

asio::awaitable<result<std::vector<sector_slices>>> dumb_op_store::retrieve_disc_slices(
    arc::arc_set sectors, std::uint64_t full_slices, deadline) {
    wide const boundary = wide{full_slices} * slice_micros();
    std::vector<sector_slices> all;
    for (arc::sector_index sector = 0; sector < 512; ++sector) {
        if (!sectors.includes(sector)) {
            continue;
        }
        std::map<std::int64_t, std::vector<op_id>> slices;
        for (auto const& op : ops_) {
            auto const created_at = arc::to_micros(op.created_at);
            if (sector_number(op.location) == sector && created_at < boundary && created_at < INT64_MAX) {
                slices[created_at / slice_micros()].push_back(op.id);
            }
        }
        sector_slices& answer = all.emplace_back();
        answer.sector = sector;
        for (auto const& [index, ids] : slices) {
            auto const hash = combined(ids);
            answer.slices.emplace_back(static_cast<std::uint64_t>(index),
                                       std::vector<std::byte>(hash.bytes().begin(), hash.bytes().end()));
        }
    }
    co_return all;
}

/// By (created_at, id).
std::vector<stored_op> dumb_op_store::ops_of(op_region const& region) const {
    std::vector<stored_op> found;
    for (auto const& op : ops_) {
        if (sector_number(op.location) == region.sector &&
            created_in(op, region.range.start, region.range.end)) {
            found.push_back(op);
        }
    }
    std::ranges::sort(found, {}, [](stored_op const& op) { return op_position{op.created_at, op.id}; });
    return found;
}

asio::awaitable<result<std::vector<region_ids>>> dumb_op_store::retrieve_region_ids(
    std::vector<op_region> regions, std::uint64_t limit_bytes, deadline) {
    std::vector<region_ids> answers;
    wide bytes_taken = 0;
    std::size_t ids_taken = 0;
    for (auto const& region : regions) {
        region_ids& answer = answers.emplace_back();
        std::vector<op_id> ids;
        for (auto const& op : ops_of(region)) {
            ids.push_back(op.id);
            answer.bytes += op.data.size();
        }
        answer.op_count = ids.size();
        if (bytes_taken + answer.bytes <= limit_bytes && ids_taken + ids.size() <= page_ids_max) {
            answer.taken = true;
            bytes_taken += answer.bytes;
            ids_taken += ids.size();
            answer.ids = ids;
        }
    }
    co_return answers;
}

asio::awaitable<result<region_page>> dumb_op_store::retrieve_region_page(op_region region,
                                                                         std::optional<op_position> after,
                                                                         std::uint64_t limit_bytes,
                                                                         deadline) {
    region_page page;
    op_position last;
    for (auto const& op : ops_of(region)) {
        op_position const here{op.created_at, op.id};
        if (after && !(*after < here)) {
            continue;
        }
        bool const fits = wide{page.bytes} + op.data.size() <= limit_bytes && page.ids.size() < page_ids_max;
        if (!fits && !page.ids.empty()) {
            page.next = last;
            co_return page;
        }
        page.ids.push_back(op.id);
        page.bytes += op.data.size();
        last = here;
    }
    co_return page;
}

asio::awaitable<result<op_batch>> dumb_op_store::retrieve_ops_bounded(std::vector<op_id> ids,
                                                                      std::uint64_t limit_bytes, deadline) {
    op_batch batch;
    wide bytes = 0;
    for (auto const& id : ids) {
        auto const op = std::ranges::find(ops_, id, &stored_op::id);
        if (op != ops_.end()) {
            if (!batch.ops.empty() && bytes + op->data.size() > limit_bytes) {
                break;
            }
            batch.ops.push_back(*op);
            bytes += op->data.size();
        }
        ++batch.ids_read;
    }
    co_return batch;
}

asio::awaitable<result<seal_report>> dumb_op_store::seal(arc::timestamp now, std::uint64_t slices_max,
                                                         deadline) {
    if (options_.slices == slice_mode::host) {
        co_return refusal(errc::invalid_argument, "");
    }
    auto const before = full_slices_;
    auto const reachable = std::min(full_slices_at(now), full_slices_at(clock_.now()));
    full_slices_ =
        std::max(before, static_cast<std::int64_t>(std::min<wide>(reachable, wide{before} + slices_max)));
    seal_report report;
    report.full_slices = static_cast<std::uint64_t>(full_slices_);
    report.sealed = static_cast<std::uint64_t>(full_slices_ - before);
    co_return report;
}

verify_report dumb_op_store::whole() const {
    verify_report report;
    report.ops = ops_.size();
    if (options_.slices == slice_mode::store) {
        for (std::uint32_t sector = 0; sector < 512; ++sector) {
            report.slice_hashes += hashes_of(arc::sector_arc(static_cast<arc::sector_index>(sector))).size();
        }
    }
    return report;
}

asio::awaitable<result<verify_report>> dumb_op_store::verify(deadline) {
    co_return whole();
}

asio::awaitable<result<verify_report>> dumb_op_store::repair(deadline) {
    co_return whole();
}

asio::awaitable<result<space_stat>> dumb_op_store::stat(deadline) {
    space_stat stat;
    stat.op_count = ops_.size();
    for (auto const& op : ops_) {
        stat.op_bytes += op.data.size();
    }
    stat.watermark = arc::from_micros(watermark_);
    stat.full_slices = static_cast<std::uint64_t>(full_slices_);
    co_return stat;
}

}  // namespace opstore::testing
