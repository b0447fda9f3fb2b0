#pragma once

#include <chrono>
#include <optional>

namespace opstore {

/// The moment by which a call must have answered; made once at the edge of a program and passed down.
///
/// The default value leaves the time to the store's own default. Steady clock: no step of the wall clock
/// moves it.
class deadline {
public:
    using clock = std::chrono::steady_clock;

    constexpr deadline() = default;
    constexpr explicit deadline(clock::time_point at) : at_(at) {}
    static deadline after(clock::duration d) { return deadline(clock::now() + d); }

    constexpr std::optional<clock::time_point> at() const { return at_; }

private:
    std::optional<clock::time_point> at_;
};

}  // namespace opstore
