#include <gossip/agents/address_book.hpp>

#include <cassert>
#include <utility>

namespace opstore::gossip {

address_book::address_book(std::vector<std::byte> space, verifier verify)
    : space_(std::move(space)), verify_(std::move(verify)) {
    assert(verify_);
}

protocol_result<agent_info> address_book::verify_signed(std::string const& signed_json) {
    return verify_agent_info(signed_json);
}

protocol_result<bool> address_book::add(std::string const& signed_json, arc::timestamp now) {
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
    auto held = by_agent_.find(info.agent);
    if (held != by_agent_.end()) {
        agent_info const& before = held->second.info;
        if (before.expires_at > now && before.created_at >= info.created_at) {
            return false;
        }
        by_expiry_.erase({before.expires_at, info.agent});
    } else {
        if (by_agent_.size() >= agents_max) {
            expire(now);
        }
        if (by_agent_.size() >= agents_max) {
            return false;
        }
        held = by_agent_.try_emplace(info.agent).first;
    }
    by_expiry_.emplace(info.expires_at, info.agent);
    held->second = {std::move(info), signed_json};
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
    while (!by_expiry_.empty() && by_expiry_.begin()->first <= now) {
        by_agent_.erase(by_expiry_.begin()->second);
        by_expiry_.erase(by_expiry_.begin());
    }
}

}  // namespace opstore::gossip
