#include <tests/gossip/fetch/naive_fetch_queue.hpp>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace opstore::gossip::testing {

void naive_fetch_queue::advance(arc::timestamp now) {
    if (now_ && now > *now_) {
        clock_ += now - *now_;
    }
    now_ = now;
}

naive_fetch_queue::waiting* naive_fetch_queue::find(op_id const& id) {
    for (auto& one : waiting_) {
        if (one.id == id) {
            return &one;
        }
    }
    return nullptr;
}

naive_fetch_queue::source* naive_fetch_queue::find_source(peer_url const& url) {
    for (auto& one : sources_) {
        if (one.url == url) {
            return &one;
        }
    }
    return nullptr;
}

bool naive_fetch_queue::is_doubtful(waiting const& of, peer_url const& url) {
    return of.unanswered_by == url || find_source(url)->silences > 0;
}

void naive_fetch_queue::restand(waiting& of) {
    bool const all_doubtful = std::all_of(of.claims.begin(), of.claims.end(),
                                          [&](claim const& one) { return is_doubtful(of, one.source); });
    for (auto& one : of.claims) {
        auto wanted = standing::resting;
        if (of.now == phase::ready) {
            bool const gives_way =
                all_doubtful ? of.unanswered_by == one.source : is_doubtful(of, one.source);
            wanted = gives_way && of.claims.size() > 1 ? standing::spare : standing::ready;
        }
        if (one.in != wanted) {
            one.in = wanted;
            one.ticket = ++tickets_;
        }
    }
}

/// Sources that claim nothing any more are forgotten.
void naive_fetch_queue::tidy() {
    std::erase_if(sources_, [&](source const& one) {
        return std::none_of(waiting_.begin(), waiting_.end(), [&](waiting const& of) {
            return std::any_of(of.claims.begin(), of.claims.end(),
                               [&](claim const& with) { return with.source == one.url; });
        });
    });
}

void naive_fetch_queue::give_up(op_id const& id) {
    ++totals_.given_up;
    if (given_up_.size() < limits_.ids_max) {
        given_up_.push_back(id);
    }
    std::erase_if(waiting_, [&](waiting const& one) { return one.id == id; });
    tidy();
}

void naive_fetch_queue::lose(op_id const& id, peer_url const& url) {
    waiting& of = *find(id);
    if (of.asked_of == url) {
        of.now = phase::ready;
        of.asked_of.reset();
        --of.attempts;
    }
    if (of.unanswered_by == url) {
        of.unanswered_by.reset();
    }
    std::erase_if(of.claims, [&](claim const& one) { return one.source == url; });
    if (of.claims.empty()) {
        give_up(id);
        return;
    }
    restand(of);
    tidy();
}

/// A place for a claim of `url` on this id: a free one, or that of a doubtful peer if `url` is not.
bool naive_fetch_queue::make_place(waiting& of, peer_url const& url) {
    if (of.claims.size() < limits_.sources_max) {
        return true;
    }
    claim const* out = nullptr;
    for (auto const& one : of.claims) {
        bool const may_go = !is_doubtful(of, url) && is_doubtful(of, one.source) && of.asked_of != one.source;
        if (may_go && (!out || find_source(one.source)->turn < find_source(out->source)->turn)) {
            out = &one;
        }
    }
    if (!out) {
        return false;
    }
    if (of.unanswered_by == out->source) {
        of.unanswered_by.reset();
    }
    of.claims.erase(of.claims.begin() + (out - of.claims.data()));
    return true;
}

void naive_fetch_queue::forget(peer_url const& url) {
    std::vector<std::tuple<standing, std::uint64_t, op_id>> claimed;
    for (auto const& of : waiting_) {
        for (auto const& one : of.claims) {
            if (one.source == url) {
                claimed.emplace_back(one.in, one.ticket, of.id);
            }
        }
    }
    std::sort(claimed.begin(), claimed.end());
    for (auto const& [in, ticket, id] : claimed) {
        lose(id, url);
    }
}

std::vector<op_id> naive_fetch_queue::members(std::uint64_t group) const {
    std::vector<std::pair<std::uint64_t, op_id>> found;
    for (auto const& one : waiting_) {
        if (one.now != phase::ready && one.group == group) {
            found.emplace_back(one.group_ticket, one.id);
        }
    }
    std::sort(found.begin(), found.end());
    std::vector<op_id> ids;
    for (auto const& [ticket, id] : found) {
        ids.push_back(id);
    }
    return ids;
}

