#pragma once

#include <opstore/plugin/opstore_plugin.h>
#include <opstore/postgres/postgres_database.hpp>
#include <opstore/space.hpp>
#include <tests/support/manual_clock.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>

namespace opstore::testing {

/// A connected database handle of the plugin. Destroyed with its last owner, on a thread of the test.
///
/// Thread safety: every method from any thread at once.
class plugin_database {
public:
    /// Of `where` its conninfo, schema, connections, default time-out and remembered_ids_max. Throws what
    /// connecting ends with.
    static std::shared_ptr<plugin_database> connect(database_options const& where,
                                                    std::optional<manual_clock> clock = std::nullopt);
    ~plugin_database();

    plugin_database(plugin_database const&) = delete;
    plugin_database& operator=(plugin_database const&) = delete;

    opstore_database* handle() const { return handle_; }

    /// Opens or creates a space. A format that is not built in crosses by the C callbacks.
    boost::asio::awaitable<result<opstore_space*>> open_space(space_options options);

private:
    plugin_database(database_options const& where, std::optional<manual_clock> clock);

    std::optional<manual_clock> clock_;  ///< What the C callback reads.
    opstore_database* handle_ = nullptr;
};

}  // namespace opstore::testing
