#pragma once

#include <arc/arc_set.hpp>
#include <arc/time_slices.hpp>
#include <arc/timestamp.hpp>
#include <gossip/model/snapshot.hpp>
#include <opstore/op_format.hpp>
#include <opstore/op_id.hpp>
#include <opstore/op_store.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The messages of gossip, fetch and publish as values. docs/wire.md has their bytes; they are kitsune2's,
/// and what is marked "extension" is an optional field that a kitsune2 peer ignores and never sends.
namespace opstore::gossip {

/// Names one round; chosen at random by the peer that initiates it.
using session_id = std::array<std::byte, 12>;

using agent_id = std::vector<std::byte>;  ///< 1 to agent_id_bytes_max bytes; an Ed25519 public key here.
inline constexpr std::size_t agent_id_bytes_max = 64;

/// An agent info in a message; larger than any that is valid.
inline constexpr std::size_t provided_agent_bytes_max = 4096;

/// A sentence for people to read.
inline constexpr std::size_t terminate_reason_bytes_max = 1024;

/// Rings of a layout: at most two of each size.
inline constexpr std::size_t rings_max = 2 * arc::factor_max;

/// One past the last index of a slice: indices are int64 in the tables of stores.
inline constexpr std::uint64_t slice_index_end = std::uint64_t{1} << 63;

/// The version of the extensions below, sent in initiate and accept.
inline constexpr std::uint32_t extensions_version = 1;

/// Extension: a place inside an oversized region: the ids from here on are asked for, or were not sent.
struct region_cursor {
    op_region region;
    std::optional<op_position>
        after;  ///< None: the region's start, and in an answer: it was sent to its end.

    friend bool operator==(region_cursor const& a, region_cursor const& b) {
        return a.region.sector == b.region.sector && a.region.range == b.region.range && a.after == b.after;
    }
};

/// Regions that are paged in one round, at most.
inline constexpr std::size_t region_cursors_max = 64;

struct initiate_message {
    session_id session{};
    std::vector<agent_id> participating_agents;
    std::optional<arc::arc_set> arcs;  ///< None only if the sender left it out, which is a protocol error.
    std::uint32_t tie_breaker = 0;
    arc::timestamp new_since;
    std::uint32_t max_op_data_bytes = 0;
    std::optional<std::uint64_t> dht_op_count;
    std::uint32_t extensions = 0;  ///< Extension: the sender's version, 0: a kitsune2 peer.

    initiate_message() = default;
    friend bool operator==(initiate_message const&, initiate_message const&) = default;
};

/// What both sides say of new ops and agents, apart from the round's own comparison.
struct accept_response {
    std::vector<agent_id> missing_agents;
    std::vector<std::string> provided_agents;  ///< Agent infos, signed JSON.
    std::vector<op_id> new_ops;
    arc::timestamp updated_new_since;
    std::vector<op_id> oversized_new_ops;  ///< Extension: one op larger than the byte limit, alone.

    accept_response() = default;
    friend bool operator==(accept_response const&, accept_response const&) = default;
};

struct accept_message {
    session_id session{};
    std::vector<agent_id> participating_agents;
    std::optional<arc::arc_set> arcs;
    std::vector<agent_id> missing_agents;
    arc::timestamp new_since;
    std::uint32_t max_op_data_bytes = 0;
    std::vector<op_id> new_ops;
    arc::timestamp updated_new_since;
    std::optional<std::uint64_t> dht_op_count;
    std::optional<minimal_snapshot> snapshot;
    std::uint32_t extensions = 0;
    std::vector<op_id> oversized_new_ops;  ///< Extension, as above.
    /// Extension: the moment whose layout the snapshot is of; both sides use it for the whole round.
    std::optional<arc::timestamp> layout_time;

    accept_message() = default;
    friend bool operator==(accept_message const&, accept_message const&) = default;
};

struct no_diff_message {
    session_id session{};
    std::optional<accept_response> response;
    bool cannot_compare = false;

    no_diff_message() = default;
    friend bool operator==(no_diff_message const&, no_diff_message const&) = default;
};

struct disc_sectors_diff_message {
    session_id session{};
    std::optional<accept_response> response;
    disc_sectors_snapshot snapshot;

