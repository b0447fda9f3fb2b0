#pragma once

#include <opstore/peer_meta.hpp>

#include <string>

/// The bounds of peer_meta, for those who implement it.
namespace opstore {

/// Whether they are a peer and a key; the refusal (invalid_argument) names what is not.
inline result<void> check_peer_and_key(std::string const& peer, std::string const& key) {
    auto const refuse = [](char const* what, std::size_t size, std::size_t most) {
        return refusal(errc::invalid_argument, std::string(what) + ": " + std::to_string(size) +
                                                   " bytes, not 1 to " + std::to_string(most));
    };
    if (peer.empty() || peer.size() > peer_meta_entry::peer_bytes_max)
        return refuse("peer", peer.size(), peer_meta_entry::peer_bytes_max);
    if (key.empty() || key.size() > peer_meta_entry::key_bytes_max)
        return refuse("key", key.size(), peer_meta_entry::key_bytes_max);
    return {};
}

/// The same for a whole entry.
inline result<void> check(peer_meta_entry const& entry) {
    if (entry.value.size() > peer_meta_entry::value_bytes_max)
        return refusal(errc::invalid_argument, "value: " + std::to_string(entry.value.size()) +
                                                   " bytes, more than " +
                                                   std::to_string(peer_meta_entry::value_bytes_max));
    return check_peer_and_key(entry.peer, entry.key);
}

}  // namespace opstore
