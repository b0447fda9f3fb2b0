#include <opstore/postgres/postgres_database.hpp>

#include <opstore/postgres/detail/connection_pool.hpp>
#include <opstore/postgres/detail/delegates.hpp>
#include <opstore/postgres/detail/earliest_delegate.hpp>
#include <opstore/postgres/detail/held_ids.hpp>
#include <opstore/postgres/detail/random_number.hpp>
#include <opstore/postgres/detail/schema.hpp>
#include <sql/statements.hpp>

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <utility>

namespace opstore {

using postgres::detail::connection;
using postgres::detail::connection_pool;
using postgres::detail::earliest_delegate;
using postgres::detail::lane;
using postgres::detail::lock_against_delegates;
using postgres::detail::parameters;
using postgres::detail::persistence;
using postgres::detail::random_number;
using postgres::detail::rows;
using postgres::detail::space_identity;

namespace {

std::span<const std::byte> bytes_of(std::string const& text) {
    return std::as_bytes(std::span(text));
}

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// 63 bits of the key's hash, so that a space has its number before any server is asked, and on every shard.
std::int64_t space_id_of(std::string const& key) {
    std::uint64_t hash = 0;
    crypto_generichash(reinterpret_cast<unsigned char*>(&hash), sizeof hash,
                       reinterpret_cast<unsigned char const*>(key.data()), key.size(), nullptr, 0);
    return static_cast<std::int64_t>(hash >> 1);
}

refusal unknown_space(std::string const& key) {
    return refusal(errc::no_such_space, fmt::format("there is no space '{}'", key));
}

/// A space as the database has it.
struct found_space {
    space_identity identity{};
    std::string format_name;
    std::size_t id_length = 0;
    space_options options;  ///< All but the format.

