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
constexpr std::size_t part_sectors = arc::sector_count / parts;
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

/// A rival: its calls, on how many sectors of each part, and what they took and built so far.
struct starter {
    start_calls& calls;
    std::size_t sectors;
    double seconds = 0;
    started built;

    starter(start_calls& of, std::size_t count) : calls(of), sectors(count) {}

    bool asks_all() const { return sectors == part_sectors; }

    double start_part(std::size_t part) {
        auto const first = static_cast<arc::sector_index>(part * part_sectors);
        auto const last = static_cast<arc::sector_index>(first + sectors);
        stopwatch const watch;
        auto const more = run(start_sectors(calls, first, last, now));
        auto const spent = watch.seconds();
        seconds += spent * static_cast<double>(part_sectors) / static_cast<double>(sectors);
        built.rings.resize(more.rings.size());
        for (std::size_t i = 0; i < more.rings.size(); ++i) {
            built.rings[i].add(more.rings[i]);
        }
        built.reads += more.reads;
        built.writes += more.writes;
        return spent;
    }

    void count_ops(std::uint64_t expected) {
        stopwatch const watch;
        insist(run(calls.total_op_count()) == expected, "the rival holds other ops");
        seconds += watch.seconds();
        ++built.reads;
    }

    std::string text(char const* name) const {
        return asks_all() ? fmt::format("{}, {} + {} calls", name, built.reads, built.writes)
                          : fmt::format("{}, {} sectors, scaled", name, sectors * parts);
    }
};

double seconds_of_start(op_store& store) {
    gossip::summary_model model(store);
    stopwatch const watch;
    run(model.start(now)).value();
    return watch.seconds();
}

/// A slice costs SQLite the more, the more ops there are.
std::size_t sectors_of_sqlite(stage const& s, std::uint64_t scale) {
    return scale <= 100'000 && !s.smoke() ? 4 : 1;
}

/// At ten million SQLite's first start had not ended its first sector after 14 minutes.
bool sqlite_starts_first(std::uint64_t scale) {
    return scale <= 1'000'000;
}

/// What its first start would have left behind in the sectors that it is asked for.
void give_slice_hashes(stage& s, std::uint64_t scale, op_store& host) {
    for (std::size_t part = 0; part < parts; ++part) {
        for (std::size_t i = 0; i < sectors_of_sqlite(s, scale); ++i) {
            auto const sector = arc::sector_arc(static_cast<arc::sector_index>(part * part_sectors + i));
            for (auto const& slice : run(host.retrieve_slice_hashes(sector)).value()) {
                s.sqlite().store_slice_hash(sector, slice.index, slice.hash);
            }
        }
    }
}

void ask_start(stage& s, std::uint64_t scale, host_space& host, std::string const& question,
               bool asks_sqlite) {
    calls_of_store single_calls(host.store());
    calls_of_sqlite sqlite_calls(s.sqlite());
    starter single(single_calls, s.smoke() ? 2 : part_sectors);
    starter sqlite(sqlite_calls, sectors_of_sqlite(s, scale));
    std::vector<contender> contenders{[&](std::size_t) { return seconds_of_start(s.store()); },
                                      [&](std::size_t part) { return single.start_part(part); }};
    if (asks_sqlite) {
        contenders.push_back([&](std::size_t part) { return sqlite.start_part(part); });
    }
    auto const ours = take_turns(parts, contenders).median(0);
    single.count_ops(s.resident());
    if (single.asks_all()) {
        gossip::summary_model model(s.store());
        run(model.start(now)).value();
        auto const snapshot = model.minimal(arc::arc_set::full(), model.layout_at(now));
        insist(snapshot.ring_top_hashes == single.built.rings, "the model and kitsune2's differ");
    }
    s.out().add_time(question, scale, {ours, single.seconds}, single.text("the same store"),
                     over_single_calls);
    if (asks_sqlite) {
        sqlite.count_ops(s.resident());
        s.out().add_time(question, scale, {ours, sqlite.seconds}, sqlite.text("SQLite"), over_sqlite);
    }
}

}  // namespace

void ask_cold_start(stage& s, std::uint64_t scale) {
    host_space host(s);
    s.sqlite().clear_slice_hashes();
    s.settle();
    ask_start(s, scale, host, "summary model, very first start", sqlite_starts_first(scale));
    if (!sqlite_starts_first(scale)) {
        give_slice_hashes(s, scale, host.store());
    }
    ask_start(s, scale, host, "summary model, later start", true);
    if (s.smaller()) {
        s.out().add_growth("summary model, start", scale, s.compare_in_new_sessions([](filled_store whose) {
            return [whose](std::size_t) { return seconds_of_start(whose.store); };
        }));
    }
}

}  // namespace opstore::bench
