#include <gossip/round/round_table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <limits>

namespace opstore::gossip {
namespace {

session_id const& session_of(gossip_message const& m) {
    return std::visit([](auto const& any) -> session_id const& { return any.session; }, m);
}

}  // namespace

round_table::round_table(round_limits limits, std::uint64_t seed)
    : limits_(limits), random_(seed), begun_here_(limits), begun_there_(limits) {}

bool round_table::may_initiate(peer_url const& to, arc::timestamp now) {
    return !accepted_.contains(to) && begun_here_.allows(to, now);
}

round_step round_table::initiate(peer_url const& to, other_side other, round_view const& view,
                                 arc::timestamp now) {
    assert(may_initiate());
    session_id session;
    std::ranges::generate(session, [&] { return static_cast<std::byte>(random_.next() & 0xff); });
    auto const tie = std::max<std::uint32_t>(1, random_.u32());
    begun_here_.count(to, now);
    initiated_.emplace(initiated{to, initiated_round(session, tie, std::move(other)), now});
    round_step step;
    step.role = round_role::initiator;
    step.actions = initiated_->round.begin(view, now);
    return step;
}

protocol_result<void> round_table::check(peer_url const& from, initiate_message const& m,
                                         arc::timestamp now) {
    if (!m.arcs) {
        return protocol_error(protocol_errc::malformed, "no arc set in initiate message");
    }
    if (initiated_ && initiated_->with == from && !initiated_->round.awaits_accept()) {
        return protocol_error(protocol_errc::unexpected, "Initiate in the middle of our round with it");
    }
    auto const before = accepted_.find(from);
    if (before != accepted_.end() && before->second.round.session() == m.session) {
        return protocol_error(protocol_errc::unexpected, "Initiate again for the same round");
    }
    if (!begun_there_.allows(from, now)) {
        return protocol_error(protocol_errc::too_soon, "initiate too soon");
    }
    return {};
}

protocol_result<round_step> round_table::begin_accepted(peer_url const& from, initiate_message const& m,
                                                        std::function<other_side()> const& other,
                                                        round_view const& view, arc::timestamp now) {
    if (auto const checked = check(from, m, now); !checked) {
        return checked.error();
    }
    begun_there_.count(from, now);
    round_step step;
    step.role = round_role::acceptor;
    if (initiated_ && initiated_->with == from) {
        // Both began at once: the higher tie breaker goes on, and the other side comes to the same result.
        if (initiated_->round.tie_breaker() > m.tie_breaker) {
            return step;
        }
        initiated_.reset();
        step.superseded = true;
    }
    // A peer has one round of its own at a time, so the old one is over; it may have crashed.
    accepted_.erase(from);
    if (limits_.accepted_rounds_max > 0 && accepted_.size() >= limits_.accepted_rounds_max) {
        busy_message busy;
        busy.session = m.session;
        step.actions.emplace_back(send_message{busy});
        return step;
    }
    auto& begun = accepted_.emplace(from, accepted{accepted_round(m, other()), now}).first->second;
    step.actions = begun.round.begin(view, now);
    step.begun = true;
    return step;
}

protocol_result<round_step> round_table::receive(peer_url const& from, gossip_message const& m,
                                                 std::function<other_side()> const& other,
                                                 round_view const& view, arc::timestamp now) {
    if (auto const* initiate = std::get_if<initiate_message>(&m)) {
        return begin_accepted(from, *initiate, other, view, now);
    }
    auto const& session = session_of(m);
    auto const theirs = accepted_.find(from);
    protocol_result<round_actions> actions = round_actions();
    round_step step;
    if (initiated_ && initiated_->with == from && initiated_->round.session() == session) {
        step.role = round_role::initiator;
        actions = initiated_->round.receive(m, view, now);
        initiated_->heard_at = actions ? now : initiated_->heard_at;
    } else if (theirs != accepted_.end() && theirs->second.round.session() == session) {
        step.role = round_role::acceptor;
        actions = theirs->second.round.receive(m, view, now);
        theirs->second.heard_at = actions ? now : theirs->second.heard_at;
    } else {
        return protocol_error(protocol_errc::wrong_session,
                              fmt::format("no round of this session with {}", from));
    }
    if (!actions) {
        return actions.error();
    }
    step.actions = std::move(*actions);
    forget_ended();
    return step;
}

round_step round_table::answer(round_role role, peer_url const& with, round_answer answer,
                               round_view const& view, arc::timestamp now) {
    round_step step;
    step.role = role;
    if (role == round_role::initiator) {
        if (!initiated_ || initiated_->with != with) {
            return step;
        }
        step.actions = initiated_->round.answer(std::move(answer), view, now);
    } else {
        auto const found = accepted_.find(with);
        if (found == accepted_.end()) {
            return step;
        }
        step.actions = found->second.round.answer(std::move(answer), view, now);
    }
    forget_ended();
    return step;
}

void round_table::forget_ended() {
    if (initiated_ && initiated_->round.ended()) {
        initiated_.reset();
    }
    std::erase_if(accepted_, [](auto const& entry) { return entry.second.round.ended(); });
}

std::vector<round_table::ended> round_table::time_out(arc::timestamp now) {
    std::vector<ended> late;
    auto const is_late = [&](arc::timestamp heard_at) {
        return now >= heard_at + limits_.timeout || now < heard_at - limits_.timeout;
    };
    if (initiated_ && is_late(initiated_->heard_at)) {
        late.push_back({round_role::initiator, initiated_->with, initiated_->round.session(),
                        initiated_->round.awaits_accept()});
        initiated_.reset();
    }
    std::erase_if(accepted_, [&](auto const& entry) {
        bool const gone = is_late(entry.second.heard_at);
        if (gone) {
            late.push_back({round_role::acceptor, entry.first, entry.second.round.session(), false});
        }
        return gone;
    });
    return late;
}

std::optional<arc::timestamp> round_table::next_timeout_at() const {
    std::optional<arc::timestamp> first;
    if (initiated_) {
        first = initiated_->heard_at;
    }
    for (auto const& [url, round] : accepted_) {
        first = first ? std::min(*first, round.heard_at) : round.heard_at;
    }
    return first ? std::optional(*first + limits_.timeout) : std::nullopt;
}

std::vector<round_table::ended> round_table::drop(peer_url const& with) {
    std::vector<ended> gone;
    if (initiated_ && initiated_->with == with) {
        gone.push_back(
            {round_role::initiator, with, initiated_->round.session(), initiated_->round.awaits_accept()});
        initiated_.reset();
    }
    if (auto const found = accepted_.find(with); found != accepted_.end()) {
        gone.push_back({round_role::acceptor, with, found->second.round.session(), false});
        accepted_.erase(found);
    }
    return gone;
}

}  // namespace opstore::gossip
