#pragma once

#include <arc/timestamp.hpp>
#include <opstore/deadline.hpp>
#include <opstore/errors.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace opstore {

/// One thing a peer remembers of another one.
struct peer_meta_entry {
    static constexpr std::size_t peer_bytes_max = 1024;
    static constexpr std::size_t key_bytes_max = 255;
    static constexpr std::size_t value_bytes_max = 65'536;

    std::string peer;  ///< Its address as it announces it, 1 to peer_bytes_max bytes of any value.
    std::string key;   ///< Such as "gossip:new_ops_bookmark", 1 to key_bytes_max bytes.
    std::vector<std::byte> value;
    std::optional<arc::timestamp> expires_at;  ///< From then on it is absent; none: it stays.

    peer_meta_entry() = default;
    friend bool operator==(peer_meta_entry const&, peer_meta_entry const&) = default;
};

/// What a peer remembers of the other peers of one space between two runs: bookmarks, counters. Small values
/// by peer and key, each with an expiry.
///
/// Gives callers: an entry that put() returned for is there after a crash. Asks of implementers: an entry
/// whose expires_at is <= the `now` of a read is absent from it, whether it was removed yet or not.
///
/// Cancellation, deadlines, errors and completion are op_store's (see there); all calls may be repeated.
/// Refusals: no_such_space; invalid_argument for a size beyond the bounds above, naming it.
/// Thread safety: every method from any thread at once.
class peer_meta {
public:
    virtual ~peer_meta() = default;

    /// Every entry of the space, by (peer, key). One round trip.
    virtual boost::asio::awaitable<result<std::vector<peer_meta_entry>>> get_all(arc::timestamp now,
                                                                                 deadline until = {}) = 0;

    /// None if there is no such entry. One round trip.
    virtual boost::asio::awaitable<result<std::optional<peer_meta_entry>>> get(std::string peer,
                                                                               std::string key,
                                                                               arc::timestamp now,
                                                                               deadline until = {}) = 0;

    /// Adds or overwrites, all of `entries` or none; of a repeated (peer, key) the last one counts. Entries
    /// of the space that have expired at `now` are removed on the way. One round trip.
    virtual boost::asio::awaitable<result<void>> put(std::vector<peer_meta_entry> entries, arc::timestamp now,
                                                     deadline until = {}) = 0;

    /// Not an error if there is none. One round trip.
    virtual boost::asio::awaitable<result<void>> remove(std::string peer, std::string key,
                                                        deadline until = {}) = 0;
};

}  // namespace opstore
