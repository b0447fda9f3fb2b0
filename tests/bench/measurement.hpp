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

/// Does the work of one round and answers the seconds for each unit of it (an op, a call).
using contender = std::function<double(std::size_t round)>;

/// What two contenders took in one round.
struct pair_of_times {
    double one;
    double other;
};

/// What contenders, by their numbers, took in the same rounds. Precondition of what is asked: there was a
/// round.
class turns {
public:
    explicit turns(std::size_t contenders) : seconds_(contenders) {}

    void add(std::size_t who, double seconds) { seconds_[who].push_back(seconds); }
    /// More rounds of the same contenders.
    void add(turns const& more);

    /// Of an even number of rounds: the mean of the two in the middle.
    double median(std::size_t who) const;

    /// Both of the round in which their ratio is the median. The medians of the two may be of different
    /// times: where the machine is now fast and now slow, they may compare one with the other.
    pair_of_times beside(std::size_t one, std::size_t other) const;

private:
    std::vector<std::vector<double>> seconds_;  ///< Of each contender, by round.
};

/// Lets the contenders take turns, so that what slows the machine down for a while slows all of them down.
/// Who begins changes from round to round: behind somebody else's fsync is a bad place. Goes on beyond
/// `rounds` until `at_least` has passed.
turns take_turns(std::size_t rounds, std::vector<contender> const& contenders,
                 std::chrono::milliseconds at_least = std::chrono::milliseconds(0));

}  // namespace opstore::bench
