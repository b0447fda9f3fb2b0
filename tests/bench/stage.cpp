#include <tests/bench/stage.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace opstore::bench {
namespace {

constexpr char const* smaller_schema = "opstore_smaller";

}  // namespace

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

double stage::ingest(op_store& store, std::vector<std::vector<bench_op>> const& batches) {
    std::vector<std::vector<incoming_op>> incoming;
    for (auto const& batch : batches) {
        incoming.push_back(to_incoming(batch));
    }
    stopwatch const watch;
    for (auto& batch : incoming) {
        std::size_t const count = batch.size();
        auto const report = run(store.process_incoming_ops(std::move(batch))).value();
        if (report.newly_stored.size() != count) {
            throw std::runtime_error(fmt::format("the store stored {} of {} ops and rejected {}",
                                                 report.newly_stored.size(), count, report.rejected.size()));
        }
    }
    run(store.seal(now, 1)).value();
    return watch.seconds();
}

void stage::fill(std::uint64_t until) {
    for (auto first = resident_; first < until; first += batch_ops) {
        ingest({make_ops(first, std::min<std::uint64_t>(batch_ops, until - first))});
    }
    fill_sqlite(resident_, until);
    resident_ = std::max(resident_, until);
}

std::optional<filled_store> stage::smaller() {
    if (!smaller_) {
        return std::nullopt;
    }
    return filled_store{*smaller_, smaller_resident_};
}

pair_of_times stage::compare_in_new_sessions(std::function<contender(filled_store)> const& ask) {
    auto const rounds_of_each = std::min<std::size_t>(growth_rounds(), 3);
    space_set_up of_smaller;
    of_smaller.schema = smaller_schema;
    turns taken(2);
    for (std::size_t round = 0; round < growth_rounds(); round += rounds_of_each) {
        auto const larger = open_space(server_.conninfo(), space_set_up());
        auto const smaller = open_space(server_.conninfo(), of_smaller);
        std::vector<contender> const both{ask({*larger, resident_}), ask({*smaller, smaller_resident_})};
        take_turns(1, both);  // The first ones of a session prepare their statements.
        taken.add(take_turns(rounds_of_each, both));
    }
    return taken.beside(0, 1);
}

void stage::fill_smaller(std::uint64_t until) {
    if (!smaller_) {
        space_set_up how;
        how.schema = smaller_schema;
        smaller_ = open_space(server_.conninfo(), how);
    }
    for (; smaller_resident_ < until; smaller_resident_ += batch_ops) {
        ingest(*smaller_, {make_ops(smaller_resident_, batch_ops)});
    }
}

void stage::fill_sqlite(std::uint64_t from, std::uint64_t until) {
    constexpr std::uint64_t transaction_ops = 20'000;
    sqlite_.set_durability(sqlite_rival::durability::none);
    for (auto first = from; first < until; first += transaction_ops) {
        sqlite_.store(first, make_ops(first, std::min(transaction_ops, until - first)));
    }
    sqlite_.set_durability(sqlite_rival::durability::normal);
}

void stage::settle() {
    server_.raw().execute("VACUUM (ANALYZE) opstore.op, opstore.slice_hash");
    if (smaller_) {
        server_.raw().execute(fmt::format("VACUUM (ANALYZE) {0}.op, {0}.slice_hash", smaller_schema));
    }
    server_.raw().execute("CHECKPOINT");
}

}  // namespace opstore::bench
