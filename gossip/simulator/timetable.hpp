#pragma once

#include <arc/timestamp.hpp>
#include <gossip/simulator/network.hpp>
#include <gossip/simulator/plan.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace opstore::simulator {

/// How a process ends.
enum class cut {
    none,
    at_once,
    before_commit,  ///< As its next ingest reaches the store: the ops of it are lost.
    after_commit    ///< As its next ingest is stored, before it hears of that.
};

/// When everything happens that does not follow from what the peers do. All times are true ones; a peer's
/// clock shows them with its offset.
struct timetable {
    struct fate {
        arc::timestamp joins_at;
        std::optional<arc::timestamp> leaves_at;
        microseconds clock_offset{0};
        bool late = false;

        /// There from the beginning to the end.
        bool lasting() const { return !late && !leaves_at; }
    };
    struct crash {
        arc::timestamp at;
        peer_number peer;
        cut how;
        microseconds downtime;
    };
    struct split {
        arc::timestamp from, until;
        std::vector<bool> sides;  ///< One for each peer.

        split() = default;
    };
    struct batch {
        arc::timestamp at;
        std::uint32_t op_count;
        bool published;
    };

    arc::timestamp starts_at, heals_at;
    std::vector<fate> fates;  ///< One for each peer.
    std::vector<crash> crashes;
    std::vector<split> splits;
    std::vector<batch> batches;
    std::uint32_t history_op_count = 0;

    timetable() = default;
};

/// Precondition: complete(p).
timetable draw_timetable(plan const& p);

}  // namespace opstore::simulator
