#include <tests/bench/bench_server.hpp>

#include <opstore/postgres/postgres_database.hpp>
#include <tests/support/run.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

namespace opstore::bench {
namespace {

/// A slow machine is no error here.
constexpr std::chrono::minutes call_limit{10};

std::filesystem::path emptied(std::filesystem::path const& home) {
    embedded_cluster(home).stop();
    std::filesystem::remove_all(home);
    return home;
}

std::string processor_name() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        if (line.starts_with("model name")) {
            return line.substr(line.find(':') + 2);
        }
    }
    return "a processor without a name";
}

std::uint64_t memory_bytes() {
    return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
           static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

std::unique_ptr<op_store> open_space(std::string const& conninfo, space_set_up const& how) {
    database_options options(conninfo);
    options.schema = how.schema;
    options.clock = [] { return now; };
    options.group_commit = how.group_commit;
    // As a host sets it whose space is that large.
    options.remembered_ids_max = how.remembers_ids ? 2 * ops_max : 0;
    options.default_timeout = call_limit;
    migrate(options);
    space_options space("bench");
    space.slices = how.slices;
    auto const database = testing::run(postgres_database::open(std::move(options)));
    return testing::run(database->open_or_create_space(std::move(space))).value();
}

bench_server::bench_server(std::filesystem::path home) : home_(emptied(home)), cluster_(std::move(home)) {
    cluster_.ensure_running();
    raw_ = std::make_unique<raw_connection>(conninfo());
}

bench_server::~bench_server() {
    raw_.reset();
    try {
        cluster_.stop();
    } catch (std::exception const& e) {
        fmt::print(stderr, "bench: {}\n", e.what());
    }
}

std::uint64_t bench_server::shared_buffers_bytes() {
    return std::stoull(raw_->read_one(
        "SELECT setting::bigint * 8192 FROM pg_settings WHERE name = 'shared_buffers' AND unit = '8kB'"));
}

std::string bench_server::description() {
    auto const settings = raw_->read_one(
        "SELECT 'PostgreSQL ' || current_setting('server_version') || ': ' || string_agg(name || ' ' ||"
        " current_setting(name), ', ' ORDER BY name) FROM pg_settings WHERE name IN ('shared_buffers',"
        " 'max_wal_size', 'checkpoint_timeout', 'fsync', 'synchronous_commit', 'full_page_writes',"
        " 'wal_compression')");
    return fmt::format("{}, {} threads, {} GiB; {}", processor_name(), std::thread::hardware_concurrency(),
                       (memory_bytes() + (1 << 29)) >> 30, settings);
}

bench_server::checkpoint_phase bench_server::query_phase() {
    checkpoint_phase phase;
    phase.checkpoints =
        std::stoull(raw_->read_one("SELECT checkpoints_timed + checkpoints_req FROM pg_stat_bgwriter"));
    phase.wal_bytes =
        std::stoull(raw_->read_one("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::bigint "
                                   "FROM pg_control_checkpoint()"));
    return phase;
}

}  // namespace opstore::bench
