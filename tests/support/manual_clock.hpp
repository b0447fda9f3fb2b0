#pragma once

#include <arc/timestamp.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

namespace opstore::testing {

/// A wall clock that stands still until the test moves it, in either direction.
///
/// Copies share the hands. Thread safety: all functions from any thread at once.
class manual_clock {
public:
    explicit manual_clock(arc::timestamp start)
        : micros_(std::make_shared<std::atomic<std::int64_t>>(arc::to_micros(start))) {}

    arc::timestamp now() const { return arc::from_micros(micros_->load()); }
    arc::timestamp operator()() const { return now(); }

    void set(arc::timestamp to) { micros_->store(arc::to_micros(to)); }
    /// Backwards where `by` is negative.
    void step(std::chrono::microseconds by) { micros_->fetch_add(by.count()); }

private:
    std::shared_ptr<std::atomic<std::int64_t>> micros_;
};

}  // namespace opstore::testing
