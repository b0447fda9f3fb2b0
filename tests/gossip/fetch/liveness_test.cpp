// Goal: as long as one source of an id answers, the id is fetched, whatever else is lost: requests, answers,
// parts of answers, whole peers; and ids that are given up come back with the next announcement. Method: a
// network of silent, lossy, lying and good peers made of random draws, driven from one next_due_at() to the
// next.
#include <gossip/fetch/fetch_queue.hpp>
#include <tests/gossip/fetch/numbered_id.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace opstore::gossip {
namespace {

using namespace std::chrono_literals;
using opstore::testing::random_source;
using testing::numbered_ids;

struct remote_peer {
    std::set<op_id> has;
    std::uint64_t answers_of_100 = 100;
    /// Says that it lacks what it was asked for.
    bool denies = false;
};

class network {
public:
    network(random_source& random, fetch_limits limits) : random_(random), queue_(limits) {}

    std::map<peer_url, remote_peer> peers;

    fetch_queue& queue() { return queue_; }
    std::chrono::microseconds elapsed() const { return now_ - start; }

    void announce(peer_url const& by, std::vector<op_id> const& ids) {
        std::vector<op_id> lacked;
        std::copy_if(ids.begin(), ids.end(), std::back_inserter(lacked),
                     [&](op_id const& id) { return !held_.contains(id); });
        queue_.add(lacked, by, now_);
    }

    /// Until all of `ids` are held; what is given up is announced again by all who have it.
    void run(std::vector<op_id> const& ids) {
        for (std::size_t steps = 0; held_.size() < ids.size(); ++steps) {
            REQUIRE(steps < 1'000'000);
            for (auto const& request : queue_.due(now_)) {
                send(request);
            }
            for (auto const& [url, peer] : peers) {
                std::vector<op_id> again;
                std::copy_if(given_up_.begin(), given_up_.end(), std::back_inserter(again),
                             [&](op_id const& id) { return peer.has.contains(id); });
                announce(url, again);
            }
            given_up_ = queue_.take_given_up();
            step();
        }
        CHECK(queue_.empty());
        CHECK_FALSE(queue_.next_due_at());
    }

private:
    static constexpr arc::timestamp start = arc::from_micros(1'700'000'000'000'000);

    struct answer {
        peer_url from;
        std::vector<op_id> ops;
        std::vector<op_id> absent;
    };

    void send(fetch_queue::request const& request) {
        remote_peer const& peer = peers.at(request.to);
        // Parts of up to 8 ops, each of which may be lost.
        for (std::size_t first = 0; first < request.ids.size(); first += 8) {
            answer part;
            part.from = request.to;
            for (std::size_t i = first; i < std::min(first + 8, request.ids.size()); ++i) {
                bool const given = !peer.denies && peer.has.contains(request.ids[i]);
                (given ? part.ops : part.absent).push_back(request.ids[i]);
            }
            if (random_.below(100) < peer.answers_of_100) {
                under_way_.emplace(now_ + std::chrono::milliseconds(random_.below(300)), std::move(part));
            }
        }
    }

    /// To the next answer or to the next thing that the queue has to do.
    void step() {
        auto const due = queue_.next_due_at();
        if (!under_way_.empty() && (!due || under_way_.begin()->first <= *due)) {
            now_ = std::max(now_, under_way_.begin()->first);
            answer const part = std::move(under_way_.extract(under_way_.begin()).mapped());
            auto answered = part.ops;
            answered.insert(answered.end(), part.absent.begin(), part.absent.end());
            queue_.progress(part.from, answered, now_);
            queue_.held(part.ops);
            queue_.not_from(part.absent, part.from, now_);
            held_.insert(part.ops.begin(), part.ops.end());
        } else if (due) {
            now_ = std::max(now_, *due);
        }
        bool const goes_on = due || !under_way_.empty() || !given_up_.empty() || queue_.empty();
        REQUIRE(goes_on);
    }

    random_source& random_;
    fetch_queue queue_;
    arc::timestamp now_ = start;
    std::multimap<arc::timestamp, answer> under_way_;
    std::set<op_id> held_;
    std::vector<op_id> given_up_;
};

}  // namespace

TEST_CASE("fetch queue: every id is fetched while one of its sources answers now and then") {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        random_source random(seed);
        fetch_limits limits;
        limits.ids_per_request_max = 1 + random.below(50);
        limits.requests_per_peer_max = 1 + random.below(3);
        limits.sources_max = 8;
        network all(random, limits);
        auto const ids = numbered_ids(0, 50 + random.below(400));
        for (std::uint64_t peer = 0; peer < 7; ++peer) {
            remote_peer drawn;
            // Silent, lossy or lying, with some of the ids.
            drawn.answers_of_100 = random.one_in(2) ? 0 : random.below(100);
            drawn.denies = random.one_in(3);
            for (auto const& id : ids) {
                if (random.one_in(2)) {
                    drawn.has.insert(id);
                }
            }
            all.peers["peer-" + std::to_string(peer)] = drawn;
        }
        remote_peer good;
        good.has.insert(ids.begin(), ids.end());
        good.answers_of_100 = 5 + random.below(95);
        all.peers["peer-good"] = good;
        for (auto const& [url, peer] : all.peers) {
            all.announce(url, std::vector<op_id>(peer.has.begin(), peer.has.end()));
        }
        all.run(ids);
    }
}

TEST_CASE("fetch queue: one good source beside seven silent ones costs a bounded time") {
    random_source random(7);
    network all(random, fetch_limits());
    auto const ids = numbered_ids(0, 50'000);
    remote_peer has_all;
    has_all.has.insert(ids.begin(), ids.end());
    for (std::uint64_t peer = 0; peer < 8; ++peer) {
        has_all.answers_of_100 = peer == 3 ? 100 : 0;
        all.peers["peer-" + std::to_string(peer)] = has_all;
    }
    for (auto const& [url, peer] : all.peers) {
        all.announce(url, ids);
    }
    all.run(ids);
    CHECK(all.elapsed() < 1min);
}

TEST_CASE("fetch queue: a peer that dies in the middle is made up for by another") {
    random_source random(11);
    network all(random, fetch_limits());
    auto const ids = numbered_ids(0, 5'000);
    remote_peer has_all;
    has_all.has.insert(ids.begin(), ids.end());
    all.peers["a"] = has_all;
    all.peers["b"] = has_all;
    all.announce("a", ids);
    all.announce("b", ids);
    for (auto const& request : all.queue().due(arc::from_micros(1'700'000'000'000'000))) {
        CHECK_FALSE(request.ids.empty());
    }
    // Its requests went nowhere, and its link says so.
    all.queue().unreachable("a", arc::from_micros(1'700'000'000'000'000));
    all.peers.erase("a");
    all.run(ids);
    CHECK(all.queue().totals().given_up == 0);
    CHECK(all.elapsed() < 20s);
}

}  // namespace opstore::gossip