std::size_t naive_fetch_queue::requests_to(peer_url const& url) const {
    std::set<std::uint64_t> requests;
    for (auto const& one : waiting_) {
        if (one.asked_of == url) {
            requests.insert(one.group);
        }
    }
    return requests.size();
}

bool naive_fetch_queue::has_place(source const& of) const {
    return requests_to(of.url) < (of.silences > 0 ? 1 : limits_.requests_per_peer_max);
}

void naive_fetch_queue::pause(waiting& of) {
    auto length = std::min(limits_.backoff_min, limits_.backoff_max);
    for (std::size_t repeat = 1; repeat < of.attempts; ++repeat) {
        length = std::min(length * 2, limits_.backoff_max);
    }
    of.asked_of.reset();
    of.until = clock_ + length;
    of.group = 0;
    for (auto const& other : waiting_) {
        if (&other != &of && other.now == phase::paused && other.until == of.until) {
            of.group = other.group;
        }
    }
    if (of.group == 0) {
        of.group = ++groups_;
    }
    of.group_ticket = ++tickets_;
    of.now = phase::paused;
    restand(of);
    tidy();
}

void naive_fetch_queue::time_out(std::uint64_t group, peer_url const& url) {
    source& from = *find_source(url);
    auto const ids = members(group);
    if (find(ids.front())->until - limits_.request_timeout >= from.silent_at) {
        ++from.silences;
        from.silent_at = clock_;
    }
    bool const is_lost = from.silences >= limits_.attempts_max;
    for (auto const& id : ids) {
        ++totals_.timed_out;
        waiting& of = *find(id);
        if (of.attempts >= limits_.attempts_max) {
            give_up(id);
        } else {
            of.unanswered_by = url;
            pause(of);
        }
    }
    if (is_lost && find_source(url)) {
        silenced_.push_back(url);
        forget(url);
    }
}

void naive_fetch_queue::expire() {
    for (;;) {
        waiting const* first = nullptr;
        for (auto const& one : waiting_) {
            bool const sooner =
                !first || std::pair(one.until, one.group) < std::pair(first->until, first->group);
            if (one.now != phase::ready && one.until <= clock_ && sooner) {
                first = &one;
            }
        }
        if (!first) {
            return;
        }
        if (first->asked_of) {
            time_out(first->group, peer_url(*first->asked_of));
            continue;
        }
        for (auto const& id : members(first->group)) {
            waiting& of = *find(id);
            of.now = phase::ready;
            restand(of);
        }
    }
}

naive_fetch_queue::source* naive_fetch_queue::next_source(standing in) {
    source* next = nullptr;
    for (auto& one : sources_) {
        bool has_some = false;
        for (auto const& of : waiting_) {
            for (auto const& with : of.claims) {
                has_some = has_some || (with.source == one.url && with.in == in);
            }
        }
        if (has_some && has_place(one) && (!next || one.turn < next->turn)) {
            next = &one;
        }
    }
    return next;
}

fetch_queue::request naive_fetch_queue::send(source& to, standing in) {
    fetch_queue::request sent;
    sent.to = to.url;
    to.turn = ++turns_;
    std::uint64_t const group = ++groups_;
    std::vector<std::pair<std::uint64_t, op_id>> open;
    for (auto const& of : waiting_) {
        for (auto const& with : of.claims) {
            if (with.source == to.url && with.in == in) {
                open.emplace_back(with.ticket, of.id);
            }
        }
    }
    std::sort(open.begin(), open.end());
    std::size_t ids_max = limits_.ids_per_request_max;
    for (std::size_t i = 0; i < to.silences; ++i) {
        ids_max = std::max<std::size_t>(ids_max / 2, 1);
    }
    if (in == standing::spare && to.silences > 0) {
        ids_max = 1;
    }
    open.resize(std::min(open.size(), ids_max));
    for (auto const& [ticket, id] : open) {
        waiting& of = *find(id);
        ++of.attempts;
        of.now = phase::asked;
        of.asked_of = to.url;
        of.group = group;
        of.group_ticket = ++tickets_;
        of.asked_at = clock_;
        of.until = clock_ + limits_.request_timeout;
        restand(of);
        sent.ids.push_back(id);
    }
    totals_.requested += sent.ids.size();
    return sent;
}

