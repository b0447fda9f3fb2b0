// Question: how long does it take until a peer that starts has its summary of all 512 sectors?
// Ours: gossip's summary model on a space that keeps its slices: one call.
// Rivals: kitsune2's call pattern, call for call, one after the other, through the contract's own single
// methods on the same server with the same ops, in a space whose host keeps the slices; and on SQLite. Each
// is asked twice: first where no slice hash was stored yet (kitsune2 reads every slice and stores its hash),
// then as at each later start (it reads the rings). The store under test makes no difference between the two.
// Method: the sectors are cut into parts; ours starts anew beside each part, and its median counts. The rival
// on the same server goes over all sectors, its parts are summed up. SQLite is timed on a few sectors, and
// scaled to 512; the row says so. Caches are warm throughout: what is cold is the process. What was built is
// compared.
#include <tests/bench/questions.hpp>

#include <gossip/model/summary_model.hpp>
#include <tests/bench/kitsune2_start.hpp>

#include <fmt/format.h>

namespace opstore::bench {
namespace {

namespace asio = boost::asio;

constexpr bounds over_single_calls{30, 30};
constexpr bounds over_sqlite{1000, 1000};
constexpr std::size_t parts = 4;
constexpr char const* host_schema = "opstore_host";

class calls_of_store final : public start_calls {
public:
    explicit calls_of_store(op_store& store) : store_(store) {}

    asio::awaitable<std::uint64_t> total_op_count() override {
        auto const count = co_await store_.query_total_op_count();
        co_return count.value();
    }
    asio::awaitable<std::uint64_t> slice_hash_count(arc::dht_arc arc) override {
        auto const count = co_await store_.slice_hash_count(arc);
        co_return count.value();
    }
    asio::awaitable<std::optional<arc::timestamp>> earliest(arc::dht_arc arc) override {
        auto const earliest = co_await store_.earliest_timestamp_in_arc(arc);
        co_return earliest.value();
    }
    asio::awaitable<std::vector<op_id>> ids_in_slice(arc::dht_arc arc, arc::time_range slice) override {
        auto list = co_await store_.retrieve_op_hashes_in_time_slice(arc, slice.start, slice.end);
        co_return std::move(list.value().ids);
    }
    asio::awaitable<void> store_slice_hash(arc::dht_arc arc, std::uint64_t index,
                                           combined_hash hash) override {
        std::vector<std::byte> bytes(hash.bytes().begin(), hash.bytes().end());
        auto const stored = co_await store_.store_slice_hash(arc, index, std::move(bytes));
        stored.value();
    }

private:
    op_store& store_;
};

class calls_of_sqlite final : public start_calls {
public:
    explicit calls_of_sqlite(sqlite_rival& sqlite) : sqlite_(sqlite) {}

    asio::awaitable<std::uint64_t> total_op_count() override { co_return sqlite_.op_count(); }
    asio::awaitable<std::uint64_t> slice_hash_count(arc::dht_arc arc) override {
        co_return sqlite_.slice_hash_count(arc);
    }
    asio::awaitable<std::optional<arc::timestamp>> earliest(arc::dht_arc arc) override {
        co_return sqlite_.earliest(arc);
    }
    asio::awaitable<std::vector<op_id>> ids_in_slice(arc::dht_arc arc, arc::time_range slice) override {
        co_return sqlite_.ids_in_slice(arc, slice).ids;
    }
    asio::awaitable<void> store_slice_hash(arc::dht_arc arc, std::uint64_t index,
                                           combined_hash hash) override {
        sqlite_.store_slice_hash(arc, index, hash.bytes());
        co_return;
    }

private:
    sqlite_rival& sqlite_;
};

/// A space with the same ops, whose host keeps the slices; in tables of its own, dropped afterwards.
class host_space {
public:
    explicit host_space(stage& s) : server_(s.server()) {
        space_set_up how;
        how.schema = host_schema;
        how.slices = slice_mode::host;
        store_ = open_space(server_.conninfo(), how);
        for (std::uint64_t first = 0; first < s.resident(); first += batch_ops) {
            auto const count = std::min<std::uint64_t>(batch_ops, s.resident() - first);
            run(store_->process_incoming_ops(to_incoming(make_ops(first, count)))).value();
        }
        server_.raw().execute(fmt::format("VACUUM (ANALYZE) {}.op", host_schema));
    }
    ~host_space() {
        store_.reset();
        server_.raw().execute(fmt::format("DROP SCHEMA {} CASCADE", host_schema));
    }
    host_space(host_space const&) = delete;
    host_space& operator=(host_space const&) = delete;