    disc_sectors_diff_message() = default;
    friend bool operator==(disc_sectors_diff_message const&, disc_sectors_diff_message const&) = default;
};

struct disc_details_diff_message {
    session_id session{};
    std::vector<std::string> provided_agents;
    disc_details_snapshot snapshot;
    std::vector<region_cursor> resume;  ///< Extension: where to go on in oversized slices.

    disc_details_diff_message() = default;
    friend bool operator==(disc_details_diff_message const&, disc_details_diff_message const&) = default;
};

struct disc_details_response_message {
    session_id session{};
    std::vector<op_id> missing_ids;
    disc_details_snapshot snapshot;
    std::vector<region_cursor> cut;     ///< Extension: oversized slices of which a page was sent.
    std::vector<region_cursor> resume;  ///< Extension: where to go on in oversized slices.

    disc_details_response_message() = default;
    friend bool operator==(disc_details_response_message const&,
                           disc_details_response_message const&) = default;
};

struct ring_details_diff_message {
    session_id session{};
    std::optional<accept_response> response;
    ring_details_snapshot snapshot;
    std::vector<region_cursor> resume;
    bool disc_differs = false;  ///< Extension: equal rings do not mean that the sectors are in sync.

    ring_details_diff_message() = default;
    friend bool operator==(ring_details_diff_message const&, ring_details_diff_message const&) = default;
};

struct ring_details_response_message {
    session_id session{};
    std::vector<op_id> missing_ids;
    ring_details_snapshot snapshot;
    std::vector<region_cursor> cut;
    std::vector<region_cursor> resume;

    ring_details_response_message() = default;
    friend bool operator==(ring_details_response_message const&,
                           ring_details_response_message const&) = default;
};

struct hashes_message {
    session_id session{};
    std::vector<op_id> missing_ids;
    std::vector<region_cursor> cut;

    hashes_message() = default;
    friend bool operator==(hashes_message const&, hashes_message const&) = default;
};

struct agents_message {
    session_id session{};
    std::vector<std::string> provided_agents;

    agents_message() = default;
    friend bool operator==(agents_message const&, agents_message const&) = default;
};

struct busy_message {
    session_id session{};

    friend bool operator==(busy_message const&, busy_message const&) = default;
};

struct terminate_message {
    session_id session{};
    std::string reason;

    terminate_message() = default;
    friend bool operator==(terminate_message const&, terminate_message const&) = default;
};

/// In the order of their numbers on the wire, 1 to 12.
using gossip_message =
    std::variant<initiate_message, accept_message, no_diff_message, disc_sectors_diff_message,
                 disc_details_diff_message, disc_details_response_message, ring_details_diff_message,
                 ring_details_response_message, hashes_message, agents_message, busy_message,
                 terminate_message>;

struct fetch_request_message {
    std::vector<op_id> ids;

    fetch_request_message() = default;
    friend bool operator==(fetch_request_message const&, fetch_request_message const&) = default;
};

struct fetched_op {
    op_id id;  ///< What the sender says; never trusted.
    op_bytes data;

    fetched_op() = default;
    friend bool operator==(fetched_op const&, fetched_op const&) = default;
};

struct fetch_response_message {
    std::vector<fetched_op> ops;
    std::vector<op_id> absent;  ///< Extension: asked for, and not held.

    fetch_response_message() = default;
    friend bool operator==(fetch_response_message const&, fetch_response_message const&) = default;
};

using fetch_message = std::variant<fetch_request_message, fetch_response_message>;

struct published_op {
    op_id id;
    std::optional<std::vector<std::byte>> metadata;

    published_op() = default;
    friend bool operator==(published_op const&, published_op const&) = default;
};

struct publish_ops_message {
    std::vector<published_op> ops;

    publish_ops_message() = default;
    friend bool operator==(publish_ops_message const&, publish_ops_message const&) = default;
};

struct publish_agent_message {
    std::string agent_info;

    publish_agent_message() = default;
    friend bool operator==(publish_agent_message const&, publish_agent_message const&) = default;
};

using publish_message = std::variant<publish_ops_message, publish_agent_message>;

/// Whatever one frame between two peers carries: a message of one of the modules "k2gossip", "Fetch" and
/// "Publish" of a space.
using message = std::variant<gossip_message, fetch_message, publish_message>;

}  // namespace opstore::gossip
