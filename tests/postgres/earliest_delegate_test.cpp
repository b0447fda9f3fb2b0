// Goal: what a process answers from memory about earliest ops is what the server would answer, whoever stores
// what, and whatever ends the session that stands for it. Method: several databases on one schema, as several
// processes have them, against a model; and a lock on the table of ops, so that only memory can answer.
#include <arc/sector.hpp>
#include <opstore/postgres/detail/connection.hpp>
#include <opstore/postgres/detail/earliest_delegate.hpp>
#include <sql/statements.hpp>
#include <tests/postgres/asked_times.hpp>
#include <tests/postgres/cutting_proxy.hpp>
#include <tests/postgres/test_database.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <map>
#include <thread>

namespace opstore::testing {
namespace {

using namespace std::chrono_literals;
using postgres::detail::connection;
using postgres::detail::parameters;

using earliest_time = std::optional<arc::timestamp>;

postgres::detail::connection_settings test_session() {
    postgres::detail::connection_settings settings;
    settings.conninfo = test_database_options().conninfo;
    settings.schema = test_database_options().schema;
    return settings;
}

space_options located_space(std::string const& name) {
    space_options options(name);
    options.format = located_format();
    return options;
}

/// A store as another process would have it: with a pool and a delegate of its own.
std::unique_ptr<op_store> open(std::string const& space, database_options where = test_database_options()) {
    return run(open_test_database(std::move(where))->open_or_create_space(located_space(space))).value();
}

/// No two are the same op.
incoming_op op_at(arc::sector_index sector, arc::timestamp created_at) {
    static std::atomic<std::uint64_t> next{0};
    std::uint64_t const number = next++;
    arc::location const at{arc::sector_arc(sector).start().value + static_cast<std::uint32_t>(number % 1000)};
    return incoming_op(encode_located(created_at, at, std::as_bytes(std::span(&number, 1))));
}

void store_op(op_store& store, arc::sector_index sector, std::int64_t micros) {
    std::vector<incoming_op> batch;
    batch.push_back(op_at(sector, arc::from_micros(micros)));
    CHECK(run(store.process_incoming_ops(std::move(batch))).value().newly_stored.size() == 1);
}

earliest_time ask(op_store& store, arc::dht_arc arc, deadline until = {}) {
    return run(store.earliest_timestamp_in_arc(arc, until)).value();
}

/// The delegates of a space whose sessions live, from `s`, for the FROM of a statement.
std::string living_sessions(std::string const& space) {
    return fmt::format(
        "space s, unnest(s.delegates) d JOIN pg_locks l ON l.locktype = 'advisory' AND l.granted AND "
        "l.mode = 'ExclusiveLock' AND l.database = (SELECT oid FROM pg_database WHERE datname = "
        "current_database()) "
        "AND (l.classid::bigint << 32 | l.objid::bigint) = d WHERE s.key = '{}'",
        space);
}

int living_delegates(std::string const& space) {
    return std::stoi(run_sql("SELECT count(*) FROM " + living_sessions(space)));
}

/// In the space's row, dead or alive.
int named_delegates(std::string const& space) {
    return std::stoi(
        run_sql(fmt::format("SELECT cardinality(delegates) FROM space WHERE key = '{}'", space)));
}

/// Whether it answers while the server cannot. Twice, since for a moment of each second the server is asked.
bool answers_from_memory(op_store& store) {
    connection holder(test_session());
    holder.begin();
    holder.execute_text("hold", "LOCK TABLE op IN ACCESS EXCLUSIVE MODE");
    bool answered = false;
    for (int i = 0; i < 2 && !answered; ++i) {
        try {
            ask(store, arc::sector_arc(0), deadline::after(300ms));
            answered = true;
        } catch (store_error const& e) {
            CHECK(e.code() == errc::timed_out);
        }
    }
    holder.rollback();
    return answered;
}

/// What it answers while the server cannot. Twice as above.
earliest_time ask_memory(op_store& store, arc::dht_arc arc) {
    try {
        return ask(store, arc, deadline::after(1s));
    } catch (store_error const&) {
        return ask(store, arc, deadline::after(1s));
    }
}

/// Asks until the answers come from memory.
void ask_until_remembered(op_store& store) {
    for (int i = 0; i < 20; ++i) {
        for (int question = 0; question < 20; ++question)
            ask(store, arc::sector_arc(0));
        std::this_thread::sleep_for(100ms);
        if (answers_from_memory(store))
            return;
    }
    FAIL("earliest ops are never answered from memory");
}

/// Asks for long enough to be remembered elsewhere.
void check_never_remembered(op_store& store, std::string const& space) {
    for (int i = 0; i < 20; ++i) {
        for (int question = 0; question < 20; ++question)
            ask(store, arc::sector_arc(0));
        std::this_thread::sleep_for(50ms);
    }
    CHECK(named_delegates(space) == 0);
    CHECK_FALSE(answers_from_memory(store));
}

/// Ends the sessions of a space's delegates, without waiting for it. Returns how many there were.
int end_delegates(connection& session, std::string const& space) {
    auto const ended = session.execute_text(
        "end_delegates", "SELECT count(pg_terminate_backend(l.pid)) FROM " + living_sessions(space));
    return static_cast<int>(ended.bigint(0, 0));
}

/// Another process, which asks for the earliest op of sector 7.
class asker {
public:
    explicit asker(std::string const& space) : process_(start(space)) {}
    ~asker() {
        times_->done = true;
        ::kill(process_, SIGCONT);
        ::waitpid(process_, nullptr, 0);
        std::remove(file_.c_str());
    }

