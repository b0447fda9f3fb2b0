#include <gossip/simulator/sabotaged_store.hpp>

#include <utility>

namespace asio = boost::asio;

namespace opstore::simulator {

sabotaged_store::sabotaged_store(std::unique_ptr<op_store> inner, sabotage how)
    : forwarding_store(*inner), owned_(std::move(inner)), how_(how) {}

std::vector<incoming_op> sabotaged_store::without_victim(std::vector<incoming_op> ops) {
    std::vector<incoming_op> rest;
    for (auto& op : ops) {
        auto const header = options().format->decode(op.data, op.metadata);
        if (header && header->id != *victim_) {
            rest.push_back(std::move(op));
        }
    }
    return rest;
}

asio::awaitable<result<ingest_report>> sabotaged_store::process_incoming_ops(std::vector<incoming_op> ops,
                                                                             deadline until) {
    bool const first = !victim_ && !ops.empty();
    if (first) {
        victim_ = options().format->decode(ops[0].data, ops[0].metadata).value().id;
    }
    if (how_ == sabotage::forget) {
        auto const count = ops.size();
        auto rest = without_victim(std::move(ops));
        bool const came = rest.size() < count;
        auto report = co_await inner().process_incoming_ops(std::move(rest), until);
        if (report && came) {
            report->held.push_back(*victim_);
        }
        co_return report;
    }
    if (how_ == sabotage::invent && first) {
        std::vector<incoming_op> strange;
        strange.emplace_back(encode_located(arc::from_micros(1), arc::location{1}, {}));
        co_await inner().process_incoming_ops(std::move(strange), until);
    }
    co_return co_await inner().process_incoming_ops(std::move(ops), until);
}

asio::awaitable<result<op_batch>> sabotaged_store::retrieve_ops_bounded(std::vector<op_id> ids,
                                                                        std::uint64_t limit_bytes,
                                                                        deadline until) {
    auto batch = co_await inner().retrieve_ops_bounded(std::move(ids), limit_bytes, until);
    if (batch && how_ == sabotage::alter) {
        for (auto& op : batch->ops) {
            if (op.id == victim_) {
                op.data.back() ^= std::byte{1};
            }
        }
    }
    co_return batch;
}

}  // namespace opstore::simulator
