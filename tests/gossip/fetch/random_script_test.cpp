// Goal: fetch_queue does what its contract says, whatever is called in whatever order, and nothing stays in
// it for ever. Method: random scripts drive it and a model that scans plain lists, and every answer must be
// the same; beside them a watcher that knows only what was called and answered checks the caps, and that no
// id is asked of two peers at once. In the end nobody answers any more, and the queue must empty itself.
#include <gossip/fetch/fetch_queue.hpp>
#include <tests/gossip/fetch/naive_fetch_queue.hpp>
#include <tests/gossip/fetch/numbered_id.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

namespace opstore::gossip {
namespace {

using namespace std::chrono_literals;
using opstore::testing::random_source;
using testing::numbered_id;

/// Knows of each id who was asked for it last and when, as somebody who looks from outside.
class watcher {
public:
    explicit watcher(fetch_limits limits) : limits_(limits) {}

    /// Only ever forward, so that no less time passes here than in the queue.
    void passed(std::chrono::microseconds by) { clock_ += by; }

    void sent(fetch_queue::request const& request) {
        REQUIRE_FALSE(request.ids.empty());
        REQUIRE(request.ids.size() <= limits_.ids_per_request_max);
        ++requests_;
        for (auto const& id : request.ids) {
            auto const asked = asked_.find(id);
            bool const may_be_repeated = asked == asked_.end() || over(asked->second);
            REQUIRE(may_be_repeated);
            REQUIRE(++attempts_[id] <= limits_.attempts_max);
            asked_[id] = {request.to, requests_, clock_};
        }
        std::set<std::uint64_t> under_way;
        for (auto const& [id, asked] : asked_) {
            if (asked.of == request.to && !over(asked)) {
                under_way.insert(asked.request);
            }
        }
        REQUIRE(under_way.size() <= limits_.requests_per_peer_max);
    }

    void left(op_id const& id) {
        asked_.erase(id);
        attempts_.erase(id);
    }
    void not_from(op_id const& id, peer_url const& source) {
        auto const asked = asked_.find(id);
        if (asked != asked_.end() && asked->second.of == source) {
            --attempts_[id];
            asked_.erase(asked);
        }
    }
    void unreachable(peer_url const& source) {
        for (auto const& [id, asked] : asked_) {
            attempts_[id] -= asked.of == source ? 1 : 0;
        }
        std::erase_if(asked_, [&](auto const& one) { return one.second.of == source; });
    }

private:
    struct question {
        peer_url of;
        std::uint64_t request = 0;
        std::chrono::microseconds at{};
    };

    /// It may have been longer under way, if it was answered in parts, but not shorter.
    bool over(question const& asked) const { return clock_ - asked.at >= limits_.request_timeout; }

    fetch_limits limits_;
    std::chrono::microseconds clock_{};
    std::uint64_t requests_ = 0;
    std::map<op_id, question> asked_;
    std::map<op_id, std::size_t> attempts_;
};

fetch_limits drawn_limits(random_source& random) {
    fetch_limits limits;
    limits.ids_max = 1 + random.below(40);
    limits.sources_max = 1 + random.below(4);
    limits.ids_per_request_max = 1 + random.below(6);
    limits.requests_per_peer_max = 1 + random.below(3);
    limits.request_timeout = std::chrono::microseconds(1 + random.below(20));
    limits.answer_timeout = std::chrono::microseconds(1 + random.below(60));
    limits.backoff_min = std::chrono::microseconds(random.below(8));
    limits.backoff_max = std::chrono::microseconds(random.below(40));
    limits.attempts_max = 1 + random.below(6);
    return limits;
}

/// One script, step by step on both, with the answers compared.
class pair_of_queues {
public:
    pair_of_queues(fetch_limits limits, random_source& random)
        : random_(random), queue_(limits), naive_(limits), watcher_(limits) {}

