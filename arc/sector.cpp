#include <arc/sector.hpp>

#include <algorithm>
#include <cassert>

namespace opstore::arc {

static_assert(std::uint64_t{sector_count} * sector_size == std::uint64_t{1} << 32);

sector_index sector_of(location at) {
    return static_cast<sector_index>(at.value / sector_size);
}

dht_arc sector_arc(sector_index sector) {
    assert(sector < sector_count);
    std::uint32_t const first = sector * sector_size;
    return dht_arc::between({first}, {first + (sector_size - 1)});
}

std::vector<sector_piece> sector_pieces(dht_arc arc) {
    std::vector<sector_piece> pieces;
    for (auto const range : arc.pieces()) {
        std::uint32_t first = range.first;
        for (;;) {
            sector_index const sector = sector_of({first});
            std::uint32_t const last = std::min(range.last, sector_arc(sector).end().value);
            pieces.push_back({sector, first, last});
            if (last == range.last) {
                break;
            }
            first = last + 1;
        }
    }
    return pieces;
}

}  // namespace opstore::arc
