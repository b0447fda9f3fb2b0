#include <gossip/fetch/fetch_queue.hpp>

#include <gossip/fetch/detail/slot_table.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace opstore::gossip {

using namespace detail;

namespace {

/// The ids that wait for the same moment: those of one request, or those that pause to the same end.
struct group {
    chain members;
    arc::timestamp opened_at;
    arc::timestamp at;
    std::uint64_t serial = 0;
    index source = none;  ///< None: a pause.
};

struct source_state {
    std::map<peer_url, index>::const_iterator name;
    std::array<chain, standing_count> lists;
    std::vector<index> requests;  ///< Groups.
    std::size_t claims = 0;
    /// The place in the order of asking: grows each time that the source is asked.
    std::uint64_t turn = 0;
    /// Since it answered last: time-outs, where requests that were under way together count once.
    std::uint64_t silences = 0;
    arc::timestamp silent_at;    ///< When the last one was counted.
    std::array<bool, 2> open{};  ///< By standing: in the order of asking.
};

}  // namespace

class fetch_queue::state {
public:
    explicit state(fetch_limits limits)
        : limits_(limits), slots_(limits.sources_max), slots_by_id_(by_id{&slots_}) {
        assert(limits.sources_max >= 1 && limits.sources_max <= std::numeric_limits<std::uint8_t>::max());
        // A claim's name fits into an index.
        assert(limits.ids_max <= none / limits.sources_max - slot_table::block_slots);
        assert(limits.ids_per_request_max >= 1 && limits.requests_per_peer_max >= 1);
        assert(limits.attempts_max >= 1);
    }

    std::size_t add(std::span<const op_id> ids, peer_url const& url, arc::timestamp now);
    bool wants(op_id const& id) const { return slots_by_id_.contains(id); }
    void held(std::span<const op_id> ids);
    void progress(peer_url const& url, std::span<const op_id> ids, arc::timestamp now);
    void not_from(std::span<const op_id> ids, peer_url const& url, arc::timestamp now);
    void unreachable(peer_url const& url, arc::timestamp now);
    std::vector<request> due(arc::timestamp now);
    std::optional<arc::timestamp> next_due_at() const;
    std::size_t size() const { return slots_by_id_.size(); }
    std::vector<op_id> take_given_up() { return std::exchange(given_up_, {}); }
    counters const& totals() const { return totals_; }

private:
    auto group_links() {
        return [this](index slot) -> links& { return slots_.at(slot).in_group; };
    }
    auto claim_links() {
        return [this](index name) -> links& { return slots_.claim_at(name).in_list; };
    }
    chain& list_at(index list) { return sources_[list / standing_count].lists[list % standing_count]; }

    void advance(arc::timestamp now);

    index source_named(peer_url const& url);
    void drop_source_if_unused(index source);
    void forget_source(index source);
    void set_open(index source, standing which, bool open);
    void reopen(index source);

    void add_claim(index slot, index source);
    void remove_claim(index slot, index name);
    void lose_source(index slot, index name);
    index doubtful_claim(index slot);
    bool owes(index source, op_id const& id) const;
    bool is_asked_of(entry const& of, index source) const {
        return of.now == phase::asked && groups_[of.group].source == source;
    }
    bool is_doubtful(entry const& of, index source) const {
        return of.unanswered_by == source || sources_[source].silences > 0;
    }
    void place(index slot);
    void place(index slot, phase next);

    index open_group(arc::timestamp at, index source);
    void close_group(index number);
    void join(index slot, index group);
    void detach(index slot);

    void leave(index slot);
    void give_up(index slot);
    void pause(index slot);
    void time_out(index group);
    void expire();
    request send(index source, standing from);

    fetch_limits const limits_;

    slot_table slots_;
    std::set<index, by_id> slots_by_id_;

    std::vector<source_state> sources_;
    std::vector<index> free_sources_;
    std::map<peer_url, index> sources_by_url_;
    /// Who has a place for one more request and ids in its list `ready`, or `spare`: whose turn it is first.
    std::array<std::set<std::pair<std::uint64_t, index>>, 2> open_;
    std::uint64_t turns_ = 0;

