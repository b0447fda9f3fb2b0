#pragma once

#include <gossip/wire/messages.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace opstore::testing {

/// A message and its bytes, without envelopes. kitsune2's are from its own tests or from protoc; those with
/// extensions were worked out from the numbers of docs/wire.md.
struct golden_message {
    std::string name;  ///< As in the table of docs/wire.md.
    std::uint64_t type;
    std::string hex;
    gossip::message value;

    golden_message(std::string n, std::uint64_t t, std::string h, gossip::message v)
        : name(std::move(n)), type(t), hex(std::move(h)), value(std::move(v)) {}
};

/// At least one of every kind.
std::vector<golden_message> golden_messages();

/// The session of all golden messages: 00 to 0b.
gossip::session_id golden_session();

std::vector<std::byte> from_hex(std::string_view hex);
std::string to_hex(std::span<const std::byte> bytes);

}  // namespace opstore::testing
