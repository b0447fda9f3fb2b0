// Goal: each rule of the fetch queue by itself, and each limit at n - 1, n, n + 1. Method: a few ids and
// peers with a clock of the test; what is asked for is written down in full.
#include <gossip/fetch/fetch_queue.hpp>
#include <tests/gossip/fetch/numbered_id.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

namespace opstore::gossip {
namespace {

using namespace std::chrono_literals;
using testing::numbered_id;
using testing::numbered_ids;

constexpr auto start = arc::from_micros(1'700'000'000'000'000);

fetch_limits small_limits() {
    fetch_limits limits;
    limits.ids_max = 100;
    limits.sources_max = 3;
    limits.ids_per_request_max = 4;
    limits.requests_per_peer_max = 2;
    limits.request_timeout = 15s;
    limits.backoff_min = 1s;
    limits.backoff_max = 5s;
    limits.attempts_max = 4;
    return limits;
}

using requests = std::vector<fetch_queue::request>;

/// The only request that is due, which goes to `source`.
std::vector<op_id> only_request(fetch_queue& queue, peer_url const& source, arc::timestamp now) {
    requests const due = queue.due(now);
    REQUIRE(due.size() == 1);
    CHECK(due[0].to == source);
    return due[0].ids;
}

std::set<op_id> all_ids(requests const& from) {
    std::set<op_id> ids;
    for (auto const& request : from) {
        for (auto const& id : request.ids) {
            CHECK(ids.insert(id).second);
        }
    }
    return ids;
}

}  // namespace

TEST_CASE("fetch queue: empty, it has nothing to do") {
    fetch_queue queue;
    CHECK(queue.empty());
    CHECK_FALSE(queue.next_due_at());
    CHECK(queue.due(start).empty());
    CHECK_FALSE(queue.next_due_at());
    CHECK(queue.add({}, "a", start) == 0);
    queue.held(numbered_ids(0, 3));
    queue.not_from(numbered_ids(0, 3), "a", start);
    queue.progress("a", numbered_ids(0, 3), start);
    queue.unreachable("a", start);
    CHECK(queue.empty());
    CHECK(queue.take_given_up().empty());
}

TEST_CASE("fetch queue: all ids of three peers are requested, each of one that has it") {
    fetch_queue queue;
    CHECK(queue.add(numbered_ids(0, 10), "a", start) == 0);
    CHECK(queue.add(numbered_ids(10, 10), "b", start) == 0);
    CHECK(queue.add(numbered_ids(20, 10), "c", start) == 0);
    CHECK(queue.next_due_at() == start);
    requests const due = queue.due(start);
    REQUIRE(due.size() == 3);
    CHECK(due[0].to == "a");
    CHECK(due[0].ids == numbered_ids(0, 10));
    CHECK(due[1].to == "b");
    CHECK(due[1].ids == numbered_ids(10, 10));
    CHECK(due[2].to == "c");
    CHECK(due[2].ids == numbered_ids(20, 10));
    CHECK(queue.next_due_at() == start + 15s);
    CHECK(queue.totals().requested == 30);
}

TEST_CASE("fetch queue: peers that have the same ids share them by turns") {
    fetch_queue queue(small_limits());
    for (char const* const source : {"a", "b"}) {
        queue.add(numbered_ids(0, 20), source, start);
    }
    requests const due = queue.due(start);
    REQUIRE(due.size() == 4);
    CHECK(due[0].to == "a");
    CHECK(due[1].to == "b");
    CHECK(due[2].to == "a");
    CHECK(due[3].to == "b");
    CHECK(all_ids(due).size() == 16);
    CHECK(due[0].ids == numbered_ids(0, 4));
    CHECK(due[3].ids == numbered_ids(12, 4));
}

TEST_CASE("fetch queue: what the store holds is asked for no more, whatever way it came") {
    fetch_queue queue(small_limits());
    queue.add(numbered_ids(0, 6), "a", start);
    queue.held(numbered_ids(1, 1));
    CHECK_FALSE(queue.wants(numbered_id(1)));
    CHECK(queue.wants(numbered_id(0)));
    CHECK(queue.size() == 5);
    requests const due = queue.due(start);
    REQUIRE(due.size() == 2);
    CHECK(due[1].ids == numbered_ids(5, 1));
    queue.held(numbered_ids(0, 6));
    CHECK(queue.empty());
    CHECK_FALSE(queue.next_due_at());
    CHECK(queue.due(start + 1h).empty());
    CHECK(queue.totals().timed_out == 0);
    CHECK(queue.totals().given_up == 0);
}

TEST_CASE("fetch queue: a store that failed says nothing, and the ids stay until their time is out") {
    fetch_queue queue(small_limits());
    queue.add(numbered_ids(0, 2), "a", start);
    CHECK(only_request(queue, "a", start) == numbered_ids(0, 2));
    queue.progress("a", numbered_ids(0, 2), start + 1s);
    CHECK(queue.size() == 2);
    CHECK(queue.due(start + 16s - 1us).empty());
    CHECK(queue.due(start + 16s).empty());
    CHECK(only_request(queue, "a", start + 17s) == numbered_ids(0, 2));
}

TEST_CASE("fetch queue: an answered part frees no place; the whole answer does") {
    fetch_queue queue(small_limits());
    queue.add(numbered_ids(0, 12), "a", start);
    CHECK(all_ids(queue.due(start)).size() == 8);
    CHECK(queue.next_due_at() == start + 15s);
    queue.held(numbered_ids(0, 3));
    CHECK(queue.next_due_at() == start + 15s);
    CHECK(queue.due(start + 1s).empty());
    queue.held(numbered_ids(3, 1));
    CHECK(queue.next_due_at() == start + 1s);
    CHECK(only_request(queue, "a", start + 1s) == numbered_ids(8, 4));
}

TEST_CASE("fetch queue: requests to one peer, at n - 1, n, n + 1") {
    auto limits = small_limits();
    limits.requests_per_peer_max = 3;
    for (std::size_t const batches : {2, 3, 4}) {
        fetch_queue queue(limits);
        queue.add(numbered_ids(0, 4 * batches), "a", start);
        CHECK(queue.due(start).size() == std::min<std::size_t>(batches, 3));
        CHECK(queue.due(start).empty());
        CHECK(queue.next_due_at() == start + 15s);
    }
}

TEST_CASE("fetch queue: ids of one request, at n - 1, n, n + 1") {
    for (std::size_t const count : {3, 4, 5}) {
        fetch_queue queue(small_limits());
        queue.add(numbered_ids(0, count), "a", start);
        requests const due = queue.due(start);
        REQUIRE(due.size() == (count == 5 ? 2 : 1));
        CHECK(due[0].ids.size() == std::min<std::size_t>(count, 4));
        CHECK(all_ids(due).size() == count);
    }
}

TEST_CASE("fetch queue: ids that wait, at n - 1, n, n + 1") {
    fetch_queue queue(small_limits());
    for (std::uint64_t number = 0; number < 99; ++number) {
        CHECK(queue.add(numbered_ids(number, 1), "peer-" + std::to_string(number), start) == 0);
    }
    CHECK(queue.add(numbered_ids(99, 1), "a", start) == 0);
    CHECK(queue.size() == 100);
    CHECK(queue.add(numbered_ids(98, 3), "b", start) == 1);
    CHECK(queue.size() == 100);
    CHECK(queue.totals().dropped == 1);
    CHECK_FALSE(queue.wants(numbered_id(100)));
    // A peer whose ids were all dropped is no source of anything.
    CHECK(queue.add(numbered_ids(200, 5), "c", start) == 5);
    for (auto const& request : queue.due(start)) {
        CHECK(request.to != "c");
    }
    queue.held(numbered_ids(0, 1));
    CHECK(queue.add(numbered_ids(200, 2), "c", start) == 1);
    CHECK(queue.wants(numbered_id(200)));
}

TEST_CASE("fetch queue: ids of one source, at n - 1, n, n + 1") {
    for (std::uint64_t const count : {49, 50, 51}) {
        fetch_queue queue(small_limits());
        CHECK(queue.add(numbered_ids(0, count), "a", start) == (count == 51 ? 1 : 0));
        // The next one has as much room as that leaves; what it names beside is no matter of room.
        CHECK(queue.add(numbered_ids(100, 25), "b", start) == 0);
        CHECK(queue.add(numbered_ids(0, 49), "b", start) == 0);
        CHECK(queue.add(numbered_ids(200, 1), "b", start) == 1);
    }
}

TEST_CASE("fetch queue: ids without end of one source leave room for those of others") {
    fetch_queue queue;
    CHECK(queue.add(numbered_ids(0, 262'144), "liar", start) == 131'072);
    for (std::uint64_t peer = 0; peer < 8; ++peer) {
        CHECK(queue.add(numbered_ids(1'000'000 * (peer + 1), 1'000), "peer-" + std::to_string(peer), start) ==
              0);
    }
}

TEST_CASE("fetch queue: sources of one id, at n - 1, n, n + 1") {
    for (std::size_t const sources : {2, 3, 4}) {
        fetch_queue queue(small_limits());
        for (std::size_t i = 0; i < sources; ++i) {
            CHECK(queue.add(numbered_ids(7, 1), "peer-" + std::to_string(i), start) == 0);
        }
        CHECK(queue.size() == 1);
        std::size_t asked = 0;
        for (std::size_t i = 0; i < sources; ++i) {
            for (auto const& request : queue.due(start)) {
                ++asked;
                queue.not_from(request.ids, request.to, start);
            }
        }
        CHECK(asked == std::min<std::size_t>(sources, 3));
        CHECK(queue.empty());
        CHECK(queue.take_given_up() == numbered_ids(7, 1));
    }
}

TEST_CASE("fetch queue: naming an id again makes no second one, of the same peer or in one list") {
    fetch_queue queue(small_limits());
    std::vector<op_id> const twice{numbered_id(1), numbered_id(1)};
    CHECK(queue.add(twice, "a", start) == 0);
    CHECK(queue.add(twice, "a", start) == 0);
    CHECK(queue.size() == 1);
    CHECK(only_request(queue, "a", start) == numbered_ids(1, 1));
    queue.add(twice, "a", start);
    CHECK(queue.due(start).empty());
    queue.not_from(twice, "a", start);
    CHECK(queue.empty());
    CHECK(queue.totals().given_up == 1);
}

TEST_CASE("fetch queue: a request times out exactly after its time, and pauses double up to the most") {
    fetch_queue queue(small_limits());
    queue.add(numbered_ids(0, 1), "a", start);
    auto now = start;
    for (auto const pause : {1s, 2s, 4s}) {
        CHECK(only_request(queue, "a", now) == numbered_ids(0, 1));
        now += 15s;
        CHECK(queue.due(now - 1us).empty());
        CHECK(queue.next_due_at() == now);
        CHECK(queue.due(now).empty());
        now += pause;
        CHECK(queue.next_due_at() == now);
        CHECK(queue.due(now - 1us).empty());
    }
    CHECK(only_request(queue, "a", now) == numbered_ids(0, 1));
    CHECK(queue.due(now + 15s - 1us).empty());
    CHECK(queue.take_given_up().empty());
    CHECK(queue.due(now + 15s).empty());
    CHECK(queue.empty());
    CHECK(queue.take_given_up() == numbered_ids(0, 1));
    CHECK(queue.totals().requested == 4);
    CHECK(queue.totals().timed_out == 4);
    CHECK_FALSE(queue.next_due_at());
}

TEST_CASE("fetch queue: no pause is longer than the most") {
    auto limits = small_limits();
    limits.attempts_max = 200;
    limits.backoff_max = 5s;
    fetch_queue queue(limits);
    queue.add(numbered_ids(0, 1), "a", start);
    auto now = start;
    for (int i = 0; i < 100; ++i) {
        CHECK(queue.due(now).size() == 1);
        queue.due(now + 15s);
        auto const next = queue.next_due_at();
        REQUIRE(next);
        CHECK(*next - now <= 20s);
        now = *next;
    }
    CHECK(queue.totals().requested == 100);
}

TEST_CASE("fetch queue: requests for one id, at n - 1, n, n + 1") {
    for (std::size_t const attempts : {1, 2, 3}) {
        auto limits = small_limits();
        limits.attempts_max = attempts;
        fetch_queue queue(limits);
        queue.add(numbered_ids(0, 1), "a", start);
        auto now = start;
        std::size_t requests_seen = 0;
        while (auto const next = queue.next_due_at()) {
            now = *next;
            requests_seen += queue.due(now).size();
        }
        CHECK(requests_seen == attempts);
        CHECK(queue.totals().given_up == 1);
    }
}

TEST_CASE("fetch queue: after a time-out another source is asked") {
    fetch_queue queue(small_limits());
    queue.add(numbered_ids(0, 4), "a", start);
    queue.add(numbered_ids(0, 4), "b", start);
    CHECK(only_request(queue, "a", start) == numbered_ids(0, 4));
    queue.due(start + 15s);
    CHECK(only_request(queue, "b", start + 16s) == numbered_ids(0, 4));
    queue.due(start + 31s);
    // The second pause is longer, and a's turn has come again, for half as many as both were silent.
    CHECK(queue.due(start + 32s).empty());
    requests const due = queue.due(start + 33s);
    REQUIRE(due.size() == 2);
    CHECK(due[0].to == "a");
    CHECK(due[0].ids == numbered_ids(0, 2));
    CHECK(due[1].to == "b");
    CHECK(due[1].ids == numbered_ids(2, 1));
}

TEST_CASE("fetch queue: the source that was silent is asked again only if the others have no place") {
    auto limits = small_limits();
    limits.requests_per_peer_max = 1;
    fetch_queue queue(limits);
    queue.add(numbered_ids(0, 4), "a", start);
    CHECK(only_request(queue, "a", start) == numbered_ids(0, 4));
    queue.add(numbered_ids(0, 4), "b", start);
    // b is busy with something else when the pause ends.
    queue.add(numbered_ids(10, 4), "b", start + 10s);
    CHECK(only_request(queue, "b", start + 10s) == numbered_ids(10, 4));
    queue.due(start + 15s);
    CHECK(only_request(queue, "a", start + 16s) == numbered_ids(0, 1));
    // Once b has, it gets them first, though a has a place and is not silent any more.
    queue.progress("a", numbered_ids(0, 1), start + 17s);
    queue.held(numbered_ids(0, 1));
    queue.held(numbered_ids(10, 4));
    CHECK(only_request(queue, "b", start + 17s) == numbered_ids(1, 3));
}

TEST_CASE("fetch queue: a source that is named while its only other was silent is asked at once") {
    fetch_queue queue(small_limits());
    queue.add(numbered_ids(0, 2), "a", start);
    queue.add(numbered_ids(9, 1), "silent", start);
    queue.due(start);
    queue.due(start + 15s);
    queue.add(numbered_ids(0, 1), "silent", start + 15s);
    CHECK(queue.next_due_at() == start + 16s);
    queue.add(numbered_ids(0, 1), "b", start + 15s);
    CHECK(queue.next_due_at() == start + 15s);
    CHECK(only_request(queue, "b", start + 15s) == numbered_ids(0, 1));
    // It is its second request, and a longer pause follows.
    queue.due(start + 30s);
    queue.unreachable("a", start + 30s);
    queue.unreachable("silent", start + 30s);
    CHECK(queue.next_due_at() == start + 32s);
}

TEST_CASE("fetch queue: ids of a silent source do not hold up those of others") {
    auto limits = small_limits();
    limits.ids_max = 1'000;
    fetch_queue queue(limits);
    // Older, more, and all of them at the silent one; some at both.
    queue.add(numbered_ids(0, 500), "silent", start);
    queue.add(numbered_ids(400, 200), "fast", start);
    queue.due(start);
    auto now = start;
    for (int i = 0; i < 60; ++i) {
        now += 1ms;
        queue.held(numbered_ids(400 + 4 * static_cast<std::uint64_t>(i), 4));
        queue.due(now);
    }
    CHECK(queue.size() == 400);
    CHECK(queue.totals().timed_out == 0);
}

TEST_CASE("fetch queue: an answer in parts has time for each part, and all of it a bounded time") {
    auto limits = small_limits();
    limits.answer_timeout = 50s;
    fetch_queue queue(limits);
    queue.add(numbered_ids(0, 4), "a", start);
    queue.due(start);
    auto now = start;
    for (std::uint64_t part = 0; part < 3; ++part) {
        now += 14s;
        CHECK(queue.due(now).empty());
        queue.progress("a", numbered_ids(part, 1), now);
        queue.held(numbered_ids(part, 1));
        CHECK(queue.next_due_at() == std::min(now + 15s, start + 50s));
    }
    CHECK(queue.due(start + 50s - 1us).empty());
    queue.progress("a", numbered_ids(3, 1), start + 50s - 1us);
    CHECK(queue.totals().timed_out == 0);
    CHECK(queue.due(start + 50s).empty());
    CHECK(queue.totals().timed_out == 1);
}

TEST_CASE("fetch queue: an answer without anything that was asked for is none") {
    fetch_queue queue(small_limits());
    queue.add(numbered_ids(0, 4), "liar", start);
    queue.add(numbered_ids(0, 4), "honest", start);
    CHECK(only_request(queue, "liar", start) == numbered_ids(0, 4));
    queue.progress("liar", {}, start + 14s);
    queue.progress("liar", numbered_ids(4, 1), start + 14s);
    CHECK(queue.due(start + 15s).empty());
    CHECK(queue.totals().timed_out == 4);
    CHECK(only_request(queue, "honest", start + 16s) == numbered_ids(0, 4));
    // Nor does it make the liar less doubtful: of new ids it gets half a request.
    queue.progress("liar", {}, start + 16s);
    queue.add(numbered_ids(10, 8), "liar", start + 16s);
    CHECK(only_request(queue, "liar", start + 16s) == numbered_ids(10, 2));
}

TEST_CASE("fetch queue: a peer that was silent is trusted again by its answer, also by a late one") {
    for (bool const late : {false, true}) {
        fetch_queue queue(small_limits());
        queue.add(numbered_ids(0, 20), "a", start);
        queue.due(start);
        CHECK(only_request(queue, "a", start + 15s) == numbered_ids(8, 2));
        auto const answered = late ? numbered_ids(0, 2) : numbered_ids(8, 2);
        queue.progress("a", answered, start + 15s);
        queue.held(answered);
        CHECK(all_ids(queue.due(start + 15s)).size() == (late ? 4 : 8));
    }
}

TEST_CASE("fetch queue: progress of one peer is none of another") {
    fetch_queue queue(small_limits());
    queue.add(numbered_ids(0, 1), "a", start);
    queue.add(numbered_ids(1, 1), "b", start);
    CHECK(queue.due(start).size() == 2);
    queue.progress("a", numbered_ids(0, 1), start + 10s);
    queue.progress("b", numbered_ids(0, 1), start + 10s);
    queue.progress("nobody", numbered_ids(0, 2), start + 10s);
    queue.due(start + 15s);
    CHECK(queue.totals().timed_out == 1);
    CHECK(queue.next_due_at() == start + 16s);
}

TEST_CASE("fetch queue: what a peer does not have is asked of others at once, and never of it") {
    fetch_queue queue(small_limits());
    queue.add(numbered_ids(0, 2), "a", start);
    queue.add(numbered_ids(0, 2), "b", start);
    CHECK(only_request(queue, "a", start) == numbered_ids(0, 2));
    queue.not_from(numbered_ids(0, 1), "a", start + 1s);
    CHECK(queue.next_due_at() == start + 1s);
    CHECK(only_request(queue, "b", start + 1s) == numbered_ids(0, 1));
    queue.not_from(numbered_ids(0, 1), "b", start + 2s);
    CHECK(queue.take_given_up() == numbered_ids(0, 1));
    CHECK(queue.size() == 1);
    // From a peer that has not been asked: only the source goes.
    queue.not_from(numbered_ids(1, 1), "b", start + 2s);
    CHECK(queue.size() == 1);
    queue.due(start + 15s);
    CHECK(only_request(queue, "a", start + 16s) == numbered_ids(1, 1));
    queue.held(numbered_ids(1, 1));
    // Named anew, it is asked anew.
    queue.add(numbered_ids(0, 1), "a", start + 16s);
    CHECK(only_request(queue, "a", start + 16s) == numbered_ids(0, 1));
}

TEST_CASE("fetch queue: an id is not given up for who names it again and again, while another has it") {
    auto limits = small_limits();
    limits.requests_per_peer_max = 1;
    fetch_queue queue(limits);
    queue.add(numbered_ids(1, 1), "good", start);
    CHECK(only_request(queue, "good", start) == numbered_ids(1, 1));
    // The good one has it too, and no place for it.
    queue.add(numbered_ids(0, 1), "good", start);
    for (int asked = 0; asked < 10; ++asked) {
        queue.add(numbered_ids(0, 1), "bad", start);
        CHECK(only_request(queue, "bad", start) == numbered_ids(0, 1));
        queue.not_from(numbered_ids(0, 1), "bad", start);
    }
    CHECK(queue.totals().given_up == 0);
    queue.held(numbered_ids(1, 1));
    CHECK(only_request(queue, "good", start) == numbered_ids(0, 1));
    queue.not_from(numbered_ids(0, 1), "good", start);
    CHECK(queue.take_given_up() == numbered_ids(0, 1));
}

TEST_CASE("fetch queue: a peer that answers takes the place of a silent one among the sources of an id") {
    fetch_queue queue(small_limits());
    for (char const* const source : {"silent-1", "silent-2", "silent-3"}) {
        queue.add(numbered_ids(0, 1), source, start);
    }
    // All sources are still believed: there is no place for one more.
    queue.add(numbered_ids(0, 1), "late", start);
    CHECK(only_request(queue, "silent-1", start) == numbered_ids(0, 1));
    queue.due(start + 15s);
    queue.add(numbered_ids(0, 1), "good", start + 15s);
    for (char const* const source : {"silent-2", "silent-3"}) {
        queue.not_from(numbered_ids(0, 1), source, start + 15s);
    }
    CHECK(only_request(queue, "good", start + 16s) == numbered_ids(0, 1));
    queue.not_from(numbered_ids(0, 1), "good", start + 16s);
    CHECK(queue.take_given_up() == numbered_ids(0, 1));
}

TEST_CASE("fetch queue: a doubtful peer takes nobody's place, and nobody takes that of who is being asked") {
    auto limits = small_limits();
    limits.sources_max = 1;
    fetch_queue queue(limits);
    queue.add(numbered_ids(0, 1), "a", start);
    queue.add(numbered_ids(1, 1), "b", start);
    CHECK(queue.due(start).size() == 2);
    CHECK(queue.due(start + 15s).empty());
    queue.add(numbered_ids(0, 1), "b", start + 15s);
    CHECK(queue.due(start + 16s).size() == 2);
    queue.add(numbered_ids(0, 1), "good", start + 16s);
    queue.unreachable("a", start + 16s);
    CHECK(queue.take_given_up() == numbered_ids(0, 1));
}

TEST_CASE("fetch queue: an unreachable peer's ids go to others at once; without another they are given up") {
    fetch_queue queue(small_limits());
    queue.add(numbered_ids(0, 4), "a", start);
    queue.add(numbered_ids(2, 8), "b", start);
    CHECK(queue.due(start).size() == 3);
    // a: 0 to 3; b: 4 to 7 and 8, 9.
    queue.unreachable("a", start + 1s);
    CHECK(queue.take_given_up() == numbered_ids(0, 2));
    CHECK(queue.size() == 8);
    CHECK(queue.totals().timed_out == 0);
    queue.held(numbered_ids(4, 4));
    CHECK(only_request(queue, "b", start + 1s) == numbered_ids(2, 2));
    // b has no request left that could be taken for one of a's.
    queue.unreachable("a", start + 2s);
    CHECK(queue.size() == 4);
    queue.unreachable("b", start + 2s);
    CHECK(queue.empty());
    CHECK_FALSE(queue.next_due_at());
    CHECK(queue.add(numbered_ids(0, 1), "a", start + 3s) == 0);
    CHECK(only_request(queue, "a", start + 3s) == numbered_ids(0, 1));
}

TEST_CASE("fetch queue: an unreachable peer leaves the ids that pause, and those asked of others") {
    fetch_queue queue(small_limits());
    queue.add(numbered_ids(0, 1), "a", start);
    queue.add(numbered_ids(0, 1), "b", start);
    queue.due(start);
    queue.due(start + 15s);
    queue.unreachable("b", start + 15s);
    CHECK(queue.size() == 1);
    CHECK(only_request(queue, "a", start + 16s) == numbered_ids(0, 1));
    queue.add(numbered_ids(0, 1), "b", start + 16s);
    queue.unreachable("b", start + 16s);
    CHECK(queue.next_due_at() == start + 31s);
    queue.due(start + 31s);
    queue.unreachable("a", start + 31s);
    CHECK(queue.take_given_up() == numbered_ids(0, 1));
}

TEST_CASE("fetch queue: a silent peer's backlog does not stay for hours") {
    auto limits = small_limits();
    limits.ids_max = 2'000;
    fetch_queue queue(limits);
    queue.add(numbered_ids(0, 1'000), "silent", start);
    auto now = start;
    while (auto const next = queue.next_due_at()) {
        now = *next;
        queue.due(now);
    }
    CHECK(queue.empty());
    CHECK(queue.totals().given_up == 1'000);
    CHECK(queue.take_given_up().size() == 1'000);
    CHECK(now - start == 4 * 15s);
}

TEST_CASE(
    "fetch queue: a silent peer gets one request at a time, half as large each time, until it answers") {
    auto limits = small_limits();
    limits.ids_max = 2'000;
    limits.ids_per_request_max = 5;
    limits.requests_per_peer_max = 3;
    limits.attempts_max = 5;
    fetch_queue queue(limits);
    queue.add(numbered_ids(0, 1'000), "a", start);
    CHECK(all_ids(queue.due(start)).size() == 15);
    auto now = start;
    std::vector<op_id> asked;
    for (std::size_t const ids : {2, 1, 1}) {
        now += 15s;
        asked = only_request(queue, "a", now);
        CHECK(asked.size() == ids);
        CHECK(queue.due(now).empty());
    }
    queue.progress("a", asked, now + 1s);
    CHECK(queue.next_due_at() == now + 1s);
    CHECK(all_ids(queue.due(now + 1s)).size() == 10);
    CHECK(queue.totals().given_up == 0);
}

TEST_CASE("fetch queue: one answer between keeps a slow peer's backlog") {
    auto limits = small_limits();
    limits.ids_max = 200;
    limits.attempts_max = 3;
    fetch_queue queue(limits);
    queue.add(numbered_ids(0, 100), "slow", start);
    auto now = start;
    for (std::uint64_t i = 0; i < 10; ++i) {
        queue.due(now);
        queue.progress("slow", numbered_ids(0, 100), now + 10s);
        now += 25s;
    }
    CHECK(queue.size() > 50);
    CHECK(queue.totals().requested > 25);
}

TEST_CASE("fetch queue: a clock that is set back delays nothing; one that jumps loses nothing") {
    fetch_queue queue(small_limits());
    queue.add(numbered_ids(0, 1), "a", start);
    queue.due(start);
    CHECK(queue.due(start - 1h).empty());
    CHECK(queue.next_due_at() == start - 1h + 15s);
    CHECK(queue.due(start - 1h + 15s).empty());
    CHECK(queue.totals().timed_out == 1);
    CHECK(queue.next_due_at() == start - 1h + 16s);
    CHECK(only_request(queue, "a", start + 24h) == numbered_ids(0, 1));
    CHECK(queue.size() == 1);
}

TEST_CASE("fetch queue: ids of several requests that end together queue up in their order") {
    auto limits = small_limits();
    limits.ids_per_request_max = 2;
    fetch_queue queue(limits);
    queue.add(numbered_ids(0, 6), "a", start);
    CHECK(queue.due(start).size() == 2);
    // The fresh ones come first, those that were asked for already behind them.
    CHECK(only_request(queue, "a", start + 15s) == numbered_ids(4, 1));
    CHECK(queue.due(start + 16s).empty());
    queue.progress("a", numbered_ids(4, 1), start + 17s);
    queue.held(numbered_ids(4, 1));
    requests const due = queue.due(start + 17s);
    REQUIRE(due.size() == 2);
    CHECK(due[0].ids == std::vector<op_id>{numbered_id(5), numbered_id(0)});
    CHECK(due[1].ids == numbered_ids(1, 2));
}

TEST_CASE("fetch queue: of what others have, a silent peer is asked for one id, when they have no place") {
    fetch_queue queue(small_limits());
    queue.add(numbered_ids(0, 4), "silent", start);
    queue.due(start);
    queue.due(start + 15s);
    queue.add(numbered_ids(10, 20), "silent", start + 15s);
    queue.add(numbered_ids(10, 20), "good", start + 15s);
    requests due = queue.due(start + 15s);
    REQUIRE(due.size() == 3);
    CHECK(due[0].to == "good");
    CHECK(due[1].to == "good");
    CHECK(due[2].to == "silent");
    CHECK(due[2].ids == numbered_ids(18, 1));
    CHECK(all_ids(due).size() == 9);
}

TEST_CASE("fetch queue: a queue that was full and emptied is as good as new") {
    auto limits = small_limits();
    limits.ids_max = 4'000;
    limits.ids_per_request_max = 1'000;
    fetch_queue queue(limits);
    for (int repeat = 0; repeat < 3; ++repeat) {
        CHECK(queue.add(numbered_ids(0, 2'001), "a", start) == 1);
        CHECK(queue.size() == 2'000);
        CHECK(all_ids(queue.due(start)).size() == 2'000);
        queue.held(numbered_ids(0, 2'000));
        CHECK(queue.empty());
        CHECK_FALSE(queue.next_due_at());
    }
}

TEST_CASE("fetch queue: ids given up that nobody takes, at n - 1, n, n + 1") {
    auto limits = small_limits();
    limits.ids_max = 10;
    for (std::uint64_t const count : {9, 10, 11}) {
        fetch_queue queue(limits);
        for (std::uint64_t number = 0; number < count; ++number) {
            queue.add(numbered_ids(number, 1), "a", start);
            queue.unreachable("a", start);
        }
        CHECK(queue.totals().given_up == count);
        CHECK(queue.take_given_up() == numbered_ids(0, std::min<std::uint64_t>(count, 10)));
        CHECK(queue.take_given_up().empty());
    }
}

TEST_CASE("fetch queue: peers that come and go leave nothing behind") {
    fetch_queue queue(small_limits());
    queue.add(numbered_ids(0, 50), "stays", start);
    for (int i = 0; i < 1'000; ++i) {
        auto const guest = "guest-" + std::to_string(i);
        queue.add(numbered_ids(40, 20), guest, start);
        queue.due(start);
        queue.unreachable(guest, start);
        CHECK(queue.take_given_up() == numbered_ids(50, 10));
        CHECK(queue.size() == 50);
    }
    CHECK(only_request(queue, "stays", start + 15s).size() == 2);
}

TEST_CASE(
    "fetch queue: an answer that comes after its time, or from another peer, settles the id all the same") {
    fetch_queue queue(small_limits());
    queue.add(numbered_ids(0, 4), "a", start);
    queue.add(numbered_ids(0, 4), "b", start);
    queue.due(start);
    queue.due(start + 15s);
    CHECK(only_request(queue, "b", start + 16s) == numbered_ids(0, 4));
    CHECK(queue.wants(numbered_id(2)));
    // a's late answer, while b is asked, and while the ids of the rest pause.
    queue.progress("a", numbered_ids(0, 2), start + 17s);
    queue.held(numbered_ids(0, 2));
    queue.due(start + 31s);
    queue.held(numbered_ids(2, 2));
    CHECK(queue.empty());
    CHECK_FALSE(queue.next_due_at());
}

TEST_CASE("fetch queue: unreachable in the middle of sending what was due") {
    // As a driver does whose transport refuses a frame: the other requests of the same due() still stand.
    fetch_queue queue(small_limits());
    queue.add(numbered_ids(0, 8), "a", start);
    queue.add(numbered_ids(0, 8), "b", start);
    requests const due = queue.due(start);
    REQUIRE(due.size() == 2);
    queue.unreachable(due[0].to, start);
    CHECK(queue.next_due_at() == start);
    CHECK(only_request(queue, due[1].to, start) == due[0].ids);
    CHECK(queue.due(start).empty());
}

TEST_CASE("fetch queue: ids of all lengths") {
    fetch_queue queue(small_limits());
    std::vector<op_id> ids;
    for (std::size_t const length : {1, 32, 39, 63, 64}) {
        ids.emplace_back(std::vector<std::byte>(length, std::byte{7}));
    }
    CHECK(queue.add(ids, "a", start) == 0);
    CHECK(queue.size() == 5);
    CHECK(all_ids(queue.due(start)).size() == 5);
    queue.held(ids);
    CHECK(queue.empty());
}

}  // namespace opstore::gossip
