#include <opstore/errors.hpp>
#include <opstore/postgres/detail/schema.hpp>
#include <opstore/postgres/postgres_database.hpp>
#include <sql/statements.hpp>

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <thread>

namespace opstore {
namespace postgres::detail {
namespace {

/// Any constant will do, as long as nobody else's is the same: "opstore" in ASCII.
constexpr std::int64_t migration_lock = 0x6f7073746f7265;
constexpr std::chrono::milliseconds lock_poll_interval{50};

store_error mismatch(std::string message) {
    store_error::facts facts;
    facts.code = errc::schema_mismatch;
    return store_error(std::move(message), std::move(facts));
}

std::string checksum(std::string_view text) {
    std::array<unsigned char, 32> hash{};
    crypto_generichash(hash.data(), hash.size(), reinterpret_cast<unsigned char const*>(text.data()),
                       text.size(), nullptr, 0);
    return fmt::format("{:02x}", fmt::join(hash, ""));
}

std::string quoted(std::string_view text) {
    std::string out = "'";
    for (char const c : text) {
        if (c == '\'')
            out.push_back('\'');
        out.push_back(c);
    }
    return out + "'";
}

connection_settings migration_settings(database_options const& options) {
    connection_settings settings;
    settings.conninfo = options.conninfo;
    settings.schema = checked_schema_name(options.schema);
    return settings;
}

/// Polled, not waited for: a session that waits for a lock holds back whatever runs concurrently with a
/// snapshot (CREATE INDEX CONCURRENTLY, vacuum), and cannot say why it hangs.
void take_migration_lock(connection& c, std::chrono::milliseconds patience) {
    auto const give_up = std::chrono::steady_clock::now() + patience;
    auto const attempt = fmt::format("SELECT pg_try_advisory_xact_lock({})", migration_lock);
    while (!c.execute_text("migration_lock", attempt).boolean(0, 0)) {
        if (std::chrono::steady_clock::now() > give_up) {
            store_error::facts facts;
            facts.code = errc::timed_out;
            facts.retryable = true;
            throw store_error("another process is migrating the database and does not finish",
                              std::move(facts));
        }
        std::this_thread::sleep_for(lock_poll_interval);
    }
}

void check_applied(rows const& applied) {
    for (std::size_t row = 0; row < applied.count(); ++row) {
        auto const version = static_cast<int>(applied.bigint(row, 0));
        auto const known = std::find_if(std::begin(sql::migrations), std::end(sql::migrations),
                                        [&](sql::migration const& m) { return m.number == version; });
        if (known == std::end(sql::migrations)) {
            throw mismatch(
                fmt::format("the database has schema version {}, this binary knows versions up to {}; "
                            "use a newer binary",
                            applied.bigint(applied.count() - 1, 0), newest_migration()));
        }
        if (applied.text(row, 1) != checksum(known->text)) {
            throw mismatch(
                fmt::format("migration {} was applied to this database from another text than this "
                            "binary's; one of them was edited after its release",
                            known->name));
        }
    }
}

void apply(connection& c, sql::migration const& m) {
    c.execute_text(m.name, m.text);
    c.execute_text("note_migration",
                   fmt::format("INSERT INTO schema_migration (version, name, checksum) VALUES ({}, {}, {})",
                               m.number, quoted(m.name), quoted(checksum(m.text))));
}

/// A schema that the user may not use is left out of the search path without a word.
bool may_use_schema(connection& c, std::string const& schema) {
    auto const found = c.execute_text(
        "find_schema_right",
        fmt::format("SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = '{}'",
                    schema));
    return found.empty() || found.boolean(0, 0);
}

bool is_missing_table(store_error const& e) {
    return e.sqlstate() == "42P01" || e.sqlstate() == "3F000";
}

}  // namespace

int newest_migration() {
    return std::prev(std::end(sql::migrations))->number;
}

std::string checked_schema_name(std::string const& name) {
    auto const is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    if (!name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), is_word) &&
        !(name.front() >= '0' && name.front() <= '9') && !name.starts_with("pg_"))
        return name;
    store_error::facts facts;
    facts.code = errc::invalid_argument;
    throw store_error(
        fmt::format("schema '{}': a name is up to 63 lower case letters, digits and underscores, and begins "
                    "neither with a digit nor with pg_",
                    name),
        std::move(facts));
}

void require_current_schema(connection& c, std::string const& schema) {
    std::int64_t version = 0;
    try {
        version = c.execute(sql::schema_version).bigint(0, 0);
    } catch (store_error const& e) {
        if (!is_missing_table(e))
            throw;
    }
    if (version == 0 && !may_use_schema(c, schema)) {
        store_error::facts facts;
        facts.code = errc::rejected_by_database;
        facts.sqlstate = "42501";
        throw store_error(fmt::format("the user lacks the right to use the schema '{}'", schema),
                          std::move(facts));
    }
    if (version == 0)
        throw mismatch(
            fmt::format("the database has no op store in its schema '{}' (this binary knows version {}); "
                        "make one with `opstore init`",
                        schema, newest_migration()));
    if (version != newest_migration())
        throw mismatch(fmt::format(
            "the database has schema version {}, this binary knows version {}; {}", version,
            newest_migration(),
            version < newest_migration() ? "migrate it with `opstore init`" : "use a newer binary"));
}

}  // namespace postgres::detail

using namespace postgres::detail;

migration_report migrate(database_options const& options) {
    if (sodium_init() < 0)
        throw std::runtime_error("libsodium cannot be initialised");
    auto const settings = migration_settings(options);
    connection c(settings);
    // One transaction for all: a schema is never half migrated, and the lock ends with it.
    c.begin();
    take_migration_lock(c, options.default_timeout);
    // Looked for first: IF NOT EXISTS would ask for the right to create it even where it exists.
    auto const found = c.execute_text(
        "find_schema", fmt::format("SELECT to_regnamespace('\"{}\"') IS NOT NULL", settings.schema));
    if (!found.boolean(0, 0))
        c.execute_text("make_schema", fmt::format("CREATE SCHEMA \"{}\"", settings.schema));
    c.execute_text("make_migration_table", R"(
        CREATE TABLE IF NOT EXISTS schema_migration (
            version    int PRIMARY KEY,
            name       text NOT NULL,
            checksum   text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()))");
    auto const applied = c.execute_text("applied_migrations",
                                        "SELECT version, checksum FROM schema_migration ORDER BY version");
    check_applied(applied);
    migration_report report;
    report.version_before = applied.empty() ? 0 : static_cast<int>(applied.bigint(applied.count() - 1, 0));
    for (sql::migration const& m : sql::migrations) {
        if (m.number > report.version_before)
            apply(c, m);
    }
    // A restored dump comes without statistics; 0004 says what that would cost.
    if (c.execute_text("find_statistics",
                       "SELECT NOT EXISTS (SELECT FROM pg_stats WHERE schemaname = current_schema() AND "
                       "tablename = 'op')")
            .boolean(0, 0))
        c.execute_text("analyze", "ANALYZE op");
    c.commit();
    report.version_after = newest_migration();
    return report;
}

std::string roles_sql(database_options const& options) {
    std::string text = sql::roles.text;
    auto const schema = fmt::format("\"{}\"", checked_schema_name(options.schema));  // It may be a key word.
    constexpr std::string_view marker = "{schema}";
    for (auto at = text.find(marker); at != std::string::npos; at = text.find(marker, at + schema.size()))
        text.replace(at, marker.size(), schema);
    return text;
}

void create_roles(database_options const& options) {
    connection c(migration_settings(options));
    c.execute_text("roles", roles_sql(options));
}

}  // namespace opstore
