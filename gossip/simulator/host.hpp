#pragma once

#include <gossip/peer/peer.hpp>
#include <gossip/simulator/network.hpp>
#include <gossip/simulator/peer_stores.hpp>
#include <gossip/simulator/process.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace opstore::simulator {

/// "sim-0001" for peer 1.
gossip::peer_url url_of(peer_number peer);
std::optional<peer_number> peer_of(gossip::peer_url const& url);

/// One machine: stores that stay, a clock that is off, and the peer's process, which comes and goes.
///
/// Thread safety: none.
class host {
public:
    enum class condition {
        absent,  ///< Has not joined yet.
        up,
        down,  ///< Crashed; comes back.
        gone   ///< Has left.
    };

    using send_function = std::function<bool(peer_number to, std::vector<std::byte> frame)>;
    using log_function = std::function<void(std::string_view)>;

    /// `options`: of each process it runs, but for the seed, which changes from one to the next.
    host(peer_number number, peer_stores stores, gossip::peer_options options, microseconds clock_offset,
         process_store::listener on_stored);

    /// Starts a process. Precondition: absent or down. The peer still has to be started.
    void boot(send_function send, log_function log);
    /// Ends it. Precondition: up. What it reported is added to `totals`.
    void halt(condition next, std::vector<gossip::peer_report>& totals);

    peer_number number() const { return number_; }
    condition state() const { return condition_; }
    bool is_up() const { return condition_ == condition::up; }
    /// Counts the processes: what was sent to an earlier one does not reach this one.
    std::uint32_t incarnation() const { return incarnation_; }

    arc::timestamp local_time(arc::timestamp now) const { return now + clock_offset_; }
    arc::timestamp true_time(arc::timestamp local) const { return local - clock_offset_; }

    /// Precondition of these: up.
    gossip::peer& peer() { return *peer_; }
    op_store& store() { return *store_; }
    process& life() { return life_; }

    /// The store itself, which no crash cuts off.
    op_store& disk() { return *stores_.ops; }

    // The driver's notes.
    bool leaving = false;
    std::optional<arc::timestamp> tick_at;  ///< Of the tick that is due next.
    std::uint32_t idle_ticks = 0;           ///< In a row, after which the peer wanted another one at once.

private:
    class port;

    peer_number number_;
    peer_stores stores_;
    gossip::peer_options options_;
    microseconds clock_offset_;
    process_store::listener on_stored_;

    condition condition_ = condition::absent;
    std::uint32_t incarnation_ = 0;
    process life_;
    std::unique_ptr<process_store> store_;
    std::unique_ptr<process_meta> meta_;
    std::unique_ptr<gossip::transport> port_;
    std::unique_ptr<gossip::peer> peer_;
};

}  // namespace opstore::simulator
