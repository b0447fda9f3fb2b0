#pragma once

#include <gossip/agents/agent_info.hpp>

#include <cstddef>
#include <map>
#include <string>

namespace opstore::simulator {

/// verify_agent_info() that remembers its answers: a thousand peers hear of the same infos, and each
/// signature is checked once.
///
/// Thread safety: none.
class verifier_memory {
public:
    gossip::protocol_result<gossip::agent_info> verify(std::string const& signed_json) {
        if (auto const known = good_.find(signed_json); known != good_.end()) {
            return known->second;
        }
        auto info = gossip::verify_agent_info(signed_json);
        if (info) {
            if (good_.size() == infos_max) {
                good_.clear();
            }
            good_.emplace(signed_json, *info);
        }
        return info;
    }

private:
    static constexpr std::size_t infos_max = 65'536;

    std::map<std::string, gossip::agent_info> good_;
};

}  // namespace opstore::simulator
