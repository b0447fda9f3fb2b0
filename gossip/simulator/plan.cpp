#include <gossip/simulator/plan.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>

namespace opstore::simulator {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

template <class Value, std::size_t size>
Value pick(random_source& random, std::array<Value, size> const& values) {
    return values[random.below(size)];
}

microseconds pick_duration(random_source& random, microseconds first, microseconds last) {
    return microseconds(random.between(first.count() / 1000, last.count() / 1000) * 1000);
}

/// Up to `most`, in tenths of a percent; nothing at all once in `none_in` times.
share pick_share(random_source& random, std::uint32_t most_permille, std::uint64_t none_in) {
    auto const drawn = static_cast<std::uint32_t>(random.below(most_permille + 1)) * 1000;
    return random.one_in(none_in) ? share{0} : share{drawn};
}

void draw_workload(plan& p, random_source& random) {
    p.ops = static_cast<std::uint32_t>(random.between(100, 2'000));
    p.history = pick_share(random, 900, 4);
    p.history_depth = pick(random, std::array<microseconds, 5>{1h, 24h, 6 * 24h, 20 * 24h, 60 * 24h});
    p.start = pick(random, std::array{beginning::synced, beginning::split, beginning::fresh});
    p.op_bytes_max = pick(random, std::array<std::uint32_t, 5>{0, 64, 512, 4'096, 16'384});
    p.batch_max = pick(random, std::array<std::uint32_t, 4>{1, 4, 16, 64});
    p.published = pick_share(random, 1'000, 3);
    p.hotspot = random.one_in(4) ? pick_share(random, 500, 8) : share{0};
    p.fault_phase = pick_duration(random, 5min, 30min);
}

void draw_network(plan& p, random_source& random) {
    p.latency = pick_duration(random, 1ms, 250ms);
    p.jitter = microseconds(random.between(0, p.latency.count()));
    p.bandwidth = std::uint64_t{1} << random.between(19, 25);
    p.queue_bytes = std::uint64_t{1} << random.between(21, 26);
    p.loss = pick_share(random, 100, 5);
    p.duplicate = pick_share(random, 50, 4);
    p.reorder = pick_share(random, 200, 4);
    p.partition = pick_share(random, 500, 3);
}

void draw_fates(plan& p, random_source& random) {
    p.skew = pick(random, std::array<microseconds, 5>{0s, 50ms, 2s, 30s, 2min});
    p.crash = pick_share(random, 1'000, 4);
    p.late = pick_share(random, 300, 3);
    p.leave = pick_share(random, 250, 3);
    p.rounds = pick(random, std::array{strategy::kitsune2, strategy::eager, strategy::frugal});
}

// The options as words.

template <class Value>
struct word {
    std::string_view text;
    Value value;
};

constexpr std::array<word<arc_choice>, 2> arc_words{
    {{"full", arc_choice::full}, {"sharded", arc_choice::sharded}}};
constexpr std::array<word<store_choice>, 2> store_words{
    {{"memory", store_choice::memory}, {"postgres", store_choice::postgres}}};
constexpr std::array<word<topology>, 4> topology_words{{{"everyone", topology::everyone},
                                                        {"random", topology::random},
                                                        {"ring", topology::ring},
                                                        {"star", topology::star}}};
constexpr std::array<word<beginning>, 3> start_words{
    {{"synced", beginning::synced}, {"split", beginning::split}, {"fresh", beginning::fresh}}};
constexpr std::array<word<strategy>, 3> strategy_words{
    {{"kitsune2", strategy::kitsune2}, {"eager", strategy::eager}, {"frugal", strategy::frugal}}};
constexpr std::array<word<sabotage>, 4> sabotage_words{{{"none", sabotage::none},
                                                        {"forget", sabotage::forget},
                                                        {"alter", sabotage::alter},
                                                        {"invent", sabotage::invent}}};

/// A member that is one of a few words.
template <auto member, auto const& words>
struct as_word {
    static bool read(plan& p, std::string const& text) {
        auto const at = std::ranges::find_if(words, [&](auto const& w) { return w.text == text; });
        if (at == words.end()) {
            return false;
        }
        p.*member = at->value;
        return true;
    }
    static std::string text(plan const& p) {
        auto const at = std::ranges::find_if(words, [&](auto const& w) { return w.value == p.*member; });
        assert(at != words.end());
        return std::string(at->text);
    }
    static json::value value(plan const& p) { return json::value(text(p)); }
};

/// A member that is a number from `first` to `last`.
template <auto member, std::uint64_t first, std::uint64_t last>
struct as_number {
    static bool read(plan& p, std::string const& text) {
        auto const number = parse_bytes(text);
        if (!number || *number < first || *number > last) {
            return false;
        }
        p.*member = static_cast<std::remove_reference_t<decltype(p.*member)>>(*number);
        return true;
    }
    static std::string text(plan const& p) { return fmt::to_string(p.*member); }
    static json::value value(plan const& p) { return json::value(p.*member); }
};

template <auto member>
struct as_share {
    static bool read(plan& p, std::string const& text) {
        auto const parsed = parse_share(text);
        p.*member = parsed.value_or(share{});
        return parsed.has_value();
    }
    static std::string text(plan const& p) { return to_string(p.*member); }
    /// The share itself, 0 to 1.
    static json::value value(plan const& p) {
        return json::value(static_cast<double>((p.*member).ppm) / share::whole);
    }
};

/// Unit: of a number without one, in microseconds.
template <auto member, std::int64_t unit, std::int64_t least = 0>
struct as_duration {
    static bool read(plan& p, std::string const& text) {
        auto const parsed = parse_duration(text, microseconds(unit));
        if (!parsed || parsed->count() < least) {
            return false;
        }
        p.*member = *parsed;
        return true;
    }
    static std::string text(plan const& p) {
        std::optional<microseconds> const duration = p.*member;
        return to_string(duration.value_or(microseconds(0)));
    }
    static json::value value(plan const& p) { return json::value(text(p)); }
};

constexpr std::int64_t millisecond = 1'000;
constexpr std::int64_t second = 1'000'000;
constexpr std::uint64_t count_max = std::numeric_limits<std::uint32_t>::max();

template <class Notation>
constexpr plan_option option(std::string_view name, std::string_view value_name, std::string_view help) {
    return {name, value_name, help, Notation::read, Notation::text, Notation::value};
}

constexpr std::uint64_t peers_max = 100'000;
constexpr std::uint64_t ops_max = 100'000'000;
constexpr std::uint64_t payload_max = 8 << 20;
/// Below, hardly any answer to a request would fit behind another frame.
constexpr std::uint64_t queue_bytes_min = 65'536;
/// What is drawn suits up to so many peers. Among more, a peer that knows its one neighbour, or a network in
/// which nobody says yet what it holds, takes days to find those it shares an arc with.
constexpr std::uint32_t drawn_for_peers = 64;

constexpr std::array options{
    option<as_number<&plan::peers, 2, peers_max>>("peers", "NUMBER", "Peers in all"),
    option<as_word<&plan::arcs, arc_words>>("arcs", "full|sharded",
                                            "Each peer holds the whole ring, or a part of it"),
    option<as_number<&plan::copies, 1, peers_max>>("copies", "NUMBER",
                                                   "Peers that hold each sector at least, when sharded"),
    option<as_word<&plan::known, topology_words>>("topology", "everyone|random|ring|star",
                                                  "Whom the bootstrap tells a peer of"),
    option<as_number<&plan::contacts, 1, peers_max>>("contacts", "NUMBER",
                                                     "Peers told at each call at the bootstrap"),
    option<as_duration<&plan::bootstrap_interval, second, second>>(
        "bootstrap-interval", "DURATION", "Between two calls of a peer at the bootstrap"),
    option<as_number<&plan::ops, 0, ops_max>>("ops", "NUMBER", "Ops in all"),
    option<as_share<&plan::history>>("history", "SHARE", "Of the ops: those there at the start"),
    option<as_duration<&plan::history_depth, second>>("history-depth", "DURATION",
                                                      "How far back those were created"),
    option<as_word<&plan::start, start_words>>("start", "synced|split|fresh",
                                               "Where they lie: everywhere, or each at one peer"),
    option<as_number<&plan::op_bytes_max, 0, payload_max>>("op-bytes", "BYTES", "Largest payload"),
    option<as_number<&plan::batch_max, 1, 65'536>>("batch", "NUMBER", "Most ops created at once"),
    option<as_share<&plan::published>>("publish", "SHARE", "Of the batches: those told to others at once"),
    option<as_share<&plan::hotspot>>("hotspot", "SHARE", "Of the ops: those in one sector"),
    option<as_duration<&plan::fault_phase, second, second>>(
        "fault-phase", "DURATION", "Faults happen, and the other ops are created, for so long"),
    option<as_duration<&plan::latency, millisecond>>("latency", "DURATION", "Of a link, on average"),
    option<as_duration<&plan::jitter, millisecond>>("jitter", "DURATION", "Added to it, at most"),
    option<as_number<&plan::bandwidth, 1'024, std::uint64_t{1} << 40>>("bandwidth", "BYTES",
                                                                       "Of a peer, in a second"),
    option<as_number<&plan::queue_bytes, queue_bytes_min, std::uint64_t{1} << 40>>(
        "queue", "BYTES", "That wait at a peer, at most"),
    option<as_share<&plan::loss>>("loss", "SHARE", "Of the frames"),
    option<as_share<&plan::duplicate>>("duplicate", "SHARE", "Of the frames"),
    option<as_share<&plan::reorder>>("reorder", "SHARE", "Of the frames: those that others overtake"),
    option<as_share<&plan::partition>>("partition", "SHARE",
                                       "Of the fault phase: how much of it the network is split"),
    option<as_duration<&plan::skew, millisecond>>("skew", "DURATION", "Clocks are off by this, at most"),
    option<as_share<&plan::crash>>("crash", "SHARE", "Crashes, as a share of the number of peers"),
    option<as_share<&plan::late>>("late", "SHARE", "Of the peers: those that join later"),
    option<as_share<&plan::leave>>("leave", "SHARE", "Of the peers: those that leave"),
    option<as_word<&plan::rounds, strategy_words>>("strategy", "kitsune2|eager|frugal",
                                                   "Limits and intervals of the rounds"),
    option<as_duration<&plan::interval, second, second>>("interval", "DURATION",
                                                         "Between two rounds of a peer"),
    option<as_number<&plan::rounds_max, 1, count_max>>("rounds", "NUMBER",
                                                       "Intervals to converge in, behind the fault phase"),
    option<as_word<&plan::store, store_words>>("store", "memory|postgres", "What the peers store ops in"),
    option<as_word<&plan::broken, sabotage_words>>("sabotage", "none|forget|alter|invent",
                                                   "Breaks a store, to see that it is found"),
};

/// What a strategy's interval is: from, to.
std::pair<microseconds, microseconds> interval_range(strategy s) {
    switch (s) {
        case strategy::kitsune2:
            return {120s, 120s};
        case strategy::eager:
            return {5s, 30s};
        case strategy::frugal:
            break;
    }
    return {15s, 60s};
}

}  // namespace

random_source random_stream(std::uint64_t seed, std::string_view purpose, std::uint64_t number) {
    // FNV-1a tells the purposes apart; the generator itself mixes.
    std::uint64_t hash = 0xcbf29ce484222325;
    for (char const c : purpose) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    random_source mix(seed ^ hash);
    std::uint64_t const base = mix.next();
    random_source numbered(base ^ number);
    return random_source(numbered.next());
}

plan draw_plan(std::uint64_t seed) {
    auto random = random_stream(seed, "plan");
    plan p;
    p.seed = seed;
    p.peers = static_cast<std::uint32_t>(random.between(3, 12));
    p.arcs = random.one_in(2) ? arc_choice::full : arc_choice::sharded;
    p.copies = static_cast<std::uint32_t>(random.between(2, 5));
    p.known = pick(random, std::array{topology::everyone, topology::random, topology::ring, topology::star});
    p.contacts = static_cast<std::uint32_t>(random.between(2, 16));
    p.bootstrap_interval = pick_duration(random, 1min, 5min);
    draw_workload(p, random);
    draw_network(p, random);
    draw_fates(p, random);
    return p;
}

void complete(plan& p, std::set<std::string, std::less<>> const& given) {
    if (p.peers > drawn_for_peers) {
        if (!given.contains("topology")) {
            p.known = topology::random;
        }
        if (!given.contains("contacts")) {
            p.contacts = std::max<std::uint32_t>(p.contacts, 16);
        }
        if (!given.contains("start") && p.start == beginning::fresh) {
            p.start = beginning::split;
        }
    }
    p.copies = std::min(p.copies, p.peers);
    if (!p.interval) {
        auto random = random_stream(p.seed, "interval");
        auto const [first, last] = interval_range(p.rounds);
        p.interval = pick_duration(random, first, last);
    }
    // Two peers at least are there from the beginning to the end: somebody has to hold the ring.
    auto const spare = p.peers - 2;
    auto const at_most = [&](share& s, std::uint64_t number) {
        while (s.ppm > 0 && s.of(p.peers) > number) {
            s.ppm -= std::min<std::uint32_t>(s.ppm, 1'000);
        }
    };
    at_most(p.late, spare);
    at_most(p.leave, spare - p.late.of(p.peers));
}

std::span<plan_option const> plan_options() {
    return options;
}

gossip::round_limits round_limits_of(plan const& p) {
    gossip::round_limits limits;
    limits.interval = p.interval.value_or(limits.interval);
    limits.jitter = std::min<microseconds>(limits.jitter, limits.interval / 4);
    if (p.rounds == strategy::frugal) {
        limits.op_bytes_max = 65'536;
        limits.request_op_bytes_max = 65'536;
    }
    return limits;
}

gossip::fetch_limits fetch_limits_of(plan const& p) {
    gossip::fetch_limits limits;
    if (p.rounds == strategy::frugal) {
        limits.ids_per_request_max = 50;
    }
    return limits;
}

}  // namespace opstore::simulator
