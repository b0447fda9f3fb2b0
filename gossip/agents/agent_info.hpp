#pragma once

#include <arc/dht_arc.hpp>
#include <arc/timestamp.hpp>
#include <gossip/wire/messages.hpp>
#include <gossip/wire/protocol_error.hpp>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace opstore::gossip {

/// What an agent says of itself, signed by it: where to reach it and which arc it holds.
struct agent_info {
    agent_id agent;  ///< Its Ed25519 public key.
    std::vector<std::byte> space;
    arc::timestamp created_at;
    arc::timestamp expires_at;
    bool is_tombstone = false;  ///< The agent has left.
    /// 1 to url_bytes_max printable characters of ASCII without space, " and \. None: it cannot be reached.
    std::optional<std::string> url;
    arc::dht_arc storage_arc = arc::dht_arc::empty();  ///< What it holds now.

    agent_info() = default;
    friend bool operator==(agent_info const&, agent_info const&) = default;
};

inline constexpr std::size_t agent_info_bytes_max = 4096;
inline constexpr std::size_t url_bytes_max = 1024;

/// An agent's signing key, libsodium's 64 bytes of Ed25519.
using agent_key = std::array<std::byte, 64>;

/// A pair from a 32-byte seed: the same seed, the same agent.
agent_key make_agent_key(std::span<const std::byte, 32> seed);
agent_id agent_of(agent_key const& key);

/// kitsune2's text: {"agentInfo":"<JSON>","signature":"<base64url>"}, the signature over the inner text.
/// Precondition: info.agent is the key's, the space has 1 to 255 bytes, the url is one. At most
/// agent_info_bytes_max then.
std::string sign(agent_info const& info, agent_key const& key);

/// Parses without looking at the signature. Unknown fields are ignored; a missing url is none and a missing
/// storageArc is Empty, as null is. Of a field that is there twice the last counts; kitsune2 refuses that.
/// Errors: bad_agent_info, too_large.
protocol_result<agent_info> parse_agent_info(std::string_view signed_json);

/// Parses, and checks the signature against the agent's own key. Errors: bad_agent_info ("InvalidSignature").
protocol_result<agent_info> verify_agent_info(std::string_view signed_json);

}  // namespace opstore::gossip
