// Goal: a process that is cut off changes nothing any more, and an ingest that was cut either happened or did
// not. Method: cut it at each place, and ask the store below.
#include <gossip/simulator/process.hpp>

#include <gossip/simulator/op_recipe.hpp>
#include <gossip/simulator/peer_stores.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

namespace opstore::simulator {
namespace {

using opstore::testing::run;

std::vector<incoming_op> one_op(std::uint32_t number) {
    std::vector<incoming_op> ops;
    ops.emplace_back(write_op(1, {number, arc::from_micros(1), arc::location{1}, 10}));
    return ops;
}

struct fixture {
    memory_stores provider;
    peer_stores stores;
    process life;
    std::vector<op_id> heard;
    process_store store;
    process_meta meta;

    fixture()
        : stores(provider.make(located_space(), running_clock())),
          store(*stores.ops, life,
                [this](std::vector<op_id> const& held) {
                    heard.insert(heard.end(), held.begin(), held.end());
                }),
          meta(*stores.meta, life) {}

    static space_options located_space() {
        space_options space("process");
        space.format = located_format();
        return space;
    }

    std::uint64_t op_count() { return run(stores.ops->query_total_op_count()).value(); }

    static std::vector<peer_meta_entry> entry() {
        peer_meta_entry made;
        made.peer = "peer";
        made.key = "key";
        return {made};
    }
    bool has_entry() { return run(stores.meta->get("peer", "key", arc::from_micros(1)))->has_value(); }
};

TEST_CASE("process: alive, it stores and remembers") {
    fixture f;
    CHECK(run(f.store.process_incoming_ops(one_op(1)))->newly_stored.size() == 1);
    CHECK(f.heard.size() == 1);
    CHECK(f.op_count() == 1);
    CHECK(run(f.meta.put(fixture::entry(), arc::from_micros(1))).has_value());
    CHECK(f.has_entry());
    CHECK(run(f.meta.remove("peer", "key")).has_value());
    CHECK_FALSE(f.has_entry());
}

TEST_CASE("process: cut before the commit, nothing is stored; cut behind it, all is") {
    for (auto const how : {cut::before_commit, cut::after_commit}) {
        fixture f;
        f.life.armed = how;
        CHECK_THROWS_AS(run(f.store.process_incoming_ops(one_op(1))), store_error);
        CHECK(f.life.dead);
        CHECK(f.op_count() == (how == cut::after_commit ? 1 : 0));
        CHECK(f.heard.size() == f.op_count());

        CHECK_THROWS_AS(run(f.store.process_incoming_ops(one_op(2))), store_error);
        CHECK_THROWS_AS(run(f.meta.put(fixture::entry(), arc::from_micros(1))), store_error);
        CHECK(f.heard.size() == f.op_count());
        CHECK_FALSE(f.has_entry());
    }
}

}  // namespace
}  // namespace opstore::simulator
