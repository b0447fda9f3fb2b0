#include <gossip/simulator/arc_layout.hpp>

#include <algorithm>
#include <cassert>

namespace opstore::simulator {
namespace {

arc::arc_set run_of_sectors(std::uint32_t first, std::uint32_t count) {
    arc::arc_set run;
    for (std::uint32_t i = 0; i < count; ++i) {
        run.insert(static_cast<arc::sector_index>((first + i) % arc::sector_count));
    }
    return run;
}

/// The least power of two that is enough, as peers that halve or double their arcs would have.
std::uint32_t width_for(std::uint64_t peers, std::uint64_t copies) {
    std::uint32_t width = 1;
    while (width < arc::sector_count && width * peers < arc::sector_count * copies) {
        width *= 2;
    }
    return width;
}

}  // namespace

std::vector<arc::arc_set> lay_arcs(plan const& p, std::vector<bool> const& lasting) {
    std::vector<arc::arc_set> arcs(p.peers, arc::arc_set::full());
    if (p.arcs == arc_choice::full) {
        return arcs;
    }
    auto random = random_stream(p.seed, "arcs");
    auto const base = static_cast<std::uint64_t>(std::ranges::count(lasting, true));
    assert(base > 0);
    auto const width = width_for(base, std::min<std::uint64_t>(p.copies, base));
    auto const rotation = random.below(arc::sector_count);
    std::uint64_t place = 0;
    for (std::uint32_t i = 0; i < p.peers; ++i) {
        // Evenly spread, those that last cover all; what is random about the width only adds to it.
        auto const spread = rotation + place * arc::sector_count / base;
        auto const first = lasting[i] ? spread : random.below(arc::sector_count);
        place += lasting[i] ? 1 : 0;
        auto const wider = random.one_in(8) ? 4 : random.one_in(4) ? 2 : 1;
        arcs[i] = run_of_sectors(static_cast<std::uint32_t>(first % arc::sector_count),
                                 std::min<std::uint32_t>(arc::sector_count, width * wider));
    }
    return arcs;
}

}  // namespace opstore::simulator
