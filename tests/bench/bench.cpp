// How fast the store is beside what bounds it, in one run: ratios, because absolute times belong to a
// machine.
//   ingest          1000 ops of 256 bytes a call, slices kept, against binary COPY of the same bytes, 1000 a
//                   transaction, into a table without an index; at BENCH_OPS resident ops (default 1 000 000)
//   group commit    64 callers, each with one durable op at a time, with and without
//   pages           the whole space by pages of 1 MiB, against the bare SELECT of the same rows
//   memory          peak resident size of this process over all of it
// The server is a private one, below the build, made anew.

#include <opstore/embedded/embedded_cluster.hpp>
#include <opstore/postgres/postgres_database.hpp>
#include <tests/bench/raw_connection.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace opstore::bench {
namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;
using testing::random_source;

constexpr std::size_t batch_ops = 1000;
constexpr std::size_t op_size = 256;
/// Ops are spread over a year behind this moment: most fall into sealed slices, whose hashes are kept.
constexpr std::int64_t newest = 1'750'000'000'000'000;
constexpr std::int64_t year = 31'536'000'000'000;

double seconds_of(clock::duration d) {
    return std::chrono::duration<double>(d).count();
}

arc::timestamp bench_now() {
    return arc::from_micros(newest);
}

incoming_op make_op(random_source& random) {
    auto const payload = random.bytes(op_size - 8);
    auto const created = newest - static_cast<std::int64_t>(random.below(year));
    return incoming_op(encode_plain(arc::from_micros(created), payload));
}

std::vector<incoming_op> make_batch(random_source& random) {
    std::vector<incoming_op> batch;
    for (std::size_t i = 0; i < batch_ops; ++i)
        batch.push_back(make_op(random));
    return batch;
}

std::vector<raw_row> make_rows(random_source& random, std::int64_t& stamp) {
    std::vector<raw_row> rows(batch_ops);
    for (raw_row& row : rows) {
        row.id = random.bytes(32);
        row.payload = random.bytes(op_size);
        row.location = random.u32();
        row.created_at = newest - static_cast<std::int64_t>(random.below(year));
        row.stored_at = ++stamp;
    }
    return rows;
}

struct bench_state {
    std::string conninfo;
    std::size_t resident_ops;
    std::unique_ptr<op_store> store;
    random_source random{20261121};
};

std::unique_ptr<op_store> open_space(std::string const& conninfo, std::string const& key, bool group_commit) {
    database_options options(conninfo);
    options.clock = bench_now;
    options.group_commit = group_commit;
    auto const database = testing::run(postgres_database::open(options));
    return testing::run(database->open_or_create_space(space_options(key))).value();
}

double store_batches(bench_state& state, std::size_t count) {
    clock::duration spent{};
    for (std::size_t i = 0; i < count; ++i) {
        auto batch = make_batch(state.random);
        auto const begin = clock::now();
        auto const report = testing::run(state.store->process_incoming_ops(std::move(batch))).value();
        spent += clock::now() - begin;
        if (report.newly_stored.size() != batch_ops)
            throw std::runtime_error("ops were not stored");
    }
    return static_cast<double>(count * batch_ops) / seconds_of(spent);
}

double copy_batches(bench_state& state, raw_connection& raw, std::int64_t& stamp, std::size_t count) {
    clock::duration spent{};
    for (std::size_t i = 0; i < count; ++i) {
        auto const rows = make_rows(state.random, stamp);
        auto const begin = clock::now();
        raw.copy("bench_copy", rows);
        spent += clock::now() - begin;
    }
    return static_cast<double>(count * batch_ops) / seconds_of(spent);
}

void print(char const* question, std::string const& ours, std::string const& rival, double ratio) {
    fmt::print("{:<44} {:>16} {:>16} {:>8.2f}\n", question, ours, rival, ratio);
    std::fflush(stdout);
}

void bench_ingest(bench_state& state) {
    raw_connection raw(state.conninfo);
    raw.execute(
        "CREATE TABLE bench_copy (space_id bigint, location bigint, created_at bigint, stored_at bigint, "
        "size int, sector smallint, op_id bytea, payload bytea)");
    fmt::print("filling up to {} ops\n", state.resident_ops);
    auto const before = store_batches(state, state.resident_ops / batch_ops);
    std::int64_t stamp = 0;
    double ours = 0, rival = 0;
    constexpr int rounds = 5;
    for (int round = 0; round < rounds; ++round) {
        rival += copy_batches(state, raw, stamp, 20) / rounds;
        ours += store_batches(state, 20) / rounds;
    }
    fmt::print("{:<44} {:>16} {:>16} {:>8}\n", "question", "ours", "rival", "ratio");
    print("ingest 1000 x 256 B, slices kept / COPY", fmt::format("{:.0f} op/s", ours),
          fmt::format("{:.0f} op/s", rival), ours / rival);
    print("  the same while filling / COPY", fmt::format("{:.0f} op/s", before),
          fmt::format("{:.0f} op/s", rival), before / rival);
    raw.execute("DROP TABLE bench_copy");
}

