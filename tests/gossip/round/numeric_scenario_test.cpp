// Goal: rounds say what kitsune2's say. Method: the numeric scenario of its running model (3.7 of the facts)
// through both roles, with every number it names; and the mixtures of 3.8. An op has 12 bytes here, not 10:
// budgets of 19 and 20 bytes are 23 and 24.
#include <tests/gossip/round/round_side.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace opstore::gossip::testing {
namespace {

using namespace std::chrono_literals;

/// Turn 0: sectors and regions in ascending order, as kitsune2 takes them.
constexpr session_id first_turn{};

struct scenario {
    round_side a{1};
    round_side b{2};

    scenario() {
        auto const boundary = moment_boundary;
        auto const slice = arc::slice_length(arc::factor_default);
        for (auto* each : {&a, &b}) {
            each->space.put(id_in(0, 1), arc::from_micros(100));
            each->space.put(id_in(7, 5), boundary - one_microsecond);
            each->space.put(id_in(511, 0x7fffff), boundary);
        }
        a.space.put(id_in(7, 9), boundary - slice);
        a.space.put(id_in(8, 1), boundary - slice - one_microsecond);
        a.space.put(id_in(3, 3), boundary + one_microsecond);
        b.space.put(id_in(7, 12), boundary - slice + 3us);
        b.space.put(id_in(9, 1), arc::slice_range(3000, arc::factor_default).start);
        b.space.put(id_in(3, 4), boundary + 256 * arc::unit);
        b.space.put(id_in(4, 4), moment - one_microsecond);
        a.space.start();
        b.space.start();
    }
};

/// A round of a's with b, up to a's answer to Accept.
struct begun {
    initiated_round ours{first_turn, 7, {}};
    std::optional<accepted_round> theirs;
    gossip_message accept;
    gossip_message first;  ///< a's answer.

    explicit begun(scenario& with) {
        auto const initiate = *round_side::sent(ours.begin(with.a.view(), moment));
        theirs.emplace(std::get<initiate_message>(initiate), other_side());
        accept = with.b.answer(*theirs, theirs->begin(with.b.view(), moment));
        first = with.a.receive(ours, accept);
    }
};

std::vector<op_id> ids(std::initializer_list<char const*> hex) {
    std::vector<op_id> list;
    for (auto const* each : hex) {
        list.push_back(id(each));
    }
    return list;
}

}  // namespace

TEST_CASE("numeric scenario: a round about the disc, under every budget") {
    struct expectation {
        std::uint32_t budget;
        std::vector<op_id> listed;
    };
    std::vector<expectation> const expectations{{1000, ids({"09008003", "05008003", "01000004"})},
                                                {0, {}},
                                                {23, ids({"01000004"})},
                                                {24, ids({"09008003", "05008003"})}};
    for (auto const& expected : expectations) {
        CAPTURE(expected.budget);
        scenario peers;
        peers.a.limits.request_op_bytes_max = expected.budget;
        begun round(peers);
        CHECK(std::get<accept_message>(round.accept).snapshot->disc_top_hash == hash("09008004"));
        CHECK(std::get<disc_sectors_diff_message>(round.first).snapshot.sectors ==
              sector_hashes{{0, hash("01000000")}, {7, hash("0c000000")}, {8, hash("01000004")}});

        auto const details = peers.b.receive(*round.theirs, round.first);
        CHECK(std::get<disc_details_diff_message>(details).snapshot.sectors ==
              std::map<arc::sector_index, slice_hashes>{
                  {7, {{3687, hash("09000000")}}}, {8, {}}, {9, {{3000, hash("01008004")}}}});

        auto const response = std::get<disc_details_response_message>(peers.a.receive(round.ours, details));
        CHECK(response.missing_ids == expected.listed);
        CHECK(response.snapshot.sectors ==
              std::map<arc::sector_index, slice_hashes>{
                  {7, {{3687, hash("0c000000")}}}, {8, {{3686, hash("01000004")}}}, {9, {}}});

        auto const hashes = peers.b.receive(*round.theirs, gossip_message(response));
        // kitsune2 lists 05008003 in any case; here b leaves it out if a has just listed it.
        bool const listed_by_a = std::ranges::find(expected.listed, id("05008003")) != expected.listed.end();
        CHECK(std::get<hashes_message>(hashes).missing_ids ==
              (listed_by_a ? ids({"0c008003", "01008004"}) : ids({"0c008003", "05008003", "01008004"})));
        CHECK(round.theirs->ended());
        CHECK(round.ours.receive(hashes, peers.a.view(), moment).has_value());
        CHECK(round.ours.ended());
    }
}

