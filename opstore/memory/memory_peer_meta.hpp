#pragma once

#include <opstore/peer_meta.hpp>

#include <map>
#include <mutex>
#include <utility>

namespace opstore {

/// What a peer remembers of others, in memory: for tests and for simulated peers. It is durable for as long
/// as it lives. Calls complete without suspending; deadlines are ignored.
///
/// Thread safety: as peer_meta demands, by one mutex.
class memory_peer_meta final : public peer_meta {
public:
    memory_peer_meta() = default;

    // As peer_meta says; see there.
    boost::asio::awaitable<result<std::vector<peer_meta_entry>>> get_all(arc::timestamp now,
                                                                         deadline until = {}) override;
    boost::asio::awaitable<result<std::optional<peer_meta_entry>>> get(std::string peer, std::string key,
                                                                       arc::timestamp now,
                                                                       deadline until = {}) override;
    boost::asio::awaitable<result<void>> put(std::vector<peer_meta_entry> entries, arc::timestamp now,
                                             deadline until = {}) override;
    boost::asio::awaitable<result<void>> remove(std::string peer, std::string key,
                                                deadline until = {}) override;

private:
    std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, peer_meta_entry> entries_;  ///< By (peer, key).
};

}  // namespace opstore
