#pragma once

#include <arc/dht_arc.hpp>
#include <arc/sector.hpp>
#include <arc/time_slices.hpp>
#include <opstore/combined_hash.hpp>
#include <opstore/op_id.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace opstore::bench {

/// What kitsune2's model asks of its host's store when it starts.
class start_calls {
public:
    virtual ~start_calls() = default;

    virtual boost::asio::awaitable<std::uint64_t> total_op_count() = 0;
    virtual boost::asio::awaitable<std::uint64_t> slice_hash_count(arc::dht_arc arc) = 0;
    virtual boost::asio::awaitable<std::optional<arc::timestamp>> earliest(arc::dht_arc arc) = 0;
    virtual boost::asio::awaitable<std::vector<op_id>> ids_in_slice(arc::dht_arc arc,
                                                                    arc::time_range slice) = 0;
    virtual boost::asio::awaitable<void> store_slice_hash(arc::dht_arc arc, std::uint64_t index,
                                                          combined_hash hash) = 0;
};

/// What a start built of some sectors, and out of how many calls.
struct started {
    combined_hash disc;                ///< Of the full slices that this start read.
    std::vector<combined_hash> rings;  ///< Of the layout at the time, oldest first.
    std::uint64_t reads = 0;
    std::uint64_t writes = 0;

    started() = default;
};

/// Builds sectors [first, last) as kitsune2's model does when it starts, call for call, one after the other.
///
/// In a sector without any stored slice hash it looks for the earliest op and reads the ids of each full
/// slice from the one before it on, and stores the hash of each that holds ops; else it goes on behind the
/// highest that is stored. Then it asks for the earliest op again and reads the ids of each ring slice that
/// may hold ops. (It asks for the total count once, beside this.)
boost::asio::awaitable<started> start_sectors(start_calls& store, arc::sector_index first,
                                              arc::sector_index last, arc::timestamp now);

}  // namespace opstore::bench
