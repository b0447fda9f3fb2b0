#pragma once

#include <gossip/simulator/caller.hpp>
#include <gossip/simulator/peer_stores.hpp>

#include <memory>
#include <string>
#include <vector>

namespace opstore {
class postgres_database;
}

namespace opstore::simulator {

/// Every peer a space of one database: the one that OPSTORE_DATABASE names, else the PG* variables if PGHOST
/// or PGSERVICE is set, else the embedded cluster. The spaces lie in the schema "opstore_sim", under names of
/// this process, and are dropped with this object; the schema stays.
///
/// Thread safety: none.
class postgres_stores final : public store_provider {
public:
    postgres_stores() = default;
    ~postgres_stores() override;

    /// Connects on the first use.
    peer_stores make(space_options space, running_clock clock) override;

private:
    void connect(running_clock const& clock);

    caller caller_;
    std::shared_ptr<postgres_database> database_;
    std::vector<std::string> spaces_;
};

}  // namespace opstore::simulator
