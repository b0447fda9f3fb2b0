#include <gossip/tcp/detail/connection_table.hpp>

#include <gossip/tcp/tcp_address.hpp>

#include <algorithm>

namespace opstore::gossip::detail {

connection_table::admission connection_table::admit(pointer const& c, agent_id const& own,
                                                    connection::clock::time_point now) {
    auto const& remote = c->remote();
    auto const found = used_.find(remote.url);
    if (found == used_.end()) {
        used_[remote.url] = c;
        return admission::used;
    }
    auto const before = found->second;
    if (before == c)
        return admission::used;
    bool came_back = false;
    if (before->is_closed()) {
        // It stays until its coroutine has noticed, which may wait for memory.
        came_back = true;
    } else if (!before->is_established()) {
        // Our own dial is still under way. It is judged when it gets through.
        c->take_queue(*before);
    } else if (before->remote().instance != remote.instance) {
        came_back = true;
        before->close("the peer was started again");
    } else if (is_preferred(*c, *before, own)) {
        c->take_queue(*before);
        before->retire(now);
    } else {
        c->retire(now);
        return admission::spare;
    }
    found->second = c;
    return came_back ? admission::came_back : admission::used;
}

bool connection_table::is_preferred(connection const& candidate, connection const& other,
                                    agent_id const& own) const {
    if (candidate.own_side() == other.own_side())
        return candidate.dialer_hello() < other.dialer_hello();
    bool const we_are_smaller = own < candidate.remote().agent;
    return we_are_smaller == (candidate.own_side() == side::dialer);
}

std::vector<peer_url> connection_table::remove(pointer const& c) {
    std::vector<peer_url> lost;
    for (auto const& [url, used] : used_) {
        if (used == c)
            lost.push_back(url);
    }
    for (peer_url const& url : lost)
        used_.erase(url);
    all_.erase(c);
    return lost;
}

connection_table::pointer connection_table::find(peer_url const& url) const {
    auto const found = used_.find(url);
    return found == used_.end() || found->second->is_closed() ? nullptr : found->second;
}

bool connection_table::reaches(boost::asio::ip::tcp::endpoint const& address) const {
    return std::ranges::any_of(used_, [&](auto const& each) {
        auto const announced = parse_tcp_url(each.first);
        bool const dialled = each.second->own_side() == side::dialer && each.second->address() == address;
        return !each.second->is_closed() && (dialled || (announced && announced->address == address));
    });
}

bool connection_table::make_room(side own_side, connection::clock::time_point spare_since) {
    std::size_t open = 0, accepted = 0;
    for (auto const& [url, c] : used_) {
        open += c->is_closed() ? 0 : 1;
        accepted += !c->is_closed() && c->own_side() == side::listener ? 1 : 0;
    }
    bool const too_many_accepted =
        own_side == side::listener && accepted >= connections_max_ - connections_max_ / 4;
    if (open < connections_max_ && !too_many_accepted)
        return true;
    auto oldest = used_.end();
    for (auto each = used_.begin(); each != used_.end(); ++each) {
        auto const& c = each->second;
        bool const may_go = !c->is_closed() && (!too_many_accepted || c->own_side() == side::listener);
        if (may_go && (oldest == used_.end() || c->last_used() < oldest->second->last_used()))
            oldest = each;
    }
    if (oldest == used_.end() || oldest->second->last_used() > spare_since ||
        oldest->second->queued_bytes() > 0)
        return false;
    oldest->second->close("not used, and another peer needs its place");
    used_.erase(oldest);
    return true;
}

std::size_t connection_table::handshakes() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        all_, [](pointer const& c) { return c->own_side() == side::listener && !c->is_established(); }));
}

std::size_t connection_table::queued_bytes() const {
    std::size_t sum = 0;
    for (pointer const& c : all_)
        sum += c->queued_bytes();
    return sum;
}

void connection_table::clear() {
    for (pointer const& c : all_)
        c->close("the node stops");
    used_.clear();
    all_.clear();
}

}  // namespace opstore::gossip::detail
