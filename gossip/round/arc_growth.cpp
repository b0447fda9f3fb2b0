#include <gossip/round/arc_growth.hpp>

#include <arc/sector.hpp>

#include <cstdint>

namespace opstore::gossip {

arc::arc_set grow(arc::arc_set const& current, arc::arc_set const& synced, arc::arc_set const& target) {
    return current.union_with(synced.intersection(target));
}

arc::dht_arc announced_arc(arc::arc_set const& current) {
    if (current.empty()) {
        return arc::dht_arc::empty();
    }
    if (current.count() == arc::sector_count) {
        return arc::dht_arc::full();
    }
    // Runs counted once around the ring, from behind a gap: there is one, so each run is met whole.
    std::uint32_t gap = 0;
    while (current.includes(static_cast<arc::sector_index>(gap))) {
        ++gap;
    }
    std::uint32_t best_start = 0;
    std::uint32_t best_length = 0;
    std::uint32_t length = 0;
    for (std::uint32_t step = 1; step <= arc::sector_count; ++step) {
        auto const sector = (gap + step) % arc::sector_count;
        if (current.includes(static_cast<arc::sector_index>(sector))) {
            ++length;
            continue;
        }
        auto const start = (sector + arc::sector_count - length) % arc::sector_count;
        if (length > best_length || (length == best_length && length > 0 && start < best_start)) {
            best_start = start;
            best_length = length;
        }
        length = 0;
    }
    auto const first = best_start * arc::sector_size;
    return arc::dht_arc::between({first}, {first + best_length * arc::sector_size - 1});
}

}  // namespace opstore::gossip
