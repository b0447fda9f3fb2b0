// Goal: every statement that reads ops walks the index that its file names, and of what is kept for arcs and
// sectors reads those that are asked for; also before there are ops, and
// after a dump was restored: a peer that has just joined asks for most then. Method: the plans of the
// statements as a session of the store makes them. (Seen before: a join that compared each id with each op,
// kept by sessions until the first ANALYZE.)
#include <opstore/postgres/detail/connection.hpp>
#include <sql/statements.hpp>
#include <tests/postgres/numbered_ops.hpp>
#include <tests/postgres/test_database.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <regex>
#include <set>

namespace opstore::testing {
namespace {

using postgres::detail::connection;
using postgres::detail::connection_settings;

struct expected_plan {
    sql::statement const& statement;
    std::string arguments;
    std::vector<std::string> indexes;  ///< All that it uses of table op.
    std::string reads_whole = "";      ///< The one table of which it reads all rows of a space.
    std::string also = "";             ///< Stands in the plan.
};

std::vector<expected_plan> expected_plans() {
    std::string const by_id = "op_by_id", by_stamp = "op_by_stored_at";
    std::string const by_time = "op_by_sector_created_at";
    std::string const one = "ARRAY[1]::bigint[]", id = "ARRAY['\\x00']::bytea[]";
    return {
        {sql::ingest, fmt::format("1, 1, {1}, {0}, {0}, {1}, 1, {0}, 1, 1, 0", one, id), {by_id}},
        {sql::is_earlier, fmt::format("1, {0}, {0}", one), {by_time}},
        {sql::missing, "1, 1, " + id, {by_id}},
        {sql::retrieve, "1, 1, " + id + ", 1", {by_id}},
        {sql::retrieve_at, "1, 1, ARRAY['(0,1)']::tid[], 1", {}, "", "TID Cond: (ctid = ANY ($3))"},
        {sql::retrieve_bounded, "1, 1, " + id + ", 1, 1", {by_id}},
        {sql::marked_ops, "1, 1, 1", {by_stamp}},
        {sql::page_full, "1, 1, 1, 1, 1", {by_stamp}},
        {sql::page_tail, "1, 1, 1, 1, 1, 1", {by_stamp}},
        {sql::tail, "1, 1, 1, 1", {by_stamp}},
        {sql::ids_since, "1, 1, 1, 1", {by_stamp}},
        {sql::fold, "1, 1, 1", {by_stamp}},
        {sql::page_sectors, fmt::format("1, 1, 1, 1, 1, {0}, {0}, {0}, 1", one), {}},
        {sql::slice_hash, "1, 1, 1, 1, 1", {by_stamp}},
        {sql::slice_hashes, fmt::format("1, 1, {0}, {0}, ''", one), {by_stamp}},
        {sql::highest_slice, "1, 1, 1, 1", {by_stamp}},
        {sql::time_slice, fmt::format("1, 1, 1, 1, {0}, {0}, {0}", one), {by_time}},
        {sql::time_slice_of_piece, "1, 1, 1, 1, 1, 1, 1, 1", {by_time}},
        {sql::earliest, fmt::format("1, 1, {0}, {0}, {0}, {0}", one), {by_time}},
        {sql::combined_hashes, fmt::format("1, 1, {0}, {0}, {0}", one), {by_time}},
        {sql::region_sums, fmt::format("1, 1, {0}, {0}, {0}", one), {by_time}},
        {sql::region_ids, fmt::format("1, 1, {0}, {0}, {0}, 1", one), {by_time}},
        {sql::region_page, "1, 1, 1, 1, 1, 1, '', 1, 1", {by_time}},
        {sql::seal, "1, 1, 1", {}},
        {sql::disc_slices, fmt::format("1, 1, {0}, 1, 1, ''", one), {by_stamp, by_time}},
        {sql::summarize, fmt::format("1, 1, {0}, 1, {0}, {0}, ''", one), {by_stamp, by_time}},
        {sql::space_hashes, "1, 1, 1, 1", {by_stamp, by_time}, "sector_hash"},
    };
}

std::string plan_of(connection& c, sql::statement const& statement, std::string const& arguments) {
    c.execute_text("prepare", fmt::format("PREPARE planned_{} AS {}", statement.name, statement.text));
    auto const lines =
        c.execute_text("explain", fmt::format("EXPLAIN EXECUTE planned_{}({})", statement.name, arguments));
    std::string plan;
    for (std::size_t row = 0; row < lines.count(); ++row)
        plan.append(lines.text(row, 0)).push_back('\n');
    return plan;
}

/// What EXPLAIN says of the indexes of op in the plan, each once. One that is read from end to end, since the
/// column behind the space has no part in the condition, has a star.
std::set<std::string> indexes_in(std::string const& plan) {
    std::set<std::string> names;
    std::regex const scan("using (op_by_[a-z_]+) on [^\n]*\n *Index Cond: ([^\n]*)");
    std::regex const narrow("stored_at|sector = |int8send");
    for (std::sregex_iterator at(plan.begin(), plan.end(), scan), end; at != end; ++at) {
        auto const condition = (*at)[2].str();
        names.insert((*at)[1].str() + (std::regex_search(condition, narrow) ? "" : "*"));
    }
    return names;
}

/// Of the tables that have rows for arcs, sectors or units, those of which the plan reads others than it is
/// asked for.
std::set<std::string> read_whole(std::string const& plan) {
    std::set<std::string> names;
    std::regex const scan("using (slice_hash|sector_hash|unit_hash|sector_list)_pkey on [^\n]*\n *([^\n]*)");
    for (std::sregex_iterator at(plan.begin(), plan.end(), scan), end; at != end; ++at) {
        auto const condition = (*at)[2].str();
        std::regex const asked_for("arc_end = |sector = |unit (>=|<) ");
        if (!std::regex_search(condition, asked_for))
            names.insert((*at)[1]);
    }
    return names;
}

/// A schema that was just migrated; gone at the end.
struct planned_schema {
    database_options where = test_database_options();