    std::vector<group> groups_;
    std::vector<index> free_groups_;
    std::set<std::tuple<arc::timestamp, std::uint64_t, index>> groups_by_time_;
    std::map<arc::timestamp, index> pauses_;
    std::uint64_t serials_ = 0;

    /// The last time that a caller named, and a clock that advances with it but never goes back: a caller's
    /// clock that is set back must not make every request wait for as long as that.
    std::optional<arc::timestamp> now_;
    arc::timestamp clock_;

    std::vector<op_id> given_up_;
    counters totals_;
};

void fetch_queue::state::advance(arc::timestamp now) {
    if (now_ && now > *now_) {
        clock_ += now - *now_;
    }
    now_ = now;
}

index fetch_queue::state::source_named(peer_url const& url) {
    auto const [name, is_new] = sources_by_url_.try_emplace(url, none);
    if (is_new) {
        if (free_sources_.empty()) {
            free_sources_.push_back(static_cast<index>(sources_.size()));
            sources_.emplace_back();
        }
        name->second = free_sources_.back();
        free_sources_.pop_back();
        source_state& fresh = sources_[name->second];
        fresh = source_state();
        fresh.name = name;
        fresh.turn = ++turns_;
    }
    return name->second;
}

void fetch_queue::state::drop_source_if_unused(index source) {
    // A request holds only ids that its source has a claim on, so no claims means no requests.
    if (sources_[source].claims == 0) {
        assert(sources_[source].requests.empty());
        sources_by_url_.erase(sources_[source].name);
        free_sources_.push_back(source);
    }
}

void fetch_queue::state::set_open(index source, standing which, bool open) {
    auto const at = static_cast<std::size_t>(which);
    source_state& of = sources_[source];
    if (std::exchange(of.open[at], open) == open) {
        return;
    }
    if (open) {
        open_[at].emplace(of.turn, source);
    } else {
        open_[at].erase({of.turn, source});
    }
}

void fetch_queue::state::reopen(index source) {
    std::size_t const places = sources_[source].silences > 0 ? 1 : limits_.requests_per_peer_max;
    bool const has_place = sources_[source].requests.size() < places;
    for (auto const which : {standing::ready, standing::spare}) {
        set_open(source, which, has_place && !list_at(list_of(source, which)).empty());
    }
}

void fetch_queue::state::add_claim(index slot, index source) {
    entry& of = slots_.at(slot);
    index free = none;
    for (index number = 0; number < slots_.claims_each(); ++number) {
        index const name = slots_.claim_name(slot, number);
        claim const& with = slots_.claim_at(name);
        if (with.list == none) {
            free = name;
        } else if (with.source() == source) {
            return;
        }
    }
    if (free == none && !is_doubtful(of, source)) {
        // A few peers that name every id and give none must not shut out the others.
        free = doubtful_claim(slot);
        if (free != none) {
            remove_claim(slot, free);
        }
    }
    if (free == none) {
        return;  // Enough others have it.
    }
    ++of.claim_count;
    ++sources_[source].claims;
    // Into any list: place() knows the right one, also for the claims that were there before.
    index const resting = list_of(source, standing::resting);
    slots_.claim_at(free).list = resting;
    list_at(resting).append(free, claim_links());
    if (of.now == phase::paused && !is_doubtful(of, source)) {
        // The pause was for the sake of those that did not answer.
        detach(slot);
        of.now = phase::ready;
    }
    place(slot);
}

void fetch_queue::state::remove_claim(index slot, index name) {
    index const list = std::exchange(slots_.claim_at(name).list, none);
    index const source = list / standing_count;
    list_at(list).unlink(name, claim_links());
    entry& of = slots_.at(slot);
    --of.claim_count;
    --sources_[source].claims;
    if (of.unanswered_by == source) {
        of.unanswered_by = none;
    }
    reopen(source);
    drop_source_if_unused(source);
}

/// Whether an answer of this source for this id was asked for; it may come after its time.
bool fetch_queue::state::owes(index source, op_id const& id) const {
    auto const known = slots_by_id_.find(id);
    if (known == slots_by_id_.end()) {
        return false;
    }
    entry const& of = slots_.at(*known);
    return of.unanswered_by == source || is_asked_of(of, source);
}

