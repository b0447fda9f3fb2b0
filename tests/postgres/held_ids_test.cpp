// Goal: which ids are held is answered from memory as the server would answer it, whoever stores, and nothing
// is remembered beyond what was allowed. Method: several databases on one schema, as several processes have
// them, against a model; and the memory by itself on a connection, where one sees whether it knew.
#include <opstore/postgres/detail/held_ids.hpp>
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

std::vector<op_id> numbered_ids(std::uint64_t first, std::uint64_t count) {
    std::vector<op_id> ids;
    for (std::uint64_t number = first; number < first + count; ++number)
        ids.push_back(id_of_numbered_op(number));
    return ids;
}

std::vector<op_id> filter(op_store& store, std::vector<op_id> ids) {
    return run(store.filter_out_existing_ops(std::move(ids))).value();
}

/// One space's memory, by itself.
class lone_memory {
public:
    explicit lone_memory(std::string const& space,
                         std::shared_ptr<id_allowance> allowance = std::make_shared<id_allowance>(plenty))
        : lone_memory(space, std::make_shared<held_ids>(std::move(allowance))) {}

    /// On a connection of its own.
    lone_memory(std::string const& space, std::shared_ptr<held_ids> shared) : held_(std::move(shared)) {
        auto const where =
            std::string(" FROM space WHERE key = '") + space + "'";  // Names of tests need no escapes.
        view_.space_id = std::stoll(run_sql("SELECT space_id" + where));
        view_.incarnation = std::stoll(run_sql("SELECT incarnation" + where));
        view_.id_length = plain_format()->id_length();
        view_.slice_factor = arc::factor_default;
    }

    /// As a store asks: nothing, if it would have to ask the server.
    std::optional<std::vector<op_id>> ask(std::vector<op_id> const& ids) {
        if (!held_->expects(ids.size()))
            return std::nullopt;
        return held_->missing(session_, view_, ids).value();
    }

    result<std::optional<std::vector<op_id>>> ask_anyway(std::vector<op_id> const& ids) {
        return held_->missing(session_, view_, ids);
    }

