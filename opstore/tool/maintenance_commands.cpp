#include <opstore/embedded/embedded_cluster.hpp>
#include <opstore/tool/commands.hpp>
#include <opstore/tool/output.hpp>
#include <opstore/utf8.hpp>

#include <fmt/format.h>
#include <boost/json/object.hpp>

namespace opstore::tool {
namespace {

namespace json = boost::json;

json::value optional_number(std::optional<int> const& number) {
    return number ? json::value(*number) : json::value(nullptr);
}

/// A path may be any bytes, and JSON is UTF-8.
std::string path_text(std::string const& text) {
    return is_utf8(text) ? text : printable(text);
}

void print_server_status(embedded_cluster const& cluster, bool as_json) {
    auto const status = cluster.query_status();
    if (as_json) {
        print_json(json::object{{"running", status.running},
                                {"initialised", status.initialised},
                                {"pid", optional_number(status.pid)},
                                {"server_version", status.server_version},
                                {"home", path_text(status.home.string())},
                                {"log_file", path_text(status.log_file.string())},
                                {"conninfo", path_text(cluster.conninfo())}});
        return;
    }
    if (status.running)
        print_line(fmt::format("running   PostgreSQL {}, process {}", status.server_version,
                               status.pid.value_or(0)));
    else
        print_line(status.initialised ? "stopped" : "not made yet; any command makes and starts it");
    print_line(fmt::format("home      {}", status.home.string()));
    print_line(fmt::format("log       {}", status.log_file.string()));
    print_line(fmt::format("conninfo  {}", cluster.conninfo()));
}

void require_embedded(session const& s) {
    if (!s.uses_embedded_cluster())
        throw usage_error(
            "`server` is about the embedded PostgreSQL, and a database was named (--database, "
            "OPSTORE_DATABASE, PGHOST or PGSERVICE)");
}

void print_verify_report(verify_report const& report, bool repaired, bool as_json) {
    if (as_json) {
        json::array damages;
        for (damage const& d : report.damages)
            damages.push_back(
                {{"what", d.what}, {"where", d.where}, {"kept", d.kept}, {"computed", d.computed}});
        print_json(json::object{{"ops", report.ops},
                                {"slice_hashes", report.slice_hashes},
                                {"damage_count", report.damage_count},
                                {"damages", std::move(damages)},
                                {"repaired", repaired}});
        return;
    }
    print_line(fmt::format(
        "{} ops and {} slice hashes compared: {}", human_count(report.ops), human_count(report.slice_hashes),
        report.damage_count == 0
            ? "no damage"
            : fmt::format("{} damaged{}", human_count(report.damage_count), repaired ? ", repaired" : "")));
    for (damage const& d : report.damages)
        print_line(fmt::format("  {}, {}: kept {}, the ops say {}", d.what, d.where, d.kept, d.computed));
}

/// The space of --space: made with the options given, or there already and not in contradiction to them.
std::unique_ptr<op_store> make_space(session& s, command_line const& line) {
    if (auto existing = s.open_existing()) {
        auto const& is = existing->options();
        auto const differs = [&](char const* option, std::string_view value) {
            throw command_failure(exit_code::failure,
                                  fmt::format("the space '{}' exists with {} {}", line.space, option, value));
        };
        if (line.format && *line.format != is.format->name())
            differs("--format", is.format->name());
        if (line.max_op_bytes && *line.max_op_bytes != is.max_op_bytes)
            differs("--max-op-bytes", std::to_string(is.max_op_bytes));
        if (line.slices && *line.slices != is.slices)
            differs("--slices", to_string(is.slices));
        return existing;
    }
    space_options options(line.space);
    if (line.format)
        options.format = find_format(*line.format);
    options.max_op_bytes = line.max_op_bytes.value_or(options.max_op_bytes);
    options.slices = line.slices.value_or(options.slices);
    return s.get(s.database().open_or_create_space(std::move(options)));
}

void make_roles(database_options const& options) {
    try {
        create_roles(options);
    } catch (store_error const& e) {
        if (e.code() != errc::rejected_by_database)
            throw;
        tell(roles_sql(options) + "\n");
        throw command_failure(
            exit_code::failure,
            fmt::format("the roles were not made ({}); whoever may runs the SQL above", e.what()));
    }
}

}  // namespace

exit_code run_init(session& s, command_line const& line) {
    auto const options = reaching([&] { return s.reach_server(); });
    auto const migration = reaching([&] { return migrate(options); });
    auto const store = make_space(s, line);
    if (line.roles)
        make_roles(options);
    if (line.json) {
        print_json(json::object{{"schema_version_before", migration.version_before},
                                {"schema_version", migration.version_after},
                                {"space", line.space},
                                {"roles", line.roles}});
        return exit_code::ok;
    }
    print_line(migration.version_before == migration.version_after
                   ? fmt::format("schema '{}' is at version {}", options.schema, migration.version_after)
                   : fmt::format("schema '{}' migrated from version {} to {}", options.schema,
                                 migration.version_before, migration.version_after));
    print_line(fmt::format("space '{}' is there: format {}, slices kept by the {}", line.space,
                           store->options().format->name(), to_string(store->options().slices)));
    return exit_code::ok;
}

exit_code run_seal(session& s, command_line const& line) {
    constexpr std::uint64_t slices_at_once = 16;
    auto const store = s.open_for_writing();
    auto const now = line.now.value_or(
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()));
    progress shown("slices sealed:");
    seal_report report;
    std::uint64_t sealed = 0;
    do {
        report = s.get(store->seal(now, slices_at_once, s.patient()));
        sealed += report.sealed;
        shown.show(sealed);
    } while (report.sealed > 0);
    shown.clear();
    auto const until = report.full_slices == 0
                           ? arc::timestamp()
                           : arc::slice_range(report.full_slices - 1, store->options().slice_factor).end;
    if (line.json)
        print_json(json::object{{"full_slices", report.full_slices},
                                {"sealed", sealed},
                                {"sealed_until", arc::to_micros(until)}});
    else
        print_line(fmt::format("{} slices sealed, {} in all, up to {}", human_count(sealed),
                               human_count(report.full_slices), human_time(until)));
    return exit_code::ok;
}

