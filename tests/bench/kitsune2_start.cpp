#include <tests/bench/kitsune2_start.hpp>

#include <algorithm>

namespace asio = boost::asio;

namespace opstore::bench {
namespace {

combined_hash combined(std::vector<op_id> const& ids) {
    combined_hash hash;
    for (auto const& id : ids) {
        hash.add(id);
    }
    return hash;
}

asio::awaitable<void> start_sector(start_calls& store, arc::dht_arc sector, arc::slice_layout const& layout,
                                   arc::timestamp now, started& result) {
    auto full = co_await store.slice_hash_count(sector);
    ++result.reads;
    if (full == 0) {
        auto const earliest = co_await store.earliest(sector);
        ++result.reads;
        full = std::max<std::uint64_t>(arc::slice_index(earliest.value_or(now), layout.factor), 1) - 1;
    }
    for (; full < layout.full_slices; ++full) {
        auto const ids = co_await store.ids_in_slice(sector, arc::slice_range(full, layout.factor));
        ++result.reads;
        auto const hash = combined(ids);
        if (!hash.empty()) {
            co_await store.store_slice_hash(sector, full, hash);
            ++result.writes;
            result.disc.add(hash);
        }
    }
    auto const earliest = co_await store.earliest(sector);
    ++result.reads;
    for (std::size_t i = 0; i < layout.rings.size(); ++i) {
        auto const slice = layout.rings[i].range();
        if (earliest && slice.end >= *earliest) {
            auto const ids = co_await store.ids_in_slice(sector, slice);
            ++result.reads;
            result.rings[i].add(combined(ids));
        }
    }
}

}  // namespace

asio::awaitable<started> start_sectors(start_calls& store, arc::sector_index first, arc::sector_index last,
                                       arc::timestamp now) {
    auto const layout = arc::layout_at(now, arc::factor_default);
    started result;
    result.rings.resize(layout.rings.size());
    for (auto sector = first; sector < last; ++sector) {
        co_await start_sector(store, arc::sector_arc(sector), layout, now, result);
    }
    co_return result;
}

}  // namespace opstore::bench
