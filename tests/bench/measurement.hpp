#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

namespace opstore::bench {

/// Wall time since it was made.
class stopwatch {
public:
    double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    }

private:
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// Of an even number of values: the mean of the two in the middle. Precondition: not empty.
double median(std::vector<double> values);

/// Does the work of one round and answers the seconds for each unit of it (an op, a call).
using contender = std::function<double(std::size_t round)>;

/// Lets the contenders take turns, so that what slows the machine down for a while slows all of them down.
/// Who begins changes from round to round: behind somebody else's fsync is a bad place.
/// Returns the median of each, in their order.
std::vector<double> take_turns(std::size_t rounds, std::vector<contender> const& contenders);

}  // namespace opstore::bench
