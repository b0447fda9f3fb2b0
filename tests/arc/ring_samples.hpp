#pragma once

#include <arc/dht_arc.hpp>
#include <arc/sector.hpp>

#include <tests/support/random.hpp>

#include <cstdint>

namespace opstore::testing {

/// A location on or next to a border of sectors (0 among them) two times in three, else anywhere.
inline arc::location sample_location(random_source& random) {
    if (random.one_in(3)) {
        return {random.u32()};
    }
    auto const border = static_cast<std::uint32_t>(random.below(arc::sector_count)) * arc::sector_size;
    auto const step = static_cast<std::uint32_t>(random.below(5)) - 2;
    return {(random.one_in(4) ? 0 : border) + step};
}

/// Any kind of arc: now and then empty, a single location, or the whole circle from an odd start.
inline arc::dht_arc sample_arc(random_source& random) {
    auto const start = sample_location(random);
    switch (random.below(12)) {
        case 0:
            return arc::dht_arc::empty();
        case 1:
            return arc::dht_arc::between(start, start);
        case 2:
            return arc::dht_arc::between(start, {start.value - 1});
        default:
            return arc::dht_arc::between(start, sample_location(random));
    }
}

}  // namespace opstore::testing