    planned_schema() {
        where.schema = fmt::format("scratch_plans_{}", getpid());
        drop();
        migrate(where);
    }
    ~planned_schema() { drop(); }
    void drop() const { run_sql(fmt::format("DROP SCHEMA IF EXISTS {} CASCADE", where.schema)); }

    void check_plans() const {
        connection_settings settings;
        settings.conninfo = where.conninfo;
        settings.schema = where.schema;
        connection c(settings);
        for (expected_plan const& expected : expected_plans()) {
            auto const plan = plan_of(c, expected.statement, expected.arguments);
            auto const what = fmt::format("{}\n{}", expected.statement.name, plan);
            INFO(what);
            CHECK(indexes_in(plan) == std::set(expected.indexes.begin(), expected.indexes.end()));
            CHECK(plan.find("Seq Scan") == std::string::npos);
            CHECK(plan.find(expected.also) != std::string::npos);
            // Inlined: a call for each op would cost more than the hashes.
            CHECK(plan.find("stretch_start(") == std::string::npos);
            CHECK(read_whole(plan) ==
                  (expected.reads_whole.empty() ? std::set<std::string>() : std::set{expected.reads_whole}));
        }
    }
};

}  // namespace

TEST_CASE("plans: in a store that is new") {
    planned_schema().check_plans();
}

TEST_CASE("plans: in a store that was vacuumed before there were ops") {
    planned_schema const schema;
    run_sql("VACUUM op", schema.where);
    schema.check_plans();
}

TEST_CASE("plans: behind a restored dump, once it was initialised") {
    planned_schema const schema;
    {
        auto const store =
            run(open_test_database(schema.where)->open_or_create_space(space_options("restored"))).value();
        run(store->process_incoming_ops(numbered_batch(0, 3000))).value();
    }
    // As a restored table is: rows, and no statistics; their number may be known from making the indexes.
    std::string reltuples = "-1";
    SUBCASE("not even their number") {}
    SUBCASE("their number") {
        reltuples = "3000";
    }
    run_sql(
        "DELETE FROM pg_statistic WHERE starelid = 'op'::regclass;"
        "UPDATE pg_class SET reltuples = " +
            reltuples + " WHERE oid = 'op'::regclass",
        schema.where);
    migrate(schema.where);
    CHECK(
        run_sql("SELECT count(*) > 0 FROM pg_stats WHERE schemaname = current_schema() AND tablename = 'op'",
                schema.where) == "t");
    schema.check_plans();
}

}  // namespace opstore::testing
