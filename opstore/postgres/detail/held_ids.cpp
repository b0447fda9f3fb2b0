#include <opstore/postgres/detail/held_ids.hpp>

#include <opstore/postgres/detail/queries.hpp>
#include <sql/statements.hpp>

#include <algorithm>
#include <span>

namespace opstore::postgres::detail {
namespace {

std::size_t count_nowhere(std::vector<tuple_id> const& places) {
    return static_cast<std::size_t>(
        std::count_if(places.begin(), places.end(), [](tuple_id place) { return place.is_nowhere(); }));
}

}  // namespace

std::size_t held_ids::placed::count_nowhere() const {
    return detail::count_nowhere(places);
}

bool id_allowance::take(std::size_t ids) {
    std::size_t left = left_;
    do {
        if (left < ids)
            return false;
    } while (!left_.compare_exchange_weak(left, left - ids));
    return true;
}

held_ids::held_ids(std::shared_ptr<id_allowance> allowance)
    : allowance_(std::move(allowance)), memory_(std::make_unique<memory>(allowance_)) {}

bool held_ids::note_question(std::size_t ids) {
    if (allowance_->ids_max() == 0)
        return false;
    std::scoped_lock const lock(credit_mutex_);
    credit_ += ids;
    if (complete_) {
        // Saved up without a bound, it would be spent on what nobody asks for any more.
        credit_ = std::min(credit_, std::max(ids, statement_max));
        return true;
    }
    if (credit_ < worth_)
        return false;
    worth_ = reading_min;
    return true;
}

bool held_ids::is_complete() {
    std::scoped_lock const lock(credit_mutex_);
    return complete_;
}

result<std::vector<op_id>> held_ids::missing(connection& c, space_view space, std::vector<op_id> const& ids) {
    auto const knows_all = read_on(c, space, std::max(ids.size(), reading_min));
    if (!knows_all)
        return knows_all.error();
    std::vector<tuple_id> places;
    if (!*knows_all || !look_up(**knows_all, ids, places))
        return fetch_missing(c, space, ids);
    std::vector<op_id> missing;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (places[i].is_nowhere())
            missing.push_back(ids[i]);
    }
    return missing;
}

result<held_ids::placed> held_ids::places(connection& c, space_view space, std::vector<op_id> const& ids) {
    placed p;
    if (allowance_->ids_max() == 0) {
        p.places.resize(ids.size());
        return p;
    }
    look_up(std::nullopt, ids, p.places);
    auto const unknown = p.count_nowhere();
    if (unknown == 0 || !note_question(unknown) || (unknown < places_min && is_complete()))
        return p;
    auto const knows_all = read_on(c, space, std::max(unknown, reading_min));
    if (!knows_all)
        return knows_all.error();
    p.all_known = *knows_all && look_up(**knows_all, ids, p.places);
    if (!p.all_known)
        look_up(std::nullopt, ids, p.places);
    return p;
}

void held_ids::note_moved(std::vector<std::pair<op_id, tuple_id>> const& ids) {
    for (auto const& [id, place] : ids) {
        auto const print = key_.of(id.bytes());
        std::scoped_lock const lock(memory_mutex_);
        memory_->ids.move(print, place);
    }
}

result<std::optional<std::uint64_t>> held_ids::read_on(connection& c, space_view space, std::size_t ids_max) {
    std::size_t left = ids_max;
    while (auto const what = next_reading(left)) {
        auto const found = read(c, space, *what);
        if (!found) {
            forget(what->generation, 0);
            return space_is_gone();
        }
        auto const learnt = learn(*what, *found);
        if (learnt == outcome::unusable) {
            forget(what->generation, found->op_count);
            break;
        }
        if (learnt == outcome::all_known)
            return std::optional(what->generation);
        left -= what->ids_max;
    }
    return std::optional<std::uint64_t>();
}

std::optional<held_ids::reading> held_ids::next_reading(std::size_t ids_max) {
    std::shared_lock const lock(memory_mutex_);
    std::scoped_lock const credit_lock(credit_mutex_);
    if (ids_max == 0 || (!complete_ && credit_ < worth_))
        return std::nullopt;
    auto const allowed = complete_ ? std::max(credit_, reading_free) : credit_;
    auto const ids = std::min({allowed, ids_max, statement_max});
    // What is not spent comes back; so who asks at the same time spends other credit.
    credit_ -= std::min(credit_, ids);
    return reading{generation_, memory_->last_stamp, memory_->last, ids};
}

