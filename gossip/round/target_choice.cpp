#include <gossip/round/target_choice.hpp>

#include <algorithm>
#include <vector>

namespace opstore::gossip {

std::optional<std::size_t> choose_target(std::span<const target_candidate> candidates,
                                         random_source& random) {
    bool const any_overlaps =
        std::ranges::any_of(candidates, [](auto const& c) { return c.usable && c.overlaps; });
    auto const may_be_chosen = [&](target_candidate const& c) {
        return c.usable && (c.overlaps || !any_overlaps);
    };
    bool const any_met =
        std::ranges::any_of(candidates, [&](auto const& c) { return may_be_chosen(c) && c.met; });
    bool const only_met = any_met && random.one_in(2);
    std::vector<std::size_t> oldest;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        auto const& candidate = candidates[i];
        if (!may_be_chosen(candidate) || (only_met && !candidate.met)) {
            continue;
        }
        // An absent time orders before every time.
        if (oldest.empty() || candidate.last_round < candidates[oldest.front()].last_round) {
            oldest.clear();
        }
        if (oldest.empty() || candidate.last_round == candidates[oldest.front()].last_round) {
            oldest.push_back(i);
        }
    }
    if (oldest.empty()) {
        return std::nullopt;
    }
    return oldest[random.below(oldest.size())];
}

}  // namespace opstore::gossip