    found_space() = default;
};

result<found_space> find_space(connection& c, std::string const& key) {
    enum column { key_bytes, incarnation, format, id_length, max_op_bytes, slice_factor, mode, max_future };
    found_space space;
    space.identity.space_id = space_id_of(key);
    auto const found = c.execute(sql::find_space, parameters().bigint(space.identity.space_id));
    if (found.empty())
        return unknown_space(key);
    space.options.key = text_of(found.bytea(0, key_bytes));
    if (space.options.key != key)
        return refusal(errc::space_differs,
                       fmt::format("the names '{}' and '{}' have the same number; choose another", key,
                                   space.options.key));
    space.identity.incarnation = found.bigint(0, incarnation);
    space.format_name = found.text(0, format);
    space.id_length = static_cast<std::size_t>(found.bigint(0, id_length));
    space.options.max_op_bytes = static_cast<std::uint64_t>(found.bigint(0, max_op_bytes));
    space.options.slice_factor = static_cast<int>(found.bigint(0, slice_factor));
    space.options.slices = parse_slice_mode(found.text(0, mode)).value();
    if (!found.is_null(0, max_future))
        space.options.max_future = std::chrono::microseconds(found.bigint(0, max_future));
    return space;
}

void create_space(connection& c, space_options const& options, std::function<arc::timestamp()> const& clock) {
    c.execute(
        sql::create_space,
        parameters()
            .bigint(space_id_of(options.key))
            .bytea(bytes_of(options.key))
            .bigint(random_number())
            .text(options.format->name())
            .bigint(static_cast<std::int64_t>(options.format->id_length()))
            .bigint(static_cast<std::int64_t>(options.max_op_bytes))
            .bigint(options.slice_factor)
            .bigint(arc::slice_length(options.slice_factor).count())
            .text(to_string(options.slices))
            .optional_bigint(options.max_future ? std::optional(options.max_future->count()) : std::nullopt)
            .bigint(arc::reserved_time(options.slice_factor).count())
            .optional_bigint(clock ? std::optional(arc::to_micros(clock())) : std::nullopt));
}

std::string text_of(std::optional<std::chrono::microseconds> d) {
    return d ? fmt::format("{} us", d->count()) : "none";
}

/// Refuses to open a space as something that it is not.
result<void> compare(found_space const& space, space_options const& wanted) {
    std::string difference;
    auto check_same = [&](char const* what, auto const& is, auto const& asked) {
        if (difference.empty() && is != asked)
            difference = fmt::format("{} {}, not {}", what, is, asked);
    };
    check_same("format", space.format_name, std::string(wanted.format->name()));
    check_same("id length", space.id_length, wanted.format->id_length());
    check_same("max_op_bytes", space.options.max_op_bytes, wanted.max_op_bytes);
    check_same("slice factor", space.options.slice_factor, wanted.slice_factor);
    check_same("slice mode", to_string(space.options.slices), to_string(wanted.slices));
    check_same("max_future", text_of(space.options.max_future), text_of(wanted.max_future));
    if (difference.empty())
        return {};
    return refusal(errc::space_differs, fmt::format("the space '{}' has {}", space.options.key, difference));
}

}  // namespace

postgres_database::postgres_database(database_options options)
    : options_(std::move(options)),
      held_ids_(std::make_unique<postgres::detail::held_ids_of_spaces>(options_.remembered_ids_max)) {
    if (sodium_init() < 0)
        throw std::runtime_error("libsodium cannot be initialised");
    postgres::detail::connection_settings settings;
    settings.conninfo = options_.conninfo;
    settings.schema = postgres::detail::checked_schema_name(options_.schema);
    settings.statement_timeout = options_.default_timeout;
    auto connect = [settings] {
        auto link = std::make_unique<connection>(settings);
        postgres::detail::require_current_schema(*link, settings.schema);
        return link;
    };
    delegate_ = std::make_unique<earliest_delegate>(connect);
    pool_ =
        std::make_unique<connection_pool>(options_.connections, options_.default_timeout, std::move(connect));
}

postgres_database::~postgres_database() = default;

boost::asio::awaitable<std::shared_ptr<postgres_database>> postgres_database::open(database_options options) {
    std::shared_ptr<postgres_database> const database(new postgres_database(std::move(options)));
    // Connecting checks the schema; a user wants to hear at once that the database is not there.
    std::function<bool(connection&)> nothing = [](connection&) { return true; };
    co_await database->pool_->run<bool>(lane::read, deadline(), std::move(nothing), persistence::once);
    co_return database;
}

boost::asio::awaitable<result<std::unique_ptr<postgres_op_store>>> postgres_database::open_space(
    std::string key, std::shared_ptr<const op_format> format, deadline until) {
    std::function<result<found_space>(connection&)> work = [key](connection& c) {
        return find_space(c, key);
    };
    auto found = co_await pool_->run<result<found_space>>(lane::read, until, std::move(work));
    if (!found)
        co_return found.error();
    found->options.format = format ? std::move(format) : find_format(found->format_name);
    if (!found->options.format || found->options.format->name() != found->format_name ||
        found->options.format->id_length() != found->id_length) {
        co_return refusal(
            errc::space_differs,
            fmt::format("the space '{}' has format {} with ids of {} bytes, which is not the one at hand",
                        key, found->format_name, found->id_length));
    }
    co_return std::unique_ptr<postgres_op_store>(
        new postgres_op_store(shared_from_this(), found->identity.space_id, found->identity.incarnation,
                              std::move(found->options)));
}

boost::asio::awaitable<result<std::unique_ptr<postgres_op_store>>> postgres_database::open_or_create_space(
    space_options options, deadline until) {
    if (auto const valid = check(options); !valid)
        co_return valid.error();
    // A repeat finds the space made. Whoever lost a race finds the winner's, in a new statement; or nothing,
    // if it was dropped again.
    std::function<result<found_space>(connection&)> work = [options, clock = options_.clock](connection& c) {
        constexpr int creations_max = 100;
        auto space = find_space(c, options.key);
        for (int i = 0; i < creations_max && !space && space.error().code() == errc::no_such_space; ++i) {
            create_space(c, options, clock);
            space = find_space(c, options.key);
        }
        return space;
    };
    auto const found = co_await pool_->run<result<found_space>>(lane::write, until, std::move(work));
    if (!found)
        co_return found.error();
    if (auto const same = compare(*found, options); !same)
        co_return same.error();
    co_return std::unique_ptr<postgres_op_store>(new postgres_op_store(
        shared_from_this(), found->identity.space_id, found->identity.incarnation, std::move(options)));
}

boost::asio::awaitable<result<std::unique_ptr<postgres_peer_meta>>> postgres_database::open_peer_meta(
    std::string space_key, deadline until) {
    std::function<result<found_space>(connection&)> work = [space_key](connection& c) {
        return find_space(c, space_key);
    };
    auto const found = co_await pool_->run<result<found_space>>(lane::read, until, std::move(work));
    if (!found)
        co_return found.error();
    co_return std::unique_ptr<postgres_peer_meta>(
        new postgres_peer_meta(shared_from_this(), found->identity.space_id, found->identity.incarnation));
}

boost::asio::awaitable<std::vector<space_listing>> postgres_database::list_spaces(deadline until) {
    std::function<std::vector<space_listing>(connection&)> work = [](connection& c) {
        std::vector<space_listing> spaces;
        rows const found = c.execute(sql::list_spaces);
        for (std::size_t row = 0; row < found.count(); ++row) {
            space_listing space;
            space.key = text_of(found.bytea(row, 0));
            space.format = found.text(row, 1);
            space.id_length = static_cast<std::size_t>(found.bigint(row, 2));
            space.slices = parse_slice_mode(found.text(row, 3)).value();
            space.max_op_bytes = static_cast<std::uint64_t>(found.bigint(row, 4));
            space.op_count = static_cast<std::uint64_t>(found.bigint(row, 5));
            space.op_bytes = static_cast<std::uint64_t>(found.bigint(row, 6));
            spaces.push_back(std::move(space));
        }
        return spaces;
    };
    co_return co_await pool_->run<std::vector<space_listing>>(lane::read, until, std::move(work));
}

boost::asio::awaitable<result<void>> postgres_database::drop_space(std::string key, deadline until) {
    // A repeat after a drop whose answer was lost finds no space: the caller is told so, not that it failed.
    std::function<result<void>(connection&)> work = [key](connection& c) -> result<void> {
        auto const space = find_space(c, key);
        if (!space)
            return space.error();
        if (!lock_against_delegates(c, sql::lock_space_to_drop, space->identity, 0, [] { return true; }))
            return unknown_space(key);
        auto const id = parameters().bigint(space->identity.space_id);
        c.execute(sql::lock_fold, id);
        c.execute(sql::drop_space, id);
        c.commit();
        return {};
    };
    co_return co_await pool_->run<result<void>>(lane::write, until, std::move(work));
}

boost::asio::awaitable<database_stat> postgres_database::stat(deadline until) {
    std::function<database_stat(connection&)> work = [](connection& c) {
        enum column { server_version, bytes, oldest, fsync, synchronous_commit };
        rows const found = c.execute(sql::database_stat);
        database_stat stat;
        stat.server_version = found.text(0, server_version);
        stat.schema_version = postgres::detail::newest_migration();
        stat.database_bytes = static_cast<std::uint64_t>(found.bigint(0, bytes));
        stat.oldest_transaction = std::chrono::milliseconds(found.bigint(0, oldest));
        stat.fsync = found.boolean(0, fsync);
        stat.synchronous_commit = found.text(0, synchronous_commit);
        return stat;
    };
    co_return co_await pool_->run<database_stat>(lane::read, until, std::move(work));
}

}  // namespace opstore
