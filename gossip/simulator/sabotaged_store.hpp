#pragma once

#include <gossip/simulator/forwarding_store.hpp>
#include <gossip/simulator/plan.hpp>

#include <memory>
#include <optional>

namespace opstore::simulator {

/// A store that breaks its contract on purpose, for one op: what the checker has to find.
///
/// Thread safety: none.
class sabotaged_store final : public forwarding_store {
public:
    sabotaged_store(std::unique_ptr<op_store> inner, sabotage how);

    boost::asio::awaitable<result<ingest_report>> process_incoming_ops(std::vector<incoming_op> ops,
                                                                       deadline until = {}) override;
    boost::asio::awaitable<result<op_batch>> retrieve_ops_bounded(std::vector<op_id> ids,
                                                                  std::uint64_t limit_bytes,
                                                                  deadline until = {}) override;

private:
    std::vector<incoming_op> without_victim(std::vector<incoming_op> ops);

    std::unique_ptr<op_store> owned_;
    sabotage how_;
    std::optional<op_id> victim_;  ///< The first op that comes by.
};

}  // namespace opstore::simulator