std::size_t naive_fetch_queue::add(std::span<const op_id> ids, peer_url const& url, arc::timestamp now) {
    advance(now);
    if (!find_source(url) && !ids.empty()) {
        sources_.push_back({url, ++turns_, 0, {}});
    }
    std::size_t dropped = 0;
    for (auto const& id : ids) {
        if (!find(id)) {
            auto const claims = std::count_if(waiting_.begin(), waiting_.end(), [&](waiting const& of) {
                return std::any_of(of.claims.begin(), of.claims.end(),
                                   [&](claim const& one) { return one.source == url; });
            });
            if (static_cast<std::size_t>(claims) + waiting_.size() >= limits_.ids_max) {
                ++dropped;
                continue;
            }
            waiting_.emplace_back();
            waiting_.back().id = id;
        }
        waiting& of = *find(id);
        bool const known = std::any_of(of.claims.begin(), of.claims.end(),
                                       [&](claim const& one) { return one.source == url; });
        if (!known && make_place(of, url)) {
            of.claims.push_back({url, standing::resting, ++tickets_});
            if (of.now == phase::paused && !is_doubtful(of, url)) {
                of.now = phase::ready;
            }
            restand(of);
        }
    }
    tidy();
    totals_.dropped += dropped;
    return dropped;
}

bool naive_fetch_queue::wants(op_id const& id) const {
    return std::any_of(waiting_.begin(), waiting_.end(), [&](waiting const& one) { return one.id == id; });
}

void naive_fetch_queue::held(std::span<const op_id> ids) {
    for (auto const& id : ids) {
        std::erase_if(waiting_, [&](waiting const& one) { return one.id == id; });
    }
    tidy();
}

void naive_fetch_queue::progress(peer_url const& url, std::span<const op_id> ids, arc::timestamp now) {
    advance(now);
    source* const from = find_source(url);
    bool owed = false;
    for (auto const& id : ids) {
        waiting const* const of = find(id);
        owed = owed || (of && (of->asked_of == url || of->unanswered_by == url));
    }
    if (!from || !owed) {
        return;
    }
    from->silences = 0;
    for (auto& one : waiting_) {
        if (one.asked_of == url) {
            auto const until =
                std::min(clock_ + limits_.request_timeout, one.asked_at + limits_.answer_timeout);
            one.until = std::max(one.until, until);
        }
    }
}

void naive_fetch_queue::not_from(std::span<const op_id> ids, peer_url const& url, arc::timestamp now) {
    advance(now);
    for (auto const& id : ids) {
        waiting const* const of = find(id);
        if (of && std::any_of(of->claims.begin(), of->claims.end(),
                              [&](claim const& one) { return one.source == url; })) {
            lose(id, url);
        }
    }
}

void naive_fetch_queue::unreachable(peer_url const& url, arc::timestamp now) {
    advance(now);
    forget(url);
}

std::vector<fetch_queue::request> naive_fetch_queue::due(arc::timestamp now) {
    advance(now);
    expire();
    std::vector<fetch_queue::request> requests;
    for (auto const in : {standing::ready, standing::spare}) {
        while (source* const to = next_source(in)) {
            requests.push_back(send(*to, in));
        }
    }
    return requests;
}

std::optional<arc::timestamp> naive_fetch_queue::next_due_at() const {
    auto* const self = const_cast<naive_fetch_queue*>(this);
    if (self->next_source(standing::ready) || self->next_source(standing::spare)) {
        return now_;
    }
    std::optional<arc::timestamp> next;
    for (auto const& one : waiting_) {
        if (one.now != phase::ready) {
            auto const at = *now_ + std::max(one.until - clock_, std::chrono::microseconds(0));
            next = next ? std::min(*next, at) : at;
        }
    }
    return next;
}

std::vector<op_id> naive_fetch_queue::take_given_up() {
    return std::exchange(given_up_, {});
}

std::vector<peer_url> naive_fetch_queue::take_silenced() {
    return std::exchange(silenced_, {});
}

}  // namespace opstore::gossip::testing
