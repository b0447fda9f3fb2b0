// Goal: which ids are held is answered from memory as the server would answer it, whoever stores; ops are
// found wherever their rows have moved; and nothing is remembered beyond what was allowed. Method: several
// databases on one schema, as several processes have them, against a model; and the memory by itself on a
// connection, where the server's count of index scans shows who answered.
#include <opstore/postgres/detail/held_ids.hpp>
#include <opstore/postgres/detail/op_retrieval.hpp>
#include <sql/statements.hpp>
#include <tests/postgres/cutting_proxy.hpp>
#include <tests/postgres/numbered_ops.hpp>
#include <tests/postgres/test_database.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

namespace opstore::testing {
namespace {

using postgres::detail::connection;
using postgres::detail::held_ids;
using postgres::detail::id_allowance;
using postgres::detail::space_view;

constexpr std::size_t plenty = 1'000'000;

std::unique_ptr<op_store> open(std::string const& space, std::size_t remembered_ids_max = plenty) {
    auto where = test_database_options();
    where.remembered_ids_max = remembered_ids_max;
    return run(open_test_database(std::move(where))->open_or_create_space(space_options(space))).value();
}

void store_ops(op_store& store, std::uint64_t first, std::uint64_t count) {
    run(store.process_incoming_ops(numbered_batch(first, count))).value();
}

/// In several transactions.
void store_many(op_store& store, std::uint64_t count) {
    constexpr std::uint64_t step = 5'000;
    for (std::uint64_t first = 0; first < count; first += step)
        store_ops(store, first, std::min(step, count - first));
}

std::vector<op_id> numbered_ids(std::uint64_t first, std::uint64_t count) {
    std::vector<op_id> ids;
    for (std::uint64_t number = first; number < first + count; ++number)
        ids.push_back(id_of_numbered_op(number));
    return ids;
}

std::vector<op_id> filter(op_store& store, std::vector<op_id> ids) {
    return run(store.filter_out_existing_ops(std::move(ids))).value();
}

/// For an UPDATE or DELETE by hand.
std::string in_space(std::string const& space) {
    return fmt::format(" WHERE space_id = (SELECT space_id FROM space WHERE key = '{}')", space);
}

void delete_op_by_hand(std::string const& space, std::uint64_t number) {
    auto const created = arc::to_micros(numbered_op_start + std::chrono::seconds(number));
    run_sql(fmt::format("DELETE FROM op{} AND created_at = {}", in_space(space), created));
}

/// That the store has the ops of the ids, as they were made, but for those that are missing.
void check_retrieved(op_store& store, std::vector<op_id> const& ids, std::vector<op_id> const& missing) {
    auto const ops = run(store.retrieve_ops(ids)).value();
    std::set<op_id> const absent(missing.begin(), missing.end());
    auto at = ops.begin();
    bool same = true;
    for (op_id const& id : ids) {
        if (absent.contains(id) || id.length() != plain_format()->id_length())
            continue;
        same = same && at != ops.end() && at->id == id && plain_format()->decode(at->data, {})->id == id;
        at += at == ops.end() ? 0 : 1;
    }
    CHECK(same);
    CHECK(at == ops.end());
}

/// Deletes an op by hand and does not count it: the server misses it, and who remembers does not.
bool answers_from_memory(op_store& store, std::string const& space, std::uint64_t number) {
    delete_op_by_hand(space, number);
    REQUIRE(filter(*open(space, 0), numbered_ids(number, 1)).size() == 1);
    return filter(store, numbered_ids(number, 1)).empty();
}

bool same_op(stored_op const& a, stored_op const& b) {
    return a.id == b.id && a.data == b.data && a.location == b.location && a.created_at == b.created_at &&
           a.stored_at == b.stored_at;
}

/// As a store answers that remembers nothing.
std::vector<stored_op> ops_by_index(std::string const& space, std::vector<op_id> const& ids) {
    return run(open(space, 0)->retrieve_ops(ids)).value();
}

/// One space's memory, by itself.
class lone_memory {
public:
    explicit lone_memory(std::string const& space,
                         std::shared_ptr<id_allowance> allowance = std::make_shared<id_allowance>(plenty))
        : lone_memory(space, std::make_shared<held_ids>(std::move(allowance))) {}

