#include <opstore/embedded/embedded_cluster.hpp>
#include <opstore/plugin/detail/arguments.hpp>
#include <opstore/plugin/detail/database.hpp>
#include <opstore/plugin/detail/failure.hpp>
#include <opstore/plugin/detail/host_code.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>

namespace opstore::plugin::detail {
namespace {

constexpr std::size_t options_size =
    offsetof(opstore_database_options, clock_context) + sizeof(opstore_database_options::clock_context);

constexpr std::uint32_t connections_min = 2, connections_max = 1000, callback_threads_max = 64;

/// Threads that are made while this lives leave the host's signals to the host's threads.
class blocked_signals {
public:
    blocked_signals() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~blocked_signals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

    blocked_signals(blocked_signals const&) = delete;
    blocked_signals& operator=(blocked_signals const&) = delete;

private:
    sigset_t before_;
};

std::uint32_t in_bounds(std::uint32_t given, std::uint32_t otherwise, std::uint32_t least, std::uint32_t most,
                        char const* name) {
    auto const value = given == 0 ? otherwise : given;
    if (value < least || value > most)
        refuse(name, fmt::format("{}, possible are {} to {}", given, least, most));
    return value;
}

}  // namespace

host_options read_database_options(opstore_database_options const* given) {
    auto const c = read_struct(given, options_size, "options");
    host_options options;
    options.migrate = c.migrate != 0;
    options.database.conninfo = read_text(c.conninfo, "conninfo");
    if (auto home = read_text(c.embedded_home, "embedded_home"); !home.empty()) {
        if (!options.database.conninfo.empty())
            refuse("embedded_home", "conninfo names a server already");
        options.embedded_home = std::move(home);
    }
    if (auto schema = read_text(c.schema, "schema"); !schema.empty())
        options.database.schema = std::move(schema);
    options.database.connections =
        in_bounds(c.connections, 4, connections_min, connections_max, "connections");
    options.callback_threads = in_bounds(c.callback_threads, 1, 1, callback_threads_max, "callback_threads");
    // Within the server's own bound for a statement, 24 days.
    if (c.default_timeout_ms > 0)
        options.database.default_timeout =
            std::chrono::milliseconds(std::min<std::uint32_t>(c.default_timeout_ms, INT32_MAX));
    if (c.clock) {
        options.database.clock = [clock = c.clock, context = c.clock_context] {
            host_code const entered;
            return arc::from_micros(clock(context));
        };
    }
    if (c.remembered_ids_max)
        options.database.remembered_ids_max = *c.remembered_ids_max;
    return options;
}

}  // namespace opstore::plugin::detail

using namespace opstore;
using namespace opstore::plugin::detail;

opstore_database::opstore_database(host_options options)
    : options_(std::move(options)), work_(io_.get_executor()), calls_(io_) {
    blocked_signals const blocked;
    try {
        for (std::size_t i = 0; i < options_.callback_threads; ++i)
            threads_.emplace_back([this] { io_.run(); });
    } catch (...) {
        io_.stop();
        for (std::thread& t : threads_)
            t.join();
        throw;
    }
}

opstore_database::~opstore_database() {
    calls_.close();
    calls_.cancel_all();
    calls_.wait_until_idle(std::nullopt);
    // The coroutines of the last calls may still be on their way out and hold what these held.
    spaces_.clear();
    connected_.reset();
    work_.reset();
    for (std::thread& t : threads_)
        t.join();
}

boost::asio::awaitable<result<void>> opstore_database::connect() {
    if (connected())
        co_return result<void>();
    database_options where = options_.database;
    bool changed = false;
    if (options_.embedded_home) {
        embedded_cluster cluster(*options_.embedded_home);
        cluster.ensure_running();
        where.conninfo = cluster.conninfo();
        changed = true;
    }
    if (options_.migrate || options_.embedded_home) {
        auto const report = migrate(where);
        changed = changed || report.version_before != report.version_after;
    }
    std::shared_ptr<postgres_database> opened;
    try {
        opened = co_await postgres_database::open(std::move(where));
    } catch (...) {
        if (changed)
            rethrow_in_doubt();
        throw;
    }
    std::lock_guard const lock(mutex_);
    if (!connected_)
        connected_ = std::move(opened);
    co_return result<void>();
}

std::shared_ptr<postgres_database> opstore_database::connected() const {
    std::lock_guard const lock(mutex_);
    return connected_;
}

opstore_space* opstore_database::add_space(std::shared_ptr<space_state> state) {
    std::unique_ptr<opstore_space> space(new opstore_space{*this, std::move(state)});
    auto* const handle = space.get();
    std::lock_guard const lock(mutex_);
    spaces_.emplace(handle, std::move(space));
    return handle;
}

void opstore_database::remove_space(opstore_space* space) {
    // Its last reference may go here, and with it the host's format: not under the lock.
    std::unique_ptr<opstore_space> removed;
    std::lock_guard const lock(mutex_);
    if (auto const found = spaces_.find(space); found != spaces_.end()) {
        removed = std::move(found->second);
        spaces_.erase(found);
    }
}
