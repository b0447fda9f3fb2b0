// Goal: a binary meets only the schema it knows, migrations may race, and roles can do what they are for.
// Method: schemas of their own, made and spoilt by SQL.
#include <tests/postgres/numbered_ops.hpp>
#include <tests/postgres/test_database.hpp>
#include <tests/support/run.hpp>

#include <arc/time_slices.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <set>
#include <thread>

namespace opstore::testing {
namespace {

/// A schema that does not exist yet; gone at the end.
struct scratch_schema {
    database_options options = test_database_options();

    explicit scratch_schema(std::string const& name) {
        options.schema = fmt::format("scratch_{}_{}", name, getpid());
        drop();
    }
    ~scratch_schema() { drop(); }
    void drop() const { run_sql(fmt::format("DROP SCHEMA IF EXISTS {} CASCADE", options.schema)); }
    std::string sql(std::string const& text) const { return run_sql(text, options); }
};

/// Where the full slices of a space end that is made now.
arc::timestamp boundary_of_today() {
    auto const now = std::chrono::time_point_cast<arc::timestamp::duration>(std::chrono::system_clock::now());
    return arc::layout_at(now, arc::factor_default).disc_boundary();
}

std::string error_of_opening(database_options const& options, errc expected = errc::schema_mismatch) {
    try {
        open_test_database(options);
    } catch (store_error const& e) {
        CHECK(e.code() == expected);
        return e.what();
    }
    FAIL("it opened");
    return {};
}

bool contains(std::string const& text, std::string const& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("schema: none, older, newer, edited") {
    scratch_schema schema("versions");
    CHECK(contains(error_of_opening(schema.options), "opstore init"));
    auto const report = migrate(schema.options);
    CHECK(report.version_before == 0);
    CHECK(migrate(schema.options).version_before == report.version_after);
    CHECK(open_test_database(schema.options));

    schema.sql(
        fmt::format("UPDATE schema_migration SET version = 990 WHERE version = {}", report.version_after));
    auto const newer = error_of_opening(schema.options);
    CHECK(contains(newer, "990"));
    CHECK(contains(newer, fmt::format("version {}", report.version_after)));
    CHECK_THROWS_AS(migrate(schema.options), store_error);

    schema.sql("DELETE FROM schema_migration WHERE version = 990");
    CHECK(contains(error_of_opening(schema.options), fmt::format("version {}", report.version_after - 1)));

    schema.sql("UPDATE schema_migration SET checksum = 'x'");
    try {
        migrate(schema.options);
        FAIL("an edited migration passed");
    } catch (store_error const& e) {
        CHECK(e.code() == errc::schema_mismatch);
        CHECK(contains(e.what(), "0001_op_store"));
    }
}

TEST_CASE("schema: a store of version 2 is brought up to date with its ops") {
    scratch_schema schema("upgraded");
    migrate(schema.options);
    {
        auto const store =
            run(open_test_database(schema.options)->open_or_create_space(space_options("old"))).value();
        run(store->process_incoming_ops(numbered_batch(0, 10))).value();
        // Folded in, as it was when there was no tail.
        run(store->seal(numbered_op_start, 1)).value();
    }
    schema.sql(R"(
        ALTER TABLE space DROP COLUMN delegates;
        DROP TABLE peer_meta, fold, sector_list, sector_hash, unit_hash CASCADE;
        DROP FUNCTION stretch_start;
        DROP INDEX op_by_id;
        CREATE INDEX op_by_sector_stored_at ON op (space_id, sector, stored_at);
        ALTER TABLE op DROP CONSTRAINT op_by_stored_at;
        ALTER TABLE op ADD PRIMARY KEY (space_id, op_id);
        CREATE UNIQUE INDEX op_by_stored_at ON op (space_id, stored_at);
        DELETE FROM schema_migration WHERE version > 2)");
    auto const report = migrate(schema.options);
    CHECK(report.version_before == 2);
    auto const database = open_test_database(schema.options);
    auto const store = run(database->open_space("old")).value();
    CHECK(run(store->query_total_op_count()).value() == 10);
    CHECK(run(run(database->open_peer_meta("old")).value()->get_all({})).value().empty());
    auto const grown = run(store->process_incoming_ops(numbered_batch(5, 10))).value();
    CHECK(grown.newly_stored.size() == 5);
    auto const verified = run(store->verify()).value();
    CHECK(verified.damage_count == 0);
    CHECK(verified.ops == 15);
}

TEST_CASE("schema: a store of version 4 keeps a tail, and a host its own slices") {
    scratch_schema schema("tailed");
    migrate(schema.options);
    auto const options_of = [](char const* key, slice_mode slices) {
        space_options options(key);
        options.slices = slices;
        return options;
    };
    // Created during the two days behind the full slices.
    auto const unsealed =
        static_cast<std::uint64_t>((boundary_of_today() - numbered_op_start) / std::chrono::seconds(1));
    constexpr std::uint64_t step = 2'500;
    std::array const spaces{options_of("kept", slice_mode::store), options_of("hosted", slice_mode::host)};
    {
        auto const database = open_test_database(schema.options);
        for (auto const& options : spaces) {
            auto const store = run(database->open_or_create_space(options)).value();
            run(store->process_incoming_ops(numbered_batch(0, 2000))).value();
            run(store->process_incoming_ops(numbered_batch(unsealed, 50, step))).value();
            wait_until_folded(options.key, schema.options);
        }
        // From here on a fold fails, and ingest does not.
        schema.sql(R"(
            DROP TABLE sector_list, sector_hash, unit_hash;
            DROP FUNCTION stretch_start;
            ALTER TABLE fold RENAME TO slice_fold;
            ALTER TABLE slice_fold RENAME CONSTRAINT fold_pkey TO slice_fold_pkey;
            UPDATE slice_fold SET folded_to = 9223372036854775807
            WHERE space_id = (SELECT space_id FROM space WHERE slice_mode = 'host');
            CREATE INDEX op_by_sector_stored_at ON op (space_id, sector, stored_at))");
        for (auto const& options : spaces) {
            auto const store = run(database->open_space(options.key)).value();
            run(store->process_incoming_ops(numbered_batch(1990, 100))).value();
            run(store->process_incoming_ops(numbered_batch(unsealed + 40 * step, 20, step))).value();
        }
    }
    CHECK(schema.sql("SELECT count(*) FROM slice_fold JOIN space USING (space_id) "
                     "WHERE folded_to < last_stored_at") == "1");
    schema.sql("ALTER TABLE space DROP COLUMN delegates; DELETE FROM schema_migration WHERE version > 4");
    CHECK(migrate(schema.options).version_before == 4);
    auto const database = open_test_database(schema.options);
    for (auto const& options : spaces) {
        INFO(options.key);
        auto const store = run(database->open_space(options.key)).value();
        CHECK(run(store->verify()).value().damage_count == 0);
        std::size_t listed = 0;
        for (auto const& half : {arc::dht_arc::between(arc::location{0}, arc::location{0x7fffffff}),
                                 arc::dht_arc::between(arc::location{0x80000000}, arc::location{0xffffffff})})
            listed += run(store->retrieve_op_ids_bounded(half, {}, 1 << 20)).value().ids.size();
        CHECK(listed == 2150);
        run(store->process_incoming_ops(numbered_batch(5000, 10))).value();
        wait_until_folded(options.key, schema.options);
        CHECK(run(store->verify()).value().damage_count == 0);
    }
}

TEST_CASE("schema: damage is not what a migration fails of") {
    scratch_schema schema("damaged");
    migrate(schema.options);
    auto const boundary = boundary_of_today();
    {
        auto const store =
            run(open_test_database(schema.options)->open_or_create_space(space_options("old"))).value();
        auto const first =
            static_cast<std::uint64_t>((boundary - numbered_op_start) / std::chrono::seconds(1));
        run(store->process_incoming_ops(numbered_batch(first, 2000, 100))).value();
        run(store->seal(arc::from_micros(0), 1)).value();  // All is folded in.
    }
    // As version 7 kept it, and beside that hashes too long and units beyond all times.
    schema.sql(R"(
        UPDATE unit_hash SET unit = unit + 3 WHERE sector % 2 = 0;
        UPDATE unit_hash SET hash = hash || '\x00' WHERE sector < 50;
        INSERT INTO unit_hash SELECT space_id, unit - 3, sector, hash || '\x00', op_count
        FROM unit_hash WHERE sector BETWEEN 100 AND 150 AND sector % 2 = 0;
        UPDATE unit_hash SET unit = 9223372036854775807 WHERE sector BETWEEN 200 AND 210;
        ALTER TABLE space DROP COLUMN delegates;
        DROP FUNCTION stretch_start;
        DELETE FROM schema_migration WHERE version > 7)");
    CHECK(migrate(schema.options).version_before == 7);
    CHECK(schema.sql(fmt::format("SELECT count(*) FROM unit_hash WHERE sector > 210 AND unit <> {}",
                                 boundary.time_since_epoch() / arc::unit)) == "0");
    auto const store = run(open_test_database(schema.options)->open_space("old")).value();
    auto const damaged = run(store->verify()).value();
    CHECK(damaged.damage_count > 0);
    for (auto const& d : damaged.damages)
        CHECK(d.what == "unit_hash");
    run(store->repair()).value();
    CHECK(run(store->verify()).value().damage_count == 0);
}

TEST_CASE("schema: stretches in SQL are those of arc::stretch_start()") {
    scratch_schema schema("stretches");
    migrate(schema.options);
    for (int factor = 0; factor <= arc::factor_max; ++factor) {
        auto const units = std::int64_t{1} << factor;
        for (std::int64_t const full_slices :
             {std::int64_t{0}, std::int64_t{1}, (std::int64_t{1} << 32) / units}) {
            std::set<std::int64_t> numbers{full_slices * units - 1, (full_slices + 1) * units};
            for (std::int64_t left = 1; left <= units; left *= 2)
                for (std::int64_t const off : {-1, 0, 1})
                    numbers.insert((full_slices + 1) * units - left + off);
            numbers.erase(numbers.begin(), numbers.lower_bound(0));
            std::string const in_sql = schema.sql(fmt::format(
                "SELECT string_agg(stretch_start(u * 900000000 + 7, {}, {})::text, ',' ORDER BY u) "
                "FROM unnest(ARRAY[{}]::bigint[]) AS u",
                full_slices, arc::slice_length(factor).count(), fmt::join(numbers, ",")));
            std::vector<std::uint64_t> in_cpp;
            for (auto const number : numbers)
                in_cpp.push_back(arc::stretch_start(static_cast<std::uint64_t>(number),
                                                    static_cast<std::uint64_t>(full_slices), factor));
            CAPTURE(factor);
            CAPTURE(full_slices);
            CHECK(in_sql == fmt::format("{}", fmt::join(in_cpp, ",")));
        }
    }
}

TEST_CASE("schema: its name may be a key word of SQL, but none of PostgreSQL's own") {
    auto where = test_database_options();
    where.schema = "select";
    run_sql("DROP SCHEMA IF EXISTS \"select\" CASCADE");
    CHECK(migrate(where).version_before == 0);
    create_roles(where);
    auto const store = run(open_test_database(where)->open_or_create_space(space_options("word"))).value();
    CHECK(run(store->process_incoming_ops(numbered_batch(0, 3))).value().newly_stored.size() == 3);
    CHECK(migrate(where).version_before == migrate(where).version_after);
    run_sql("DROP SCHEMA \"select\" CASCADE");
    for (char const* const name : {"pg_mine", "1st", "Upper", ""}) {
        where.schema = name;
        CHECK_THROWS_AS(migrate(where), store_error);
    }
}

TEST_CASE("schema: 20 migrations at once") {
    scratch_schema schema("race");
    std::vector<std::thread> threads;
    std::atomic<int> made{0}, failed{0};
    for (int i = 0; i < 20; ++i) {
        threads.emplace_back([&] {
            try {
                made += migrate(schema.options).version_before == 0 ? 1 : 0;
            } catch (std::exception const&) {
                ++failed;
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    CHECK(made == 1);
    CHECK(failed == 0);
    CHECK(open_test_database(schema.options));
}

TEST_CASE("schema: roles can do what they are for, and no more") {
    scratch_schema schema("roles");
    migrate(schema.options);
    schema.sql("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA " + schema.options.schema + " FROM PUBLIC");
    create_roles(schema.options);
    create_roles(schema.options);
    run(open_test_database(schema.options)->open_or_create_space(space_options("shared"))).value();
    auto const as = [&](std::string const& role) {
        auto options = schema.options;
        options.conninfo += fmt::format(" options='-c role={}'", role);
        return options;
    };

    auto const writer = run(open_test_database(as("opstore_writer"))->open_space("shared")).value();
    CHECK(run(writer->process_incoming_ops(numbered_batch(0, 3))).value().newly_stored.size() == 3);
    CHECK(run(writer->seal(arc::from_micros(0), 1)).has_value());
    CHECK(run(writer->repair()).value().damage_count == 0);
    CHECK_THROWS_AS(run_sql("CREATE TABLE mine (x int)", as("opstore_writer")), store_error);
    CHECK_THROWS_AS(run_sql("DELETE FROM schema_migration", as("opstore_writer")), store_error);

    auto const reader = run(open_test_database(as("opstore_reader"))->open_space("shared")).value();
    CHECK(run(reader->query_total_op_count()).value() == 3);
    CHECK(run(reader->verify()).value().damage_count == 0);
    CHECK(run_sql("SELECT count(*) FROM op_readable", as("opstore_reader")) == "3");
    try {
        run(reader->process_incoming_ops(numbered_batch(10, 1)));
        FAIL("a reader stored an op");
    } catch (store_error const& e) {
        CHECK(e.code() == errc::rejected_by_database);
        CHECK(e.sqlstate() == "42501");
        CHECK_FALSE(e.commit_in_doubt());
    }
    CHECK(run(writer->query_total_op_count()).value() == 3);

    schema.sql("REVOKE USAGE ON SCHEMA " + schema.options.schema + " FROM opstore_reader");
    try {
        run(postgres_database::open(as("opstore_reader")));
        FAIL("a schema was used without the right to");
    } catch (store_error const& e) {
        CHECK(e.sqlstate() == "42501");
        CHECK(std::string(e.what()).find(schema.options.schema) != std::string::npos);
    }
}

TEST_CASE("schema: connection strings") {
    auto options = test_database_options();
    options.conninfo = "host=/nonexistent-directory";
    auto const before = std::chrono::steady_clock::now();
    error_of_opening(options, errc::unavailable);
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
    options.conninfo = "nonsense";
    error_of_opening(options, errc::invalid_argument);
    options = test_database_options();
    options.schema = "no; DROP";
    error_of_opening(options, errc::invalid_argument);
    options = test_database_options();
    options.conninfo += " options='-c work_mem=7MB'";
    CHECK(run(open_test_database(options)->list_spaces()).size() < 1'000'000);
}

}  // namespace opstore::testing
