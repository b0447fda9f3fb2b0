// Question: what does a round cost in store calls, and a recovered op in bytes and rounds? Counts between two
// peers on stores in memory, so that they are the same on any machine; the tables of docs/gossip.md.
#include <gossip/wire/codec.hpp>
#include <tests/gossip/support/peer_network.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace opstore::testing {
namespace {

constexpr auto now = arc::from_micros(1'700'000'000'000'000);
constexpr std::size_t common_ops = 100'000;
constexpr std::size_t payload_bytes = 100;
constexpr std::chrono::hours history{24 * 60};
/// The comparison of slices has to find them: older than what the first bookmark asks for.
constexpr std::chrono::minutes age_min{60};

std::vector<op_bytes> history_of(std::size_t count, random_source& random) {
    std::vector<op_bytes> ops;
    for (std::size_t i = 0; i < count; ++i) {
        auto const age = random.between(std::chrono::microseconds(age_min).count(),
                                        std::chrono::microseconds(history).count());
        ops.push_back(encode_plain(now - std::chrono::microseconds(age), random.bytes(payload_bytes)));
    }
    return ops;
}

using counts = std::map<std::string, std::uint64_t, std::less<>>;

std::uint64_t sum_of_new(counts const& after, counts const& before) {
    std::uint64_t sum = 0;
    for (auto const& [what, count] : after) {
        sum += count - (before.contains(what) ? before.at(what) : 0);
    }
    return sum;
}

std::string words_of_new(counts const& after, counts const& before) {
    std::string words;
    for (auto const& [what, count] : after) {
        auto const more = count - (before.contains(what) ? before.at(what) : 0);
        if (more > 0) {
            words += fmt::format("{}{} x {}", words.empty() ? "" : ", ", more, what);
        }
    }
    return words;
}

struct traffic {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
};

struct recovery {
    std::size_t lacking;
    std::size_t rounds;
    std::map<std::string, traffic> by_kind;
};

/// One difference: b lacks `lacking` of the ops that a holds.
recovery measure_recovery(std::size_t lacking) {
    random_source random(lacking);
    peer_network network(now - std::chrono::hours(2));
    auto const ops = history_of(common_ops, random);
    auto& a = network.add("a");
    auto& b = network.add("b");
    network.store(a, ops);
    network.store(b, {ops.begin(), ops.end() - static_cast<std::ptrdiff_t>(lacking)});
    network.clock.set(now);
    std::map<std::string, traffic> by_kind;
    std::size_t rounds = 0;
    while (!network.equal() && rounds < 100) {
        auto& by = rounds++ % 2 ? a : b;
        auto const before = by.peer->report().rounds_initiated;
        while (by.peer->report().rounds_initiated == before) {
            network.clock.set(std::max(network.clock.now(), by.peer->next_tick_at()));
            network.introduce();
            run(by.peer->tick(network.clock.now()));
        }
        network.deliver([&](sent_frame& frame) {
            auto const m = gossip::decode_frame(a.options.space, frame.bytes);
            auto& kind = by_kind[std::string(gossip::name_of(*m))];
            ++kind.messages;
            kind.bytes += frame.bytes.size();
            return true;
        });
    }
    return {lacking, rounds, std::move(by_kind)};
}

void print(std::vector<recovery> const& all) {
    fmt::print(
        "\n| ops lacking | rounds | bytes to find it, for each op | bytes to get it (it has {}) |\n"
        "| ---: | ---: | ---: | ---: |\n",
        payload_bytes + 8);
    std::map<std::string, std::string> lines;
    for (auto const& one : all) {
        std::uint64_t to_find = 0;
        std::uint64_t to_get = 0;
        for (auto const& [kind, sum] : one.by_kind) {
            (kind == "fetch_response" ? to_get : to_find) += sum.bytes;
            lines.try_emplace(kind);
        }
        fmt::print("| {} | {} | {} | {} |\n", one.lacking, one.rounds, to_find / one.lacking,
                   to_get / one.lacking);
    }
    fmt::print("\n| number: bytes of |");
    for (auto const& one : all) {
        fmt::print(" {} lacking |", one.lacking);
        for (auto& [kind, line] : lines) {
            auto const sum = one.by_kind.find(kind);
            line += sum == one.by_kind.end()
                        ? std::string(" |")
                        : fmt::format(" {}: {} |", sum->second.messages, sum->second.bytes);
        }
    }
    fmt::print("\n| --- |");
    for (std::size_t i = 0; i < all.size(); ++i) {
        fmt::print(" ---: |");
    }
    for (auto const& [kind, line] : lines) {
        fmt::print("\n| {} |{}", kind, line);
    }
    fmt::print("\n");
}

/// Store calls behind each frame that a peer receives in rounds that meet every kind of difference.
void measure_store_calls() {
    random_source random(1);
    peer_network network(now - std::chrono::hours(2));
    auto const ops = history_of(common_ops, random);
    auto& a = network.add("a");
    auto& b = network.add("b");
    network.store(a, {ops.begin(), ops.end() - 40});
    network.store(b, {ops.begin() + 40, ops.end()});
    network.restart(a);
    fmt::print("| step | store calls | which |\n| --- | ---: | --- |\n| start | {} | {} |\n",
               sum_of_new(a.peer->report().store_calls, {}), words_of_new(a.peer->report().store_calls, {}));
    network.clock.set(now);
    std::map<std::string, std::pair<std::uint64_t, std::string>> most;
    for (int i = 0; i < 6; ++i) {
        auto& by = i % 2 ? b : a;
        auto const rounds = by.peer->report().rounds_initiated;
        while (by.peer->report().rounds_initiated == rounds) {
            network.clock.set(std::max(network.clock.now(), by.peer->next_tick_at()));
            network.introduce();
            auto const before = by.peer->report().store_calls;
            run(by.peer->tick(network.clock.now()));
            most["begin a round"] = {sum_of_new(by.peer->report().store_calls, before),
                                     words_of_new(by.peer->report().store_calls, before)};
        }
        while (!network.under_way.empty()) {
            auto frame = std::move(network.under_way.front());
            network.under_way.pop_front();
            auto& to = frame.to == "a" ? a : b;
            auto const kind =
                "receive " +
                std::string(gossip::name_of(*gossip::decode_frame(a.options.space, frame.bytes)));
            auto const before = to.peer->report().store_calls;
            network.receive(to, frame.from, std::move(frame.bytes));
            auto const calls = sum_of_new(to.peer->report().store_calls, before);
            auto& step = most[kind];
            if (calls >= step.first) {
                step = {calls, words_of_new(to.peer->report().store_calls, before)};
            }
        }
    }
    for (auto const& [step, calls] : most) {
        fmt::print("| {} | {} | {} |\n", step, calls.first, calls.second);
    }
}

}  // namespace
}  // namespace opstore::testing

int main() {
    opstore::testing::measure_store_calls();
    std::vector<opstore::testing::recovery> all;
    for (std::size_t const lacking : {1, 10, 100, 10'000}) {
        all.push_back(opstore::testing::measure_recovery(lacking));
    }
    opstore::testing::print(all);
}
