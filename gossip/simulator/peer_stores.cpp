#include <gossip/simulator/peer_stores.hpp>

#include <opstore/memory/memory_op_store.hpp>
#include <opstore/memory/memory_peer_meta.hpp>

#include <utility>

namespace opstore::simulator {

peer_stores memory_stores::make(space_options space, running_clock clock) {
    peer_stores made;
    auto const now = [clock] { return clock.now(); };
    made.ops = std::make_unique<memory_op_store>(std::move(space), now, pool_);
    made.meta = std::make_unique<memory_peer_meta>();
    return made;
}

}  // namespace opstore::simulator
