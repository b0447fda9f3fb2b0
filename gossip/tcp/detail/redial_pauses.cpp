#include <gossip/tcp/detail/redial_pauses.hpp>

#include <algorithm>

namespace opstore::gossip::detail {

redial_pauses::clock::duration redial_pauses::draw(unsigned failures) {
    auto pause = shortest_;
    for (unsigned i = 1; i < failures && pause < longest_; ++i)
        pause *= 2;
    pause = std::min(pause, longest_);
    auto const half = std::chrono::duration_cast<std::chrono::microseconds>(pause).count() / 2;
    return std::chrono::microseconds(random_.between(half, 2 * half));
}

bool redial_pauses::may_dial(peer_url const& url, clock::time_point now) const {
    auto const found = by_url_.find(url);
    return found == by_url_.end() || found->second.until <= now;
}

unsigned redial_pauses::failed(peer_url const& url, clock::time_point now) {
    if (!by_url_.contains(url) && by_url_.size() == urls_max) {
        by_url_.erase(
            std::ranges::min_element(by_url_, {}, [](auto const& each) { return each.second.until; }));
    }
    auto& failing = by_url_[url];
    ++failing.failures;
    failing.until = now + draw(failing.failures);
    return failing.failures;
}

}  // namespace opstore::gossip::detail
