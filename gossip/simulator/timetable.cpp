#include <gossip/simulator/timetable.hpp>

#include <arc/time_slices.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace opstore::simulator {
namespace {

/// The first moment of any simulation: fixed, so that no run depends on the wall clock.
constexpr arc::timestamp epoch = arc::from_micros(1'700'000'000'000'000);
/// Initial peers start one after another within this time.
constexpr microseconds start_spread = std::chrono::seconds(10);

class drawing {
public:
    explicit drawing(plan const& p) : plan_(p) {
        // Anywhere in a full slice, so that its borders and those of the units fall into some runs.
        auto random = random_stream(p.seed, "epoch");
        microseconds const slice = arc::slice_range(1, arc::factor_default).start.time_since_epoch();
        table_.starts_at = epoch + microseconds(random.between(0, slice.count()));
        table_.heals_at = table_.starts_at + p.fault_phase;
    }

    timetable draw() {
        draw_fates();
        draw_crashes();
        draw_splits();
        draw_batches();
        return std::move(table_);
    }

private:
    /// Between these permille of the fault phase.
    arc::timestamp moment(random_source& random, std::int64_t first, std::int64_t last) const {
        auto const phase = plan_.fault_phase.count();
        return table_.starts_at + microseconds(random.between(phase / 1000 * first, phase / 1000 * last));
    }

    void draw_fates() {
        auto random = random_stream(plan_.seed, "fates");
        std::vector<peer_number> order(plan_.peers);
        std::iota(order.begin(), order.end(), 0u);
        for (std::size_t i = order.size(); i > 1; --i) {
            std::swap(order[i - 1], order[random.below(i)]);
        }
        auto const late_count = plan_.late.of(plan_.peers);
        auto const leaver_count = plan_.leave.of(plan_.peers);
        table_.fates.resize(plan_.peers);
        for (std::size_t i = 0; i < order.size(); ++i) {
            auto& fate = table_.fates[order[i]];
            auto const spread = std::min(start_spread, plan_.fault_phase / 10);
            fate.late = i < late_count;
            fate.joins_at = fate.late ? moment(random, 50, 950)
                                      : table_.starts_at + microseconds(random.between(0, spread.count()));
            if (!fate.late && i < late_count + leaver_count) {
                fate.leaves_at = moment(random, 300, 950);
            }
            fate.clock_offset = microseconds(random.between(-plan_.skew.count(), plan_.skew.count()));
        }
    }

    void draw_crashes() {
        auto random = random_stream(plan_.seed, "crashes");
        auto const count = plan_.crash.of(plan_.peers);
        for (std::uint64_t i = 0; i < count; ++i) {
            timetable::crash crash;
            crash.at = moment(random, 50, 950);
            crash.peer = static_cast<peer_number>(random.below(plan_.peers));
            crash.how = std::array{cut::at_once, cut::before_commit, cut::after_commit}[random.below(3)];
            crash.downtime = microseconds(random.between(0, plan_.fault_phase.count() / 4));
            table_.crashes.push_back(crash);
        }
    }

    /// Up to three splits, one in each part of the phase.
    void draw_splits() {
        if (plan_.partition.ppm == 0) {
            return;
        }
        auto random = random_stream(plan_.seed, "splits");
        auto const count = random.between(1, 3);
        auto const part = plan_.fault_phase / count;
        auto const length = microseconds(static_cast<std::int64_t>(plan_.partition.of(part.count())));
        for (std::int64_t i = 0; i < count; ++i) {
            auto& split = table_.splits.emplace_back();
            auto const slack = (part - length).count();
            split.from = table_.starts_at + part * i + microseconds(random.between(0, slack));
            split.until = split.from + length;
            for (std::uint32_t peer = 0; peer < plan_.peers; ++peer) {
                split.sides.push_back(random.one_in(2));
            }
        }
    }

    void draw_batches() {
        auto random = random_stream(plan_.seed, "batches");
        table_.history_op_count = static_cast<std::uint32_t>(plan_.history.of(plan_.ops));
        std::uint32_t left = plan_.ops - table_.history_op_count;
        while (left > 0) {
            timetable::batch batch;
            batch.op_count = static_cast<std::uint32_t>(1 + random.below(std::min(left, plan_.batch_max)));
            batch.at = moment(random, 10, 990);
            batch.published = plan_.published.hits(random);
            table_.batches.push_back(batch);
            left -= batch.op_count;
        }
    }

    plan const& plan_;
    timetable table_;
};

}  // namespace

timetable draw_timetable(plan const& p) {
    return drawing(p).draw();
}

}  // namespace opstore::simulator
