#include <opstore/postgres/detail/held_ids.hpp>

#include <sql/statements.hpp>

#include <algorithm>
#include <mutex>
#include <span>
#include <utility>

namespace opstore::postgres::detail {
namespace {

std::int64_t stamp_behind(std::int64_t stamp) {
    return stamp == std::numeric_limits<std::int64_t>::max() ? stamp : stamp + 1;
}

}  // namespace

bool id_allowance::take(std::size_t ids) {
    std::size_t left = left_;
    do {
        if (left < ids)
            return false;
    } while (!left_.compare_exchange_weak(left, left - ids));
    return true;
}

held_ids::held_ids(std::shared_ptr<id_allowance> allowance) : allowance_(std::move(allowance)) {}

held_ids::~held_ids() {
    allowance_->give_back(known_.ids.size());
}

bool held_ids::expects(std::size_t ids) {
    if (allowance_->ids_max() == 0)
        return false;
    std::scoped_lock const lock(mutex_);
    // Saved up without a bound, credit would be spent on what nobody asks for any more.
    credit_ = std::min(credit_ + ids, std::max(worth_, reading_max + ids));
    return known_.complete || credit_ >= worth_;
}

result<std::optional<std::vector<op_id>>> held_ids::missing(connection& c, space_view space,
                                                            std::vector<op_id> const& ids) {
    std::size_t left = std::max(ids.size(), reading_max);
    while (auto const what = next_reading(left)) {
        auto const found = read(c, space, *what);
        if (!found)
            return space_is_gone();
        switch (learn(*what, *found)) {
            case outcome::all_known:
                return look_up(what->generation, ids);
            case outcome::of_no_use:
                return std::nullopt;
            case outcome::some_left:
                left -= what->ids_max;
        }
    }
    return std::nullopt;
}

std::optional<held_ids::reading> held_ids::next_reading(std::size_t ids_max) const {
    std::shared_lock const lock(mutex_);
    if (ids_max == 0 || (!known_.complete && credit_ < worth_))
        return std::nullopt;
    auto const allowed = known_.complete ? std::max(credit_, reading_free) : credit_;
    return reading{generation_, known_.next, std::min({allowed, ids_max, reading_max})};
}

std::optional<held_ids::page> held_ids::read(connection& c, space_view space, reading const& what) const {
    enum column { watermark, op_count, op_ids, number, last_stamp };
    auto const found = c.execute(
        sql::ids_since, of_space(space).bigint(what.start).bigint(static_cast<std::int64_t>(what.ids_max)));
    if (found.empty())
        return std::nullopt;
    page p;
    p.watermark = found.bigint(0, watermark);
    p.op_count = static_cast<std::size_t>(found.bigint(0, op_count));
    if (found.is_null(0, op_ids))
        return p;
    std::vector<op_id> ids;
    append_ids(ids, found.bytea(0, op_ids), space.id_length,
               static_cast<std::size_t>(found.bigint(0, number)));
    p.ids.reserve(ids.size());
    for (op_id const& id : ids)
        p.ids.push_back(key_.of(id.bytes()));
    p.last_stamp = found.bigint(0, last_stamp);
    return p;
}

held_ids::outcome held_ids::learn(reading const& what, page const& found) {
    std::scoped_lock const lock(mutex_);
    if (what.generation != generation_)
        return outcome::of_no_use;
    // A server that lost commits, or was put back to an earlier state, gives its stamps once more.
    if (what.start != first_stamp && found.watermark < what.start - 1)
        return forget(found.op_count);
    std::size_t const known_before = known_.ids.size();
    if (found.op_count > known_before + allowance_->left() || !allowance_->take(found.ids.size()))
        return forget(found.op_count);
    for (id_set::fingerprint const id : found.ids)
        known_.ids.insert(id);
    allowance_->give_back(found.ids.size() - (known_.ids.size() - known_before));
    credit_ -= std::min(credit_, found.ids.size());

    // Somebody else may have read further meanwhile, from a later snapshot. Then this one adds nothing.
    bool const is_last = found.ids.size() < what.ids_max;
    auto const next = stamp_behind(is_last ? found.watermark : found.last_stamp);
    if (next >= known_.next) {
        known_.next = next;
        known_.complete = is_last;
        if (is_last && known_.ids.size() != found.op_count)
            return forget(found.op_count);
    }
    if (!is_last)
        return outcome::some_left;
    worth_ = reading_min;
    return outcome::all_known;
}

std::optional<std::vector<op_id>> held_ids::look_up(std::uint64_t generation,
                                                    std::vector<op_id> const& ids) const {
    std::vector<op_id> missing;
    std::vector<id_set::fingerprint> prints;
    // In parts, so that who wants to learn more need not wait for long.
    for (std::size_t begin = 0; begin < ids.size(); begin += reading_max) {
        auto const part = std::span(ids).subspan(begin, std::min(reading_max, ids.size() - begin));
        prints.clear();
        for (op_id const& id : part)
            prints.push_back(key_.of(id.bytes()));
        std::shared_lock const lock(mutex_);
        if (generation != generation_)
            return std::nullopt;
        for (std::size_t const position : known_.ids.missing(prints))
            missing.push_back(part[position]);
    }
    return missing;
}

/// And does not try again before as many ids were asked for as would have to be read.
held_ids::outcome held_ids::forget(std::size_t op_count) {
    allowance_->give_back(known_.ids.size());
    known_ = memory();
    ++generation_;
    credit_ = 0;
    worth_ = std::max(op_count, reading_min);
    return outcome::of_no_use;
}

}  // namespace opstore::postgres::detail
