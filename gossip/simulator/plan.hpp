#pragma once

#include <gossip/fetch/fetch_queue.hpp>
#include <gossip/round/round_limits.hpp>
#include <opstore/random.hpp>

#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace opstore::simulator {

using std::chrono::microseconds;

/// A part of a whole, in millionths: decisions are made in integers, the same on every machine.
struct share {
    static constexpr std::uint32_t whole = 1'000'000;

    std::uint32_t ppm = 0;

    /// The part of `total`, rounded up: of a share above nothing there is at least one.
    std::uint64_t of(std::uint64_t total) const { return (total * ppm + whole - 1) / whole; }
    bool hits(random_source& random) const { return ppm > 0 && random.below(whole) < ppm; }
};

enum class arc_choice { full, sharded };
enum class store_choice { memory, postgres };

/// Whom the bootstrap tells a peer of.
enum class topology {
    everyone,  ///< All that have joined before it.
    random,    ///< Some, half of them with arcs that overlap its own, as far as there are any.
    ring,      ///< The one with the number below its own.
    star       ///< Peer 0.
};

/// How the ops that are older than the simulation lie at its start.
enum class beginning {
    synced,  ///< Each peer holds all of its arcs.
    split,   ///< Each op is at one peer only, though all take themselves to be in sync.
    fresh    ///< Each op is at one peer only; all peers grow from nothing.
};

enum class strategy {
    kitsune2,  ///< kitsune2's limits and intervals: a round each two minutes, of up to 100 MiB.
    eager,     ///< Short intervals.
    frugal     ///< Rounds of 64 KiB at most, so that differences are paged.
};

/// What is broken on purpose, to see that the checker finds it.
enum class sabotage {
    none,
    forget,  ///< A store says that it holds an op, and does not.
    alter,   ///< A store answers other bytes than were stored.
    invent   ///< A store holds an op that nobody created.
};

/// Everything that one simulation is, drawn from its seed; what a flag sets replaces what was drawn, and
/// changes no other draw.
struct plan {
    std::uint64_t seed = 0;

    // The peers and who knows whom.
    std::uint32_t peers = 3;
    arc_choice arcs = arc_choice::full;
    std::uint32_t copies = 3;  ///< Peers that hold each sector at least, when sharded.
    topology known = topology::random;
    std::uint32_t contacts = 4;                                 ///< Told at each call at the bootstrap.
    microseconds bootstrap_interval = std::chrono::minutes(5);  ///< Between such calls.

    // The workload.
    std::uint32_t ops = 0;  ///< In all.
    share history;          ///< Of the ops: those that are there at the start.
    microseconds history_depth{0};
    beginning start = beginning::synced;
    std::uint32_t op_bytes_max = 256;  ///< Of the payload.
    std::uint32_t batch_max = 1;       ///< Ops created by one call.
    share published;                   ///< Of the batches: those that are told to others at once.
    share hotspot;                     ///< Of the ops: those that lie in one sector.
    microseconds fault_phase = std::chrono::minutes(10);  ///< The other ops are created in it.

    // The network.
    microseconds latency{0};
    microseconds jitter{0};
    std::uint64_t bandwidth = 1 << 20;    ///< Of each peer, outward, in bytes a second.
    std::uint64_t queue_bytes = 1 << 24;  ///< That wait at each peer, at most.
    share loss, duplicate, reorder;       ///< Of the frames.
    share partition;                      ///< Of the fault phase: how much of it the network is split.

    // The peers' fates.
    microseconds skew{0};  ///< Clocks are off by up to this, in either direction.
    share crash;           ///< Crashes, as a share of the number of peers.
    share late;            ///< Of the peers: those that join during the fault phase.
    share leave;           ///< Of the peers: those that leave during the fault phase.

    strategy rounds = strategy::kitsune2;
    std::optional<microseconds> interval;  ///< Between two rounds of a peer; none until completed.
    std::uint32_t rounds_max = 100;        ///< Intervals until convergence, beside what paging takes.
    store_choice store = store_choice::memory;
    sabotage broken = sabotage::none;

    plan() = default;
};

/// What the seed gives.
plan draw_plan(std::uint64_t seed);

/// Fills what depends on other options, and brings into range what does not fit together. `given`: the names
/// of the options that were set by a flag; the others are fitted to the number of peers.
void complete(plan& p, std::set<std::string, std::less<>> const& given = {});

/// One option: the flag --name, and its line in reports.
struct plan_option {
    std::string_view name;
    std::string_view value_name;  ///< For the help text.
    std::string_view help;
    /// False if the text is no such value.
    bool (*read)(plan& p, std::string const& text);
    /// As `read` takes it.
    std::string (*text)(plan const& p);
    boost::json::value (*value)(plan const& p);
};

/// All options but the seed, in the order in which they are printed.
std::span<plan_option const> plan_options();

gossip::round_limits round_limits_of(plan const& p);
gossip::fetch_limits fetch_limits_of(plan const& p);

/// An independent stream of random numbers for one purpose: what one of them draws moves no other.
random_source random_stream(std::uint64_t seed, std::string_view purpose, std::uint64_t number = 0);

// How options are written: a share as 5%, 5 or 0.05 (a number below 1 is the share itself, any other one is
// percent), a duration as 20ms, 1.5s, 2m, 3h or 4d, a number of bytes as 4096, 4K, 16M or 1G.

std::optional<share> parse_share(std::string_view text);
std::string to_string(share s);
/// `unit`: of a number without one.
std::optional<microseconds> parse_duration(std::string_view text, microseconds unit);
std::string to_string(microseconds duration);
std::optional<std::uint64_t> parse_bytes(std::string_view text);
std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace opstore::simulator
