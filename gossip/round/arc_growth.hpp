#pragma once

#include <arc/arc_set.hpp>
#include <arc/dht_arc.hpp>

namespace opstore::gossip {

// A peer joins with nothing, and claims a sector as soon as a comparison has shown that it holds there what
// another one holds. So others may rely on what it announces.

/// `current` and those of `synced` that are wanted: sector by sector, so that a difference in one does not
/// hold up the others.
arc::arc_set grow(arc::arc_set const& current, arc::arc_set const& synced, arc::arc_set const& target);

/// What is announced of it: agent infos carry one arc. The longest run of sectors, also across location 0; of
/// several the one that starts first. Empty for the empty set.
arc::dht_arc announced_arc(arc::arc_set const& current);

}  // namespace opstore::gossip