asio::awaitable<void> one_caller(op_store& store, std::uint64_t seed, std::size_t ops) {
    random_source random(seed);
    for (std::size_t i = 0; i < ops; ++i) {
        std::vector<incoming_op> batch;
        batch.push_back(make_op(random));
        auto const report = co_await store.process_incoming_ops(std::move(batch));
        if (report.value().newly_stored.size() != 1)
            throw std::runtime_error("an op was not stored");
    }
}

double ops_per_second_of_callers(op_store& store, std::uint64_t seed, std::size_t ops_each) {
    constexpr std::size_t callers = 64;
    asio::io_context io;
    for (std::size_t i = 0; i < callers; ++i) {
        asio::co_spawn(io, one_caller(store, seed * 1000 + i, ops_each), [](std::exception_ptr error) {
            if (error)
                std::rethrow_exception(error);
        });
    }
    auto const begin = clock::now();
    io.run();
    return static_cast<double>(callers * ops_each) / seconds_of(clock::now() - begin);
}

void bench_group_commit(bench_state& state) {
    auto const with = open_space(state.conninfo, "bench-group", true);
    auto const without = open_space(state.conninfo, "bench-single", false);
    double ours = 0, rival = 0;
    constexpr int rounds = 3;
    for (int round = 0; round < rounds; ++round) {
        ours += ops_per_second_of_callers(*with, static_cast<std::uint64_t>(round), 100) / rounds;
        rival += ops_per_second_of_callers(*without, static_cast<std::uint64_t>(round), 20) / rounds;
    }
    print("64 callers, one durable op each / no group", fmt::format("{:.0f} op/s", ours),
          fmt::format("{:.0f} op/s", rival), ours / rival);
}

double page_to_the_end(op_store& store, arc::dht_arc arc, std::size_t& ops) {
    auto const begin = clock::now();
    ops = 0;
    for (auto from = arc::from_micros(0);;) {
        auto const page = testing::run(store.retrieve_op_ids_bounded(arc, from, 1 << 20)).value();
        ops += page.ids.size();
        from = page.next;
        if (!page.next_op_bytes)
            return seconds_of(clock::now() - begin);
    }
}

void bench_pages(bench_state& state) {
    raw_connection raw(state.conninfo);
    auto const space_id = raw.read_one("SELECT space_id FROM opstore.space WHERE key = 'bench'");
    auto const select = fmt::format(
        "SELECT op_id, size, stored_at FROM opstore.op WHERE space_id = {} AND stored_at >= 0 ORDER BY "
        "stored_at",
        space_id);
    raw.execute("VACUUM ANALYZE opstore.op");
    double ours = 0, rival = 0;
    std::size_t ops = 0, rows = 0;
    constexpr int rounds = 3;
    for (int round = 0; round < rounds; ++round) {
        auto const begin = clock::now();
        rows = raw.read_all(select);
        rival += static_cast<double>(rows) / seconds_of(clock::now() - begin) / rounds;
        ours += static_cast<double>(rows) / page_to_the_end(*state.store, arc::dht_arc::full(), ops) / rounds;
    }
    if (ops != rows)
        throw std::runtime_error("the pages are not the table");
    print("pages of 1 MiB to the end / bare SELECT", fmt::format("{:.0f} op/s", ours),
          fmt::format("{:.0f} op/s", rival), ours / rival);
    for (std::uint32_t const sectors : {1u, 64u, 511u}) {
        auto const arc = arc::dht_arc::between({0}, {sectors * arc::sector_size - 1});
        auto const spent = page_to_the_end(*state.store, arc, ops);
        auto const rate = static_cast<double>(ops) / spent;
        print(fmt::format("  pages of an arc of {} sectors / SELECT", sectors).c_str(),
              fmt::format("{:.0f} op/s", rate), fmt::format("{:.0f} op/s", rival), rate / rival);
    }
}

void report_memory() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:"))
            fmt::print("peak resident memory of this process: {:.0f} MiB\n",
                       std::strtod(line.c_str() + 6, nullptr) / 1024);
    }
}

void run_all() {
    embedded_cluster cluster(OPSTORE_BENCH_HOME);
    cluster.stop();
    std::filesystem::remove_all(OPSTORE_BENCH_HOME);
    cluster.ensure_running();
    char const* const asked = std::getenv("BENCH_OPS");
    bench_state state{cluster.conninfo(), asked ? std::strtoull(asked, nullptr, 10) : 1'000'000, nullptr};
    migrate(database_options(state.conninfo));
    state.store = open_space(state.conninfo, "bench", true);
    bench_ingest(state);
    bench_group_commit(state);
    bench_pages(state);
    report_memory();
    state.store.reset();
    cluster.stop();
}

}  // namespace
}  // namespace opstore::bench

int main() {
    try {
        opstore::bench::run_all();
    } catch (std::exception const& e) {
        fmt::print(stderr, "bench: {}\n", e.what());
        return 1;
    }
}
