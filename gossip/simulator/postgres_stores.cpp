#include <gossip/simulator/postgres_stores.hpp>

#include <opstore/embedded/embedded_cluster.hpp>
#include <opstore/postgres/postgres_database.hpp>
#include <opstore/postgres/postgres_op_store.hpp>
#include <opstore/postgres/postgres_peer_meta.hpp>

#include <fmt/format.h>

#include <unistd.h>
#include <cstdlib>
#include <utility>

namespace opstore::simulator {
namespace {

bool is_set(char const* variable) {
    char const* const value = std::getenv(variable);
    return value && *value;
}

/// Empty: libpq finds it in the environment.
std::string find_server() {
    if (is_set("OPSTORE_DATABASE")) {
        return std::getenv("OPSTORE_DATABASE");
    }
    if (is_set("PGHOST") || is_set("PGSERVICE")) {
        return {};
    }
    embedded_cluster cluster;
    cluster.ensure_running();
    return cluster.conninfo();
}

}  // namespace

void postgres_stores::connect(running_clock const& clock) {
    database_options options(find_server());
    options.schema = "opstore_sim";
    options.connections = 2;
    options.clock = [clock] { return clock.now(); };
    migrate(options);
    database_ = caller_.run(postgres_database::open(std::move(options)));
}

postgres_stores::~postgres_stores() {
    for (auto const& space : spaces_) {
        try {
            (void)caller_.run(database_->drop_space(space));
        } catch (store_error const&) {
            // The server went away, and the run has ended with that; what is left bears this process' number.
            return;
        }
    }
}

peer_stores postgres_stores::make(space_options space, running_clock clock) {
    if (!database_) {
        connect(clock);
    }
    space.key = fmt::format("{}-{}", ::getpid(), space.key);
    // A process of the same number may have been killed.
    (void)caller_.run(database_->drop_space(space.key));
    spaces_.push_back(space.key);
    peer_stores made;
    made.ops = caller_.run(database_->open_or_create_space(std::move(space))).value();
    made.meta = caller_.run(database_->open_peer_meta(spaces_.back())).value();
    return made;
}

}  // namespace opstore::simulator