/// Each claim of this id into the list that it belongs to, at the end if it was in another.
void fetch_queue::state::place(index slot) {
    entry const& of = slots_.at(slot);
    bool others_answer = false;
    for (index number = 0; number < slots_.claims_each(); ++number) {
        claim const& with = slots_.claim_at(slots_.claim_name(slot, number));
        others_answer = others_answer || (with.list != none && !is_doubtful(of, with.source()));
    }
    for (index number = 0; number < slots_.claims_each(); ++number) {
        index const name = slots_.claim_name(slot, number);
        claim& with = slots_.claim_at(name);
        if (with.list == none) {
            continue;
        }
        index const source = with.source();
        auto which = standing::resting;
        if (of.now == phase::ready) {
            bool const gives_way = others_answer ? is_doubtful(of, source) : of.unanswered_by == source;
            which = gives_way && of.claim_count > 1 ? standing::spare : standing::ready;
        }
        if (index const wanted = list_of(source, which); with.list != wanted) {
            list_at(with.list).unlink(name, claim_links());
            list_at(wanted).append(name, claim_links());
            with.list = wanted;
            reopen(source);
        }
    }
}

void fetch_queue::state::place(index slot, phase next) {
    slots_.at(slot).now = next;
    place(slot);
}

/// A claim on this id by a doubtful source that is not being asked for it: of several, the one whose source
/// was asked for something longest ago. None if there is none.
index fetch_queue::state::doubtful_claim(index slot) {
    entry const& of = slots_.at(slot);
    index found = none;
    for (index number = 0; number < slots_.claims_each(); ++number) {
        index const name = slots_.claim_name(slot, number);
        claim const& with = slots_.claim_at(name);
        if (with.list == none || !is_doubtful(of, with.source()) || is_asked_of(of, with.source())) {
            continue;
        }
        if (found == none || sources_[with.source()].turn < sources_[slots_.claim_at(found).source()].turn) {
            found = name;
        }
    }
    return found;
}

/// The source of this claim does not have the id, or is gone. The request to it counts for nothing: peers
/// that announce an id which they do not give must not make it be given up while others have it.
void fetch_queue::state::lose_source(index slot, index name) {
    entry& of = slots_.at(slot);
    if (is_asked_of(of, slots_.claim_at(name).source())) {
        detach(slot);
        of.now = phase::ready;
        --of.attempts;
    }
    remove_claim(slot, name);
    if (of.claim_count == 0) {
        give_up(slot);
    } else {
        place(slot);
    }
}

void fetch_queue::state::forget_source(index source) {
    for (auto const which : {standing::ready, standing::spare, standing::resting}) {
        // By number each time: the source's place may be free after the last one.
        while (!sources_[source].lists[static_cast<index>(which)].empty()) {
            index const name = sources_[source].lists[static_cast<index>(which)].first;
            lose_source(slots_.slot_of(name), name);
        }
    }
}

index fetch_queue::state::open_group(arc::timestamp at, index source) {
    if (free_groups_.empty()) {
        free_groups_.push_back(static_cast<index>(groups_.size()));
        groups_.emplace_back();
    }
    index const number = free_groups_.back();
    free_groups_.pop_back();
    groups_[number] = {chain(), clock_, at, ++serials_, source};
    groups_by_time_.emplace(at, serials_, number);
    return number;
}

void fetch_queue::state::close_group(index number) {
    group const& closed = groups_[number];
    groups_by_time_.erase({closed.at, closed.serial, number});
    if (closed.source == none) {
        pauses_.erase(closed.at);
    } else {
        std::erase(sources_[closed.source].requests, number);
        reopen(closed.source);
    }
    free_groups_.push_back(number);
}

void fetch_queue::state::join(index slot, index number) {
    slots_.at(slot).group = number;
    groups_[number].members.append(slot, group_links());
}

void fetch_queue::state::detach(index slot) {
    index const number = std::exchange(slots_.at(slot).group, none);
    if (number == none) {
        return;
    }
    groups_[number].members.unlink(slot, group_links());
    if (groups_[number].members.empty()) {
        close_group(number);
    }
}

