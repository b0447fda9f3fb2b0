#pragma once

#include <arc/timestamp.hpp>
#include <opstore/op_id.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace opstore::gossip {

/// Where a peer is reached, as it announces it; names the peer in all state of gossip.
using peer_url = std::string;

/// All counts are at least 1.
struct fetch_limits {
    /// Ids that wait, at most: about 60 MiB. One peer may be a source of as many as it leaves free, half of
    /// them if it is alone, so that those of peers that come later fit as well.
    std::size_t ids_max = 262'144;
    /// Peers remembered for each id, up to 255; another one is asked when one does not answer.
    std::size_t sources_max = 8;
    std::size_t ids_per_request_max = 1'000;
    /// Requests under way to one peer: one that it answers and one that travels.
    std::size_t requests_per_peer_max = 2;
    /// Since the request, or since the last part of its answer.
    std::chrono::microseconds request_timeout = std::chrono::seconds(15);
    /// Since the request, whatever parts of its answer came: who sends them slowly must not keep the rest of
    /// the ids from others.
    std::chrono::microseconds answer_timeout = std::chrono::seconds(120);
    /// The pause before an id is asked for again; doubles each time, up to the second.
    std::chrono::microseconds backoff_min = std::chrono::seconds(1);
    std::chrono::microseconds backoff_max = std::chrono::seconds(60);
    /// Requests for one id that nobody answered, after which it is given up; a later round brings it again.
    std::size_t attempts_max = 10;
};

/// What this peer lacks, who has it, and whom to ask next: a state machine without I/O.
///
/// An id is asked for from one peer at a time. It leaves the queue when the store holds it (held()), whatever
/// way it came, or when it is given up: after attempts_max time-outs, or when no source is left.
///
/// Who is asked: the peers that have a place for one more request take turns, one request each. For what: the
/// ids that this peer has, in the order in which they became free to be asked for. An id whose request timed
/// out pauses, unless a new source that is not doubtful comes; then it queues up again behind the others, and
/// goes back to the peer that was silent only if its other sources have no place.
///
/// A peer that is silent until its time is out is doubtful until it answers. It gets one request at a time,
/// of half as many ids for each silence, and of what others have as well only one id, when they have no
/// place. After attempts_max silences in a row it counts as unreachable. So it keeps little from others, and
/// the backlog of a dead peer goes.
///
/// All functions cost O(log n) for each id that they touch, and are deterministic: the same calls give the
/// same requests. A clock that is set back stands still here until the next call.
///
/// Thread safety: none.
class fetch_queue {
public:
    struct request {
        peer_url to;
        std::vector<op_id> ids;

        request() = default;
    };

    explicit fetch_queue(fetch_limits limits = {});
    ~fetch_queue();

    /// Notes that `source` has these ops. Ids that do not fit any more are dropped; answers how many were.
    /// Precondition: the caller has left out those that the store holds.
    std::size_t add(std::span<const op_id> ids, peer_url const& source, arc::timestamp now);

    /// Whether this id is waited for: an answer that nobody asked for is not worth a store call.
    bool wants(op_id const& id) const;

    /// The store holds these: the ids that process_incoming_ops() returned.
    void held(std::span<const op_id> ids);

    /// `source` answered for these ids, whatever it said. If it was asked for one of them, it is not doubtful
    /// any more, and its requests have more time, up to answer_timeout. Before held() and not_from(), which
    /// take the ids away.
    void progress(peer_url const& source, std::span<const op_id> ids, arc::timestamp now);

    /// `source` has no such op, or gave bytes that the store refused: it is not asked for these again, unless
    /// an add() names it anew, and others are at once.
    void not_from(std::span<const op_id> ids, peer_url const& source, arc::timestamp now);

    /// `source` cannot be reached: what it was asked for goes to others at once, and it is no source any more
    /// until an add() names it again.
    void unreachable(peer_url const& source, arc::timestamp now);

    /// What to send now; each request counts as sent. Times out what waits too long.
    std::vector<request> due(arc::timestamp now);

    /// When due() will next have something to do: the last known time if it has already, else the next end of
    /// a request's time or of a pause; none if nothing waits.
    std::optional<arc::timestamp> next_due_at() const;

    std::size_t size() const;
    bool empty() const { return size() == 0; }

    /// Ids given up since the last call, the first ids_max of them, with the peers not named: for reports and
    /// bookmarks.
    std::vector<op_id> take_given_up();

    /// Of all time.
    struct counters {
        std::uint64_t requested = 0;  ///< Ids sent in requests, repeats included.
        std::uint64_t timed_out = 0;  ///< Ids whose request was not answered in time.
        std::uint64_t dropped = 0;    ///< Ids that did not fit.
        std::uint64_t given_up = 0;
    };
    counters const& totals() const;

private:
    class state;
    std::unique_ptr<state> state_;
};

}  // namespace opstore::gossip
