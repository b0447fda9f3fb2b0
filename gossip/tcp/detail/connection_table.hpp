#pragma once

#include <gossip/tcp/detail/connection.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace opstore::gossip::detail {

/// The connections of a node, and which of them is used to reach whom.
///
/// Two peers may have dialled each other, or one of them twice. Both ends see the same connections and choose
/// by the same rule, so they keep the same one: the one that the smaller agent dialled, of those of one
/// dialer the one with the smaller hello.
///
/// Thread safety: none.
class connection_table {
public:
    using pointer = std::shared_ptr<connection>;

    enum class admission {
        used,      ///< It is the one in use now.
        spare,     ///< Another one is preferred; this one will be closed by both ends.
        came_back  ///< It is the one in use; the peer was restarted, or the one before is closed: what was
                   ///< said before counts no more.
    };

    explicit connection_table(std::size_t connections_max) : connections_max_(connections_max) {}

    void add(pointer c) { all_.insert(std::move(c)); }

    /// Makes `c`, which is to dial `url`, the connection that frames for `url` wait at.
    void expect(peer_url const& url, pointer c) { used_[url] = std::move(c); }

    /// `c`, which is in the table, has been established. `own` is this node's agent.
    admission admit(pointer const& c, agent_id const& own, connection::clock::time_point now);

    /// Takes it out; answers the urls that are reached no more.
    std::vector<peer_url> remove(pointer const& c);

    /// The connection for a url: established, or being dialled. Null if there is none, or it is closed.
    pointer find(peer_url const& url) const;

    /// Whether one is established, or being dialled, to that address.
    bool reaches(boost::asio::ip::tcp::endpoint const& address) const;

    /// Whether one more connection to a peer has room, if need be by closing one that was not used since
    /// `spare_since`. Of those that others dialled there are at most three quarters.
    bool make_room(side own_side, connection::clock::time_point spare_since);

    std::set<pointer> const& all() const { return all_; }
    std::map<peer_url, pointer> const& used() const { return used_; }
    std::size_t handshakes() const;  ///< Incoming ones under way.
    std::size_t queued_bytes() const;

    void clear();

private:
    bool is_preferred(connection const& candidate, connection const& other, agent_id const& own) const;

    std::size_t const connections_max_;
    std::set<pointer> all_;
    std::map<peer_url, pointer> used_;
};

}  // namespace opstore::gossip::detail
