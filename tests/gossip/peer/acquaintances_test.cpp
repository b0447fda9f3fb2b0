// Goal: what a peer remembers of others outlives it, what does not parse is as good as absent, and others
// without number do not fill the memory. Method: round trips over a peer_meta, values by hand, and the bounds
// at n - 1, n and n + 1.
#include <gossip/peer/acquaintances.hpp>
#include <opstore/memory/memory_peer_meta.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

#include <string>

namespace opstore::testing {
namespace {

using namespace gossip;

constexpr auto now = arc::from_micros(1'700'000'000'000'000);

arc::arc_set some_arcs() {
    arc::arc_set arcs;
    for (auto const sector : {0, 31, 32, 300, 511}) {
        arcs.insert(static_cast<arc::sector_index>(sector));
    }
    return arcs;
}

void put(memory_peer_meta& meta, std::string key, std::string_view value) {
    std::vector<peer_meta_entry> entries(1);
    entries[0].peer = "b";
    entries[0].key = std::move(key);
    auto const bytes = std::as_bytes(std::span(value));
    entries[0].value = {bytes.begin(), bytes.end()};
    run(meta.put(std::move(entries), now)).value();
}

std::vector<op_id> make_ids(std::size_t count, random_source& random) {
    std::vector<op_id> ids;
    for (std::size_t i = 0; i < count; ++i) {
        ids.emplace_back(random.bytes(32));
    }
    return ids;
}

TEST_CASE("what is kept comes back, and expires one by one") {
    memory_peer_meta meta;
    acquaintances before;
    auto& b = before.of("b");
    b.last_round_at = now - std::chrono::seconds(3);
    b.op_count = 18'446'744'073'709'551'615u;
    b.counters = {1, 2, 3, 4, 5, 4'294'967'295u};
    b.listed_up_to(now, some_arcs(), {});
    before.changed("b");
    run(before.save(meta, now)).value();

    acquaintances after;
    after.of("gone");
    run(after.load(meta, now)).value();
    CHECK(!after.find("gone"));
    auto const* again = after.find("b");
    REQUIRE(again);
    CHECK(again->last_round_at == b.last_round_at);
    CHECK(again->op_count == b.op_count);
    CHECK(again->counters == b.counters);
    CHECK(again->durable_bookmark == now);
    CHECK(again->rounds.bookmark == now);
    CHECK(again->rounds.bookmark_arcs == some_arcs());

    run(after.load(meta, now + std::chrono::minutes(10))).value();
    CHECK(!after.find("b")->last_round_at);
    CHECK(after.find("b")->counters[0] == 1);
    run(after.load(meta, now + std::chrono::hours(1))).value();
    CHECK(after.find("b")->counters ==
          std::array<std::uint32_t, acquaintance_counters>{0, 0, 0, 0, 5, 4'294'967'295u});
    run(after.load(meta, now + std::chrono::hours(24))).value();
    CHECK(!after.find("b"));
}

TEST_CASE("nothing is written for who did not change") {
    memory_peer_meta meta;
    acquaintances known;
    known.of("b").op_count = 7;
    run(known.save(meta, now)).value();
    CHECK(run(meta.get_all(now)).value().empty());
    known.changed("b");
    known.changed("nobody");
    run(known.save(meta, now)).value();
    CHECK(run(meta.get_all(now)).value().size() == 1);
}

TEST_CASE("what does not parse is as good as absent") {
    for (auto const* bad : {"", " 1", "+1", "1 ", "0x1", "1.0", "99999999999999999999", "-", "one"}) {
        CAPTURE(bad);
        memory_peer_meta meta;
        for (auto const* key : {"gossip:last_timestamp", "gossip:new_ops_bookmark", "gossip:dht_op_count",
                                "gossip:peer_busy", "opstore:new_ops_bookmark_arcs", "somebody:else"}) {
            put(meta, key, bad);
        }
        acquaintances known;
        run(known.load(meta, now)).value();
        auto const* b = known.find("b");
        REQUIRE(b);
        CHECK(!b->last_round_at);
        CHECK(!b->op_count);
        CHECK(!b->rounds.bookmark);
        CHECK(b->rounds.bookmark_arcs.empty());
        CHECK(b->counters == std::array<std::uint32_t, acquaintance_counters>{});
    }
    memory_peer_meta meta;
    put(meta, "gossip:new_ops_bookmark", "-9223372036854775808");
    put(meta, "gossip:dht_op_count", "-1");
    put(meta, "opstore:new_ops_bookmark_arcs", std::string(63, 'x'));
    acquaintances known;
    run(known.load(meta, now)).value();
    CHECK(known.find("b")->rounds.bookmark == arc::timestamp::min());
    CHECK(!known.find("b")->op_count);
    // A bookmark whose sectors are not known is good for none.
    CHECK(known.find("b")->rounds.bookmark_arcs.empty());
}

TEST_CASE("a bookmark becomes durable behind the last of the ops listed before it") {
    random_source random(1);
    auto const ids = make_ids(4, random);
    acquaintances known;
    auto const& b = known.of("b");
    known.listed_up_to("b", now, some_arcs(), {ids[0], ids[1]});
    CHECK(b.rounds.bookmark == now);
    CHECK(!b.durable_bookmark);
    known.listed_up_to("b", now + std::chrono::seconds(1), arc::arc_set::full(), {ids[2]});
    known.settled({ids[2], ids[0], ids[3]});
    CHECK(!b.durable_bookmark);
    known.settled({ids[1]});
    CHECK(b.durable_bookmark == now + std::chrono::seconds(1));
    CHECK(b.durable_arcs == arc::arc_set::full());
}

TEST_CASE("a bookmark that was forgotten meanwhile does not become durable") {
    random_source random(2);
    auto const ids = make_ids(1, random);
    acquaintances known;
    known.listed_up_to("b", now, some_arcs(), ids);
    known.of("b").forget_bookmark();
    known.settled(ids);
    CHECK(!known.find("b")->durable_bookmark);
}

TEST_CASE("the ops that are waited for are bounded, for one peer and for all") {
    random_source random(3);
    auto const ids = make_ids(acquaintance::awaited_max + 1, random);
    std::vector<op_id> const most(ids.begin(), ids.end() - 1);
    acquaintances known;
    known.listed_up_to("b", now, some_arcs(), most);
    known.settled(most);
    CHECK(known.find("b")->durable_bookmark == now);

    auto const later = now + std::chrono::seconds(1);
    known.listed_up_to("b", later, some_arcs(), ids);
    CHECK(known.find("b")->awaited.size() <= acquaintance::awaited_max);
    // It goes on from there, but not durably: who knows which of them were held.
    CHECK(known.find("b")->rounds.bookmark == later);
    known.settled(ids);
    CHECK(known.find("b")->durable_bookmark == now);
    known.listed_up_to("b", later + std::chrono::seconds(1), some_arcs(), {});
    CHECK(known.find("b")->durable_bookmark == now);
    // Until there is nothing left to fetch at all.
    known.all_settled();
    CHECK(known.find("b")->durable_bookmark == later + std::chrono::seconds(1));

    std::size_t waiting = 0;
    for (int i = 0; i < 20; ++i) {
        auto const url = "hostile" + std::to_string(i);
        known.listed_up_to(url, now, some_arcs(), most);
        waiting += known.find(url)->awaited.size();
    }
    CHECK(waiting <= acquaintances::awaited_max);
    known.all_settled();
    CHECK(known.find("hostile19")->durable_bookmark == now);
}

TEST_CASE("cursors of oversized regions are replaced, ended and bounded") {
    acquaintance known;
    auto const cursor_at = [](std::uint32_t sector, bool ended) {
        region_cursor cursor;
        cursor.region.sector = static_cast<arc::sector_index>(sector);
        cursor.region.range = {now, now + arc::unit};
        if (!ended) {
            cursor.after = op_position{now, op_id(std::vector<std::byte>(32))};
        }
        return cursor;
    };
    for (std::uint32_t sector = 0; sector < region_cursors_max + 1; ++sector) {
        known.take_cursors({cursor_at(sector, false)});
        CHECK(known.rounds.resume.size() == std::min<std::size_t>(sector + 1, region_cursors_max));
    }
    CHECK(known.rounds.resume.front().region.sector == 1);
    known.take_cursors({cursor_at(7, false), cursor_at(8, true), cursor_at(400, true)});
    CHECK(known.rounds.resume.size() == region_cursors_max - 1);
    CHECK(known.rounds.resume.back().region.sector == 7);
}

TEST_CASE("when there are too many peers the one without rounds for longest is forgotten") {
    acquaintances known;
    known.of("oldest").last_round_at = now - std::chrono::hours(1);
    for (std::size_t i = 2; i < acquaintances::peers_max; ++i) {
        known.of("p" + std::to_string(i)).last_round_at = now;
    }
    CHECK(known.find("oldest"));
    known.of("n").last_round_at = now;
    CHECK(known.find("oldest"));
    CHECK(known.find("n"));
    known.of("n + 1").last_round_at = now;
    CHECK(!known.find("oldest"));
    CHECK(known.find("n"));
    known.of("n + 2");
    CHECK(known.find("n + 2"));
}

}  // namespace
}  // namespace opstore::testing