    void step() {
        switch (random_.below(12)) {
            case 0:
            case 1:
                add();
                break;
            case 2:
                hold();
                break;
            case 3:
                refuse();
                break;
            case 4:
                if (random_.one_in(4)) {
                    lose_peer();
                }
                break;
            case 5:
            case 6:
                progress();
                break;
            case 7:
            case 8:
                pass(std::chrono::microseconds(random_.below(12)));
                break;
            case 9:
                if (random_.one_in(10)) {
                    now_ -= std::chrono::microseconds(random_.below(1'000));
                }
                break;
            default:
                ask();
        }
        compare();
    }

    /// Nobody answers any more: every id must go, in steps that each have something to do.
    void run_dry() {
        for (std::size_t steps = 0; queue_.size() > 0; ++steps) {
            REQUIRE(steps < 10'000);
            auto const next = queue_.next_due_at();
            REQUIRE(next);
            pass(std::max(*next - now_, 0us));
            ask();
            compare();
            auto const later = queue_.next_due_at();
            bool const advances = !later || *later > now_;
            REQUIRE(advances);
        }
        REQUIRE_FALSE(queue_.next_due_at());
        auto const& totals = queue_.totals();
        REQUIRE(added_ == held_ + totals.given_up);
    }

    std::uint64_t requested() const { return queue_.totals().requested; }

private:
    static constexpr std::uint64_t ids = 50;

    peer_url peer() { return "peer-" + std::to_string(random_.below(6)); }
    std::vector<op_id> some_ids() {
        std::vector<op_id> some;
        for (auto left = random_.below(10); left > 0; --left) {
            some.push_back(numbered_id(random_.below(ids)));
        }
        return some;
    }

    void add() {
        auto const some = some_ids();
        auto const source = peer();
        std::size_t const before = queue_.size();
        REQUIRE(queue_.add(some, source, now_) == naive_.add(some, source, now_));
        added_ += queue_.size() - before;
    }
    void hold() {
        auto const some = some_ids();
        std::size_t const before = queue_.size();
        queue_.held(some);
        naive_.held(some);
        held_ += before - queue_.size();
        for (auto const& id : some) {
            watcher_.left(id);
        }
    }
    void refuse() {
        auto const some = some_ids();
        auto const source = peer();
        queue_.not_from(some, source, now_);
        naive_.not_from(some, source, now_);
        for (auto const& id : some) {
            watcher_.not_from(id, source);
        }
    }
    void lose_peer() {
        auto const source = peer();
        queue_.unreachable(source, now_);
        naive_.unreachable(source, now_);
        watcher_.unreachable(source);
    }
    void progress() {
        auto const some = some_ids();
        auto const source = peer();
        queue_.progress(source, some, now_);
        naive_.progress(source, some, now_);
    }
    void pass(std::chrono::microseconds time) {
        now_ += time;
        watcher_.passed(time);
    }
    void ask() {
        auto const asked = queue_.due(now_);
        auto const expected = naive_.due(now_);
        take_given_up();
        for (auto const& source : naive_.take_silenced()) {
            watcher_.unreachable(source);
        }
        REQUIRE(asked.size() == expected.size());
        for (std::size_t i = 0; i < asked.size(); ++i) {
            REQUIRE(asked[i].to == expected[i].to);
            REQUIRE(asked[i].ids == expected[i].ids);
            watcher_.sent(asked[i]);
        }
    }
    void take_given_up() {
        auto const given_up = queue_.take_given_up();
        REQUIRE(given_up == naive_.take_given_up());
        for (auto const& id : given_up) {
            watcher_.left(id);
        }
    }
    void compare() {
        take_given_up();
        REQUIRE(queue_.size() == naive_.size());
        REQUIRE(queue_.next_due_at() == naive_.next_due_at());
        for (std::uint64_t id = 0; id < ids; ++id) {
            REQUIRE(queue_.wants(numbered_id(id)) == naive_.wants(numbered_id(id)));
        }
        REQUIRE(queue_.totals().requested == naive_.totals().requested);
        REQUIRE(queue_.totals().timed_out == naive_.totals().timed_out);
        REQUIRE(queue_.totals().dropped == naive_.totals().dropped);
        REQUIRE(queue_.totals().given_up == naive_.totals().given_up);
    }

    random_source& random_;
    fetch_queue queue_;
    testing::naive_fetch_queue naive_;
    watcher watcher_;
    arc::timestamp now_ = arc::from_micros(1'700'000'000'000'000);
    std::uint64_t added_ = 0;
    std::uint64_t held_ = 0;
};

}  // namespace

TEST_CASE("fetch queue: random scripts give what a scan of plain lists gives, and every id leaves") {
    std::uint64_t requested = 0;
    for (std::uint64_t seed = 1; seed <= 800; ++seed) {
        CAPTURE(seed);
        random_source random(seed);
        pair_of_queues both(drawn_limits(random), random);
        for (int step = 0; step < 300; ++step) {
            CAPTURE(step);
            both.step();
        }
        both.run_dry();
        requested += both.requested();
    }
    CHECK(requested > 70'000);
}

}  // namespace opstore::gossip