    asked_times& times() { return *times_.operator->(); }
    /// Returns when it has stopped.
    void stop() const {
        ::kill(process_, SIGSTOP);
        ::waitpid(process_, nullptr, WUNTRACED);
    }
    void go_on() const { ::kill(process_, SIGCONT); }
    void wait_for_answers(std::uint64_t count) {
        auto const enough = times().answers + count;
        for (int i = 0; i < 1000 && times().answers < enough; ++i)
            std::this_thread::sleep_for(10ms);
        REQUIRE(times().answers >= enough);
    }

private:
    pid_t start(std::string const& space) const {
        auto const where = test_database_options();
        std::vector<std::string> words{
            OPSTORE_EARLIEST_ASKER, where.conninfo, where.schema, space, "7", file_};
        std::vector<char*> arguments;
        for (std::string& word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        pid_t process = 0;
        REQUIRE(::posix_spawn(&process, OPSTORE_EARLIEST_ASKER, nullptr, nullptr, arguments.data(),
                              environ) == 0);
        return process;
    }

    std::string const file_ =
        (std::filesystem::temp_directory_path() / fmt::format("opstore-asker-{}", ::getpid())).string();
    shared_asked_times times_{file_, shared_asked_times::make::anew};
    pid_t const process_;
};

/// A session that stands as a delegate and reacts to nothing, like a process that was stopped.
struct silent_delegate {
    connection session{test_session()};

