// Goal: events come by time, those of one moment in the order in which they were added. Method: random adds
// and takes beside a sorted list.
#include <gossip/simulator/event_queue.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <map>
#include <memory>

namespace opstore::simulator {
namespace {

TEST_CASE("event queue: by time, then by the order of adding") {
    random_source random(5);
    event_queue<std::unique_ptr<int>> queue;
    std::multimap<arc::timestamp, int> expected;  // Keeps equal keys in the order of insertion.
    for (int i = 0; i < 20'000; ++i) {
        if (expected.empty() || random.below(5) < 3) {
            auto const at = arc::from_micros(random.between(0, 50));
            queue.add(at, std::make_unique<int>(i));
            expected.emplace(at, i);
        } else {
            REQUIRE(queue.size() == expected.size());
            REQUIRE(queue.next_at() == expected.begin()->first);
            REQUIRE(*queue.take() == expected.begin()->second);
            expected.erase(expected.begin());
        }
    }
    while (!expected.empty()) {
        REQUIRE(*queue.take() == expected.begin()->second);
        expected.erase(expected.begin());
    }
    CHECK(queue.empty());
}

}  // namespace
}  // namespace opstore::simulator