void fetch_queue::state::leave(index slot) {
    detach(slot);
    for (index number = 0; number < slots_.claims_each(); ++number) {
        index const name = slots_.claim_name(slot, number);
        if (slots_.claim_at(name).list != none) {
            remove_claim(slot, name);
        }
    }
    slots_by_id_.erase(slot);
    slots_.give_back(slot);
}

void fetch_queue::state::give_up(index slot) {
    ++totals_.given_up;
    // Who never takes them must not fill the memory.
    if (given_up_.size() < limits_.ids_max) {
        given_up_.push_back(slots_.at(slot).id);
    }
    leave(slot);
}

void fetch_queue::state::pause(index slot) {
    auto length = std::min(limits_.backoff_min, limits_.backoff_max);
    for (std::uint32_t doubled = 1; doubled < slots_.at(slot).attempts && length < limits_.backoff_max;
         ++doubled) {
        length = length > limits_.backoff_max / 2 ? limits_.backoff_max : length * 2;
    }
    auto const until = clock_ + length;
    auto const [at, is_new] = pauses_.try_emplace(until, none);
    if (is_new) {
        at->second = open_group(until, none);
    }
    join(slot, at->second);
    place(slot, phase::paused);
}

void fetch_queue::state::time_out(index number) {
    index const source = groups_[number].source;
    if (groups_[number].at - limits_.request_timeout >= sources_[source].silent_at) {
        ++sources_[source].silences;
        sources_[source].silent_at = clock_;
    }
    bool const is_lost = sources_[source].silences >= limits_.attempts_max;
    for (index slot = groups_[number].members.first; slot != none;) {
        index const next = slots_.at(slot).in_group.next;
        ++totals_.timed_out;
        detach(slot);
        if (slots_.at(slot).attempts >= limits_.attempts_max) {
            give_up(slot);
        } else {
            slots_.at(slot).unanswered_by = source;
            pause(slot);
        }
        slot = next;
    }
    if (is_lost && sources_[source].claims > 0) {
        forget_source(source);
    }
}

void fetch_queue::state::expire() {
    while (!groups_by_time_.empty()) {
        auto const [at, serial, number] = *groups_by_time_.begin();
        if (at > clock_) {
            return;
        }
        if (groups_[number].source != none) {
            time_out(number);
            continue;
        }
        for (index slot = groups_[number].members.first; slot != none;) {
            index const next = slots_.at(slot).in_group.next;
            detach(slot);
            place(slot, phase::ready);
            slot = next;
        }
    }
}

fetch_queue::request fetch_queue::state::send(index source, standing from) {
    request sent;
    sent.to = sources_[source].name->first;
    set_open(source, standing::ready, false);
    set_open(source, standing::spare, false);
    sources_[source].turn = ++turns_;

    index const number = open_group(clock_ + limits_.request_timeout, source);
    sources_[source].requests.push_back(number);
    // What a silent peer is asked for is out of reach for as long: half as much each time, and of what others
    // have, one id that shows whether it is back.
    auto const halvings = std::min<std::uint64_t>(sources_[source].silences, 63);
    bool const is_probe = halvings > 0 && from == standing::spare;
    std::size_t const ids_max =
        is_probe ? 1 : std::max<std::size_t>(limits_.ids_per_request_max >> halvings, 1);
    chain const& list = list_at(list_of(source, from));
    while (!list.empty() && sent.ids.size() < ids_max) {
        index const slot = slots_.slot_of(list.first);
        entry& asked = slots_.at(slot);
        ++asked.attempts;
        sent.ids.push_back(asked.id);
        join(slot, number);
        place(slot, phase::asked);
    }
    totals_.requested += sent.ids.size();
    reopen(source);
    return sent;
}

std::size_t fetch_queue::state::add(std::span<const op_id> ids, peer_url const& url, arc::timestamp now) {
    advance(now);
    if (ids.empty()) {
        return 0;
    }
    std::size_t dropped = 0;
    index const source = source_named(url);
    for (auto const& id : ids) {
        auto known = slots_by_id_.find(id);
        if (known == slots_by_id_.end()) {
            if (sources_[source].claims >= limits_.ids_max - slots_by_id_.size()) {
                ++dropped;
                continue;
            }
            known = slots_by_id_.insert(slots_.take(id)).first;
        }
        add_claim(*known, source);
    }
    drop_source_if_unused(source);
    totals_.dropped += dropped;
    return dropped;
}

