#include <opstore/tool/session.hpp>

#include <opstore/embedded/embedded_cluster.hpp>
#include <opstore/memory/memory_op_store.hpp>
#include <opstore/tool/exit_code.hpp>
#include <opstore/tool/foreign_format.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace opstore::tool {
namespace {

bool is_set(char const* variable) {
    char const* const value = std::getenv(variable);
    return value && *value;
}

/// The connection string that was given; empty if none was.
std::string named_database(command_line const& line) {
    char const* const variable = std::getenv("OPSTORE_DATABASE");
    if (!line.database.empty() || !variable)
        return line.database;
    // Mostly the value of another variable that is not set; a database of its own is not what was meant.
    if (!*variable)
        throw usage_error("OPSTORE_DATABASE is empty: name a database, or unset it");
    return variable;
}

}  // namespace

session::session(command_line const& line)
    : line_(line),
      conninfo_(named_database(line)),
      embedded_(conninfo_.empty() && !is_set("PGHOST") && !is_set("PGSERVICE")),
      work_(boost::asio::make_work_guard(io_)),
      thread_([this] { io_.run(); }) {}

session::~session() {
    database_.reset();
    work_.reset();
    thread_.join();
}

database_options session::reach_server() {
    if (embedded_) {
        embedded_cluster cluster;
        cluster.ensure_running();
        conninfo_ = cluster.conninfo();
    }
    database_options options(conninfo_);
    options.schema = line_.schema;
    options.connections = 2;
    if (line_.timeout)
        options.default_timeout = *line_.timeout;
    return options;
}

postgres_database& session::database() {
    if (database_)
        return *database_;
    database_ = reaching([&] {
        auto const options = reach_server();
        if (embedded_)
            migrate(options);
        return wait(postgres_database::open(options));
    });
    return *database_;
}

std::unique_ptr<op_store> session::open_existing() {
    auto opened = wait(database().open_space(line_.space));
    if (!opened && opened.error().code() == errc::no_such_space)
        return nullptr;
    if (!opened && opened.error().code() == errc::space_differs) {
        auto const spaces = wait(database().list_spaces());
        auto const space = std::ranges::find(spaces, line_.space, &space_listing::key);
        if (space != spaces.end())
            return get(database().open_space(line_.space, foreign_format(space->format, space->id_length)));
    }
    return std::move(opened).value();
}

std::unique_ptr<op_store> session::open_for_reading() {
    if (auto existing = open_existing())
        return existing;
    return std::make_unique<memory_op_store>(space_options(line_.space));
}

std::unique_ptr<op_store> session::open_for_writing() {
    // Looked for first: a space that exists with other options is used as it is.
    if (auto existing = open_existing())
        return existing;
    return get(database().open_or_create_space(space_options(line_.space)));
}

std::unique_ptr<op_store> session::open_for_storing() {
    auto store = open_for_writing();
    auto const format = store->options().format->name();
    if (!find_format(format))
        throw command_failure(exit_code::failure,
                              fmt::format("the space '{}' has format '{}': only its host can store ops in it",
                                          line_.space, format));
    return store;
}

deadline session::patient() const {
    return deadline::after(line_.timeout.value_or(std::chrono::hours(24)));
}

}  // namespace opstore::tool
