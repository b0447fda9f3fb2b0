// Question: how fast do batches of 1000 ops of 256 bytes go in, at `scale` resident ops, slice hashes
// maintained? Rivals: binary COPY of the same bytes, 1000 a transaction, into a table without an index, which
// is as fast as this server takes rows; SQLite as Holochain sets it up, 1000 a transaction, which keeps no
// slice hashes and may lose the last commits. Method: one caller, one call at a time. The last part of the
// way to `scale`, at most 60 % of it, is measured, in rounds in which the three take turns with the same ops.
// The ops of a round are made before it; hashing their bytes is part of the store's call, making COPY's image
// of them is part of COPY's. What the store still does behind the last commit of a round is in its time too:
// seal() waits for it. Before each turn the operating system writes back what the others have left.
#include <tests/bench/questions.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace opstore::bench {
namespace {

constexpr bounds over_copy{0.20, 0.35};
constexpr bounds over_sqlite{1.5, 3};
/// A round is long beside what the store does behind its last commit, for up to eight batches, which in a
/// stream nobody waits for.
constexpr std::size_t batches_max = 50;
constexpr std::size_t rounds_min = 3;

double mib(std::uint64_t bytes) {
    return static_cast<double>(bytes) / (1 << 20);
}

}  // namespace

void ask_ingest(stage& s, std::uint64_t scale) {
    auto const measured = scale * 6 / 10;
    auto const batches = std::clamp<std::size_t>(measured / batch_ops / rounds_min, 1, batches_max);
    auto const round_ops = batches * batch_ops;
    auto const rounds = std::clamp<std::size_t>(measured / round_ops, 1, s.rounds());
    s.fill(scale - rounds * round_ops);
    raw_connection copier(s.server().conninfo());
    copier.create_copy_table("bench_copy");
    auto const first = s.resident();
    auto const before = s.server().query_phase();
    auto const in_batches = [&](auto const& store_all) {
        return [&, store_all](std::size_t round) {
            auto const from = first + round * round_ops;
            std::vector<std::vector<bench_op>> all;
            for (std::size_t i = 0; i < batches; ++i) {
                all.push_back(make_ops(from + i * batch_ops, batch_ops));
            }
            // Nobody waits for the disk because of what another one has left.
            ::sync();
            return store_all(from, all) / static_cast<double>(round_ops);
        };
    };
    auto const taken =
        take_turns(rounds, {in_batches([&](std::uint64_t, auto const& all) { return s.ingest(all); }),
                            in_batches([&](std::uint64_t from, auto const& all) {
                                stopwatch const watch;
                                for (std::size_t i = 0; i < all.size(); ++i) {
                                    copier.copy("bench_copy", from + i * batch_ops, all[i]);
                                }
                                return watch.seconds();
                            }),
                            in_batches([&](std::uint64_t from, auto const& all) {
                                stopwatch const watch;
                                for (std::size_t i = 0; i < all.size(); ++i) {
                                    s.sqlite().store(from + i * batch_ops, all[i]);
                                }
                                return watch.seconds();
                            })});
    auto const after = s.server().query_phase();
    copier.execute("DROP TABLE bench_copy");
    s.advance(scale);
    auto const* const question = "ingest, 1000 x 256 B a call";
    s.out().add_rate(question, scale, taken.beside(0, 1), "COPY into no index", over_copy);
    s.out().add_rate(question, scale, taken.beside(0, 2), "SQLite (WAL, NORMAL)", over_sqlite);
    s.out().add_growth_of_ingest(question, scale, taken.median(0) * batch_ops);
    s.out().add_note(fmt::format(
        "ingest at {} ops: {:.0f} MiB of WAL behind the last checkpoint at its start, {:.0f} at its end, {} "
        "checkpoints between",
        scale, mib(before.wal_bytes), mib(after.wal_bytes), after.checkpoints - before.checkpoints));
}

}  // namespace opstore::bench
