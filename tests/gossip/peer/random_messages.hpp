#pragma once

#include <gossip/wire/messages.hpp>
#include <tests/support/random.hpp>

namespace opstore::testing {

/// Any message of a round of `session` that decodes: every field at random, far out of bounds as often as
/// not. Ids are those of `ids`, or invented.
gossip::gossip_message random_gossip(gossip::session_id const& session, std::vector<op_id> const& ids,
                                     random_source& random);

/// The same for the other modules.
gossip::message random_other(std::vector<op_id> const& ids, random_source& random);

}  // namespace opstore::testing
