#pragma once

#include <arc/timestamp.hpp>
#include <opstore/memory/op_pool.hpp>
#include <opstore/op_store.hpp>
#include <opstore/peer_meta.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace opstore::simulator {

/// What a peer keeps when its process ends.
struct peer_stores {
    std::unique_ptr<op_store> ops;
    std::unique_ptr<peer_meta> meta;

    peer_stores() = default;
};

/// The clock of the peer whose call runs, as its store sees it. One for all stores: calls do not overlap.
///
/// Thread safety: all functions from any thread at once.
class running_clock {
public:
    arc::timestamp now() const { return arc::from_micros(micros_->load()); }
    void set(arc::timestamp to) { micros_->store(arc::to_micros(to)); }

private:
    std::shared_ptr<std::atomic<std::int64_t>> micros_ = std::make_shared<std::atomic<std::int64_t>>(0);
};

/// Makes the stores of a simulation: empty ones.
class store_provider {
public:
    virtual ~store_provider() = default;

    /// `space`: what the peer's store is to be; its key is not used twice. Throws store_error.
    virtual peer_stores make(space_options space, running_clock clock) = 0;
};

/// Stores in memory, which hold the ops they have in common once.
class memory_stores final : public store_provider {
public:
    peer_stores make(space_options space, running_clock clock) override;

private:
    std::shared_ptr<op_pool> pool_ = std::make_shared<op_pool>();
};

}  // namespace opstore::simulator
