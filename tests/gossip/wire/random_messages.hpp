#pragma once

#include <gossip/wire/messages.hpp>
#include <tests/support/random.hpp>

#include <cstddef>
#include <variant>

namespace opstore::testing {

/// Kinds of messages, over all modules.
inline constexpr std::size_t message_kinds = std::variant_size_v<gossip::gossip_message> +
                                             std::variant_size_v<gossip::fetch_message> +
                                             std::variant_size_v<gossip::publish_message>;

/// A message of one kind, 0 to message_kinds - 1 in the order of the variants, that decoding takes. Every
/// optional thing is there or not, lists are short, often empty, and numbers are often at their bounds.
gossip::message random_message(random_source& random, std::size_t kind);

/// The same message without what kitsune2 does not know.
gossip::message without_extensions(gossip::message m);

}  // namespace opstore::testing
