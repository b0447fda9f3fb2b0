#pragma once

#include <gossip/fetch/fetch_queue.hpp>

#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <vector>

namespace opstore::gossip::testing {

/// What fetch_queue promises, as plainly as it can be written: lists that are scanned from end to end for
/// each question. A claim's ticket says since when it stands where it stands; who came first has the smaller
/// one.
class naive_fetch_queue {
public:
    explicit naive_fetch_queue(fetch_limits limits) : limits_(limits) {}

    std::size_t add(std::span<const op_id> ids, peer_url const& source, arc::timestamp now);
    bool wants(op_id const& id) const;
    void held(std::span<const op_id> ids);
    void progress(peer_url const& source, std::span<const op_id> ids, arc::timestamp now);
    void not_from(std::span<const op_id> ids, peer_url const& source, arc::timestamp now);
    void unreachable(peer_url const& source, arc::timestamp now);
    std::vector<fetch_queue::request> due(arc::timestamp now);
    std::optional<arc::timestamp> next_due_at() const;
    std::size_t size() const { return waiting_.size(); }
    std::vector<op_id> take_given_up();
    /// Those that counted as unreachable because they were silent, since the last call.
    std::vector<peer_url> take_silenced();
    fetch_queue::counters const& totals() const { return totals_; }

private:
    enum class standing { ready, spare, resting };
    enum class phase { ready, asked, paused };

    struct claim {
        peer_url source;
        standing in = standing::resting;
        std::uint64_t ticket = 0;
    };
    struct waiting {
        op_id id;
        phase now = phase::ready;
        std::size_t attempts = 0;
        std::vector<claim> claims;
        std::optional<peer_url> unanswered_by;
        /// The request or the pause that it is part of, and since when.
        std::uint64_t group = 0;
        std::uint64_t group_ticket = 0;
        std::optional<peer_url> asked_of;
        arc::timestamp asked_at;
        arc::timestamp until;
    };
    struct source {
        peer_url url;
        std::uint64_t turn = 0;
        std::size_t silences = 0;
        arc::timestamp silent_at;
    };

    void advance(arc::timestamp now);
    waiting* find(op_id const& id);
    source* find_source(peer_url const& url);
    bool is_doubtful(waiting const& of, peer_url const& url);
    void restand(waiting& of);
    void tidy();
    void give_up(op_id const& id);
    void lose(op_id const& id, peer_url const& url);
    bool make_place(waiting& of, peer_url const& url);
    void forget(peer_url const& url);
    std::vector<op_id> members(std::uint64_t group) const;
    bool has_place(source const& of) const;
    std::size_t requests_to(peer_url const& url) const;
    void pause(waiting& of);
    void time_out(std::uint64_t group, peer_url const& url);
    void expire();
    source* next_source(standing in);
    fetch_queue::request send(source& to, standing in);

    fetch_limits limits_;
    std::list<waiting> waiting_;
    std::list<source> sources_;
    std::uint64_t tickets_ = 0;
    std::uint64_t turns_ = 0;
    std::uint64_t groups_ = 0;
    std::optional<arc::timestamp> now_;
    arc::timestamp clock_;
    std::vector<op_id> given_up_;
    std::vector<peer_url> silenced_;
    fetch_queue::counters totals_;
};

}  // namespace opstore::gossip::testing
