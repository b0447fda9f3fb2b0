#pragma once

#include <arc/timestamp.hpp>

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

namespace opstore::simulator {

/// What happens next, in virtual time: of events at the same moment, the one that was added first. So the
/// order is total, and the same on every run.
///
/// Thread safety: none.
template <class Event>
class event_queue {
public:
    void add(arc::timestamp at, Event event) {
        heap_.push_back({at, next_number_++, std::move(event)});
        std::ranges::push_heap(heap_, later);
    }

    bool empty() const { return heap_.empty(); }
    std::size_t size() const { return heap_.size(); }

    /// Precondition: not empty.
    arc::timestamp next_at() const {
        assert(!empty());
        return heap_.front().at;
    }

    /// Precondition: not empty.
    Event take() {
        assert(!empty());
        std::ranges::pop_heap(heap_, later);
        Event event = std::move(heap_.back().event);
        heap_.pop_back();
        return event;
    }

private:
    struct entry {
        arc::timestamp at;
        std::uint64_t number;
        Event event;
    };

    static bool later(entry const& a, entry const& b) {
        return std::tie(a.at, a.number) > std::tie(b.at, b.number);
    }

    std::vector<entry> heap_;
    std::uint64_t next_number_ = 0;
};

}  // namespace opstore::simulator
