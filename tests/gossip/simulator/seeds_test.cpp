// Goal: whatever a seed draws, the network converges behind the fault phase, with nothing lost or invented.
// Method: the seeds FIRST..LAST of OPSTORE_SIM_SEEDS (1..100), in memory. A failing seed is printed with the
// command that replays it.
#include <gossip/simulator/simulation.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <utility>

namespace opstore::simulator {
namespace {

std::pair<std::uint64_t, std::uint64_t> seed_range() {
    char const* const text = std::getenv("OPSTORE_SIM_SEEDS");
    std::string const range = text ? text : "1..100";
    auto const dots = range.find("..");
    auto const first = parse_number(range.substr(0, dots));
    auto const last = parse_number(dots == std::string::npos ? range : range.substr(dots + 2));
    REQUIRE_MESSAGE((first && last), "OPSTORE_SIM_SEEDS is no range: " << range);
    return {*first, *last};
}

TEST_CASE("seeds: every one converges with nothing lost or invented") {
    auto const [first, last] = seed_range();
    fmt::print("seeds {} to {}\n", first, last);
    for (auto seed = first; seed <= last; ++seed) {
        plan p = draw_plan(seed);
        complete(p);
        memory_stores stores;
        simulation s(p, stores);
        auto const result = s.run();
        auto const what = fmt::format(
            "build/opstore-sim {}: converged {}, lost {}, invented {}, missing {}, {}", seed,
            result.converged, result.lost, result.invented, result.missing, fmt::join(result.details, "; "));
        CHECK_MESSAGE(result.good(), what);
    }
}

}  // namespace
}  // namespace opstore::simulator