std::optional<held_ids::page> held_ids::read(connection& c, space_view space, reading const& what) const {
    enum column { remembered_id, op_count, op_ids, places, number, last_stamp, last_id };
    auto const found = c.execute(
        sql::ids_since, of_space(space).bigint(what.after).bigint(static_cast<std::int64_t>(what.ids_max)));
    if (found.empty())
        return std::nullopt;
    page p;
    p.op_count = static_cast<std::size_t>(std::max<std::int64_t>(found.bigint(0, op_count), 0));
    p.fits = what.after == before_all ||
             (!found.is_null(0, remembered_id) && key_.of(found.bytea(0, remembered_id)) == what.last);
    auto const count = static_cast<std::size_t>(found.bigint(0, number));
    if (count == 0)
        return p;
    auto const joined = found.bytea(0, op_ids);
    p.places = joined_tuple_ids(found.bytea(0, places));
    if (joined.size() != count * space.id_length || p.places.size() != count) {
        p.fits = false;
        return p;
    }
    p.ids.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        p.ids.push_back(key_.of(joined.subspan(i * space.id_length, space.id_length)));
    p.last_stamp = found.bigint(0, last_stamp);
    p.last = key_.of(found.bytea(0, last_id));
    return p;
}

held_ids::outcome held_ids::learn(reading const& what, page const& found) {
    std::scoped_lock const lock(memory_mutex_);
    if (what.generation != generation_ || !found.fits)
        return outcome::unusable;
    memory& known = *memory_;
    if (found.op_count > known.ids.size() + allowance_->left())
        return outcome::unusable;
    auto const unknown = count_nowhere(known.ids.find(found.ids));
    if (!allowance_->take(unknown))
        return outcome::unusable;
    known.taken += unknown;
    for (std::size_t i = 0; i < found.ids.size(); ++i)
        known.ids.put(found.ids[i], found.places[i]);
    auto const upto = std::max(what.after, found.last_stamp);
    bool const adds = upto > known.last_stamp;
    if (adds) {
        known.last_stamp = upto;
        known.last = found.last;
    }
    // Otherwise somebody else has read further meanwhile, from a later snapshot.
    bool const is_furthest = upto == known.last_stamp;
    bool const is_last = found.ids.size() < what.ids_max;
    if (is_last && is_furthest && known.ids.size() != found.op_count)
        return outcome::unusable;
    std::scoped_lock const credit_lock(credit_mutex_);
    credit_ += what.ids_max - found.ids.size();
    if (is_furthest && (is_last || adds))
        complete_ = is_last;
    return is_last ? outcome::all_known : outcome::some_left;
}

void held_ids::forget(std::uint64_t generation, std::size_t op_count) {
    // Freed behind the locks: it may be large.
    auto other = std::make_unique<memory>(allowance_);
    std::scoped_lock const lock(memory_mutex_);
    if (generation != generation_)
        return;
    std::swap(memory_, other);
    ++generation_;
    std::scoped_lock const credit_lock(credit_mutex_);
    complete_ = false;
    credit_ = 0;
    // Not again before as many ids were asked for as would have to be read.
    worth_ = std::clamp(op_count, reading_min, std::max(reading_min, allowance_->ids_max()));
}

/// Finds the places of ids in parts, so that who has read new ones need not wait for long. False: that memory
/// was forgotten.
bool held_ids::look_up(std::optional<std::uint64_t> generation, std::vector<op_id> const& ids,
                       std::vector<tuple_id>& places) const {
    places.clear();
    places.reserve(ids.size());
    std::vector<id_map::fingerprint> prints;
    for (std::size_t begin = 0; begin < ids.size(); begin += statement_max) {
        prints.clear();
        for (op_id const& id : std::span(ids).subspan(begin, std::min(statement_max, ids.size() - begin)))
            prints.push_back(key_.of(id.bytes()));
        std::shared_lock const lock(memory_mutex_);
        if (generation && *generation != generation_)
            return false;
        auto const found = memory_->ids.find(prints);
        places.insert(places.end(), found.begin(), found.end());
    }
    return true;
}

std::shared_ptr<held_ids> held_ids_of_spaces::of(space_identity space) {
    std::scoped_lock const lock(mutex_);
    std::erase_if(spaces_, [](auto const& entry) { return entry.second.expired(); });
    auto& known = spaces_[{space.space_id, space.incarnation}];
    auto of_space = known.lock();
    if (!of_space)
        known = of_space = std::make_shared<held_ids>(allowance_);
    return of_space;
}

}  // namespace opstore::postgres::detail
