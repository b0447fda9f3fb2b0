#pragma once

#include <opstore/postgres/detail/binary_image.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace opstore::sql {
struct statement;
}

namespace opstore::postgres::detail {

/// What a connection is made of. All session settings travel in the connection string, where a reconnect
/// cannot lose them.
struct connection_settings {
    std::string conninfo;
    std::string schema;
    std::chrono::milliseconds statement_timeout{0};

    connection_settings() = default;
};

/// The rows that a statement returned. Cheap to move.
///
/// A statement of sql/ returns PostgreSQL's binary form, in which ids and payloads take half the bytes of
/// text and need no reading. SQL text returns text: of that, only text, bigint and boolean can be asked for.
/// Every function throws store_error where the column is of another type; row and column must exist.
class rows {
public:
    struct data;

    explicit rows(std::shared_ptr<data const> d) : data_(std::move(d)) {}

    std::size_t count() const;
    bool empty() const { return count() == 0; }
    bool is_null(std::size_t row, std::size_t column) const;
    /// Valid as long as this object. Empty for null. Of SQL text, any type.
    std::string_view text(std::size_t row, std::size_t column) const;
    /// Of bigint, integer or smallint. Null is an error, here and below, but for bytea.
    std::int64_t bigint(std::size_t row, std::size_t column) const;
    tuple_id tid(std::size_t row, std::size_t column) const;
    bool boolean(std::size_t row, std::size_t column) const;
    /// Valid as long as this object. Empty for null.
    std::span<const std::byte> bytea(std::size_t row, std::size_t column) const;
    /// Of bigint[], integer[] or smallint[].
    std::vector<std::int64_t> bigint_array(std::size_t row, std::size_t column) const;

private:
    std::string_view value(std::size_t row, std::size_t column) const;
    bool is_text(std::size_t column) const;
    std::uint32_t type(std::size_t column) const;

    std::shared_ptr<data const> data_;
};

/// One session of one server, blocking. The only place of the project that knows libpqxx and libpq.
///
/// Every function throws store_error; after one the connection is good for nothing and is to be destroyed:
/// what a half-broken session still holds (a transaction, locks, settings) cannot be told from here.
///
/// Thread safety: one thread at a time, but for cancel().
class connection {
public:
    /// Connects. Throws store_error(unavailable).
    explicit connection(connection_settings const& settings);
    ~connection();

    connection(connection const&) = delete;
    connection& operator=(connection const&) = delete;

    /// Runs a statement of sql/, prepared on its first use here.
    rows execute(sql::statement const& statement, parameters const& values = {});

    /// Runs SQL text of any number of statements; `name` stands in errors.
    rows execute_text(char const* name, std::string const& sql);

    void begin();
    void commit();
    void rollback();

    /// 0: no limit. Sends something only if the session's value differs.
    void set_statement_timeout(std::chrono::milliseconds timeout);

    /// 150018 is 15.18.
    int server_version() const;

    /// The session's socket, to wait for or to copy.
    int socket() const;

    /// Whether the server's end of the session can be read from the socket before the server lets go of what
    /// the session holds: it is a Unix-domain socket, and the process behind it the server's. False also
    /// where that cannot be seen: behind a pooler, or from another PID namespace.
    bool shows_its_end_at_once() const;

    /// From here on notifications() has what others send to the channel, a lower-case word.
    void listen(std::string const& channel);
    /// The channels of the notifications that have arrived since the last call; does not wait. Throws also if
    /// the server has ended the session. What has arrived in full has then been returned or thrown, and what
    /// has not makes the socket readable.
    std::vector<std::string> notifications();

    /// Asks the server to end what this session is executing; between two statements it finds nothing to end,
    /// so the next one is refused here. From any thread; blocks for a connect.
    void cancel() noexcept;

private:
    struct session;

    void require_not_cancelled(char const* statement) const;

    std::unique_ptr<session> session_;
    std::atomic<bool> cancelled_{false};
};

}  // namespace opstore::postgres::detail