    /// On a connection of its own.
    lone_memory(std::string const& space, std::shared_ptr<held_ids> shared) : held_(std::move(shared)) {
        view_.space_id = std::stoll(run_sql("SELECT space_id FROM space" + in_space(space)));
        view_.incarnation = std::stoll(run_sql("SELECT incarnation FROM space" + in_space(space)));
        view_.id_length = plain_format()->id_length();
        view_.slice_factor = arc::factor_default;
    }

    /// What memory answers; nothing, if the server looked the ids up.
    std::optional<std::vector<op_id>> ask(std::vector<op_id> const& ids) {
        if (!held_->note_question(ids.size()))
            return std::nullopt;
        std::vector<op_id> missing;
        bool const by_server =
            look_ups_of([&] { missing = held_->missing(session_, view_, ids).value(); }) != 0;
        return by_server ? std::nullopt : std::optional(std::move(missing));
    }

    /// How many of the ids the server had to look up, to find their ops. Those are to be `expected`.
    std::int64_t look_ups_to_retrieve(std::vector<op_id> const& ids, std::vector<stored_op> const& expected) {
        return look_ups_of([&] {
            auto const ops = postgres::detail::fetch_ops(session_, view_, *held_, ids).value();
            CHECK(std::equal(ops.begin(), ops.end(), expected.begin(), expected.end(), same_op));
        });
    }

    /// How many ops retrieve_at.sql returns of all there are, the other spaces' too.
    std::int64_t count_at_all_places(std::int64_t bytes_max) {
        auto const places =
            session_.execute_text("places", "SELECT count(*), max((ctid::text::point)[0]) FROM op");
        std::vector<postgres::detail::tuple_id> all;
        for (std::uint32_t block = 0; block <= places.bigint(0, 1); ++block) {
            for (std::uint16_t offset = 1; offset <= 300; ++offset)
                all.push_back({block, offset});
        }
        auto const found =
            session_.execute(sql::retrieve_at, of_space(view_).tuple_id_array(all).bigint(bytes_max));
        return static_cast<std::int64_t>(found.count());
    }

    errc refusal_to_retrieve(std::vector<op_id> const& ids) {
        return postgres::detail::fetch_ops(session_, view_, *held_, ids).error().code();
    }

    errc refusal_of(std::vector<op_id> const& ids) {
        return held_->missing(session_, view_, ids).error().code();
    }