TEST_CASE("numeric scenario: a round about the rings of a few sectors") {
    for (bool const a_is_small : {true, false}) {
        scenario peers;
        (a_is_small ? peers.a : peers.b).target = sector_set({3, 4, 511});
        begun round(peers);
        auto const& minimal = *std::get<accept_message>(round.accept).snapshot;
        CHECK(minimal.disc_top_hash.empty());
        CHECK(filled_rings(minimal) ==
              std::map<std::size_t, combined_hash>{{0, hash("ffffffff")}, {1, hash("04008001")}});

        auto const& diff = std::get<ring_details_diff_message>(round.first);
        CHECK(!diff.disc_differs);
        CHECK(diff.snapshot.rings == std::map<std::uint32_t, sector_hashes>{
                                         {0, {{3, hash("03008001")}, {511, hash("ffffffff")}}}, {1, {}}});
        auto const response =
            std::get<ring_details_response_message>(peers.b.receive(*round.theirs, round.first));
        CHECK(response.missing_ids == ids({"04008001"}));
        CHECK(response.snapshot.rings == std::map<std::uint32_t, sector_hashes>{
                                             {0, {{511, hash("ffffffff")}}}, {1, {{3, hash("04008001")}}}});
        auto const hashes = std::get<hashes_message>(peers.a.receive(round.ours, gossip_message(response)));
        CHECK(hashes.missing_ids == ids({"03008001"}));
        CHECK(round.ours.ended());
        CHECK(round.theirs->receive(gossip_message(hashes), peers.b.view(), moment).has_value());
        CHECK(round.theirs->ended());
    }
}

TEST_CASE("a disc that was compared in vain gives way to the rings, once") {
    scenario peers;
    begun round(peers);
    auto const& theirs = *std::get<accept_message>(round.accept).snapshot;
    other_side known;
    known.disc_diff = std::pair(peers.a.space.minimal().disc_top_hash, theirs.disc_top_hash);
    initiated_round second(first_turn, 7, known);
    second.begin(peers.a.view(), moment);
    auto const answer = peers.a.receive(second, round.accept);
    auto const* diff = std::get_if<ring_details_diff_message>(&answer);
    REQUIRE(diff);
    CHECK(diff->disc_differs);
    // Nobody claims these sectors: their discs differ.
    auto const taken = round.theirs->receive(answer, peers.b.view(), moment).value();
    for (auto const& action : taken) {
        CHECK(!std::holds_alternative<grow_arcs>(action));
    }
}

TEST_CASE("peers in sync in what they have in common say so, and grow") {
    scenario peers;
    peers.a.target = sector_set({0, 1, 2});
    peers.b.target = sector_set({2, 3});
    begun round(peers);
    CHECK(!std::get<no_diff_message>(round.first).cannot_compare);
    auto const taken = round.theirs->receive(round.first, peers.b.view(), moment).value();
    auto const grown = std::ranges::any_of(taken, [](auto const& action) {
        auto const* grow = std::get_if<grow_arcs>(&action);
        return grow && grow->synced == sector_set({2});
    });
    CHECK(grown);
}

TEST_CASE("an op of a ring that differs holds back its own sector only, on both sides") {
    round_side a{1};
    round_side b{2};
    for (auto* each : {&a, &b}) {
        for (arc::sector_index sector = 0; sector < arc::sector_count; ++sector) {
            each->space.put(id_in(sector, 1), moment_boundary);
        }
    }
    a.space.put(id_in(7, 2), moment_boundary);
    a.space.start();
    b.space.start();
    auto const synced = [](round_actions const& actions) {
        arc::arc_set sectors;
        for (auto const& action : actions) {
            auto const* grow = std::get_if<grow_arcs>(&action);
            sectors = grow ? sectors.union_with(grow->synced) : sectors;
        }
        return sectors;
    };
    auto const others = arc::arc_set::full().without(sector_set({7}));

    initiated_round ours(first_turn, 7, {});
    auto const initiate = *round_side::sent(ours.begin(a.view(), moment));
    accepted_round theirs(std::get<initiate_message>(initiate), {});
    auto const accept = b.answer(theirs, theirs.begin(b.view(), moment));
    auto const diff = a.receive(ours, accept);
    auto const taken = theirs.receive(diff, b.view(), moment).value();
    CHECK(synced(taken) == others);
    auto const response = b.answer(theirs, taken);
    CHECK(synced(ours.receive(response, a.view(), moment).value()) == others);
}

