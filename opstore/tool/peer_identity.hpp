#pragma once

#include <gossip/agents/agent_info.hpp>

#include <optional>
#include <string>

namespace opstore::tool {

/// The key of a peer's agent. With a file: from the 32-byte seed in it, which is made, readable by its owner
/// alone, if there is none. Without: a new one each time.
/// Throws command_failure: the file cannot be read or made, has another size, or others may read it.
gossip::agent_key open_identity(std::optional<std::string> const& path);

}  // namespace opstore::tool
