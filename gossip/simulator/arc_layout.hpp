#pragma once

#include <arc/arc_set.hpp>
#include <gossip/simulator/plan.hpp>

#include <vector>

namespace opstore::simulator {

/// Which sectors each peer means to hold. When sharded, each is a run of sectors, across sector 0 too, and
/// every sector is held by at least p.copies of the peers that are `lasting`: there from the beginning to the
/// end (by all of those, if they are fewer). The others hold something, too.
///
/// Precondition: one element of `lasting` for each peer, at least one of them true.
std::vector<arc::arc_set> lay_arcs(plan const& p, std::vector<bool> const& lasting);

}  // namespace opstore::simulator
