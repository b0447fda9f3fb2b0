#include <gossip/agents/address_book.hpp>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

namespace opstore::gossip {

address_book::address_book(std::vector<std::byte> space, verifier verify)
    : space_(std::move(space)), verify_(std::move(verify)) {
    assert(verify_);
}

protocol_result<agent_info> address_book::verify_signed(std::string const& signed_json) {
    return verify_agent_info(signed_json);
}

protocol_result<bool> address_book::add(std::string const& signed_json, arc::timestamp now, bool proven) {
    auto verified = verify_(signed_json);
    if (!verified) {
        return verified.error();
    }
    agent_info& info = *verified;
    if (info.space != space_) {
        return protocol_error(protocol_errc::other_space, "an agent info is of another space");
    }
    if (info.expires_at <= now) {
        return false;
    }
    info.expires_at = std::min(info.expires_at, now + lifetime_max);
    auto held = by_agent_.find(info.agent);
    if (held != by_agent_.end()) {
        auto& before = held->second;
        bool const holds = before.info.expires_at > now;
        proven = proven || (holds && before.proven);
        by_expiry_[before.proven].erase({before.info.expires_at, info.agent});
        if (holds && before.info.created_at >= info.created_at) {
            before.proven = proven;
            by_expiry_[proven].emplace(before.info.expires_at, info.agent);
            return false;
        }
    } else if (make_room(now, proven)) {
        held = by_agent_.try_emplace(info.agent).first;
    } else {
        return false;
    }
    by_expiry_[proven].emplace(info.expires_at, info.agent);
    held->second = {std::move(info), signed_json, proven};
    return true;
}

bool address_book::make_room(arc::timestamp now, bool proven) {
    if (by_agent_.size() >= agents_max) {
        expire(now);
    }
    if (by_agent_.size() < agents_max) {
        return true;
    }
    auto& unproven = by_expiry_[false];
    if (!proven || unproven.empty()) {
        return false;
    }
    // Who made itself up to stay is the last to expire.
    auto const last = std::prev(unproven.end());
    by_agent_.erase(last->second);
    unproven.erase(last);
    return true;
}

address_book::entry const* address_book::find(agent_id const& agent, arc::timestamp now) const {
    auto const found = by_agent_.find(agent);
    bool const holds = found != by_agent_.end() && found->second.info.expires_at > now;
    return holds ? &found->second : nullptr;
}

std::vector<address_book::entry const*> address_book::all(arc::timestamp now) const {
    std::vector<entry const*> holding;
    for (auto const& [agent, held] : by_agent_) {
        if (held.info.expires_at > now) {
            holding.push_back(&held);
        }
    }
    return holding;
}

void address_book::expire(arc::timestamp now) {
    for (auto& expiring : by_expiry_) {
        while (!expiring.empty() && expiring.begin()->first <= now) {
            by_agent_.erase(expiring.begin()->second);
            expiring.erase(expiring.begin());
        }
    }
}

}  // namespace opstore::gossip
