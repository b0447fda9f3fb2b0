#pragma once

#include <tests/contract/script_setup.hpp>
#include <tests/support/random.hpp>

#include <arc/arc_set.hpp>
#include <arc/dht_arc.hpp>
#include <opstore/op_store.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace opstore::testing {

/// Draws the setup of a script, and the arguments of its calls, from small domains that collide on purpose: a
/// few ids, places and times, most of them at edges of sectors, slices and rings, some malformed. What is
/// drawn follows from the random numbers and replace_time() alone.
///
/// Thread safety: none.
class script_arguments {
public:
    /// `seed` only names the space. `random` must outlive this; the script draws from it too.
    script_arguments(std::uint64_t seed, random_source& random);

    script_setup const& setup() const { return setup_; }
    std::int64_t slice_micros() const { return slice_micros_; }

    template <class T>
    T const& pick(std::vector<T> const& from) {
        return from[random_.below(from.size())];
    }
    op_id pick_id();
    arc::timestamp pick_time();
    arc::dht_arc pick_arc();
    arc::arc_set pick_sectors();
    std::uint64_t pick_index();
    std::uint64_t pick_limit();
    /// Mostly about as many as there are full slices.
    std::uint64_t pick_slices();
    op_region pick_region();
    std::vector<op_id> pick_ids();
    /// Mostly one that a store takes.
    incoming_op pick_op();

    /// From now on `time` is picked in the place of another one.
    void replace_time(arc::timestamp time) { times_[random_.below(times_.size())] = time; }

private:
    void draw_ids();
    void draw_times();

    random_source& random_;
    script_setup setup_;
    std::int64_t slice_micros_ = 0;
    std::vector<op_id> ids_;
    std::vector<arc::timestamp> times_;
};

}  // namespace opstore::testing
