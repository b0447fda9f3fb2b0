#include <gossip/round/burst_guard.hpp>

namespace opstore::gossip {

burst_guard::burst_guard(round_limits const& limits)
    : rounds_max_(std::size_t{limits.burst_factor} * limits.burst_windows),
      window_(limits.interval * limits.burst_windows) {}

bool burst_guard::allows(peer_url const& url, arc::timestamp now) {
    auto const found = rounds_.find(url);
    if (found == rounds_.end()) {
        return true;
    }
    auto& times = found->second;
    // A clock that was set back leaves times of the future behind; they count for nothing.
    while (!times.empty() && (times.front() <= now - window_ || times.front() > now)) {
        times.pop_front();
    }
    return times.size() < rounds_max_;
}

void burst_guard::count(peer_url const& url, arc::timestamp now) {
    forget_old(now);
    if (rounds_.size() >= peers_max && !rounds_.contains(url)) {
        rounds_.clear();
    }
    auto& times = rounds_[url];
    times.push_back(now);
    if (times.size() > rounds_max_) {
        times.pop_front();
    }
}

/// Urls come and go: those without a round in the window are dropped, once in a window.
void burst_guard::forget_old(arc::timestamp now) {
    if (now < swept_at_ + window_ && now >= swept_at_) {
        return;
    }
    swept_at_ = now;
    std::erase_if(rounds_, [&](auto const& entry) { return entry.second.back() <= now - window_; });
}

}  // namespace opstore::gossip
