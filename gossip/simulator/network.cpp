#include <gossip/simulator/network.hpp>

#include <algorithm>
#include <cassert>

namespace opstore::simulator {
namespace {

/// How long a frame that is held back, or its double, comes behind the others.
constexpr microseconds held_back_max = std::chrono::seconds(2);

/// Rounded up, so that no frame is free. Both stay far below 2^44, which times a million is all that fits.
microseconds transfer_time(std::uint64_t bytes, std::uint64_t bandwidth) {
    return microseconds(static_cast<std::int64_t>((bytes * 1'000'000 + bandwidth - 1) / bandwidth));
}

}  // namespace

network::network(plan const& p)
    : latency_(p.latency),
      jitter_(p.jitter),
      bandwidth_(p.bandwidth),
      queue_bytes_(p.queue_bytes),
      loss_(p.loss),
      duplicate_(p.duplicate),
      reorder_(p.reorder),
      random_(random_stream(p.seed, "network")),
      seed_(p.seed),
      uplink_free_at_(p.peers) {}

arc::timestamp network::arrival(peer_number from, peer_number to, arc::timestamp departure) {
    // Links differ, from half to one and a half of the average; each is always the same.
    auto link = random_stream(seed_, "link", std::uint64_t{from} << 32 | to);
    auto const base = microseconds(link.between(latency_.count() / 2, latency_.count() * 3 / 2));
    return departure + base + microseconds(random_.between(0, jitter_.count()));
}

network::outcome network::send(peer_number from, peer_number to, std::size_t bytes, arc::timestamp now) {
    auto& free_at = uplink_free_at_[from];
    outcome result;
    if (free_at > now) {
        auto const waiting = free_at - now + transfer_time(bytes, bandwidth_);
        if (waiting > transfer_time(queue_bytes_, bandwidth_)) {
            return result;
        }
    }
    result.taken = true;
    free_at = std::max(free_at, now) + transfer_time(bytes, bandwidth_);
    // All dice are thrown for every frame, so that a fault shifts no later ones.
    bool const lost = loss_.hits(random_);
    bool const held_back = reorder_.hits(random_);
    bool const doubled = duplicate_.hits(random_);
    auto const delay = microseconds(random_.between(0, held_back_max.count()));
    auto at = arrival(from, to, free_at);
    if (lost || !connects(from, to)) {
        return result;
    }
    if (held_back) {
        at += delay;
    } else {
        auto& last = last_arrival_[{from, to}];
        at = last = std::max(at, last);
    }
    result.arrivals[result.arrival_count++] = at;
    if (doubled) {
        result.arrivals[result.arrival_count++] = at + delay;
    }
    return result;
}

void network::split(std::vector<bool> sides) {
    assert(sides.size() == uplink_free_at_.size());
    sides_ = std::move(sides);
}

void network::join() {
    sides_.clear();
}

bool network::connects(peer_number from, peer_number to) const {
    return sides_.empty() || sides_[from] == sides_[to];
}

void network::heal() {
    loss_ = duplicate_ = reorder_ = share{};
    join();
}

}  // namespace opstore::simulator
