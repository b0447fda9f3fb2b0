#include <gossip/simulator/process.hpp>

#include <utility>

namespace asio = boost::asio;

namespace opstore::simulator {
namespace {

store_error cut_off() {
    store_error::facts facts;
    facts.code = errc::unavailable;
    facts.retryable = true;
    facts.commit_in_doubt = true;
    return store_error("the simulated process was cut", facts);
}

}  // namespace

process_store::process_store(op_store& inner, process& owner, listener on_stored)
    : forwarding_store(inner), owner_(owner), on_stored_(std::move(on_stored)) {}

asio::awaitable<result<ingest_report>> process_store::process_incoming_ops(std::vector<incoming_op> ops,
                                                                           deadline until) {
    if (owner_.armed == cut::before_commit) {
        owner_.dead = true;
    }
    if (owner_.dead) {
        throw cut_off();
    }
    auto report = co_await inner().process_incoming_ops(std::move(ops), until);
    if (report) {
        on_stored_(report->held);
    }
    if (owner_.armed == cut::after_commit) {
        owner_.dead = true;
        throw cut_off();
    }
    co_return report;
}

asio::awaitable<result<std::vector<peer_meta_entry>>> process_meta::get_all(arc::timestamp now,
                                                                            deadline until) {
    return inner_.get_all(now, until);
}

asio::awaitable<result<std::optional<peer_meta_entry>>> process_meta::get(std::string peer, std::string key,
                                                                          arc::timestamp now,
                                                                          deadline until) {
    return inner_.get(std::move(peer), std::move(key), now, until);
}

asio::awaitable<result<void>> process_meta::put(std::vector<peer_meta_entry> entries, arc::timestamp now,
                                                deadline until) {
    if (owner_.dead) {
        throw cut_off();
    }
    co_return co_await inner_.put(std::move(entries), now, until);
}

asio::awaitable<result<void>> process_meta::remove(std::string peer, std::string key, deadline until) {
    if (owner_.dead) {
        throw cut_off();
    }
    co_return co_await inner_.remove(std::move(peer), std::move(key), until);
}

}  // namespace opstore::simulator
