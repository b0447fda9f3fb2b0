#include <opstore/embedded/detail/server_process.hpp>

#include <opstore/embedded/detail/command.hpp>
#include <opstore/embedded/detail/server_settings.hpp>
#include <opstore/embedded/detail/socket_directory.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

namespace opstore::embedded::detail {
namespace fs = std::filesystem;
namespace {

/// As a value of a libpq conninfo string.
std::string quoted(std::string const& text) {
    std::string result = "'";
    for (char const c : text) {
        if (c == '\'' || c == '\\')
            result += '\\';
        result += c;
    }
    return result + "'";
}

/// pg_ctl and initdb put the paths they are given into shell commands, between quotes that a path may close.
/// So they work in the home and get the names in it only.
command in_home(home_layout const& layout, os_user const& user, std::vector<std::string> words) {
    command result(user, std::move(words));
    result.directory = layout.home;
    return result;
}

void write_config(fs::path const& file, std::string const& text) {
    auto const written = open_file(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    // Root's mask must not hide it from the server.
    if (::fchmod(written.number(), 0644) != 0)
        fail_with_errno(fmt::format("cannot make \"{}\" readable", file.string()));
    write_all(written, text);
}

void write_settings(home_layout const& layout, os_user const& server_user, fs::path const& socket_directory) {
    make_home(layout.config(), server_user);
    write_config(layout.config() / "server.conf",
                 server_conf(layout.config(), socket_directory, available_memory()));
    write_config(layout.config() / "pg_hba.conf", pg_hba_conf());
    write_config(layout.config() / "pg_ident.conf", pg_ident_conf(server_user.name));
}

/// PostgreSQL takes any living process of its own user for the server that wrote its lock files: a stranger
/// that got the number since, or a zombie that nobody reaps, as in many containers. The caller knows that
/// nobody works in the data directory; behind the socket there may be a server whose home was moved away,
/// which stays.
void remove_stale_locks(home_layout const& layout, os_user const& server_user,
                        fs::path const& socket_directory) {
    fs::remove(layout.postmaster_pid());
    if (::PQping(make_conninfo(socket_directory, server_user).c_str()) == PQPING_NO_RESPONSE)
        fs::remove(socket_file(socket_directory).concat(".lock"));
}

}  // namespace

std::optional<postmaster_record> read_postmaster_record(home_layout const& layout) {
    // Lines: process id, data directory, start time, port, socket directory, address, memory key, state.
    std::array<std::string, 8> lines;
    std::ifstream file(layout.postmaster_pid());
    if (!file)
        return std::nullopt;
    for (auto& line : lines)
        std::getline(file, line);
    postmaster_record record;
    record.pid = std::atoi(lines[0].c_str());
    record.socket_directory = lines[4];
    record.ready = lines[7].starts_with("ready");
    return record;
}

server_processes find_server_processes(home_layout const& layout, os_user const& server_user) {
    // A process id proves nothing (ids are used again), the working directory does. The server's user may
    // always look at it; root may not where containers take that right away. So it is a program of that user.
    constexpr char const* look = R"sh(
for process in /proc/[0-9]*; do
    read -r name 2>/dev/null < "$process/comm" && [ "$name" = postgres ] || continue
    if [ "$process/cwd" -ef "$1" ]; then
        echo "of_data ${process#/proc/}"
    elif [ "$(readlink "$process/cwd")" = "$1 (deleted)" ]; then
        echo "of_deleted_data ${process#/proc/}"
    fi
done 2>/dev/null)sh";
    auto const answer = run(command(server_user, {"sh", "-c", look, "sh", layout.data().string()}));
    server_processes found;
    std::istringstream lines(answer.output);
    int pid = 0;
    for (std::string kind; lines >> kind >> pid;)
        (kind == "of_data" ? found.of_data : found.of_deleted_data).push_back(pid);
    auto const record = read_postmaster_record(layout);
    if (record && std::ranges::count(found.of_data, record->pid) != 0)
        found.postmaster = record;
    return found;
}

bool answers(fs::path const& socket_directory, os_user const& server_user) {
    return is_private_directory(socket_directory, server_user) &&
           ::PQping(make_conninfo(socket_directory, server_user).c_str()) == PQPING_OK;
}

std::string make_conninfo(fs::path const& socket_directory, os_user const& server_user) {
    // The empty hostaddr: PGHOSTADDR would win over the socket.
    return fmt::format("host={} port={} dbname={} user={} requirepeer={} hostaddr=''",
                       quoted(socket_directory.string()), port, database_name, role_name,
                       quoted(server_user.name));
}

std::string ask_server_version(std::string const& conninfo) {
    std::unique_ptr<PGconn, decltype(&::PQfinish)> const connection(
        ::PQconnectdb((conninfo + " connect_timeout=5").c_str()), &::PQfinish);
    if (::PQstatus(connection.get()) != CONNECTION_OK)
        return {};
    std::string const version = ::PQparameterStatus(connection.get(), "server_version");
    return version.substr(0, version.find(' '));
}

void make_data(home_layout const& layout, server_programs const& programs, os_user const& server_user,
               home_lock const& lock) {
    make_private_directory(layout.staging(), server_user);
    auto const name = layout.staging().filename().string();
    auto initdb = in_home(layout, server_user,
                          {programs.program("initdb"), "-D", name, "-U", role_name, "--auth=peer",
                           "--encoding=UTF8", "--locale=C", "--data-checksums"});
    initdb.kept_open = lock.number();
    auto const made = run(initdb);
    if (made.exit_code != 0)
        fail(fmt::format("initdb cannot make \"{}\": {}", layout.staging().string(), made.output));

    auto postgres =
        in_home(layout, server_user,
                {programs.program("postgres"), "--single", "-D", name, "-c", "exit_on_error=on", "postgres"});
    postgres.input = fmt::format("CREATE DATABASE {};\n", database_name);
    postgres.kept_open = lock.number();
    auto const created = run(postgres);
    if (created.exit_code != 0)
        fail(
            fmt::format("cannot make the database in \"{}\": {}", layout.staging().string(), created.output));

    auto const conf = layout.staging() / "postgresql.conf";
    write_all(open_file(conf, O_WRONLY | O_APPEND), "\ninclude '../config/server.conf'\n");
    sync_to_disk(conf);
    fs::rename(layout.staging(), layout.data());
    sync_to_disk(layout.home);
}

void start_server(home_layout const& layout, server_programs const& programs, os_user const& server_user,
                  descriptor const& server_lock, std::chrono::seconds wait_max) {
    auto const socket_directory = choose_socket_directory(layout.home, server_user);
    claim_private_directory(socket_directory, server_user);
    write_settings(layout, server_user, socket_directory);
    auto const log_size = prepare_log(layout, server_user);
    remove_stale_locks(layout, server_user, socket_directory);
    auto start = in_home(layout, server_user,
                         {programs.program("pg_ctl"), "start", "-w", "-t", std::to_string(wait_max.count()),
                          "-D", layout.data().filename().string(), "-l", layout.log().filename().string()});
    start.kept_open = server_lock.number();
    auto const result = run(start);
    if (result.exit_code == 0 || find_server_processes(layout, server_user).postmaster)
        return;
    fail(fmt::format("PostgreSQL does not start in \"{}\"{}\n(pg_ctl: {})", layout.home.string(),
                     quote_log(layout, log_size), result.output));
}

void stop_server(home_layout const& layout, server_programs const& programs, os_user const& server_user,
                 std::string const& mode, std::chrono::seconds wait_max) {
    auto const result =
        run(in_home(layout, server_user,
                    {programs.program("pg_ctl"), "stop", "-w", "-t", std::to_string(wait_max.count()), "-m",
                     mode, "-D", layout.data().filename().string()}));
    if (result.exit_code == 0 || !find_server_processes(layout, server_user).postmaster)
        return;
    fail(fmt::format("PostgreSQL in \"{}\" does not stop within {} s{}\n(pg_ctl: {})", layout.home.string(),
                     wait_max.count(), quote_log(layout), result.output));
}

}  // namespace opstore::embedded::detail
