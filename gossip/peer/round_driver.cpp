#include <gossip/peer/detail/peer_state.hpp>

#include <gossip/round/arc_growth.hpp>
#include <gossip/round/target_choice.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace asio = boost::asio;

namespace opstore::gossip {
namespace {

/// Slices hashed in one go when time has moved on; the next tick does the rest.
constexpr std::uint64_t sealed_at_once = 8;
/// The pause of a growing peer whose rounds bring nothing doubles so often at most.
constexpr std::uint32_t doublings_max = 16;

bool same_region(op_region const& a, op_region const& b) {
    return a.sector == b.sector && a.range == b.range;
}

bool reads(round_action const& action) {
    return std::holds_alternative<read_new_ops>(action) ||
           std::holds_alternative<read_disc_details>(action) || std::holds_alternative<list_regions>(action);
}

}  // namespace

round_view peer::state::view() const {
    return {model_, agents_, own_agent_, own_info_, options_.target_arcs, options_.limits};
}

asio::awaitable<void> peer::state::initiate(arc::timestamp now) {
    auto const target = choose_target(now);
    // Whatever becomes of this round, the next one is planned; its end may plan it earlier.
    plan_next_round(now, !target && is_growing());
    if (!target) {
        co_return;
    }
    count_store_call("tail");
    auto const followed = co_await model_.follow(now);
    followed.value();
    auto& known = known_.of(*target);
    known.last_round_at = now;
    last_begun_at_ = now;
    brought_news_ = false;
    ++report_.rounds_initiated;
    auto step = rounds_.initiate(*target, known.rounds, view(), now);
    co_await perform(std::move(step), *target, now);
}

bool peer::state::overlaps(arc::dht_arc announced, acquaintance const* known) const {
    // What a peer named in a round is what it means to hold; its agent info says what it holds already.
    if (known && known->arcs) {
        return !known->arcs->intersection(options_.target_arcs).empty();
    }
    auto const announced_sectors = arc::arc_set::from_whole_sectors(announced);
    return announced_sectors && !announced_sectors->intersection(options_.target_arcs).empty();
}

std::optional<peer_url> peer::state::choose_target(arc::timestamp now) {
    // A newcomer announces no arc yet. If it knows nobody, it waits for us for ever, so it gets its chance
    // now and then, although nobody can tell whether it has anything in common with us.
    bool const newcomers_too = random_.one_in(4);
    std::map<peer_url, target_candidate> by_url;
    for (auto const* agent : agents_.all(now)) {
        auto const& info = agent->info;
        if (!info.url || info.agent == own_agent_ || *info.url == options_.url || info.is_tombstone) {
            continue;
        }
        auto const* known = known_.find(*info.url);
        auto& candidate = by_url[*info.url];
        bool const newcomer = info.storage_arc.is_empty() && (!known || !known->arcs);
        candidate.overlaps =
            candidate.overlaps || (newcomer && newcomers_too) || overlaps(info.storage_arc, known);
        bool const reachable = !known || !known->unreachable_until || now >= *known->unreachable_until ||
                               now < *known->unreachable_until - options_.limits.timeout;
        candidate.usable = reachable && rounds_.may_initiate(*info.url, now);
        candidate.last_round = known ? known->last_round_at : std::nullopt;
        auto const completed = static_cast<std::size_t>(acquaintance_counter::completed_rounds);
        candidate.met = known && (known->arcs || known->counters[completed] > 0);
    }
    std::vector<target_candidate> candidates;
    std::vector<peer_url const*> urls;
    for (auto const& [url, candidate] : by_url) {
        candidates.push_back(candidate);
        urls.push_back(&url);
    }
    auto const chosen = gossip::choose_target(candidates, random_);
    return chosen ? std::optional(*urls[*chosen]) : std::nullopt;
}

asio::awaitable<void> peer::state::handle_gossip(peer_url const& from, gossip_message m, arc::timestamp now) {
    auto const* initiate = std::get_if<initiate_message>(&m);
    // What begins no round is refused before it costs a store call.
    if (initiate && rounds_.may_accept(from, *initiate, now)) {
        count_store_call("tail");
        auto const followed = co_await model_.follow(now);
        followed.value();
        known_.of(from).last_round_at = now;
        known_.changed(from);
    }
    auto const other = [&] { return known_.of(from).rounds; };
    auto step = rounds_.receive(from, m, other, view(), now);
    if (!step) {
        auto const error = step.error();
        if (initiate && error.code() == protocol_errc::too_soon) {
            busy_message busy;
            busy.session = initiate->session;
            send(from, gossip_message(busy));
        }
        // Of another session: the other side knows of no round with us. As in kitsune2, that ends them all.
        if (std::holds_alternative<terminate_message>(m)) {
            for (auto const& round : rounds_.drop(from)) {
                ended(round_outcome::terminated, round.role, from, now);
            }
        }
        refuse(from, error, now);
        co_return;
    }
    if (step->superseded) {
        ended(round_outcome::superseded, round_role::initiator, from, now);
    }
    if (step->begun) {
        ++report_.rounds_accepted;
    }
    co_await perform(std::move(*step), from, now);
}

asio::awaitable<void> peer::state::perform(round_step step, peer_url const& with, arc::timestamp now) {
    while (!step.actions.empty()) {
        auto const actions = std::move(step.actions);
        std::optional<round_answer> answer;
        for (auto const& action : actions) {
            if (reads(action)) {
                answer = co_await read(action);
            } else {
                co_await perform(action, step.role, with, now);
            }
        }
        if (!answer) {
            co_return;
        }
        step = rounds_.answer(step.role, with, std::move(*answer), view(), now);
    }
}

asio::awaitable<void> peer::state::perform(round_action const& action, round_role role, peer_url const& with,
                                           arc::timestamp now) {
    auto& known = known_.of(with);
    if (auto const* out = std::get_if<send_message>(&action)) {
        if (!send(with, out->what) && role == round_role::initiator &&
            std::holds_alternative<initiate_message>(out->what)) {
            lost(with, now);
        }
    } else if (auto const* listed = std::get_if<take_new_ops>(&action)) {
        bool all_fit = true;
        auto const missing = co_await fetch_missing(listed->ids, with, now, &all_fit);
        if (!listed->covers_common) {
            known.forget_bookmark();
        } else if (all_fit) {
            known_.listed_up_to(with, listed->bookmark, listed->common, missing);
        }
    } else if (auto const* found = std::get_if<take_ids>(&action)) {
        known.take_cursors(found->cut);
        bool all_fit = true;
        co_await fetch_missing(found->ids, with, now, &all_fit);
        brought_news_ = brought_news_ || !found->cut.empty();
    } else if (auto const* infos = std::get_if<take_agents>(&action)) {
        // No more than were asked for: each costs the check of a signature.
        auto const taken = std::min(infos->infos.size(), options_.limits.agents_per_message_max);
        for (std::size_t i = 0; i < taken; ++i) {
            take_agent(infos->infos[i], now);
        }
    } else if (auto const* arcs = std::get_if<take_arcs>(&action)) {
        known.arcs = arcs->arcs;
        known.op_count = arcs->op_count;
    } else if (auto const* synced = std::get_if<grow_arcs>(&action)) {
        grow_to(synced->synced, now);
    } else if (auto const* discs = std::get_if<note_disc_diff>(&action)) {
        known.rounds.disc_diff = discs->tops;
    } else if (auto const* end = std::get_if<end_round>(&action)) {
        ended(end->outcome, role, with, now);
    }
}

asio::awaitable<std::optional<round_answer>> peer::state::read(round_action const& action) {
    std::optional<round_answer> answer;
    if (auto const* page = std::get_if<read_new_ops>(&action)) {
        answer = co_await read_page(*page);
    } else if (auto const* disc = std::get_if<read_disc_details>(&action)) {
        count_store_call("disc_details");
        auto details = co_await model_.disc_details(disc->sectors, disc->layout);
        disc_details_read read;
        read.details = std::move(details.value());
        answer = std::move(read);
    } else {
        answer = co_await read_regions(std::get<list_regions>(action));
    }
    co_return answer;
}

asio::awaitable<new_ops_read> peer::state::read_page(read_new_ops wanted) {
    new_ops_read read;
    if (wanted.sectors.empty()) {
        read.page.next = wanted.since;
        co_return read;
    }
    count_store_call("new_ops");
    auto page = co_await store_.retrieve_op_ids_of_sectors(wanted.sectors, wanted.since, wanted.limit_bytes);
    read.page = std::move(page.value());
    // An op larger than the limit would stop the walk for ever: to who understands it, it goes alone.
    if (wanted.oversized_too && read.page.ids.empty() && read.page.next_op_bytes) {
        count_store_call("oversized_op");
        auto const alone = co_await store_.retrieve_op_ids_of_sectors(wanted.sectors, read.page.next,
                                                                      *read.page.next_op_bytes);
        auto const& found = alone.value();
        if (!found.ids.empty()) {
            read.oversized.push_back(found.ids.front());
            read.page.next =
                found.ids.size() == 1 ? found.next : read.page.next + std::chrono::microseconds(1);
        }
    }
    co_return read;
}

asio::awaitable<regions_listed> peer::state::read_regions(list_regions wanted) {
    regions_listed listed;
    if (wanted.regions.empty() || wanted.limit_bytes == 0) {
        co_return listed;
    }
    count_store_call("region_ids");
    auto const answers = co_await store_.retrieve_region_ids(wanted.regions, wanted.limit_bytes);
    std::vector<op_region> oversized;
    auto const& regions = answers.value();
    for (std::size_t i = 0; i < regions.size(); ++i) {
        auto const& region = regions[i];
        listed.ids.insert(listed.ids.end(), region.ids.begin(), region.ids.end());
        listed.bytes += region.taken ? region.bytes : 0;
        if (region.bytes > wanted.budget_bytes || region.op_count > op_store::page_ids_max) {
            oversized.push_back(wanted.regions[i]);
        }
    }
    if (!wanted.paged || oversized.empty() || listed.ids.size() >= op_store::page_ids_max) {
        co_return listed;
    }
    // A region that is larger than any round's budget comes in pages; of several, any has its turn.
    auto const& region = oversized[random_.below(oversized.size())];
    auto const cursor = std::ranges::find_if(
        wanted.resume, [&](region_cursor const& c) { return same_region(c.region, region); });
    std::optional<op_position> after;
    if (cursor != wanted.resume.end()) {
        after = cursor->after;
    }
    count_store_call("region_page");
    auto const page = co_await store_.retrieve_region_page(
        region, after, wanted.limit_bytes - std::min(listed.bytes, wanted.limit_bytes));
    listed.ids.insert(listed.ids.end(), page.value().ids.begin(), page.value().ids.end());
    listed.bytes += page.value().bytes;
    listed.cut.push_back({region, page.value().next});
    co_return listed;
}

void peer::state::grow_to(arc::arc_set const& synced, arc::timestamp now) {
    auto const grown = grow(current_arcs_, synced, options_.target_arcs);
    if (grown == current_arcs_) {
        return;
    }
    bool const announces_more = announced_arc(current_arcs_) != announced_arc(grown);
    current_arcs_ = grown;
    if (announces_more) {
        renew_own_info(now, true);
        announce();
    }
}

void peer::state::ended(round_outcome outcome, round_role role, peer_url const& with, arc::timestamp now) {
    auto& known = known_.of(with);
    auto const bump = [&](acquaintance_counter counter) {
        ++known.counters[static_cast<std::size_t>(counter)];
        known_.changed(with);
    };
    switch (outcome) {
        case round_outcome::completed:
            ++report_.rounds_completed;
            bump(acquaintance_counter::completed_rounds);
            break;
        case round_outcome::busy:
            bump(acquaintance_counter::peer_busy);
            break;
        case round_outcome::terminated:
            bump(acquaintance_counter::peer_terminated);
            break;
        case round_outcome::timed_out:
            ++report_.rounds_timed_out;
            bump(acquaintance_counter::peer_timeouts);
            break;
        case round_outcome::superseded:
            break;
    }
    if (role != round_role::initiator) {
        return;
    }
    idle_rounds_ =
        brought_news_ || outcome != round_outcome::completed ? 0 : std::min(idle_rounds_ + 1, doublings_max);
    // Another peer may do at once what this one could not, and what was found missing in one round is seldom
    // all; with nothing to gain the next round can wait.
    plan_next_round(now, brought_news_ || is_growing() || outcome == round_outcome::busy ||
                             outcome == round_outcome::timed_out);
}

/// Soon: as soon as the fetch is through, and after the short pause.
void peer::state::plan_next_round(arc::timestamp now, bool soon) {
    auto const jitter = options_.limits.jitter.count();
    auto const pause =
        options_.limits.interval +
        std::chrono::microseconds(jitter > 0 ? random_.below(static_cast<std::uint64_t>(jitter)) : 0);
    next_round_at_ = now + pause;
    hungry_ = soon;
    if (soon && fetch_.empty()) {
        auto const short_pause = options_.limits.initial_interval * (std::int64_t{1} << idle_rounds_);
        next_round_at_ = std::min(next_round_at_, now + short_pause);
    }
}

/// What a hungry peer waited for has come: the next round need not wait any longer.
void peer::state::hurry(arc::timestamp now) {
    if (hungry_) {
        next_round_at_ = std::min(next_round_at_, now + options_.limits.initial_interval);
    }
}

/// A clock that was set back must not put off the next round for as long as that.
void peer::state::keep_plan_near(arc::timestamp now) {
    next_round_at_ = std::min(next_round_at_, now + options_.limits.interval + options_.limits.jitter);
    last_begun_at_ = std::min(last_begun_at_, now);
}

void peer::state::ops_stored(arc::timestamp now) {
    brought_news_ = true;
    auto const at =
        std::max(now + options_.limits.initial_interval, last_begun_at_ + options_.limits.interval / 4);
    next_round_at_ = std::min(next_round_at_, at);
}

void peer::state::time_out(arc::timestamp now) {
    for (auto const& late : rounds_.time_out(now)) {
        if (late.awaited_accept) {
            known_.of(late.with).unreachable_until = now + options_.limits.timeout;
        }
        ended(round_outcome::timed_out, late.role, late.with, now);
    }
}

/// Moves the slices that the store keeps on with time, as late as the model folds them: a model that starts
/// asks for that disc, and for a smaller one than is sealed the store would read the ops. A store whose clock
/// is behind seals later still; until then it computes them from what it has.
asio::awaitable<void> peer::state::seal(arc::timestamp now) {
    now -= summary_model::skew_max;
    auto const full = arc::full_slice_count(now, store_.options().slice_factor);
    if (store_.options().slices != slice_mode::store || full <= sealed_slices_) {
        co_return;
    }
    count_store_call("seal");
    auto const sealed = co_await store_.seal(now, sealed_at_once);
    if (sealed.value().sealed < sealed_at_once) {
        sealed_slices_ = full;
    }
}

}  // namespace opstore::gossip
