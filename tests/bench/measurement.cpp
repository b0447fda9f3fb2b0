#include <tests/bench/measurement.hpp>

#include <algorithm>
#include <cassert>

namespace opstore::bench {

double median(std::vector<double> values) {
    assert(!values.empty());
    std::ranges::sort(values);
    auto const middle = values.size() / 2;
    return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<double> take_turns(std::size_t rounds, std::vector<contender> const& contenders) {
    std::vector<std::vector<double>> samples(contenders.size());
    for (std::size_t round = 0; round < rounds; ++round) {
        for (std::size_t turn = 0; turn < contenders.size(); ++turn) {
            auto const who = (round + turn) % contenders.size();
            samples[who].push_back(contenders[who](round));
        }
    }
    std::vector<double> medians;
    for (auto& of_one : samples) {
        medians.push_back(median(std::move(of_one)));
    }
    return medians;
}

}  // namespace opstore::bench
