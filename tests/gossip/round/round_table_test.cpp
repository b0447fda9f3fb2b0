// Goal: who may begin a round, whom a message belongs to, and what ends a round: kitsune2's cases (3.10 of
// the facts), with the numbers at n - 1, n and n + 1.
#include <tests/gossip/round/round_side.hpp>

#include <doctest/doctest.h>

#include <string>

namespace opstore::gossip::testing {
namespace {

using namespace std::chrono_literals;

struct table_of_one {
    round_side side{1};
    round_table table;
    other_side other;
    arc::timestamp now = moment;

    explicit table_of_one(std::function<void(round_limits&)> change = {})
        : table(changed(side.limits, change), 1) {
        side.space.start();
    }
    static round_limits changed(round_limits& limits, std::function<void(round_limits&)> const& change) {
        if (change) {
            change(limits);
        }
        return limits;
    }
    protocol_result<round_step> receive(peer_url const& from, gossip_message const& m) {
        return table.receive(
            from, m, [&] { return other; }, side.view(), now);
    }
    /// Through its readings to what is sent.
    gossip_message receive_all(peer_url const& from, gossip_message const& m) {
        auto step = receive(from, m).value();
        while (!round_side::sent(step.actions)) {
            step = table.answer(step.role, from, side.read(step.actions), side.view(), now);
        }
        return *round_side::sent(step.actions);
    }
    initiate_message initiate(peer_url const& to) {
        return std::get<initiate_message>(
            *round_side::sent(table.initiate(to, other, side.view(), now).actions));
    }
    protocol_errc error(peer_url const& from, gossip_message const& m) {
        auto const step = receive(from, m);
        REQUIRE(!step);
        return step.error().code();
    }
};

session_id session(int number) {
    session_id made{};
    made[0] = static_cast<std::byte>(number);
    made[11] = std::byte{1};
    return made;
}

initiate_message initiate(int number, std::uint32_t tie_breaker = 1) {
    initiate_message m;
    m.session = session(number);
    m.arcs = arc::arc_set::full();
    m.tie_breaker = tie_breaker;
    m.max_op_data_bytes = 1000;
    return m;
}

template <class Message>
Message of_session(session_id const& of) {
    Message m;
    m.session = of;
    return m;
}

accept_message accept_of(initiate_message const& initiate, arc::timestamp at) {
    auto m = of_session<accept_message>(initiate.session);
    m.arcs = arc::arc_set::full();
    m.updated_new_since = at;
    m.new_since = at;
    return m;
}

peer_url url(int number) {
    return "peer" + std::to_string(number);
}

}  // namespace

TEST_CASE("Accept names our arcs, compares what is in common, and counts our ops") {
    table_of_one t;
    t.side.target = sector_set({7, 8, 9, 10, 11, 12, 13, 14});
    t.side.space.put(id_in(8), arc::timestamp{});
    t.side.space.put(id_in(12), arc::timestamp{});
    t.side.space.follow();
    auto m = initiate(1);
    m.arcs = sector_set({11, 12, 13, 14, 15, 16, 17, 18, 19});
    m.dht_op_count = 99;
    auto step = t.receive("b", m).value();
    CHECK(step.begun);
    auto const& arcs = std::get<take_arcs>(step.actions.front());
    CHECK(arcs.arcs == *m.arcs);
    CHECK(arcs.op_count == 99);
    CHECK(std::get<read_new_ops>(step.actions.back()).sectors == sector_set({11, 12, 13, 14}));
    step = t.table.answer(step.role, "b", t.side.read(step.actions), t.side.view(), t.now);
    auto const& accept = std::get<accept_message>(*round_side::sent(step.actions));
    CHECK(accept.arcs == t.side.target);
    CHECK(accept.dht_op_count == 2);
    CHECK(accept.snapshot->disc_top_hash == sum({id_in(12)}));
}

TEST_CASE("ten rounds of others at once, the eleventh is told Busy; or any number") {
    for (std::size_t const rounds_max : {10, 1, 0}) {
        table_of_one t([&](round_limits& limits) { limits.accepted_rounds_max = rounds_max; });
        for (int i = 0; i < 12; ++i) {
            auto const step = t.receive(url(i), initiate(i)).value();
            bool const taken = rounds_max == 0 || static_cast<std::size_t>(i) < rounds_max;
            CHECK(step.begun == taken);
            auto const* sent = round_side::sent(step.actions);
            CHECK((sent && std::holds_alternative<busy_message>(*sent)) == !taken);
        }
        // One ends: there is room for one.
        t.receive(url(0), of_session<terminate_message>(session(0))).value();
        CHECK(t.receive(url(20), initiate(20))->begun);
        CHECK(t.receive(url(21), initiate(21))->begun == (rounds_max == 0));
    }
}

TEST_CASE("fifteen rounds in a sliding window, the sixteenth comes too soon") {
    table_of_one t;
    auto const window = t.side.limits.interval * 5;
    auto const begin_and_end = [&](int number) {
        auto const begun = t.receive("b", initiate(number));
        if (begun) {
            t.receive("b", of_session<terminate_message>(session(number))).value();
        }
        return begun.has_value();
    };
    for (int i = 0; i < 15; ++i) {
        CHECK(t.table.may_accept("b", initiate(i), t.now));
        CHECK(begin_and_end(i));
        t.now += 1s;
    }
    CHECK(!t.table.may_accept("b", initiate(15), t.now));
    CHECK(t.error("b", initiate(15)) == protocol_errc::too_soon);
    CHECK(t.receive("c", initiate(15)).has_value());
    t.now = moment + window - one_microsecond;
    CHECK(!begin_and_end(16));
    t.now = moment + window;
    CHECK(begin_and_end(17));
    CHECK(!begin_and_end(18));
    // A clock that is set back forgets what lies in the future.
    t.now = moment - 24h;
    CHECK(begin_and_end(19));
}

TEST_CASE("a round that gives way to ours counts as well") {
    table_of_one t;
    t.initiate("b");
    for (int i = 0; i < 15; ++i) {
        CHECK(!t.receive("b", initiate(i, 0))->begun);
    }
    CHECK(t.error("b", initiate(15, 0)) == protocol_errc::too_soon);
    CHECK(!t.table.may_initiate());
}

TEST_CASE("we do not begin more rounds with one peer than it would take") {
    table_of_one t;
    for (int i = 0; i < 15; ++i) {
        REQUIRE(t.table.may_initiate("b", t.now));
        auto const ours = t.initiate("b");
        t.receive("b", of_session<busy_message>(ours.session)).value();
    }
    CHECK(!t.table.may_initiate("b", t.now));
    CHECK(t.table.may_initiate("c", t.now));
    CHECK(t.table.may_initiate("b", t.now + t.side.limits.interval * 5));
}

TEST_CASE("the urls whose rounds are counted are bounded") {
    burst_guard guard{round_limits()};
    for (std::size_t i = 0; i < burst_guard::peers_max + 1; ++i) {
        for (int times = 0; times < (i == 0 ? 15 : 1); ++times) {
            guard.count(url(static_cast<int>(i)), moment);
        }
        CHECK(guard.allows(url(0), moment) == (i == burst_guard::peers_max));
    }
}

TEST_CASE("no arc set in Initiate or Accept is an error, and leaves no round") {
    table_of_one t;
    auto m = initiate(1);
    m.arcs.reset();
    CHECK(t.error("b", m) == protocol_errc::malformed);
    CHECK(t.table.accepted_count() == 0);
    auto const ours = t.initiate("b");
    auto accept = accept_of(ours, t.now);
    accept.arcs.reset();
    CHECK(t.error("b", accept) == protocol_errc::malformed);
    accept = accept_of(ours, t.now);
    accept.missing_agents = {{std::byte{77}}};
    CHECK(t.error("b", accept) == protocol_errc::out_of_range);
}

TEST_CASE("both begin at once: the lower tie breaker gives way, the equal one too") {
    for (int const difference : {-1, 0, 1}) {
        CAPTURE(difference);
        table_of_one t;
        auto const ours = t.initiate("b");
        auto const theirs =
            initiate(1, static_cast<std::uint32_t>(static_cast<std::int64_t>(ours.tie_breaker) + difference));
        auto const step = t.receive("b", theirs).value();
        CHECK(step.superseded == (difference >= 0));
        CHECK(step.begun == (difference >= 0));
        CHECK(t.table.may_initiate() == (difference >= 0));
        if (difference >= 0) {
            CHECK(t.error("b", accept_of(ours, t.now)) == protocol_errc::wrong_session);
        } else {
            CHECK(step.actions.empty());
            CHECK(t.receive("b", accept_of(ours, t.now)).has_value());
        }
    }
    table_of_one t;
    t.initiate("b");
    CHECK(!t.receive("b", initiate(1, 0))->begun);
    CHECK(!t.receive("c", initiate(1, 0))->superseded);
    CHECK(t.table.accepted_count() == 1);
}

TEST_CASE("Initiate in the middle of a round, once more, and of a peer that began anew") {
    table_of_one t;
    auto const ours = t.initiate("b");
    t.receive_all("b", accept_of(ours, t.now));
    CHECK(t.error("b", initiate(1, 4'000'000'000u)) == protocol_errc::unexpected);
    CHECK(t.receive("c", initiate(2))->begun);
    CHECK(t.error("c", initiate(2)) == protocol_errc::unexpected);
    CHECK(t.receive("c", initiate(3))->begun);
    CHECK(t.table.accepted_count() == 1);
    CHECK(t.error("c", of_session<no_diff_message>(session(2))) == protocol_errc::wrong_session);
}

TEST_CASE("Agents come behind NoDiff, from that peer, in that round") {
    table_of_one t;
    CHECK(t.error("b", of_session<agents_message>(session(1))) == protocol_errc::wrong_session);
    auto const ours = t.initiate("b");
    auto agents = of_session<agents_message>(ours.session);
    agents.provided_agents = {"info"};
    CHECK(t.error("b", agents) == protocol_errc::unexpected);
    CHECK(std::holds_alternative<no_diff_message>(t.receive_all("b", accept_of(ours, t.now))));
    CHECK(t.error("c", agents) == protocol_errc::wrong_session);
    auto other_session = agents;
    other_session.session = session(9);
    CHECK(t.error("b", other_session) == protocol_errc::wrong_session);
    auto const step = t.receive("b", agents).value();
    CHECK(std::get<take_agents>(step.actions.front()).infos == std::vector<std::string>{"info"});
    CHECK(std::get<end_round>(step.actions.back()).outcome == round_outcome::completed);
    CHECK(t.table.may_initiate());
}

TEST_CASE("Busy ends our round, from that peer, in that round") {
    table_of_one t;
    CHECK(t.error("b", of_session<busy_message>(session(1))) == protocol_errc::wrong_session);
    auto const ours = t.initiate("b");
    CHECK(t.error("c", of_session<busy_message>(ours.session)) == protocol_errc::wrong_session);
    CHECK(t.error("b", of_session<busy_message>(session(1))) == protocol_errc::wrong_session);
    CHECK(!t.table.may_initiate());
    auto const step = t.receive("b", of_session<busy_message>(ours.session)).value();
    CHECK(std::get<end_round>(step.actions.back()).outcome == round_outcome::busy);
    CHECK(t.table.may_initiate());
    // Of a round of theirs it says nothing.
    t.receive("c", initiate(2)).value();
    CHECK(t.error("c", of_session<busy_message>(session(2))) == protocol_errc::unexpected);
}

TEST_CASE("Terminate ends the round of its session, of another one it is an error") {
    table_of_one t;
    CHECK(t.error("b", of_session<terminate_message>(session(1))) == protocol_errc::wrong_session);
    auto const ours = t.initiate("b");
    CHECK(t.error("c", of_session<terminate_message>(ours.session)) == protocol_errc::wrong_session);
    CHECK(!t.table.may_initiate());
    auto const step = t.receive("b", of_session<terminate_message>(ours.session)).value();
    CHECK(std::get<end_round>(step.actions.back()).outcome == round_outcome::terminated);
    t.receive("c", initiate(2)).value();
    CHECK(t.error("c", of_session<terminate_message>(session(9))) == protocol_errc::wrong_session);
    CHECK(t.table.accepted_count() == 1);
    t.receive("c", of_session<terminate_message>(session(2))).value();
    CHECK(t.table.accepted_count() == 0);
}

TEST_CASE("a round that hears nothing for long ends; only one without a first word counts as silence") {
    table_of_one t;
    auto const limit = t.side.limits.timeout;
    CHECK(!t.table.next_timeout_at());
    auto const ours = t.initiate("b");
    t.receive("c", initiate(1)).value();
    CHECK(t.table.next_timeout_at() == moment + limit);
    CHECK(t.table.time_out(moment + limit - one_microsecond).empty());
    t.now = moment + 1s;
    // A message that does not fit is no sign of life.
    CHECK(t.error("b", of_session<hashes_message>(ours.session)) == protocol_errc::unexpected);
    auto late = t.table.time_out(moment + limit);
    REQUIRE(late.size() == 2);
    CHECK(late[0].awaited_accept);
    CHECK(late[0].with == "b");
    CHECK(!late[1].awaited_accept);

    auto const again = t.initiate("b");
    t.now += 1s;
    t.receive_all("b", accept_of(again, t.now));
    CHECK(t.table.next_timeout_at() == t.now + limit);
    late = t.table.time_out(t.now + limit);
    REQUIRE(late.size() == 1);
    CHECK(!late[0].awaited_accept);
    // A clock set back by more than the limit ends it too.
    t.initiate("b");
    CHECK(t.table.time_out(t.now - limit).empty());
    CHECK(t.table.time_out(t.now - limit - one_microsecond).size() == 1);
}

TEST_CASE("the answer to a reading whose round is gone does nothing") {
    table_of_one t;
    auto const theirs = t.receive("c", initiate(1)).value();
    auto const ours = t.initiate("b");
    auto const accepted = t.receive("b", accept_of(ours, t.now)).value();
    CHECK(t.table.drop("c").size() == 1);
    CHECK(t.table.drop("b").size() == 1);
    CHECK(
        t.table.answer(theirs.role, "c", t.side.read(theirs.actions), t.side.view(), t.now).actions.empty());
    CHECK(t.table.answer(accepted.role, "b", t.side.read(accepted.actions), t.side.view(), t.now)
              .actions.empty());
}

}  // namespace opstore::gossip::testing