void fetch_queue::state::held(std::span<const op_id> ids) {
    for (auto const& id : ids) {
        if (auto const known = slots_by_id_.find(id); known != slots_by_id_.end()) {
            leave(*known);
        }
    }
}

void fetch_queue::state::progress(peer_url const& url, std::span<const op_id> ids, arc::timestamp now) {
    advance(now);
    auto const known = sources_by_url_.find(url);
    if (known == sources_by_url_.end() ||
        std::ranges::none_of(ids, [&](op_id const& id) { return owes(known->second, id); })) {
        return;
    }
    source_state& source = sources_[known->second];
    source.silences = 0;
    reopen(known->second);
    for (index const number : source.requests) {
        group& extended = groups_[number];
        auto const at =
            std::min(clock_ + limits_.request_timeout, extended.opened_at + limits_.answer_timeout);
        groups_by_time_.erase({extended.at, extended.serial, number});
        extended.at = std::max(extended.at, at);
        groups_by_time_.emplace(extended.at, extended.serial, number);
    }
}

void fetch_queue::state::not_from(std::span<const op_id> ids, peer_url const& url, arc::timestamp now) {
    advance(now);
    for (auto const& id : ids) {
        // Each time anew: the source goes with its last claim.
        auto const source = sources_by_url_.find(url);
        auto const known = slots_by_id_.find(id);
        if (source == sources_by_url_.end() || known == slots_by_id_.end()) {
            continue;
        }
        for (index number = 0; number < slots_.claims_each(); ++number) {
            index const name = slots_.claim_name(*known, number);
            claim const& with = slots_.claim_at(name);
            if (with.list != none && with.source() == source->second) {
                lose_source(*known, name);
                break;
            }
        }
    }
}

void fetch_queue::state::unreachable(peer_url const& url, arc::timestamp now) {
    advance(now);
    if (auto const known = sources_by_url_.find(url); known != sources_by_url_.end()) {
        forget_source(known->second);
    }
}

std::vector<fetch_queue::request> fetch_queue::state::due(arc::timestamp now) {
    advance(now);
    expire();
    std::vector<request> requests;
    for (auto const from : {standing::ready, standing::spare}) {
        auto const& open = open_[static_cast<index>(from)];
        while (!open.empty()) {
            requests.push_back(send(open.begin()->second, from));
        }
    }
    return requests;
}

std::optional<arc::timestamp> fetch_queue::state::next_due_at() const {
    if (!open_[0].empty() || !open_[1].empty()) {
        return now_;
    }
    if (groups_by_time_.empty()) {
        return std::nullopt;
    }
    auto const at = std::get<arc::timestamp>(*groups_by_time_.begin());
    return *now_ + std::max(at - clock_, std::chrono::microseconds(0));
}

fetch_queue::fetch_queue(fetch_limits limits) : state_(std::make_unique<state>(limits)) {}
fetch_queue::~fetch_queue() = default;

std::size_t fetch_queue::add(std::span<const op_id> ids, peer_url const& source, arc::timestamp now) {
    return state_->add(ids, source, now);
}
bool fetch_queue::wants(op_id const& id) const {
    return state_->wants(id);
}
void fetch_queue::held(std::span<const op_id> ids) {
    state_->held(ids);
}
void fetch_queue::progress(peer_url const& source, std::span<const op_id> ids, arc::timestamp now) {
    state_->progress(source, ids, now);
}
void fetch_queue::not_from(std::span<const op_id> ids, peer_url const& source, arc::timestamp now) {
    state_->not_from(ids, source, now);
}
void fetch_queue::unreachable(peer_url const& source, arc::timestamp now) {
    state_->unreachable(source, now);
}
std::vector<fetch_queue::request> fetch_queue::due(arc::timestamp now) {
    return state_->due(now);
}
std::optional<arc::timestamp> fetch_queue::next_due_at() const {
    return state_->next_due_at();
}
std::size_t fetch_queue::size() const {
    return state_->size();
}
std::vector<op_id> fetch_queue::take_given_up() {
    return state_->take_given_up();
}
fetch_queue::counters const& fetch_queue::totals() const {
    return state_->totals();
}

}  // namespace opstore::gossip
