#include <tests/postgres/test_database.hpp>

#include <opstore/embedded/embedded_cluster.hpp>
#include <opstore/postgres/detail/connection.hpp>
#include <tests/support/run.hpp>

#include <fmt/format.h>

#include <unistd.h>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace opstore::testing {
namespace {

using postgres::detail::connection;
using postgres::detail::connection_settings;

connection connect(database_options const& options) {
    connection_settings settings;
    settings.conninfo = options.conninfo;
    settings.schema = options.schema;
    return connection(settings);
}

class process_schema {
public:
    process_schema() : options_(test_conninfo()) {
        options_.schema = fmt::format("test_{}", getpid());
        drop();
        migrate(options_);
    }
    ~process_schema() { drop(); }

    database_options const& options() const { return options_; }

private:
    void drop() const {
        connect(options_).execute_text("drop_schema",
                                       fmt::format("DROP SCHEMA IF EXISTS {} CASCADE", options_.schema));
    }

    database_options options_;
};

}  // namespace

std::string const& test_conninfo() {
    static std::string const conninfo = [] {
        if (char const* named = std::getenv("OPSTORE_TEST_DATABASE"))
            return std::string(named);
        embedded_cluster cluster(OPSTORE_TEST_HOME);
        cluster.ensure_running();
        return cluster.conninfo();
    }();
    return conninfo;
}

database_options test_database_options() {
    static process_schema const schema;
    return schema.options();
}

std::shared_ptr<postgres_database> open_test_database(database_options options) {
    return run(postgres_database::open(std::move(options)));
}

void wait_until_folded(std::string const& space, database_options const& options) {
    auto const unfolded = fmt::format(
        "SELECT count(*) FROM space JOIN fold USING (space_id) "
        "WHERE key = '{}' AND folded_to < last_stored_at",
        space);
    for (int i = 0; i < 3000; ++i) {
        if (run_sql(unfolded, options) == "0")
            return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw std::runtime_error("the tail of the space is never folded");
}

std::string run_sql(std::string const& sql, database_options const& options) {
    auto link = connect(options);
    auto const rows = link.execute_text("run_sql", sql);
    return rows.empty() ? std::string() : std::string(rows.text(0, 0));
}

}  // namespace opstore::testing
