// Goal: stores that share a pool hold a payload once, and still answer as if each had its own.
// Method: count what the pool holds while stores take the same ops, and go; give two stores of one pool two
// ops of one id.
#include <opstore/memory/memory_op_store.hpp>
#include <opstore/memory/op_pool.hpp>
#include <tests/support/chosen_id_format.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>

namespace opstore::testing {
namespace {

constexpr std::size_t id_length = 8;

std::unique_ptr<memory_op_store> store_on(std::shared_ptr<op_pool> const& pool, std::string name) {
    space_options options(std::move(name));
    options.format = chosen_id_format(id_length);
    auto const now = [] { return arc::from_micros(1'000); };
    return std::make_unique<memory_op_store>(options, now, pool);
}

void ingest(op_store& store, op_id const& id, std::string_view payload) {
    std::vector<incoming_op> ops;
    ops.push_back(chosen_op(id, arc::from_micros(7), payload));
    CHECK(run(store.process_incoming_ops(std::move(ops)))->newly_stored.size() == 1);
}

op_bytes data_of(op_store& store, op_id const& id) {
    std::vector<op_id> ids{id};
    return run(store.retrieve_ops(std::move(ids))).value().at(0).data;
}

TEST_CASE("op pool: an op of many stores is held once, until the last of them goes") {
    auto const pool = std::make_shared<op_pool>();
    auto const first = chosen_id(1, arc::location{5}, id_length);
    auto const second = chosen_id(2, arc::location{6}, id_length);
    auto a = store_on(pool, "a");
    auto b = store_on(pool, "b");
    ingest(*a, first, "one");
    ingest(*b, first, "one");
    CHECK(pool->size() == 1);
    ingest(*b, second, "two");
    CHECK(pool->size() == 2);

    a.reset();
    CHECK(pool->size() == 2);
    CHECK(data_of(*b, first) == encode_chosen(first, arc::from_micros(7), "one"));
    b.reset();
    CHECK(pool->size() == 0);
}

TEST_CASE("op pool: two ops of one id stay apart") {
    auto const pool = std::make_shared<op_pool>();
    auto const id = chosen_id(1, arc::location{5}, id_length);
    auto const a = store_on(pool, "a");
    auto const b = store_on(pool, "b");
    auto const c = store_on(pool, "c");
    ingest(*a, id, "mine");
    ingest(*b, id, "yours");
    ingest(*c, id, "");
    CHECK(pool->size() == 3);
    CHECK(data_of(*a, id) == encode_chosen(id, arc::from_micros(7), "mine"));
    CHECK(data_of(*b, id) == encode_chosen(id, arc::from_micros(7), "yours"));
    CHECK(data_of(*c, id) == encode_chosen(id, arc::from_micros(7), ""));
}

}  // namespace
}  // namespace opstore::testing
