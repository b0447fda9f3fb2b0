#include <tests/bench/stage.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace opstore::bench {

void insist(bool holds, char const* what) {
    if (!holds) {
        throw std::runtime_error(what);
    }
}

stage::stage(bench_server& server, results& out, effort how)
    : server_(server),
      out_(out),
      effort_(how),
      store_(open_space(server.conninfo(), space_set_up())),
      sqlite_(server.file("rival.sqlite"), server.shared_buffers_bytes()) {}

double stage::ingest(std::uint64_t first, std::size_t count) {
    auto batch = to_incoming(make_ops(first, count));
    stopwatch const watch;
    auto const report = run(store_->process_incoming_ops(std::move(batch))).value();
    auto const spent = watch.seconds();
    if (report.newly_stored.size() != count) {
        throw std::runtime_error(fmt::format("the store stored {} of ops {} to {} and rejected {}",
                                             report.newly_stored.size(), first, first + count,
                                             report.rejected.size()));
    }
    return spent;
}

double stage::ingest_into_sqlite(std::uint64_t first, std::size_t count) {
    auto const ops = make_ops(first, count);
    stopwatch const watch;
    sqlite_.store(first, ops);
    return watch.seconds();
}

void stage::fill(std::uint64_t until) {
    for (auto first = resident_; first < until; first += batch_ops) {
        ingest(first, std::min<std::uint64_t>(batch_ops, until - first));
    }
    fill_sqlite(resident_, until);
    resident_ = std::max(resident_, until);
}

void stage::fill_sqlite(std::uint64_t from, std::uint64_t until) {
    constexpr std::uint64_t transaction_ops = 20'000;
    sqlite_.set_durability(sqlite_rival::durability::none);
    for (auto first = from; first < until; first += transaction_ops) {
        ingest_into_sqlite(first, std::min(transaction_ops, until - first));
    }
    sqlite_.set_durability(sqlite_rival::durability::normal);
}

void stage::settle() {
    server_.raw().execute("VACUUM (ANALYZE) opstore.op, opstore.slice_hash");
    server_.raw().execute("CHECKPOINT");
}

}  // namespace opstore::bench
