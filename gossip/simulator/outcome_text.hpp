#pragma once

#include <gossip/simulator/plan.hpp>
#include <gossip/simulator/simulation.hpp>

#include <string>

namespace opstore::simulator {

/// The command that runs the same simulation again, whatever a later version draws: every option is named.
std::string replay_command(plan const& p);

/// The seed and every option, a line each.
std::string text_of(plan const& p);
std::string text_of(outcome const& o);

/// The JSON document in two parts, so that the first one is out before the simulation starts.
std::string json_start(plan const& p);
std::string json_end(outcome const& o);

}  // namespace opstore::simulator
