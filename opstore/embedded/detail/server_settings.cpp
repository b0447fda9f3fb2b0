#include <opstore/embedded/detail/server_settings.hpp>

#include <opstore/embedded/detail/command.hpp>
#include <opstore/embedded/detail/home.hpp>
#include <opstore/embedded/detail/server_programs.hpp>

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace opstore::embedded::detail {
namespace {

/// As a string of postgresql.conf.
std::string quoted(std::string const& text) {
    std::string result = "'";
    for (char const c : text) {
        if (c == '\'' || c == '\\')
            result += c;
        result += c;
    }
    return result + "'";
}

/// After a checkpoint the first change of each page puts the whole page into the log, and random ids change a
/// page with nearly every op: then pglz costs more than all the rest of an ingest, and lz4 about as little as
/// no compression. Not every build of PostgreSQL has lz4, and a server does not start with a value that it
/// does not know; so the program itself is asked, without data and without settings of anybody.
std::string wal_compression(std::filesystem::path const& config_directory) {
    home_layout const layout{config_directory.parent_path()};
    auto const postgres = find_server_programs(layout.data_version()).program("postgres");
    command const probe(current_user(), {postgres, "-C", "wal_compression", "-D", "/", "-c",
                                         "config_file=/dev/null", "-c", "wal_compression=lz4"});
    return run(probe).exit_code == 0 ? "lz4" : "on";
}

}  // namespace

std::uint64_t available_memory() {
    auto memory = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                  static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    std::uint64_t limit = 0;
    if (std::ifstream("/sys/fs/cgroup/memory.max") >> limit)  // "max" is no number.
        memory = std::min(memory, limit);
    return memory;
}

std::string server_conf(std::filesystem::path const& config_directory,
                        std::filesystem::path const& socket_directory, std::uint64_t memory_bytes) {
    constexpr std::uint64_t mib = 1u << 20;
    auto const shared_buffers_mib = std::clamp<std::uint64_t>(memory_bytes / mib / 8, 128, 4096);
    return fmt::format(
        R"(# Written by opstore at every start of the server.
# Lines of your own belong in data/postgresql.conf, below the line that includes this file.

# One Unix socket, for the user of the server and root.
listen_addresses = ''
port = {port}
unix_socket_directories = {sockets}
unix_socket_permissions = 0700
hba_file = {hba}
ident_file = {ident}
max_connections = 100
cluster_name = 'opstore'

# A store: what is acknowledged is on the disk.
fsync = on
full_page_writes = on
synchronous_commit = on

# Few checkpoints: each makes whole pages go to the log again.
checkpoint_timeout = '15min'
max_wal_size = '4GB'
wal_compression = {wal_compression}

shared_buffers = '{shared_buffers}MB'
# Not in /dev/shm: containers have 64 MB of it, and systemd empties it of a user's files at his logout.
dynamic_shared_memory_type = mmap
min_dynamic_shared_memory = '64MB'

random_page_cost = 1.1
jit = off

timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_line_prefix = '%m [%p] %q%u@%d '
# Standard error, which is server.log.
log_destination = 'stderr'
logging_collector = off
)",
        fmt::arg("port", port), fmt::arg("sockets", quoted(socket_directory.string())),
        fmt::arg("hba", quoted((config_directory / "pg_hba.conf").string())),
        fmt::arg("ident", quoted((config_directory / "pg_ident.conf").string())),
        fmt::arg("wal_compression", wal_compression(config_directory)),
        fmt::arg("shared_buffers", shared_buffers_mib));
}

std::string pg_hba_conf() {
    return R"(# Written by opstore at every start of the server.
local all         all peer map=opstore
local replication all peer map=opstore
)";
}

std::string pg_ident_conf(std::string const& server_user) {
    return fmt::format(R"(# Written by opstore at every start of the server: who may connect as {0}.
opstore "{1}" {0}
opstore root {0}
)",
                       role_name, server_user);
}

}  // namespace opstore::embedded::detail
