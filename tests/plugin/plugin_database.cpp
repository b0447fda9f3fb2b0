#include <tests/plugin/plugin_database.hpp>

#include <tests/plugin/plugin_answers.hpp>
#include <tests/plugin/plugin_call.hpp>
#include <tests/support/run.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace opstore::testing {
namespace {

/// What the context of a C format points to.
struct crossing_format {
    std::shared_ptr<const op_format> format;
};

op_format const& format_of(void* context) {
    return *static_cast<crossing_format*>(context)->format;
}

std::span<const std::byte> span_of(opstore_bytes bytes) {
    return std::as_bytes(std::span(bytes.data, bytes.size));
}

std::int32_t decode(void* context, opstore_bytes op, opstore_bytes metadata, opstore_decoded_op* decoded) {
    auto const header = format_of(context).decode(span_of(op), span_of(metadata));
    if (!header) {
        header.error().message().copy(decoded->message, sizeof decoded->message - 1);
        return static_cast<std::int32_t>(header.error().reason());
    }
    auto const id = header->id.bytes();
    std::transform(id.begin(), id.end(), decoded->id,
                   [](std::byte b) { return std::to_integer<uint8_t>(b); });
    decoded->id_size = static_cast<std::uint32_t>(id.size());
    decoded->created_at = arc::to_micros(header->created_at);
    return 0;
}

std::uint32_t locate(void* context, opstore_bytes id) {
    return format_of(context).locate(op_id(span_of(id))).value;
}

void release(void* context) {
    delete static_cast<crossing_format*>(context);
}

opstore_op_format c_format(std::shared_ptr<const op_format> const& format) {
    opstore_op_format result{};
    result.struct_size = sizeof result;
    result.id_size = static_cast<std::uint32_t>(format->id_length());
    result.name = {format->name().data(), format->name().size()};
    result.context = new crossing_format{format};
    result.decode = decode;
    result.locate = locate;
    result.release = release;
    return result;
}

opstore_space* read_space(opstore_space* space) {
    return space;
}

std::int64_t read_clock(void* clock) {
    return arc::to_micros(static_cast<manual_clock*>(clock)->now());
}

}  // namespace

plugin_database::plugin_database(database_options const& where, std::optional<manual_clock> clock)
    : clock_(std::move(clock)) {
    opstore_database_options options{};
    options.struct_size = sizeof options;
    options.conninfo = {where.conninfo.data(), where.conninfo.size()};
    options.schema = {where.schema.data(), where.schema.size()};
    options.connections = static_cast<std::uint32_t>(where.connections);
    options.default_timeout_ms = static_cast<std::uint32_t>(where.default_timeout.count());
    if (clock_) {
        options.clock = read_clock;
        options.clock_context = &*clock_;
    }
    std::uint64_t const remembered_ids_max = where.remembered_ids_max;
    options.remembered_ids_max = &remembered_ids_max;
    opstore_failure failure{};
    failure.struct_size = sizeof failure;
    handle_ = plugin_library().create_database(&options, &failure);
    if (!handle_)
        throw std::runtime_error(std::string("create_database: ") + failure.message);
}

plugin_database::~plugin_database() {
    plugin_library().destroy_database(handle_);
}

std::shared_ptr<plugin_database> plugin_database::connect(database_options const& where,
                                                          std::optional<manual_clock> clock) {
    std::shared_ptr<plugin_database> database(new plugin_database(where, std::move(clock)));
    auto start = [&](opstore_done_fn done, void* user) {
        return plugin_library().connect_database(database->handle_, done, user);
    };
    run(call_plugin<void, read_done, opstore_done_fn>(database->handle_, start)).value();
    return database;
}

boost::asio::awaitable<result<opstore_space*>> plugin_database::open_space(space_options options) {
    opstore_space_options c{};
    c.struct_size = sizeof c;
    c.key = c_bytes(options.key);
    c.max_op_bytes = options.max_op_bytes;
    auto const factor = static_cast<std::uint32_t>(options.slice_factor);
    c.slice_factor = &factor;
    c.slices = options.slices == slice_mode::store ? OPSTORE_SLICES_BY_STORE : OPSTORE_SLICES_BY_HOST;
    std::int64_t const max_future = options.max_future.value_or(std::chrono::microseconds(0)).count();
    if (options.max_future)
        c.max_future_us = &max_future;
    std::string const name(options.format->name());
    opstore_op_format format{};
    if (find_format(name)) {
        c.built_in_format = {name.data(), name.size()};
    } else {
        format = c_format(options.format);
        c.format = &format;
    }
    auto start = [&](opstore_space_fn done, void* user) {
        return plugin_library().open_space(handle_, &c, 0, done, user);
    };
    co_return co_await call_plugin<opstore_space*, read_space, opstore_space_fn>(handle_, start);
}

}  // namespace opstore::testing
