#include <tests/bench/measurement.hpp>

#include <algorithm>
#include <cassert>

namespace opstore::bench {

void turns::add(turns const& more) {
    for (std::size_t who = 0; who < seconds_.size(); ++who) {
        seconds_[who].insert(seconds_[who].end(), more.seconds_[who].begin(), more.seconds_[who].end());
    }
}

double turns::median(std::size_t who) const {
    auto values = seconds_[who];
    assert(!values.empty());
    std::ranges::sort(values);
    auto const middle = values.size() / 2;
    return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

pair_of_times turns::beside(std::size_t one, std::size_t other) const {
    std::vector<pair_of_times> rounds;
    for (std::size_t round = 0; round < seconds_[one].size(); ++round) {
        rounds.push_back({seconds_[one][round], seconds_[other][round]});
    }
    assert(!rounds.empty());
    auto const middle = rounds.begin() + static_cast<std::ptrdiff_t>(rounds.size() / 2);
    std::ranges::nth_element(rounds, middle, {}, [](pair_of_times of) { return of.one / of.other; });
    return *middle;
}

turns take_turns(std::size_t rounds, std::vector<contender> const& contenders,
                 std::chrono::milliseconds at_least) {
    turns taken(contenders.size());
    auto const seconds_min = std::chrono::duration<double>(at_least).count();
    stopwatch const watch;
    for (std::size_t round = 0; round < rounds || watch.seconds() < seconds_min; ++round) {
        for (std::size_t turn = 0; turn < contenders.size(); ++turn) {
            auto const who = (round + turn) % contenders.size();
            taken.add(who, contenders[who](round));
        }
    }
    return taken;
}

}  // namespace opstore::bench
