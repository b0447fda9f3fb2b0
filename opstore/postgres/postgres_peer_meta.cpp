#include <opstore/postgres/postgres_peer_meta.hpp>

#include <opstore/peer_meta_bounds.hpp>
#include <opstore/postgres/detail/connection_pool.hpp>
#include <opstore/postgres/detail/query_parts.hpp>
#include <opstore/postgres/postgres_database.hpp>
#include <sql/statements.hpp>

#include <map>
#include <span>
#include <utility>

namespace opstore {

using postgres::detail::bytea_array_image;
using postgres::detail::connection;
using postgres::detail::lane;
using postgres::detail::parameters;
using postgres::detail::rows;
using postgres::detail::space_is_gone;

namespace {

/// Later entries replace earlier ones of the same peer and key.
using entries_by_key = std::map<std::pair<std::string, std::string>, peer_meta_entry>;

std::span<const std::byte> bytes_of(std::string const& text) {
    return std::as_bytes(std::span(text));
}

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

std::vector<std::byte> bytes_in(rows const& r, std::size_t row, std::size_t column) {
    auto const bytes = r.bytea(row, column);
    return {bytes.begin(), bytes.end()};
}

std::optional<arc::timestamp> expiry(rows const& r, std::size_t row, std::size_t column) {
    if (r.is_null(row, column))
        return std::nullopt;
    return arc::from_micros(r.bigint(row, column));
}

/// What `part` gives of each entry, as a parameter.
template <class Part>
std::string array_of(entries_by_key const& entries, Part const& part) {
    std::size_t bytes = 0;
    for (auto const& [place, entry] : entries)
        bytes += part(entry).size();
    bytea_array_image image(entries.size(), bytes);
    for (auto const& [place, entry] : entries)
        image.add(part(entry));
    return image.take();
}

result<std::vector<peer_meta_entry>> fetch_all(connection& c, parameters values, arc::timestamp now) {
    auto const found = c.execute(sql::peer_meta_all, values.bigint(arc::to_micros(now)));
    if (found.empty())
        return space_is_gone();
    std::vector<peer_meta_entry> all;
    for (std::size_t row = 0; row < found.count() && !found.is_null(row, 0); ++row) {
        peer_meta_entry& entry = all.emplace_back();
        entry.peer = text_of(found.bytea(row, 0));
        entry.key = text_of(found.bytea(row, 1));
        entry.value = bytes_in(found, row, 2);
        entry.expires_at = expiry(found, row, 3);
    }
    return all;
}

result<std::optional<peer_meta_entry>> fetch_one(connection& c, parameters values, std::string const& peer,
                                                 std::string const& key, arc::timestamp now) {
    values.bytea(bytes_of(peer)).bytea(bytes_of(key)).bigint(arc::to_micros(now));
    auto const found = c.execute(sql::peer_meta_one, values);
    if (found.empty())
        return space_is_gone();
    std::optional<peer_meta_entry> entry;
    if (!found.is_null(0, 0)) {
        entry.emplace();
        entry->peer = peer;
        entry->key = key;
        entry->value = bytes_in(found, 0, 0);
        entry->expires_at = expiry(found, 0, 1);
    }
    return entry;
}

/// A repeat overwrites with the same.
result<void> store_all(connection& c, parameters values, entries_by_key const& entries, arc::timestamp now) {
    std::vector<std::int64_t> expires, expires_at;
    for (auto const& [place, entry] : entries) {
        expires.push_back(entry.expires_at ? 1 : 0);
        expires_at.push_back(arc::to_micros(entry.expires_at.value_or(arc::timestamp())));
    }
    values.image(array_of(entries, [](peer_meta_entry const& e) { return bytes_of(e.peer); }))
        .image(array_of(entries, [](peer_meta_entry const& e) { return bytes_of(e.key); }))
        .image(array_of(entries, [](peer_meta_entry const& e) { return std::span(e.value); }))
        .bigint_array(expires)
        .bigint_array(expires_at)
        .bigint(arc::to_micros(now));
    if (c.execute(sql::peer_meta_put, values).empty())
        return space_is_gone();
    return {};
}

/// A repeat removes nothing more.
result<void> remove_one(connection& c, parameters values, std::string const& peer, std::string const& key) {
    if (c.execute(sql::peer_meta_remove, values.bytea(bytes_of(peer)).bytea(bytes_of(key))).empty())
        return space_is_gone();
    return {};
}

}  // namespace

postgres_peer_meta::postgres_peer_meta(std::shared_ptr<postgres_database> database, std::int64_t space_id,
                                       std::int64_t incarnation)
    : database_(std::move(database)), space_id_(space_id), incarnation_(incarnation) {}

postgres_peer_meta::~postgres_peer_meta() = default;

/// Runs query(connection, identity of the space) on the pool. Not a coroutine itself, so the query may be a
/// temporary.
template <class Query>
auto postgres_peer_meta::run(lane l, deadline until, Query query) {
    using answer = decltype(query(std::declval<connection&>(), std::declval<parameters>()));
    return database_->pool_->run<answer>(
        l, until, [id = space_id_, incarnation = incarnation_, query = std::move(query)](connection& c) {
            return query(c, parameters().bigint(id).bigint(incarnation));
        });
}

boost::asio::awaitable<result<std::vector<peer_meta_entry>>> postgres_peer_meta::get_all(arc::timestamp now,
                                                                                         deadline until) {
    return run(lane::read, until,
               [now](connection& c, parameters space) { return fetch_all(c, std::move(space), now); });
}

boost::asio::awaitable<result<std::optional<peer_meta_entry>>> postgres_peer_meta::get(std::string peer,
                                                                                       std::string key,
                                                                                       arc::timestamp now,
                                                                                       deadline until) {
    return run(lane::read, until,
               [peer = std::move(peer), key = std::move(key), now](
                   connection& c, parameters space) -> result<std::optional<peer_meta_entry>> {
                   if (auto const valid = check_peer_and_key(peer, key); !valid)
                       return valid.error();
                   return fetch_one(c, std::move(space), peer, key, now);
               });
}

boost::asio::awaitable<result<void>> postgres_peer_meta::put(std::vector<peer_meta_entry> entries,
                                                             arc::timestamp now, deadline until) {
    result<void> valid;
    entries_by_key by_key;
    for (peer_meta_entry& entry : entries) {
        if (valid)
            valid = check(entry);
        std::pair place(entry.peer, entry.key);
        by_key.insert_or_assign(std::move(place), std::move(entry));
    }
    return run(lane::write, until,
               [by_key = std::move(by_key), valid, now](connection& c, parameters space) -> result<void> {
                   if (!valid)
                       return valid.error();
                   return store_all(c, std::move(space), by_key, now);
               });
}

boost::asio::awaitable<result<void>> postgres_peer_meta::remove(std::string peer, std::string key,
                                                                deadline until) {
    return run(
        lane::write, until,
        [peer = std::move(peer), key = std::move(key)](connection& c, parameters space) -> result<void> {
            if (auto const valid = check_peer_and_key(peer, key); !valid)
                return valid.error();
            return remove_one(c, std::move(space), peer, key);
        });
}

}  // namespace opstore
