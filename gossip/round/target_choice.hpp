#pragma once

#include <arc/timestamp.hpp>
#include <opstore/random.hpp>

#include <cstddef>
#include <optional>
#include <span>

namespace opstore::gossip {

/// A peer that a round could be started with.
struct target_candidate {
    /// Its arc, as it announced it or named it in an earlier round, has sectors in common with ours.
    bool overlaps = false;
    /// It can be reached, has not left, and may be asked again already.
    bool usable = false;
    std::optional<arc::timestamp> last_round;
    /// It said something in a round, of this process or an earlier one: somebody is there.
    bool met = false;
};

/// The position of the next target: of the usable ones those that overlap, or all if none does; of these, in
/// every other choice on average, those that were met, if any was: agents cost nothing to invent, and a new
/// one comes first. Of these the one whose last round is longest ago, never counting as longest; of equal
/// ones any. None if none is usable.
std::optional<std::size_t> choose_target(std::span<const target_candidate> candidates, random_source& random);

}  // namespace opstore::gossip
