#pragma once

#include <gossip/simulator/ledger.hpp>
#include <opstore/op_store.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace opstore::simulator {

/// What the stores of the peers that are present at the end really hold, compared with what they should.
struct verdict {
    std::uint64_t missing = 0;    ///< Pairs of a surviving op and a peer that lacks it.
    std::uint64_t lost = 0;       ///< Ops that were acknowledged or handed over, and are lacked.
    std::uint64_t surviving = 0;  ///< Ops that some present peer holds.
    std::string state_hash;       ///< Of the ids that each present peer holds, in their order.

    verdict() = default;
};

/// Reads every op of every store, and reports to the ledger what is invented, altered or forgotten.
/// Precondition: `present` are peers of the ledger; their stores outlive the call.
boost::asio::awaitable<verdict> inspect(ledger& truth, std::map<peer_number, op_store*> present);

}  // namespace opstore::simulator
