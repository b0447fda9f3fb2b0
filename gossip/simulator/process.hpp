#pragma once

#include <gossip/simulator/forwarding_store.hpp>
#include <gossip/simulator/timetable.hpp>
#include <opstore/peer_meta.hpp>

#include <functional>
#include <vector>

namespace opstore::simulator {

/// A process that can be cut off in the middle of a call: from then on whatever it still does has no effect
/// outside of it, until the driver gets it back and drops it.
struct process {
    cut armed = cut::none;  ///< before_commit or after_commit: where the next ingest ends it.
    bool dead = false;
};

/// A peer's store as its process sees it: cut off with the process, and telling the checker what became
/// durable.
///
/// Thread safety: none.
class process_store final : public forwarding_store {
public:
    using listener = std::function<void(std::vector<op_id> const& held)>;

    process_store(op_store& inner, process& owner, listener on_stored);

    boost::asio::awaitable<result<ingest_report>> process_incoming_ops(std::vector<incoming_op> ops,
                                                                       deadline until = {}) override;

private:
    process& owner_;
    listener on_stored_;
};

/// The same for what it remembers of other peers.
///
/// Thread safety: none.
class process_meta final : public peer_meta {
public:
    process_meta(peer_meta& inner, process& owner) : inner_(inner), owner_(owner) {}

    boost::asio::awaitable<result<std::vector<peer_meta_entry>>> get_all(arc::timestamp now,
                                                                         deadline until = {}) override;
    boost::asio::awaitable<result<std::optional<peer_meta_entry>>> get(std::string peer, std::string key,
                                                                       arc::timestamp now,
                                                                       deadline until = {}) override;
    boost::asio::awaitable<result<void>> put(std::vector<peer_meta_entry> entries, arc::timestamp now,
                                             deadline until = {}) override;
    boost::asio::awaitable<result<void>> remove(std::string peer, std::string key,
                                                deadline until = {}) override;

private:
    peer_meta& inner_;
    process& owner_;
};

}  // namespace opstore::simulator
