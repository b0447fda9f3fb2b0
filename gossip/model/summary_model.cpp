#include <gossip/model/summary_model.hpp>

#include <gossip/model/detail/model_hashes.hpp>

#include <cassert>

namespace asio = boost::asio;

namespace opstore::gossip {
namespace {

/// How far the disc is folded at `now`.
std::uint64_t folded_slices(arc::timestamp now, int factor) {
    bool const underflows = now < arc::timestamp::min() + summary_model::skew_max;
    return arc::full_slice_count(underflows ? arc::timestamp::min() : now - summary_model::skew_max, factor);
}

bool in_same_unit(arc::timestamp a, arc::timestamp b) {
    return a.time_since_epoch() / arc::unit == b.time_since_epoch() / arc::unit;
}

}  // namespace

summary_model::summary_model(op_store& store) : store_(store) {}

summary_model::~summary_model() = default;

asio::awaitable<result<void>> summary_model::start(arc::timestamp now) {
    auto const factor = store_.options().slice_factor;
    auto const full_slices = folded_slices(now, factor);
    auto const all = co_await store_.retrieve_space_hashes(full_slices);
    if (!all) {
        co_return all.error();
    }
    hashes_ = std::make_unique<hashes>(factor, full_slices, *all);
    compared_at_ = now;
    co_return result<void>();
}

asio::awaitable<result<void>> summary_model::follow(arc::timestamp now) {
    auto const full_slices = folded_slices(now, store_.options().slice_factor);
    if (!hashes_ || full_slices < hashes_->full_slices()) {
        co_return co_await start(now);
    }
    for (bool complete = false; !complete;) {
        auto const tail = co_await store_.retrieve_tail(hashes_->next(), tail_ops_max);
        if (!tail) {
            co_return tail.error();
        }
        assert(tail->complete || !tail->ops.empty());
        hashes_->apply(*tail);
        complete = tail->complete;
    }
    hashes_->fold(full_slices);
    if (in_same_unit(now, compared_at_)) {
        co_return result<void>();
    }
    auto const stat = co_await store_.stat();
    if (!stat) {
        co_return stat.error();
    }
    if (contradicts(*stat)) {
        co_return co_await start(now);
    }
    compared_at_ = now;
    co_return result<void>();
}

bool summary_model::contradicts(space_stat const& stat) const {
    // Behind a later watermark the count may have grown since the tail was read: that says nothing.
    return stat.watermark < watermark() ||
           (stat.watermark == watermark() && stat.op_count != hashes_->op_count());
}

arc::timestamp summary_model::watermark() const {
    assert(hashes_);
    return hashes_->next() - arc::timestamp::duration(1);
}

std::uint64_t summary_model::op_count() const {
    assert(hashes_);
    return hashes_->op_count();
}

arc::slice_layout summary_model::layout_at(arc::timestamp now) const {
    return arc::layout_at(now, store_.options().slice_factor);
}

bool summary_model::can_answer(arc::slice_layout const& layout) const {
    assert(hashes_);
    return hashes_->can_answer(layout);
}

minimal_snapshot summary_model::minimal(arc::arc_set const& sectors, arc::slice_layout const& layout) const {
    assert(hashes_);
    return hashes_->minimal(sectors, layout);
}

disc_sectors_snapshot summary_model::disc_sectors(arc::arc_set const& sectors,
                                                  arc::slice_layout const& layout) const {
    assert(hashes_);
    return hashes_->disc_sectors(sectors, layout);
}

ring_details_snapshot summary_model::ring_details(arc::arc_set const& sectors,
                                                  arc::slice_layout const& layout,
                                                  std::span<const std::uint32_t> rings) const {
    assert(hashes_);
    return hashes_->ring_details(sectors, layout, rings);
}

asio::awaitable<result<disc_details_snapshot>> summary_model::disc_details(arc::arc_set sectors,
                                                                           arc::slice_layout layout) const {
    auto const slices = co_await store_.retrieve_disc_slices(sectors, layout.full_slices);
    if (!slices) {
        co_return slices.error();
    }
    disc_details_snapshot details;
    details.disc_boundary = layout.disc_boundary();
    for (auto const& of_sector : *slices) {
        auto& slices_of_sector = details.sectors[of_sector.sector];
        for (auto const& slice : of_sector.slices) {
            slices_of_sector.emplace(slice.index, combined_hash(slice.hash));
        }
    }
    co_return details;
}

}  // namespace opstore::gossip