exit_code run_verify(session& s, command_line const& line) {
    auto const store = s.open_for_reading();
    auto const report = s.get(line.repair ? store->repair(s.patient()) : store->verify(s.patient()));
    print_verify_report(report, line.repair, line.json);
    return report.damage_count > 0 && !line.repair ? exit_code::damage : exit_code::ok;
}

exit_code run_stat(session& s, command_line const& line) {
    auto const store = s.open_for_reading();
    auto const stat = s.get(store->stat());
    auto const database = s.wait(s.database().stat());
    auto const& options = store->options();
    if (database.oldest_transaction > std::chrono::minutes(1))
        warn(fmt::format("a transaction has been open for {} s: while it lasts, ingest slows down",
                         database.oldest_transaction.count() / 1000));
    if (!database.fsync)
        warn("the server runs with fsync off: acknowledged ops may be lost when the machine fails");
    if (line.json) {
        print_json(json::object{{"space", line.space},
                                {"format", options.format->name()},
                                {"slice_mode", to_string(options.slices)},
                                {"max_op_bytes", options.max_op_bytes},
                                {"op_count", stat.op_count},
                                {"op_bytes", stat.op_bytes},
                                {"watermark", arc::to_micros(stat.watermark)},
                                {"full_slices", stat.full_slices},
                                {"server_version", database.server_version},
                                {"schema_version", database.schema_version},
                                {"database_bytes", database.database_bytes},
                                {"oldest_transaction_ms", database.oldest_transaction.count()},
                                {"fsync", database.fsync},
                                {"synchronous_commit", database.synchronous_commit}});
        return exit_code::ok;
    }
    print_line(fmt::format("space        {} (format {}, slices kept by the {})", line.space,
                           options.format->name(), to_string(options.slices)));
    print_line(fmt::format("ops          {} ({})", human_count(stat.op_count), human_bytes(stat.op_bytes)));
    print_line(fmt::format("watermark    {}", human_time(stat.watermark)));
    print_line(fmt::format("full slices  {}", human_count(stat.full_slices)));
    print_line(fmt::format("database     PostgreSQL {}, schema version {}, {}", database.server_version,
                           database.schema_version, human_bytes(database.database_bytes)));
    print_line(fmt::format("oldest open transaction  {} ms", database.oldest_transaction.count()));
    return exit_code::ok;
}

exit_code run_spaces(session& s, command_line const& line) {
    auto const spaces = s.wait(s.database().list_spaces());
    if (line.json) {
        json::array list;
        for (space_listing const& space : spaces)
            list.push_back({{"space", printable(space.key)},
                            {"format", space.format},
                            {"slice_mode", to_string(space.slices)},
                            {"max_op_bytes", space.max_op_bytes},
                            {"op_count", space.op_count},
                            {"op_bytes", space.op_bytes}});
        print_json(json::object{{"spaces", std::move(list)}});
        return exit_code::ok;
    }
    if (spaces.empty())
        print_line("no spaces yet");
    for (space_listing const& space : spaces)
        print_line(fmt::format("{:<24} {:>14} ops {:>12}  {}", printable(space.key),
                               human_count(space.op_count), human_bytes(space.op_bytes), space.format));
    return exit_code::ok;
}

exit_code run_spaces_drop(session& s, command_line const& line) {
    if (!line.yes)
        throw usage_error(
            fmt::format("dropping deletes all ops of space '{}'; say --yes", line.dropped_space));
    s.get(s.database().drop_space(line.dropped_space, s.patient()));
    if (line.json)
        print_json(json::object{{"dropped", line.dropped_space}});
    else
        print_line(fmt::format("space '{}' is gone", line.dropped_space));
    return exit_code::ok;
}

exit_code run_server_start(session& s, command_line const& line) {
    require_embedded(s);
    reaching([&] {
        embedded_cluster cluster;
        cluster.ensure_running();
        print_server_status(cluster, line.json);
    });
    return exit_code::ok;
}

exit_code run_server_stop(session& s, command_line const& line) {
    require_embedded(s);
    bool const ran = reaching([] { return embedded_cluster().stop(); });
    if (line.json)
        print_json(json::object{{"stopped", ran}});
    else
        print_line(ran ? "stopped" : "it did not run");
    return exit_code::ok;
}

exit_code run_server_status(session& s, command_line const& line) {
    require_embedded(s);
    reaching([&] { print_server_status(embedded_cluster(), line.json); });
    return exit_code::ok;
}

exit_code run_completion(session&, command_line const& line) {
    print_line(completion_script(line.shell));
    return exit_code::ok;
}

}  // namespace opstore::tool
