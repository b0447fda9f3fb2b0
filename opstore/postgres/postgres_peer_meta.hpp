#pragma once

#include <opstore/peer_meta.hpp>

#include <cstdint>
#include <memory>

namespace opstore {

class postgres_database;

namespace postgres::detail {
enum class lane;
}

/// What a peer remembers of others, beside the ops of a space of a PostgreSQL database. Get one from
/// postgres_database::open_peer_meta(). Writers do not hold up ingest, nor the other way round.
///
/// Thread safety: every method from any thread at once.
class postgres_peer_meta final : public peer_meta {
public:
    ~postgres_peer_meta() override;

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
    friend class postgres_database;
    postgres_peer_meta(std::shared_ptr<postgres_database> database, std::int64_t space_id,
                       std::int64_t incarnation);

    template <class Query>
    auto run(postgres::detail::lane l, deadline until, Query query);

    std::shared_ptr<postgres_database> database_;
    std::int64_t space_id_;
    std::int64_t incarnation_;
};

}  // namespace opstore
