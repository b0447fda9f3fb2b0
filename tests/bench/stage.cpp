#include <tests/bench/stage.hpp>

#include <fmt/format.h>

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
    insist(report.newly_stored.size() == count,
           fmt::format("the store stored {} of ops {} to {}, {} rejected", report.newly_stored.size(), first,
                       first + count, report.rejected.size())
               .c_str());
    return spent;
}

double stage::ingest_into_sqlite(std::uint64_t first, std::size_t count) {
    auto const ops = make_ops(first, count);
    stopwatch const watch;
    sqlite_.store(first, ops);
    return watch.seconds();
}

void stage::fill(std::uint64_t until) {
    while (resident_ < until) {
        auto const count = std::min<std::uint64_t>(batch_ops, until - resident_);
        ingest(resident_, count);
        ingest_into_sqlite(resident_, count);
        resident_ += count;
    }
}

void stage::settle() {
    server_.raw().execute("VACUUM (ANALYZE) opstore.op, opstore.slice_hash");
    server_.raw().execute("CHECKPOINT");
}

}  // namespace opstore::bench
