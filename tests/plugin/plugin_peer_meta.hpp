#pragma once

#include <opstore/peer_meta.hpp>
#include <tests/plugin/plugin_database.hpp>

#include <memory>

namespace opstore::testing {

/// What a space of the plugin remembers of peers, as a peer_meta. The handle of the space is closed with it.
///
/// Thread safety: peer_meta's.
class plugin_peer_meta final : public peer_meta {
public:
    /// Of a space that is made, with plain ops, if it does not exist.
    static std::unique_ptr<plugin_peer_meta> open(std::shared_ptr<plugin_database> database,
                                                  std::string space_key);
    ~plugin_peer_meta() override;

    plugin_peer_meta(plugin_peer_meta const&) = delete;
    plugin_peer_meta& operator=(plugin_peer_meta const&) = delete;

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
    plugin_peer_meta(std::shared_ptr<plugin_database> database, opstore_space* space)
        : database_(std::move(database)), space_(space) {}

    std::shared_ptr<plugin_database> database_;
    opstore_space* const space_;
};

}  // namespace opstore::testing