    op_store& store() { return *store_; }

private:
    bench_server& server_;
    std::unique_ptr<op_store> store_;
};

/// The sectors of part `part` of `of`, of which `sectors` are asked.
struct sector_part {
    arc::sector_index first;
    arc::sector_index last;
};

sector_part part_of(std::size_t part, std::size_t sectors) {
    auto const begin = part * (arc::sector_count / parts);
    return {static_cast<arc::sector_index>(begin), static_cast<arc::sector_index>(begin + sectors)};
}

/// Sectors in each part that SQLite is timed on: a slice costs it more, the more ops there are.
std::size_t sectors_of_sqlite(std::uint64_t scale) {
    return scale <= 100'000 ? 4 : 1;
}

void ask_start(stage& s, std::uint64_t scale, host_space& host, std::string const& question) {
    calls_of_store single(host.store());
    calls_of_sqlite sqlite(s.sqlite());
    auto const all = arc::sector_count / parts;
    auto const some = sectors_of_sqlite(scale);
    double single_s = 0, sqlite_s = 0;
    std::vector<combined_hash> rings;
    std::uint64_t reads = 1, writes = 0;
    gossip::summary_model model(s.store());
    auto const medians = take_turns(
        parts, {[&](std::size_t) {
                    gossip::summary_model anew(s.store());
                    stopwatch const watch;
                    run(anew.start(now)).value();
                    return watch.seconds();
                },
                [&](std::size_t part) {
                    auto const where = part_of(part, all);
                    stopwatch const watch;
                    auto const built = run(start_sectors(single, where.first, where.last, now));
                    single_s += watch.seconds();
                    rings.resize(built.rings.size());
                    for (std::size_t i = 0; i < rings.size(); ++i) {
                        rings[i].add(built.rings[i]);
                    }
                    reads += built.reads;
                    writes += built.writes;
                    return 0.0;
                },
                [&](std::size_t part) {
                    auto const where = part_of(part, some);
                    stopwatch const watch;
                    run(start_sectors(sqlite, where.first, where.last, now));
                    sqlite_s += watch.seconds() * static_cast<double>(all) / static_cast<double>(some);
                    return 0.0;
                }});
    stopwatch const single_count;
    insist(run(single.total_op_count()) == s.resident(), "the spaces differ");
    single_s += single_count.seconds();
    stopwatch const sqlite_count;
    insist(run(sqlite.total_op_count()) == s.resident(), "SQLite differs");
    sqlite_s += sqlite_count.seconds();
    run(model.start(now)).value();
    insist(model.minimal(arc::arc_set::full(), model.layout_at(now)).ring_top_hashes == rings,
           "the model and kitsune2's differ");
    s.out().add_time(question, scale, medians[0], fmt::format("the same store, {} + {} calls", reads, writes),
                     single_s, over_single_calls);
    s.out().add_time(question, scale, medians[0], fmt::format("SQLite, {} sectors, scaled", some * parts),
                     sqlite_s, over_sqlite);
}

}  // namespace

void ask_cold_start(stage& s, std::uint64_t scale) {
    host_space host(s);
    s.sqlite().clear_slice_hashes();
    s.settle();
    ask_start(s, scale, host, "summary model, very first start");
    ask_start(s, scale, host, "summary model, later start");
    std::vector<double> starts;
    for (std::size_t i = 0; i < s.rounds(); ++i) {
        gossip::summary_model model(s.store());
        stopwatch const watch;
        run(model.start(now)).value();
        starts.push_back(watch.seconds());
    }
    s.out().add_growth("summary model, start", scale, median(std::move(starts)));
}

}  // namespace opstore::bench