    explicit silent_delegate(std::string const& space) {
        session.execute_text("timeout",
                             fmt::format("SET idle_session_timeout = '{}s'",
                                         postgres::detail::earliest_delegate::silence_max.count()));
        constexpr std::int64_t number = 4711;
        session.execute(sql::lock_delegate, parameters().bigint(number));
        auto const id =
            std::stoll(run_sql(fmt::format("SELECT space_id FROM space WHERE key = '{}'", space)));
        session.execute(sql::add_delegate, parameters().bigint(id).bigint(number));
    }
};

}  // namespace

TEST_CASE("earliest delegate: what is asked often is answered from memory") {
    auto const store = open("delegate: asked");
    store_op(*store, 3, 5'000);
    store_op(*store, 4, 3'000);
    store_op(*store, 511, 1'000);
    ask_until_remembered(*store);
    connection holder(test_session());
    holder.begin();
    holder.execute_text("hold", "LOCK TABLE op IN ACCESS EXCLUSIVE MODE");
    CHECK(ask_memory(*store, arc::sector_arc(3)) == arc::from_micros(5'000));
    CHECK_FALSE(ask_memory(*store, arc::sector_arc(5)));
    CHECK(ask_memory(*store, arc::dht_arc::full()) == arc::from_micros(1'000));
    CHECK_FALSE(ask_memory(*store, arc::dht_arc::empty()));
    // Sectors 510 to 3, and 3 to 4.
    auto const wrapping = arc::dht_arc::between(arc::sector_arc(510).start(), arc::sector_arc(3).end());
    auto const two = arc::dht_arc::between(arc::sector_arc(3).start(), arc::sector_arc(4).end());
    CHECK(ask_memory(*store, wrapping) == arc::from_micros(1'000));
    // A part of a sector is the server's to answer.
    auto const part =
        arc::dht_arc::between(arc::sector_arc(3).start(), arc::location{arc::sector_arc(3).end().value - 1});
    CHECK_THROWS_AS(ask(*store, part, deadline::after(300ms)), store_error);
    holder.rollback();
    CHECK(ask(*store, part) == arc::from_micros(5'000));
    auto const both = run(store->earliest_timestamps_in_arcs({wrapping, two})).value();
    CHECK(both == std::vector<earliest_time>{arc::from_micros(1'000), arc::from_micros(3'000)});
    // Ops that are the first of no sector leave it as it is.
    store_op(*store, 3, 5'000);
    store_op(*store, 4, 9'000);
    CHECK(answers_from_memory(*store));
    CHECK(living_delegates("delegate: asked") == 1);
}

TEST_CASE("earliest delegate: answers are the model's, whoever stores") {
    std::string const space = "delegate: modelled";
    std::vector<std::unique_ptr<op_store>> stores;
    for (int i = 0; i < 3; ++i)
        stores.push_back(open(space));
    constexpr std::uint64_t sectors = 4, rounds_max = 1000;
    constexpr int enough = 20;
    random_source random(20261122);
    std::map<arc::sector_index, std::int64_t> model;
    int contradicted = 0, kept = 0;
    for (std::uint64_t round = 0; round < rounds_max && std::min(contradicted, kept) < enough; ++round) {
        // Some ask often enough to remember.
        for (auto const& store : stores) {
            for (std::uint64_t i = random.below(3) * 10; i > 0; --i)
                ask(*store, arc::sector_arc(0));
        }
        if (random.below(4) == 0)
            std::this_thread::sleep_for(300ms);
        auto const sector = static_cast<arc::sector_index>(random.below(sectors));
        auto const held = model.find(sector);
        bool const earlier = held == model.end() || random.below(2) == 0;
        std::int64_t const created = held == model.end() ? 1'000'000'000
                                     : earlier ? held->second - 1 - static_cast<std::int64_t>(random.below(3))
                                               : held->second + static_cast<std::int64_t>(random.below(3));
        (earlier ? contradicted : kept) += living_delegates(space) > 0 ? 1 : 0;
        store_op(*stores[random.below(stores.size())], sector, created);
        auto& earliest = model.try_emplace(sector, created).first->second;
        earliest = std::min(earliest, created);
        for (auto const& store : stores) {
            for (std::uint64_t s = 0; s < sectors; ++s) {
                auto const of_model = model.find(static_cast<arc::sector_index>(s));
                auto const answer = ask(*store, arc::sector_arc(static_cast<arc::sector_index>(s)));
                CHECK(answer == (of_model == model.end()
                                     ? earliest_time()
                                     : earliest_time(arc::from_micros(of_model->second))));
            }
        }
    }
    // Or the test has seen nothing.
    CHECK(contradicted >= enough);
    CHECK(kept >= enough);
}

TEST_CASE("earliest delegate: no answer is older than a commit, whatever becomes of the sessions") {
    std::string const space = "delegate: raced";
    constexpr std::size_t reader_count = 2;
    auto const writer = open(space);
    std::atomic<std::int64_t> stored{1'000'000};
    store_op(*writer, 7, stored);
    std::atomic<bool> done{false};
    std::atomic<int> stale{0};
    std::vector<std::thread> readers;
    for (std::size_t i = 0; i < reader_count; ++i) {
        readers.emplace_back([&, store = std::shared_ptr(open(space))] {
            for (std::uint64_t asked = 0; !done; ++asked) {
                std::int64_t const before = stored;
                auto const answer = ask(*store, arc::sector_arc(7));
                stale += answer && arc::to_micros(*answer) <= before ? 0 : 1;
                // Or a small machine has no core for new sessions.
                if (asked % 50 == 0)
                    std::this_thread::sleep_for(1ms);
            }
        });
    }
    connection session(test_session());
    random_source random(7);
    int contradicted = 0, ended = 0;
    for (int round = 0; round < 400 && std::min(contradicted, ended) < 8; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50 + random.below(400)));
        bool const delegated = living_delegates(space) > 0;
        if (round % 2 == 0)
            ended += end_delegates(session, space);
        else
            contradicted += delegated ? 1 : 0;
        store_op(*writer, 7, stored - 1);
        --stored;
    }
    done = true;
    for (auto& reader : readers)
        reader.join();
    CHECK(stale == 0);
    CHECK(contradicted >= 8);
    CHECK(ended >= 8);
}

TEST_CASE("earliest delegate: a process that was stopped answers nothing stale when it goes on") {
    std::string const space = "delegate: stopped";
    auto const writer = open(space);
    std::int64_t stored = 1'000'000;
    store_op(*writer, 7, stored);
    asker other(space);
    other.times().stored = stored;
    connection session(test_session());
    for (int round = 0; round < 12; ++round) {
        for (int i = 0; i < 100 && living_delegates(space) == 0; ++i)
            std::this_thread::sleep_for(50ms);
        other.wait_for_answers(1000);
        other.stop();
        REQUIRE(living_delegates(space) == 1);
        // The last time it is the server that ends the session, of which it hears nothing.
        if (round < 11)
            CHECK(end_delegates(session, space) == 1);
        store_op(*writer, 7, --stored);
        other.times().stored = stored;
        other.go_on();
        other.wait_for_answers(100);
    }
    CHECK(other.times().stale_answers == 0);
}

TEST_CASE("earliest delegate: one that does not react holds up only what contradicts it, and not for long") {
    auto const store = open("delegate: silent");
    store_op(*store, 9, 1'000);
    silent_delegate const silent("delegate: silent");
    auto const start = std::chrono::steady_clock::now();
    store_op(*store, 9, 1'001);
    CHECK(std::chrono::steady_clock::now() - start < 3s);
    CHECK(living_delegates("delegate: silent") >= 1);
    store_op(*store, 9, 999);
    CHECK(std::chrono::steady_clock::now() - start > 4s);
    CHECK(std::chrono::steady_clock::now() - start < 20s);
    CHECK(ask(*store, arc::sector_arc(9)) == arc::from_micros(999));
    // What it left in the space's row is gone with it.
    CHECK(named_delegates("delegate: silent") == 0);
}

TEST_CASE("earliest delegate: an ingest that may not wait ends at its deadline, and nothing is stored") {
    auto const store = open("delegate: impatient");
    store_op(*store, 9, 1'000);
    silent_delegate const silent("delegate: impatient");
    std::vector<incoming_op> batch;
    batch.push_back(op_at(9, arc::from_micros(1)));
    CHECK_THROWS_AS(run(store->process_incoming_ops(batch, deadline::after(500ms))), store_error);
    CHECK(run(store->query_total_op_count()).value() == 1);
    CHECK(ask(*store, arc::sector_arc(9)) == arc::from_micros(1'000));
    CHECK(run(store->process_incoming_ops(batch)).value().newly_stored.size() == 1);
    CHECK(ask(*store, arc::sector_arc(9)) == arc::from_micros(1));
}

TEST_CASE("earliest delegate: batches of every way to store leave it as it is, or stop it") {
    std::string const space = "delegate: every way";
    auto ungrouped = test_database_options();
    ungrouped.group_commit = false;
    auto const asking = open(space), first = open(space), second = open(space, ungrouped);
    for (arc::sector_index sector = 0; sector < 4; ++sector)
        store_op(*first, sector, 1'000'000);
    auto const large = [](std::int64_t created_at) {
        std::vector<incoming_op> ops;
        for (int i = 0; i < 9'000; ++i)  // More than a statement takes.
            ops.push_back(op_at(static_cast<arc::sector_index>(i % 4), arc::from_micros(created_at)));
        return ops;
    };
    for (auto* const store : {asking.get(), first.get(), second.get()}) {
        ask_until_remembered(*asking);
        CHECK(run(store->process_incoming_ops(large(2'000'000))).value().newly_stored.size() == 9'000);
        CHECK(living_delegates(space) >= 1);
        CHECK(answers_from_memory(*asking));
        CHECK(ask(*asking, arc::sector_arc(3)) == arc::from_micros(1'000'000));
    }
    // Writers that meet each other as well as delegates.
    std::vector<std::thread> writers;
    for (auto* const store : {asking.get(), first.get(), second.get(), second.get()}) {
        writers.emplace_back([store] {
            for (int i = 0; i < 50; ++i)
                store_op(*store, static_cast<arc::sector_index>(i % 4), 1'000'001 + i);
        });
    }
    for (auto& writer : writers)
        writer.join();
    CHECK(living_delegates(space) >= 1);
    std::int64_t earliest = 1'000'000;
    for (auto* const store : {asking.get(), first.get(), second.get()}) {
        ask_until_remembered(*asking);
        earliest -= 1'000;
        CHECK(run(store->process_incoming_ops(large(earliest))).value().newly_stored.size() == 9'000);
        CHECK(ask(*asking, arc::sector_arc(3)) == arc::from_micros(earliest));
    }
}

TEST_CASE("earliest delegate: those that have ended do not pile up in the space's row") {
    auto const writer = open("delegate: piled");
    store_op(*writer, 0, 1'000);
    for (int i = 0; i < 5; ++i) {
        ask_until_remembered(*open("delegate: piled"));
        CHECK(named_delegates("delegate: piled") <= 2);
    }
    // The server hears of a closed session a little later.
    for (int i = 0; i < 500 && living_delegates("delegate: piled") > 0; ++i)
        std::this_thread::sleep_for(10ms);
    store_op(*writer, 0, 2'000);
    CHECK(named_delegates("delegate: piled") == 0);
}

TEST_CASE("earliest delegate: of a space that was dropped nothing is remembered") {
    auto const database = open_test_database();
    auto const store = open("delegate: dropped");
    store_op(*store, 1, 1'000);
    ask_until_remembered(*store);
    CHECK(run(database->drop_space("delegate: dropped")).has_value());
    CHECK(run(store->earliest_timestamp_in_arc(arc::sector_arc(1))).error().code() == errc::no_such_space);
    auto const anew = open("delegate: dropped");
    CHECK_FALSE(ask(*anew, arc::sector_arc(1)));
    CHECK(run(store->earliest_timestamp_in_arc(arc::sector_arc(1))).error().code() == errc::no_such_space);
}

TEST_CASE("earliest delegate: a repair moves an op, and the answers follow") {
    auto const store = open("delegate: mended"), other = open("delegate: mended");
    store_op(*store, 20, 1'000);
    run_sql(
        "UPDATE op SET sector = 21 FROM space s WHERE s.space_id = op.space_id AND s.key = 'delegate: "
        "mended'");
    ask_until_remembered(*store);
    CHECK(ask(*store, arc::sector_arc(21)) == earliest_time());
    // Of the damaged op the index and the answers say the same.
    store_op(*other, 21, 5'000);
    CHECK(ask(*store, arc::sector_arc(21)) == arc::from_micros(5'000));
    ask_until_remembered(*store);
    CHECK(run(other->repair()).value().damage_count > 0);
    CHECK(ask(*store, arc::sector_arc(20)) == arc::from_micros(1'000));
    CHECK(ask(*store, arc::sector_arc(21)) == arc::from_micros(5'000));
}

TEST_CASE("earliest delegate: only where the end of a session is seen at once, by who may write") {
    cutting_proxy proxy;
    auto where = test_database_options();
    where.conninfo = proxy.conninfo();
    check_never_remembered(*open("delegate: behind a proxy", where), "delegate: behind a proxy");

    create_roles(test_database_options());
    auto as_reader = test_database_options();
    open("delegate: read only");
    as_reader.conninfo += " options='-c role=opstore_reader'";
    auto const reader = run(open_test_database(as_reader)->open_space("delegate: read only")).value();
    check_never_remembered(*reader, "delegate: read only");
}

}  // namespace opstore::testing
