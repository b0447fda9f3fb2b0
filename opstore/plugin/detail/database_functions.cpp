#include <opstore/plugin/detail/calls.hpp>
#include <opstore/plugin/detail/functions.hpp>
#include <opstore/plugin/detail/host_code.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace opstore::plugin::detail {
namespace {

/// Of the first version, which ended there.
constexpr std::size_t space_info_size =
    offsetof(opstore_space_info, max_future_us) + sizeof(opstore_space_info::max_future_us);
constexpr std::size_t failure_size = offsetof(opstore_failure, message) + sizeof(opstore_failure::message);

void report(opstore_failure* to, failure const& why) {
    if (!to || to->struct_size < failure_size)
        return;
    to->struct_size = std::min<std::uint32_t>(to->struct_size, sizeof *to);
    to->code = why.code;
    auto length = std::min(why.message.size(), sizeof to->message - 1);
    // Not within a character: its later bytes are 10xxxxxx.
    while (length > 0 && length < why.message.size() && (why.message[length] & 0xc0) == 0x80)
        --length;
    why.message.copy(to->message, length);
    to->message[length] = '\0';
}

opstore_database* create_database(opstore_database_options const* options, opstore_failure* failed) noexcept {
    try {
        return new opstore_database(read_database_options(options));
    } catch (...) {
        report(failed, describe(std::current_exception()));
        return nullptr;
    }
}

std::uint64_t connect_database(opstore_database* database, opstore_done_fn done, void* user) {
    if (!database || !done)
        return 0;
    return start_call(*database, done, user, [&] { return [database] { return database->connect(); }; });
}

void cancel_call(opstore_database* database, std::uint64_t number) noexcept {
    if (database)
        database->calls().cancel(number);
}

std::int32_t drain_database(opstore_database* database, std::uint32_t timeout_ms) {
    if (!database)
        return OPSTORE_INVALID_ARGUMENT;
    if (database->on_callback_thread() || host_code::on_this_thread())
        return OPSTORE_WRONG_THREAD;
    database->calls().close();
    std::optional<std::chrono::milliseconds> limit;
    if (timeout_ms > 0)
        limit = std::chrono::milliseconds(timeout_ms);
    return database->calls().wait_until_idle(limit) ? 0 : OPSTORE_TIMED_OUT;
}

std::int32_t destroy_database(opstore_database* database) {
    if (database && (database->on_callback_thread() || host_code::on_this_thread()))
        return OPSTORE_WRONG_THREAD;
    delete database;
    return 0;
}

boost::asio::awaitable<result<std::vector<space_listing>>> list(std::shared_ptr<postgres_database> database,
                                                                deadline until) {
    co_return co_await database->list_spaces(until);
}

std::uint64_t list_spaces(opstore_database* database, std::uint32_t timeout_ms, opstore_space_list_fn done,
                          void* user) {
    return start_database_call(database, done, user, [&](std::shared_ptr<postgres_database> connected) {
        return [connected, until = read_timeout(timeout_ms)] { return list(connected, until); };
    });
}

std::uint64_t drop_space(opstore_database* database, opstore_bytes key, std::uint32_t timeout_ms,
                         opstore_done_fn done, void* user) {
    return start_database_call(database, done, user, [&](std::shared_ptr<postgres_database> connected) {
        return [connected, key = read_key(key, "key"), until = read_timeout(timeout_ms)] {
            return connected->drop_space(key, until);
        };
    });
}

/// What open_space() answers: the handle is made when it is delivered, so that none is lost with a call
/// that was cancelled.
struct opened_space {
    opstore_database* database = nullptr;
    std::shared_ptr<space_state> state;

    opened_space() = default;
};

void deliver(opstore_space_fn done, void* user, opened_space const& opened) {
    auto* const handle = opened.database->add_space(opened.state);
    [&]() noexcept { done(user, nullptr, handle); }();
}

using opened_store = result<std::unique_ptr<postgres_op_store>>;

boost::asio::awaitable<opened_store> open_store(postgres_database& database, space_options options,
                                                bool must_exist, deadline until) {
    if (must_exist)
        co_return co_await database.open_space(options.key, options.format, until);
    co_return co_await database.open_or_create_space(std::move(options), until);
}

boost::asio::awaitable<result<opened_space>> open(opstore_database* owner,
                                                  std::shared_ptr<postgres_database> database,
                                                  space_options options, bool must_exist, deadline until) {
    opened_space opened;
    opened.database = owner;
    opened.state = std::make_shared<space_state>();
    opened.state->format_name = options.format->name();
    auto store = co_await open_store(*database, options, must_exist, until);
    if (store.has_error())
        co_return store.error();
    opened.state->store = std::move(*store);
    try {
        auto peers = co_await database->open_peer_meta(options.key, until);
        if (peers.has_error())
            co_return peers.error();
        opened.state->peers = std::move(*peers);
    } catch (...) {
        if (must_exist)
            throw;
        rethrow_in_doubt();  // The space may be one that this call has made.
    }
    co_return opened;
}

std::uint64_t open_space(opstore_database* database, opstore_space_options const* options,
                         std::uint32_t timeout_ms, opstore_space_fn done, void* user) {
    if (!database || !done)
        return 0;
    return start_call(*database, done, user, [&] {
        // First of all: a host's format is taken, and so released, whatever happens then.
        auto wanted = read_space_options(options);
        if (auto const valid = check(wanted); !valid)
            throw refused(valid.error());
        auto connected = database->connected();
        if (!connected)
            throw not_connected();
        return [database, connected, wanted = std::move(wanted), must_exist = options->must_exist != 0,
                until = read_timeout(timeout_ms)] {
            return open(database, connected, wanted, must_exist, until);
        };
    });
}

void close_space(opstore_space* space) {
    if (space)
        space->database.remove_space(space);
}

std::int32_t describe_space(opstore_space* space, opstore_space_info* info) {
    if (!space || !info || info->struct_size < space_info_size)
        return OPSTORE_INVALID_ARGUMENT;
    space_options const& options = space->state->store->options();
    opstore_space_info known{};
    known.struct_size = std::min<std::uint32_t>(info->struct_size, sizeof known);
    known.slices = options.slices == slice_mode::store ? OPSTORE_SLICES_BY_STORE : OPSTORE_SLICES_BY_HOST;
    known.key = c_bytes(std::as_bytes(std::span(options.key)));
    known.format = c_text(space->state->format_name);
    known.id_size = static_cast<std::uint32_t>(options.format->id_length());
    known.slice_factor = static_cast<std::uint32_t>(options.slice_factor);
    known.max_op_bytes = options.max_op_bytes;
    if (options.max_future)
        known.max_future_us = {1, options.max_future->count()};
    std::memcpy(info, &known, known.struct_size);
    return 0;
}

}  // namespace

void add_database_functions(opstore_plugin& table) {
    table.create_database = create_database;
    table.connect_database = connect_database;
    table.cancel_call = cancel_call;
    table.drain_database = drain_database;
    table.destroy_database = destroy_database;
    table.list_spaces = list_spaces;
    table.drop_space = drop_space;
    table.open_space = open_space;
    table.close_space = close_space;
    table.describe_space = describe_space;
}

}  // namespace opstore::plugin::detail
