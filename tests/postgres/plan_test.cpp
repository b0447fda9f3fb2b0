// Goal: what asks for ops by id probes the key once for each id, also before the server has any statistics of
// the table: a peer that has just joined asks for most then. Method: the plans of the statements as a session
// of the store makes them, on a schema whose tables are empty and were never analysed. (Seen before: a join
// that compared each id with each op, kept by sessions until the first ANALYZE.)
#include <opstore/postgres/detail/connection.hpp>
#include <sql/statements.hpp>
#include <tests/postgres/test_database.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

namespace opstore::testing {
namespace {

using postgres::detail::connection;
using postgres::detail::connection_settings;

std::string plan_of(connection& c, sql::statement const& statement, std::string const& arguments) {
    c.execute_text("prepare", fmt::format("PREPARE planned_{} AS {}", statement.name, statement.text));
    auto const lines =
        c.execute_text("explain", fmt::format("EXPLAIN EXECUTE planned_{}({})", statement.name, arguments));
    std::string plan;
    for (std::size_t row = 0; row < lines.count(); ++row)
        plan.append(lines.text(row, 0)).push_back('\n');
    return plan;
}

}  // namespace

TEST_CASE("plans: ids are probed one by one in a table without statistics") {
    auto where = test_database_options();
    where.schema = fmt::format("scratch_plans_{}", getpid());
    auto const drop = fmt::format("DROP SCHEMA IF EXISTS {} CASCADE", where.schema);
    run_sql(drop);
    migrate(where);
    {
        connection_settings settings;
        settings.conninfo = where.conninfo;
        settings.schema = where.schema;
        connection c(settings);
        std::string const probe = "(space_id = $1) AND (op_id = i.op_id)";
        for (auto const& plan : {plan_of(c, sql::missing, "1, 1, ARRAY[''::bytea]"),
                                 plan_of(c, sql::retrieve, "1, 1, ARRAY[''::bytea], 1"),
                                 plan_of(c, sql::retrieve_bounded, "1, 1, ARRAY[''::bytea], 1, 1")}) {
            INFO(plan);
            CHECK(plan.find(probe) != std::string::npos);
        }
    }
    run_sql(drop);
}

}  // namespace opstore::testing