    /// Asks for what is not there until it knows. Returns how many ids it asked for; nothing: it never knew.
    std::optional<std::size_t> learn(std::size_t questions_max = 10,
                                     std::size_t ids_each = held_ids::reading_min) {
        auto const ids = numbered_ids(1'000'000'000, ids_each);
        for (std::size_t i = 1; i <= questions_max; ++i) {
            if (ask(ids))
                return i * ids_each;
        }
        return std::nullopt;
    }

private:
    static postgres::detail::connection_settings settings() {
        postgres::detail::connection_settings s;
        s.conninfo = test_database_options().conninfo;
        s.schema = test_database_options().schema;
        return s;
    }

    template <class Ask>
    std::int64_t look_ups_of(Ask ask) {
        session_.begin();
        auto const before = look_ups();
        ask();
        auto const now = look_ups();
        session_.commit();
        return now - before;
    }

    /// In this transaction.
    std::int64_t look_ups() {
        return session_
            .execute_text("look_ups", "SELECT pg_stat_get_xact_numscans('op_by_id'::regclass::oid)")
            .bigint(0, 0);
    }

    connection session_{settings()};
    space_view view_{};
    std::shared_ptr<held_ids> held_;
};

}  // namespace

TEST_CASE("held ids: a space is remembered once as many ids were asked for as it holds") {
    std::string const space = "held: learnt";
    auto const store = open(space);
    constexpr std::uint64_t count = 20'000;
    store_many(*store, count);
    lone_memory memory(space);
    // A few questions are the server's to answer.
    CHECK_FALSE(memory.ask(numbered_ids(0, 10)));
    CHECK_FALSE(memory.ask(numbered_ids(0, held_ids::reading_min - 11)));
    std::size_t asked = held_ids::reading_min - 1;
    auto const question = numbered_ids(count - 500, 1000);
    auto answer = memory.ask(question);
    for (; !answer; answer = memory.ask(question))
        asked += question.size();
    CHECK(asked <= count + held_ids::reading_min);
    CHECK(asked > count / 2);
    CHECK(*answer == numbered_ids(count, 500));
    // From now on it knows, in one round trip; what is stored meanwhile too.
    store_ops(*store, count, 200);
    CHECK(memory.ask(question) == numbered_ids(count + 200, 300));
    CHECK(memory.ask({}) == std::vector<op_id>());
    // The same id, twice or held.
    auto const absent = id_of_numbered_op(count + 5'000), held = id_of_numbered_op(3);
    CHECK(memory.ask({absent, held, absent, held}) == std::vector<op_id>{absent, absent});
}

TEST_CASE("held ids: a question reads no more than it is worth") {
    std::string const space = "held: outrun";
    auto const store = open(space);
    lone_memory memory(space);
    REQUIRE(memory.learn());
    for (int i = 0; i < 30; ++i)
        CHECK(memory.learn(1));
    constexpr std::uint64_t backlog = 56'000;
    static_assert(backlog > 3 * held_ids::statement_max);
    store_many(*store, backlog);
    // What it saved up is not enough, in however many questions.
    for (int i = 0; i < 20; ++i)
        CHECK_FALSE(memory.ask(numbered_ids(0, 10)));
    // A question for many reads as many.
    CHECK(memory.ask(numbered_ids(backlog - 100, backlog)) == numbered_ids(backlog, backlog - 100));
}

TEST_CASE("held ids: ops are read where their rows are, and found where they have moved") {
    static int part = 0;
    auto const space = fmt::format("held: moved {}", part++);
    constexpr std::uint64_t count = 6'000, middle = 3'000;
    // No dead rows in front but those that will be.
    run_sql("VACUUM FULL op");
    store_ops(*open(space + ", in front"), 0, 100);
    auto const store = open(space);
    store_ops(*store, 0, count);
    // In no order; one is asked for again, one is not held.
    auto ids = numbered_ids(0, 500);
    std::reverse(ids.begin(), ids.end());
    ids.insert(ids.end(), {id_of_numbered_op(middle), id_of_numbered_op(7), id_of_numbered_op(count)});
    auto const ops = ops_by_index(space, ids);
    REQUIRE(ops.size() == 502);
    lone_memory memory(space);
    // To retrieve earns as to filter does.
    for (auto asked = ids.size(); asked < held_ids::reading_min; asked += ids.size())
        CHECK(memory.look_ups_to_retrieve(ids, ops) == 503);
    CHECK(memory.look_ups_to_retrieve(ids, ops) == 1);
    SUBCASE("the table was written anew") {
        REQUIRE(run(open_test_database()->drop_space(space + ", in front")).has_value());
        run_sql("VACUUM FULL op");
        // Of most the place is now another one's that was asked for too.
        CHECK(memory.look_ups_to_retrieve(ids, ops) > 1);
        CHECK(memory.look_ups_to_retrieve(ids, ops) == 1);
    }
    SUBCASE("new ones are stored") {
        REQUIRE(memory.learn());
        auto const few = held_ids::places_min;
        store_ops(*store, count, 2 * few);
        // Known in one go, and then what is not held too; or not worth a reading.
        auto const some = numbered_ids(count, few), rest = numbered_ids(count + few, few - 1);
        CHECK(memory.look_ups_to_retrieve(rest, ops_by_index(space, rest)) == few - 1);
        CHECK(memory.look_ups_to_retrieve(some, ops_by_index(space, some)) == 0);
        CHECK(memory.look_ups_to_retrieve(rest, ops_by_index(space, rest)) == 0);
        CHECK(memory.look_ups_to_retrieve(numbered_ids(2 * count, few), {}) == 0);
        CHECK(memory.look_ups_to_retrieve(numbered_ids(2 * count, few - 1), {}) == few - 1);
        // One that is not held takes a second round trip, which so few are not worth.
        auto const mixed = numbered_ids(count + 2 * few - 10, 11);
        CHECK(memory.look_ups_to_retrieve(mixed, ops_by_index(space, mixed)) == 11);
    }
    SUBCASE("another space's op with the same id is where it was") {
        // But for the first, which stays.
        store_ops(*open(space + ", behind"), 1, count);
        run_sql("DELETE FROM op" + in_space(space) +
                fmt::format(" AND created_at > {}", arc::to_micros(numbered_op_start)));
        store_ops(*store, 0, count);
        run_sql("VACUUM FULL op");
        CHECK(memory.look_ups_to_retrieve(ids, ops_by_index(space, ids)) > 0);
    }
    SUBCASE("a row was changed") {
        run_sql(fmt::format("UPDATE op SET sector = sector{} AND created_at = {}", in_space(space),
                            arc::to_micros(numbered_op_start + std::chrono::seconds(middle))));
        CHECK(memory.look_ups_to_retrieve(ids, ops) == 2);
        CHECK(memory.look_ups_to_retrieve(ids, ops) == 1);
    }
    SUBCASE("another row is where it was") {
        auto const place_of = [&](std::uint64_t number) {
            return run_sql(fmt::format("SELECT ctid FROM op{} AND created_at = {}", in_space(space),
                                       arc::to_micros(numbered_op_start + std::chrono::seconds(number))));
        };
        auto const place = place_of(middle);
        delete_op_by_hand(space, middle);
        run_sql("VACUUM (INDEX_CLEANUP on) op");
        // The last places to be taken are those of a full table.
        std::uint64_t number = count;
        for (bool taken = false; !taken; ++number) {
            REQUIRE(number < count + 5'000);
            store_ops(*store, number, 1);
            taken = place_of(number) == place;
        }
        ids.back() = id_of_numbered_op(number - 1);
        auto const now = ops_by_index(space, ids);
        REQUIRE(now.size() == 502);
        memory.look_ups_to_retrieve(ids, now);
        CHECK(memory.look_ups_to_retrieve({id_of_numbered_op(middle)}, {}) == 1);
    }
    SUBCASE("the space was dropped") {
        REQUIRE(run(open_test_database()->drop_space(space)).has_value());
        CHECK(memory.refusal_to_retrieve(ids) == errc::no_such_space);
        CHECK(memory.refusal_to_retrieve({}) == errc::no_such_space);
        open(space);
        CHECK(memory.refusal_to_retrieve(ids) == errc::no_such_space);
    }
}

TEST_CASE("held ids: ops that are more than a result should hold") {
    std::string const space = "held: large";
    auto const store = open(space);
    // Three are more than a result; the fourth comes behind the cut.
    for (std::uint64_t i = 0; i < 4; ++i) {
        std::vector<std::byte> const noise(15 << 20, std::byte{static_cast<unsigned char>(i)});
        std::vector<incoming_op> batch = numbered_batch(i * 100, 100);
        batch.emplace_back(encode_plain(numbered_op_start, noise));
        run(store->process_incoming_ops(std::move(batch))).value();
    }
    auto const all = run(store->retrieve_op_ids_bounded(arc::dht_arc::full(), {}, 100 << 20)).value();
    REQUIRE(all.ids.size() == 404);
    auto const ops = ops_by_index(space, all.ids);
    lone_memory memory(space);
    CHECK(memory.look_ups_to_retrieve(all.ids, ops) >= 404);
    REQUIRE(memory.learn());
    CHECK(memory.look_ups_to_retrieve(all.ids, ops) == 0);
}

TEST_CASE("held ids: large ops at the places of others are not read for ever") {
    run_sql("VACUUM FULL op");
    store_ops(*open("held: in front of large"), 0, 3);
    std::string const space = "held: large and moved";
    auto const store = open(space);
    for (unsigned char i = 0; i < 6; ++i) {
        std::vector<std::byte> const noise(15 << 20, std::byte{i});
        std::vector<incoming_op> batch;
        batch.emplace_back(encode_plain(numbered_op_start, noise));
        run(store->process_incoming_ops(std::move(batch))).value();
    }
    auto ids = run(store->retrieve_op_ids_bounded(arc::dht_arc::full(), {}, 100 << 20)).value().ids;
    REQUIRE(ids.size() == 6);
    ids.resize(3);
    auto const ops = ops_by_index(space, ids);
    lone_memory memory(space);
    REQUIRE(memory.learn());
    CHECK(memory.look_ups_to_retrieve(ids, ops) == 0);
    REQUIRE(run(open_test_database()->drop_space("held: in front of large")).has_value());
    run_sql("VACUUM FULL op");
    CHECK(memory.look_ups_to_retrieve(ids, ops) > 0);
    CHECK(memory.look_ups_to_retrieve(ids, ops) == 0);
}

TEST_CASE("held ids: a result of ops by place ends where it should") {
    std::string const space = "held: cut";
    store_ops(*open(space), 0, 10);
    lone_memory memory(space);
    auto const bytes = static_cast<std::int64_t>(numbered_op(0).data.size());
    for (std::int64_t const ops : {1, 2, 9})
        CHECK(memory.count_at_all_places(ops * bytes) == ops);
    CHECK(memory.count_at_all_places(2 * bytes + 1) == 3);
    CHECK(memory.count_at_all_places(1000 * bytes) == 10);
}

TEST_CASE("held ids: answers are the model's, whoever stores and however little is allowed") {
    std::string const space = "held: modelled";
    std::vector<std::unique_ptr<op_store>> stores;
    for (std::size_t const allowed : {plenty, plenty, std::size_t{6'000}, std::size_t{0}})
        stores.push_back(open(space, allowed));
    random_source random(20261122);
    constexpr std::uint64_t numbers = 40'000;
    std::set<std::uint64_t> model;
    for (int round = 0; round < 60; ++round) {
        // Mostly a few ops; at times more than a question reads, and more than one statement stores.
        auto const count = 1 + random.below(round % 20 == 0 ? 12'000 : round % 5 == 0 ? 3'000 : 200);
        auto const first = random.below(numbers);
        store_ops(*stores[random.below(stores.size())], first, count);
        for (std::uint64_t number = first; number < first + count; ++number)
            model.insert(number);
        for (auto const& store : stores) {
            std::vector<op_id> ids, expected;
            // At times more than one statement looks up.
            for (std::uint64_t i = random.below(round % 20 == 7  ? 50'000
                                                : round % 7 == 0 ? 6'000
                                                                 : 300);
                 i > 0; --i) {
                auto const number = random.below(numbers);
                ids.push_back(id_of_numbered_op(number));
                if (!model.contains(number))
                    expected.push_back(ids.back());
            }
            ids.insert(ids.begin() + static_cast<std::ptrdiff_t>(ids.size() / 2),
                       op_id(std::as_bytes(std::span("too short"))));
            check_retrieved(*store, ids, expected);
            CHECK(filter(*store, std::move(ids)) == expected);
        }
    }
    // Or the test has seen nothing.
    CHECK(answers_from_memory(*stores[0], space, *model.begin()));
    CHECK_FALSE(answers_from_memory(*stores[2], space, *model.rbegin()));
}

TEST_CASE("held ids: no answer is older than a commit, while many ask at once") {
    std::string const space = "held: raced";
    auto const writer = open(space);
    store_ops(*writer, 0, 1);
    std::atomic<std::uint64_t> stored{1};
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    // Two share a memory, one has its own; one forgets all the time, since it is allowed too little.
    std::shared_ptr<op_store> const shared = open(space);
    std::vector<std::shared_ptr<op_store>> const asked{shared, shared, open(space), open(space, 5'000)};
    random_source random(20261123);
    std::vector<std::thread> readers;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        readers.emplace_back([&, i, random = random_source(i)]() mutable {
            for (std::uint64_t before = stored; !done; before = stored) {
                // A few for each commit, and then not: where readers take all of two processors, some
                // schedulers leave the writer's server process waiting for many seconds.
                for (int question = 0; question < 4; ++question) {
                    auto const recent = std::min<std::uint64_t>(before, 20);
                    auto ids = numbered_ids(before - recent, recent);
                    for (auto more = random.below(1000); more > 0; --more)
                        ids.push_back(id_of_numbered_op(random.below(before)));
                    auto const never = numbered_ids(1'000'000'000, 5);
                    ids.insert(ids.end(), never.begin(), never.end());
                    if (question % 2 == 0) {
                        auto const found = run(asked[i]->retrieve_ops(ids)).value();
                        wrong += std::equal(found.begin(), found.end(), ids.begin(), ids.end() - 5,
                                            [](stored_op const& op, op_id const& id) { return op.id == id; })
                                     ? 0
                                     : 1;
                    }
                    wrong += filter(*asked[i], std::move(ids)) == never ? 0 : 1;
                }
                stored.wait(before);
            }
        });
    }
    for (int round = 0; round < 150; ++round) {
        auto const count = round % 50 == 49 ? 9'000u : round % 10 == 0 ? 2'000u : 20u;
        store_ops(*writer, stored, count);
        stored += count;
        stored.notify_all();
        // Rows move, too.
        if (round % 5 == 0) {
            auto const upto = numbered_op_start + std::chrono::seconds(random.below(stored));
            run_sql(fmt::format("UPDATE op SET sector = sector{} AND created_at BETWEEN {} AND {}",
                                in_space(space), arc::to_micros(upto - std::chrono::seconds(500)),
                                arc::to_micros(upto)));
        }
    }
    done = true;
    ++stored;
    stored.notify_all();
    for (auto& reader : readers)
        reader.join();
    CHECK(wrong == 0);
    filter(*shared, numbered_ids(0, stored - 1));
    CHECK(answers_from_memory(*shared, space, 7));
}

TEST_CASE("held ids: what several read at the same time counts once") {
    std::string const space = "held: read at once";
    auto const store = open(space);
    constexpr std::uint64_t count = 30'000;
    store_many(*store, count);
    // As many as there are, and not one more.
    auto const allowance = std::make_shared<id_allowance>(count);
    auto const shared = std::make_shared<held_ids>(allowance);
    std::vector<std::thread> askers;
    for (int i = 0; i < 4; ++i) {
        askers.emplace_back([&] {
            lone_memory memory(space, shared);
            CHECK(memory.learn(20));
            CHECK(memory.ask(numbered_ids(count - 1, 2)) == numbered_ids(count, 1));
        });
    }
    for (auto& asker : askers)
        asker.join();
    CHECK(allowance->left() == 0);
}

TEST_CASE("held ids: a server that lost commits, or a hand in the tables, is noticed") {
    static int part = 0;
    auto const space = fmt::format("held: by hand {}", part++);
    constexpr std::uint64_t count = 1'000, last = count - 1, middle = 500;
    auto const store = open(space);
    store_ops(*store, 0, count);
    lone_memory memory(space);
    REQUIRE(memory.learn());
    std::vector<op_id> const question{id_of_numbered_op(middle), id_of_numbered_op(last)};
    CHECK(memory.ask(question) == std::vector<op_id>());
    std::vector<op_id> missing;
    SUBCASE("an op was deleted, and the damage repaired") {
        delete_op_by_hand(space, middle);
        run(store->repair()).value();
        missing.push_back(question[0]);
    }
    SUBCASE("an op was deleted by somebody who counts") {
        delete_op_by_hand(space, middle);
        run_sql("UPDATE space_total SET op_count = op_count - 1" + in_space(space));
        missing.push_back(question[0]);
    }
    SUBCASE("the last op is gone, and the clock is behind: another one has its stamp") {
        auto const before = run_sql("SELECT max(stored_at) - 1 FROM op" + in_space(space));
        delete_op_by_hand(space, last);
        run_sql("UPDATE space_total SET op_count = op_count - 1" + in_space(space));
        run_sql("UPDATE space SET last_stored_at = " + before + in_space(space));
        store_ops(*store, count, 1);
        run_sql(fmt::format("UPDATE op SET stored_at = {} + 1{} AND stored_at > {}", before, in_space(space),
                            before));
        missing.push_back(question[1]);
    }
    SUBCASE("there is an op whose id has another length") {
        run_sql("UPDATE op SET op_id = substring(op_id FROM 2)" + in_space(space) +
                fmt::format(" AND created_at = {}",
                            arc::to_micros(numbered_op_start + std::chrono::seconds(middle))));
        // Forgotten for another reason, it cannot be learnt anew.
        run_sql("UPDATE space_total SET op_count = op_count + 1" + in_space(space));
        CHECK_FALSE(memory.ask(question));
        run_sql("UPDATE space_total SET op_count = op_count - 1" + in_space(space));
        CHECK_FALSE(memory.learn());
        missing.push_back(question[0]);
    }
    SUBCASE("the number of ops is nonsense") {
        run_sql("UPDATE space_total SET op_count = -7" + in_space(space));
        CHECK_FALSE(memory.ask(question));
        CHECK_FALSE(memory.learn());
        run_sql("UPDATE space_total SET op_count = 9000000000000000000" + in_space(space));
        CHECK_FALSE(memory.learn());
    }
    // The server is asked; and, once all is in order, everything is learnt anew.
    CHECK_FALSE(memory.ask(question));
    CHECK(filter(*open(space, 0), question) == missing);
    CHECK(filter(*store, question) == missing);
    run_sql("DELETE FROM op" + in_space(space) + " AND octet_length(op_id) < 32");
    run(store->repair()).value();
    REQUIRE(memory.learn(300));
    CHECK(memory.ask(question) == missing);
}

TEST_CASE("held ids: what was forgotten is remembered again once that is worth it") {
    std::string const space = "held: forgotten";
    constexpr std::uint64_t count = 60'000;
    auto const store = open(space);
    store_many(*store, count);
    lone_memory memory(space);
    for (int i = 0; i < 2; ++i) {
        for (std::size_t const each : {1'000, 10'000, 70'000}) {
            auto const asked = memory.learn(200, each);
            REQUIRE(asked);
            // Saved credit is spent as new one is earned; a question for as many reads all there is.
            CHECK(*asked <= (each > count ? each : 2 * count + held_ids::reading_min + each));
            // Whoever did this repairs it too.
            run_sql("UPDATE space_total SET op_count = op_count + 1" + in_space(space));
            CHECK_FALSE(memory.ask(numbered_ids(0, 1)));
            run(store->repair()).value();
        }
    }
}

TEST_CASE("held ids: spaces share what is allowed") {
    constexpr std::size_t allowed = 10'000;
    auto const allowance = std::make_shared<id_allowance>(allowed);
    auto const first_store = open("held: first"), second_store = open("held: second");
    store_ops(*first_store, 0, 6'000);
    store_ops(*second_store, 0, 6'000);
    std::optional<lone_memory> first;
    first.emplace("held: first", allowance);
    REQUIRE(first->learn());
    CHECK(allowance->left() == 4'000);
    lone_memory second("held: second", allowance);
    CHECK_FALSE(second.learn());
    CHECK(allowance->left() == 4'000);
    // What outgrows its share is forgotten, and makes room.
    store_ops(*first_store, 6'000, 4'500);
    CHECK_FALSE(first->learn(1));
    CHECK(allowance->left() == allowed);
    CHECK(second.learn());
    CHECK(allowance->left() == 4'000);
    first.reset();
    store_ops(*second_store, 6'000, 4'000);
    REQUIRE(second.learn());
    CHECK(allowance->left() == 0);
    CHECK(second.ask(numbered_ids(9'999, 2)) == numbered_ids(10'000, 1));
}

TEST_CASE("held ids: who has a space open twice remembers it once") {
    postgres::detail::held_ids_of_spaces spaces(plenty);
    auto const one = spaces.of({1, 1});
    CHECK(spaces.of({1, 1}) == one);
    CHECK(spaces.of({1, 2}) != one);
    CHECK(spaces.of({2, 1}) != one);
}

TEST_CASE("held ids: a space that was dropped holds nothing any more") {
    std::string const space = "held: dropped";
    auto const database = open_test_database();
    auto const store = run(database->open_or_create_space(space_options(space))).value();
    store_ops(*store, 0, 5'000);
    auto const ids = numbered_ids(0, 5'000);
    for (int i = 0; i < 3; ++i)
        CHECK(filter(*store, ids).empty());
    auto const allowance = std::make_shared<id_allowance>(plenty);
    lone_memory memory(space, allowance);
    REQUIRE(memory.learn());
    CHECK(run(database->drop_space(space)).has_value());
    for (int i = 0; i < 2; ++i) {
        CHECK(run(store->filter_out_existing_ops(ids)).error().code() == errc::no_such_space);
        CHECK(memory.refusal_of(ids) == errc::no_such_space);
        CHECK(allowance->left() == plenty);
        // Made anew, it is another one.
        if (i == 0)
            CHECK(filter(*open(space), ids).size() == ids.size());
    }
}

TEST_CASE("held ids: connections that break leave no gap") {
    std::string const space = "held: cut off";
    cutting_proxy proxy;
    auto where = test_database_options();
    where.conninfo = proxy.conninfo();
    where.connections = 2;
    auto const store = run(open_test_database(where)->open_or_create_space(space_options(space))).value();
    auto const writer = open(space);
    std::uint64_t stored = 0;
    for (int round = 1; round < 6; ++round) {
        // More than a statement reads, so that the answer which is lost is at times the second or third.
        for (int batch = 0; batch < 3; ++batch, stored += 2'000)
            store_ops(*writer, stored, 2'000);
        wait_until_folded(space);
        proxy.cut_answer(1 + round % 4);
        CHECK(filter(*store, numbered_ids(stored / 2, stored)) == numbered_ids(stored, stored / 2));
    }
    CHECK(answers_from_memory(*store, space, 11));
}

}  // namespace opstore::testing