    /// Asks for what is not there until it knows.
    bool learn(std::size_t questions_max = 10) {
        auto const ids = numbered_ids(1'000'000'000, held_ids::reading_min);
        for (std::size_t i = 0; i < questions_max; ++i) {
            if (ask(ids))
                return true;
        }
        return false;
    }

private:
    static postgres::detail::connection_settings settings() {
        postgres::detail::connection_settings s;
        s.conninfo = test_database_options().conninfo;
        s.schema = test_database_options().schema;
        return s;
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
    store_ops(*store, 0, count);
    lone_memory memory(space);
    // A few questions are the server's to answer.
    CHECK_FALSE(memory.ask(numbered_ids(0, 10)));
    CHECK_FALSE(memory.ask(numbered_ids(0, held_ids::reading_min - 11)));
    std::size_t asked = held_ids::reading_min - 1;
    auto const question = numbered_ids(count - 500, 1000);
    auto answer = memory.ask(question);
    for (; !answer; answer = memory.ask(question))
        asked += question.size();
    CHECK(asked <= count + question.size());
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
    constexpr std::uint64_t step = 8'000, backlog = 7 * step;
    static_assert(backlog > 3 * held_ids::reading_max);
    for (std::uint64_t first = 0; first < backlog; first += step)
        store_ops(*store, first, step);
    // What it saved up is not enough, in however many questions.
    for (int i = 0; i < 6; ++i)
        CHECK_FALSE(memory.ask(numbered_ids(0, 10)));
    // A question for many reads as many.
    CHECK(memory.ask(numbered_ids(backlog - 100, backlog)) == numbered_ids(backlog, backlog - 100));
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
        // Mostly a few ops; at times more than a question reads.
        auto const count = 1 + random.below(round % 10 == 0 ? 3'000 : 200);
        auto const first = random.below(numbers);
        store_ops(*stores[random.below(stores.size())], first, count);
        for (std::uint64_t number = first; number < first + count; ++number)
            model.insert(number);
        for (auto const& store : stores) {
            std::vector<op_id> ids, expected;
            for (std::uint64_t i = random.below(round % 7 == 0 ? 6'000 : 300); i > 0; --i) {
                auto const number = random.below(numbers);
                ids.push_back(id_of_numbered_op(number));
                if (!model.contains(number))
                    expected.push_back(ids.back());
            }
            ids.insert(ids.begin() + static_cast<std::ptrdiff_t>(ids.size() / 2),
                       op_id(std::as_bytes(std::span("too short"))));
            CHECK(filter(*store, std::move(ids)) == expected);
        }
    }
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
    std::vector<std::thread> readers;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        readers.emplace_back([&, i] {
            random_source random(i);
            while (!done) {
                auto const before = stored.load();
                auto const recent = std::min<std::uint64_t>(before, 20);
                auto ids = numbered_ids(before - recent, recent);
                for (auto more = random.below(1000); more > 0; --more)
                    ids.push_back(id_of_numbered_op(random.below(before)));
                auto const never = numbered_ids(1'000'000'000, 5);
                ids.insert(ids.end(), never.begin(), never.end());
                wrong += filter(*asked[i], std::move(ids)) == never ? 0 : 1;
            }
        });
    }
    for (int round = 0; round < 150; ++round) {
        auto const count = round % 30 == 0 ? 2'000u : 20u;
        store_ops(*writer, stored, count);
        stored += count;
    }
    done = true;
    for (auto& reader : readers)
        reader.join();
    CHECK(wrong == 0);
}

TEST_CASE("held ids: what several read at the same time counts once") {
    std::string const space = "held: read at once";
    auto const store = open(space);
    constexpr std::uint64_t count = 30'000;
    for (std::uint64_t first = 0; first < count; first += 5'000)
        store_ops(*store, first, 5'000);
    auto const allowance = std::make_shared<id_allowance>(plenty);
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
    CHECK(allowance->left() == plenty - count);
}

TEST_CASE("held ids: what was done by hand is noticed") {
    std::string const space = "held: by hand";
    auto const store = open(space);
    store_ops(*store, 0, 1'000);
    lone_memory memory(space);
    REQUIRE(memory.learn());
    std::vector<op_id> const question = numbered_ids(0, 2);
    CHECK(memory.ask(question) == std::vector<op_id>());
    auto const where = " WHERE space_id = (SELECT space_id FROM space WHERE key = '" + space + "')";
    auto const last = run_sql("SELECT last_stored_at FROM space" + where);
    SUBCASE("an op was deleted, and the damage repaired") {
        run_sql("DELETE FROM op" + where +
                " AND created_at = " + std::to_string(arc::to_micros(numbered_op_start)));
        run(store->repair()).value();
    }
    SUBCASE("the server was put back to an earlier state, in which it had less") {
        run_sql("DELETE FROM op" + where +
                " AND created_at = " + std::to_string(arc::to_micros(numbered_op_start)));
        run_sql("UPDATE space SET last_stored_at = last_stored_at - 1" + where);
    }
    // The server is asked; and all is learnt anew.
    CHECK_FALSE(memory.ask(question));
    CHECK(filter(*open(space, 0), question) == numbered_ids(0, 1));
    run_sql("UPDATE space SET last_stored_at = " + last + where);
    run(store->repair()).value();
    REQUIRE(memory.learn());
    CHECK(memory.ask(question) == numbered_ids(0, 1));
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

TEST_CASE("held ids: a space that was dropped holds nothing any more") {
    std::string const space = "held: dropped";
    auto const database = open_test_database();
    auto const store = run(database->open_or_create_space(space_options(space))).value();
    store_ops(*store, 0, 5'000);
    auto const ids = numbered_ids(0, 5'000);
    for (int i = 0; i < 3; ++i)
        CHECK(filter(*store, ids).empty());
    lone_memory memory(space);
    REQUIRE(memory.learn());
    CHECK(run(database->drop_space(space)).has_value());
    for (int i = 0; i < 2; ++i) {
        CHECK(run(store->filter_out_existing_ops(ids)).error().code() == errc::no_such_space);
        CHECK(memory.ask_anyway(ids).error().code() == errc::no_such_space);
        // Made anew, it is another one.
        if (i == 0)
            CHECK(filter(*open(space), ids).size() == ids.size());
    }
}

}  // namespace opstore::testing