TEST_CASE("no sectors in common: nothing is compared, and nobody grows") {
    scenario peers;
    peers.a.target = sector_set({7});
    peers.b.target = sector_set({8});
    begun round(peers);
    CHECK(!std::get<accept_message>(round.accept).snapshot);
    CHECK(!std::get<no_diff_message>(round.first).cannot_compare);
    auto const taken = round.theirs->receive(round.first, peers.b.view(), moment).value();
    for (auto const& action : taken) {
        CHECK(!std::holds_alternative<grow_arcs>(action));
    }
}

TEST_CASE("the clock jumps in the middle of a round: the units it compared are folded, and it ends") {
    scenario peers;
    begun round(peers);
    peers.b.space.follow_at(moment + std::chrono::hours(24 * 30));
    auto const end = peers.b.receive(*round.theirs, round.first);
    CHECK(std::holds_alternative<agents_message>(end));
    CHECK(round.theirs->ended());

    scenario others;
    others.a.target = sector_set({3, 4, 511});
    begun about_rings(others);
    others.b.space.follow_at(moment + std::chrono::hours(24 * 30));
    CHECK(std::holds_alternative<agents_message>(others.b.receive(*about_rings.theirs, about_rings.first)));

    scenario behind;
    initiated_round ours(first_turn, 7, {});
    ours.begin(behind.a.view(), moment);
    behind.a.space.follow_at(moment + std::chrono::hours(24 * 30));
    behind.a.space.clock.set(moment);
    auto accept = std::get<accept_message>(round.accept);
    for (auto const& layout_time : {std::optional<arc::timestamp>(), std::optional(moment)}) {
        initiated_round again(first_turn, 7, {});
        again.begin(behind.a.view(), moment);
        accept.layout_time = layout_time;
        CHECK(std::get<no_diff_message>(behind.a.receive(again, gossip_message(accept))).cannot_compare);
    }
}

TEST_CASE("a time that no clock shows is no layout") {
    scenario peers;
    begun round(peers);
    auto accept = std::get<accept_message>(round.accept);
    auto const skew = summary_model::skew_max;
    struct expectation {
        arc::timestamp time;
        bool comparable;
    };
    expectation const expectations[] = {
        {moment - skew, true},          {moment - skew - one_microsecond, false},
        {moment + skew, true},          {moment + skew + one_microsecond, false},
        {arc::timestamp::min(), false}, {arc::timestamp::max(), false}};
    for (auto const& expected : expectations) {
        CAPTURE(arc::to_micros(expected.time));
        accept.layout_time = expected.time;
        accept.snapshot = peers.b.space.model.minimal(
            arc::arc_set::full(),
            peers.b.space.model.layout_at(expected.comparable ? expected.time : moment));
        initiated_round ours(first_turn, 7, {});
        ours.begin(peers.a.view(), moment);
        auto const answer = peers.a.receive(ours, gossip_message(accept));
        auto const* none = std::get_if<no_diff_message>(&answer);
        CHECK((none != nullptr) == !expected.comparable);
        CHECK((!none || none->cannot_compare));
    }
}

TEST_CASE("details of more slices than fit in a message wait for another round, on either side") {
    scenario peers;
    for (arc::sector_index sector = 100; sector < 140; ++sector) {
        for (std::uint64_t slice = 0; slice < 5; ++slice) {
            peers.a.space.put(id_in(sector, static_cast<std::uint32_t>(slice)),
                              arc::slice_range(3000 + slice, arc::factor_default).start);
        }
    }
    peers.a.space.follow();
    for (std::size_t const hashes_max : {1, 5, 6, 50}) {
        CAPTURE(hashes_max);
        peers.a.limits.slice_hashes_max = hashes_max;
        begun round(peers);
        auto const details = peers.b.receive(*round.theirs, round.first);
        auto const response = std::get<disc_details_response_message>(peers.a.receive(round.ours, details));
        std::size_t hashes = 0;
        for (auto const& [sector, slices] : response.snapshot.sectors) {
            hashes += slices.size();
        }
        CHECK((hashes <= hashes_max || response.snapshot.sectors.size() == 1));
        CHECK(!response.snapshot.sectors.empty());
        // Sectors that did not fit are not taken for sectors that a lacks.
        auto const hashes_of_b =
            std::get<hashes_message>(peers.b.receive(*round.theirs, gossip_message(response)));
        for (auto const& op : hashes_of_b.missing_ids) {
            auto const sector = arc::sector_of(peers.b.space.store.options().format->locate(op));
            CHECK(response.snapshot.sectors.contains(sector));
        }
    }
}

}  // namespace opstore::gossip::testing
