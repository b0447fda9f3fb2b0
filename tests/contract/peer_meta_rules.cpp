// Goal: every promise of peer_meta.hpp. Method: examples at every bound, then random calls against a plain
// list.
#include <tests/contract/contract_suite.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>

namespace opstore::testing {
namespace {

constexpr auto now = start_time;

std::string new_space_key() {
    static std::atomic<int> made{0};
    return "peer meta " + std::to_string(made++);
}

void on_each_meta(std::function<void(peer_meta_implementation const&, peer_meta&)> const& test) {
    REQUIRE_FALSE(peer_meta_implementations().empty());
    for (auto const& kind : peer_meta_implementations()) {
        INFO("implementation: ", kind.name);
        auto const meta = kind.open(new_space_key());
        test(kind, *meta);
    }
}

peer_meta_entry entry(std::string peer, std::string key, std::string_view value,
                      std::optional<arc::timestamp> expires_at = std::nullopt) {
    peer_meta_entry e;
    e.peer = std::move(peer);
    e.key = std::move(key);
    e.value = bytes_of(value);
    e.expires_at = expires_at;
    return e;
}

void put(peer_meta& meta, std::vector<peer_meta_entry> entries, arc::timestamp at_time = now) {
    get(meta.put(std::move(entries), at_time));
}

/// Its value as text, "none" if it is absent.
std::string value_of(peer_meta& meta, std::string peer, std::string key, arc::timestamp at_time = now) {
    auto const found = get(meta.get(std::move(peer), std::move(key), at_time));
    if (!found) {
        return "none";
    }
    return {reinterpret_cast<char const*>(found->value.data()), found->value.size()};
}

/// Why an entry was refused.
std::string refusal_of_entry(peer_meta& meta, peer_meta_entry const& e) {
    auto const whole = run(meta.put({entry("whole", "k", "v"), e}, now));
    REQUIRE(whole.has_error());
    CHECK(whole.error().code() == errc::invalid_argument);
    CHECK(value_of(meta, "whole", "k") == "none");
    return whole.error().message();
}

}  // namespace

TEST_CASE("peer meta: what was put is there, by (peer, key), whatever its bytes") {
    on_each_meta([](auto const&, peer_meta& meta) {
        CHECK(get(meta.get_all(now)).empty());
        using namespace std::string_literals;
        std::vector<peer_meta_entry> const all{entry("\0"s, "\0\0"s, "\0x"s),
                                               entry("a", "k", ""),
                                               entry("a", "k\0"s, "1", now + std::chrono::hours(1)),
                                               entry("a", "l", "\xff\xfe"),
                                               entry("a\0"s, "a", "'; --"),
                                               entry("b", "\x80", "2"),
                                               entry("\xc3\xa4", "z", std::string(70, '\\'))};
        auto shuffled = all;
        std::ranges::reverse(shuffled);
        put(meta, shuffled);
        CHECK((get(meta.get_all(now)) == all));
        for (auto const& e : all) {
            CHECK((get(meta.get(e.peer, e.key, now)) == std::optional(e)));
        }
        CHECK(value_of(meta, "a", "m") == "none");
        CHECK(value_of(meta, "c", "k") == "none");
    });
}

TEST_CASE("peer meta: overwrites, expiry included; of a repeat in one call the last counts") {
    on_each_meta([](auto const&, peer_meta& meta) {
        put(meta, {entry("p", "k", "first", now + std::chrono::seconds(1))});
        put(meta, {entry("p", "k", "second")});
        CHECK(value_of(meta, "p", "k", arc::timestamp::max()) == "second");
        put(meta, {entry("p", "k", "third", now + std::chrono::seconds(1))});
        CHECK_FALSE(get(meta.get("p", "k", now + std::chrono::seconds(1))));
        put(meta,
            {entry("p", "k", "1"), entry("q", "k", "q"), entry("p", "k", "2", now), entry("p", "k", "3")});
        CHECK(value_of(meta, "p", "k") == "3");
        CHECK(get(meta.get_all(now)).size() == 2);
    });
}

TEST_CASE("peer meta: absent from exactly expires_at on, in every read") {
    on_each_meta([](auto const&, peer_meta& meta) {
        auto const us = std::chrono::microseconds(1);
        put(meta, {entry("p", "at", "v", now + 10 * us), entry("p", "stays", "v"),
                   entry("p", "last", "v", arc::timestamp::max()), entry("p", "past", "v", now - us),
                   entry("p", "first", "v", arc::timestamp::min())});
        CHECK(get(meta.get_all(now)).size() == 3);
        CHECK(value_of(meta, "p", "past") == "none");
        CHECK(value_of(meta, "p", "at", now + 9 * us) == "v");
        CHECK(value_of(meta, "p", "at", now + 10 * us) == "none");
        CHECK(get(meta.get_all(now + 9 * us)).size() == 3);
        CHECK(get(meta.get_all(now + 10 * us)).size() == 2);
        CHECK(get(meta.get_all(arc::timestamp::max())).size() == 1);
        // A clock that steps back finds it again: it was not removed by reading.
        CHECK(value_of(meta, "p", "at", now) == "v");
    });
}

TEST_CASE("peer meta: a put removes what has expired, but not what it puts itself") {
    on_each_meta([](auto const&, peer_meta& meta) {
        put(meta, {entry("p", "old", "v", now + std::chrono::seconds(1)),
                   entry("p", "renewed", "v", now + std::chrono::seconds(1)),
                   entry("p", "young", "v", now + std::chrono::seconds(3))});
        auto const later = now + std::chrono::seconds(2);
        put(meta, {entry("p", "renewed", "w", now + std::chrono::seconds(9))}, later);
        CHECK(value_of(meta, "p", "old") == "none");
        CHECK(value_of(meta, "p", "young") == "v");
        CHECK(value_of(meta, "p", "renewed", later) == "w");
        put(meta, {}, now + std::chrono::seconds(3));
        CHECK(value_of(meta, "p", "young") == "none");
        CHECK(get(meta.get_all(now)).size() == 1);
    });
}

TEST_CASE("peer meta: sizes up to and including the bounds; a refused put stores nothing of it") {
    on_each_meta([](auto const&, peer_meta& meta) {
        std::string const peer(peer_meta_entry::peer_bytes_max, 'p'),
            key(peer_meta_entry::key_bytes_max, 'k'), value(peer_meta_entry::value_bytes_max, 'v');
        auto const shorter = [](std::string const& s) { return s.substr(1); };
        put(meta, {entry(peer, key, value), entry(shorter(peer), shorter(key), shorter(value)),
                   entry("p", "k", "")});
        CHECK(value_of(meta, peer, key) == value);
        CHECK(get(meta.get_all(now)).size() == 3);
        CHECK(refusal_of_entry(meta, entry(peer + "p", "k", "v")).starts_with("peer"));
        CHECK(refusal_of_entry(meta, entry("", "k", "v")).starts_with("peer"));
        CHECK(refusal_of_entry(meta, entry("p", key + "k", "v")).starts_with("key"));
        CHECK(refusal_of_entry(meta, entry("p", "", "v")).starts_with("key"));
        CHECK(refusal_of_entry(meta, entry("p", "k", value + "v")).starts_with("value"));
        for (auto const& [p, k] : std::vector<std::pair<std::string, std::string>>{
                 {peer + "p", "k"}, {"", "k"}, {"p", key + "k"}, {"p", ""}}) {
            CHECK(refusal_of(meta.get(p, k, now)) == "invalid_argument");
            CHECK(refusal_of(meta.remove(p, k)) == "invalid_argument");
        }
        CHECK(get(meta.get_all(now)).size() == 3);
    });
}

TEST_CASE("peer meta: remove takes one entry, and it is no error if there is none") {
    on_each_meta([](auto const&, peer_meta& meta) {
        put(meta, {entry("p", "k", "v"), entry("p", "l", "v"), entry("q", "k", "v")});
        get(meta.remove("p", "k"));
        get(meta.remove("p", "k"));
        get(meta.remove("nobody", "k"));
        CHECK(value_of(meta, "p", "k") == "none");
        CHECK(get(meta.get_all(now)).size() == 2);
    });
}

TEST_CASE("peer meta: survives reopening; two spaces do not see each other") {
    on_each_meta([](peer_meta_implementation const& kind, peer_meta& other) {
        auto const key = new_space_key();
        put(*kind.open(key), {entry("p", "k", "mine")});
        put(other, {entry("p", "k", "theirs")});
        auto const again = kind.open(key);
        CHECK(value_of(*again, "p", "k") == "mine");
        get(other.remove("p", "k"));
        CHECK(value_of(*again, "p", "k") == "mine");
        CHECK(value_of(other, "p", "k") == "none");
    });
}

TEST_CASE("peer meta: threads that put, remove and prune at once end as one of them left it") {
    on_each_meta([](auto const&, peer_meta& meta) {
        std::vector<std::future<void>> threads;
        for (std::uint64_t thread = 0; thread < 4; ++thread) {
            threads.push_back(std::async(std::launch::async, [&, thread] {
                random_source random(thread);
                for (int i = 0; i < 60; ++i) {
                    auto const time = now + std::chrono::seconds(i);
                    std::vector<peer_meta_entry> batch;
                    for (auto left = random.below(6); left > 0; --left) {
                        batch.push_back(entry("p" + std::to_string(random.below(6)), "k",
                                              std::to_string(thread),
                                              time + std::chrono::seconds(random.below(3))));
                    }
                    batch.push_back(entry("own", std::to_string(thread), std::to_string(i)));
                    put(meta, std::move(batch), time);
                    get(meta.remove("p" + std::to_string(random.below(6)), "k"));
                    CHECK(value_of(meta, "own", std::to_string(thread), time) == std::to_string(i));
                }
            }));
        }
        for (auto& thread : threads) {
            thread.get();
        }
        put(meta, {}, now + std::chrono::hours(1));
        CHECK(get(meta.get_all(now)).size() == 4);
    });
}

TEST_CASE("peer meta: random calls answer as a plain list does") {
    on_each_meta([](auto const&, peer_meta& meta) {
        random_source random(3);
        std::vector<peer_meta_entry> list;
        auto time = now;
        auto const pick = [&](char first) {
            return std::string(1, static_cast<char>(first + random.below(4)));
        };
        for (int step = 0; step < 300; ++step) {
            time += std::chrono::seconds(random.below(3));
            auto const place = [](auto const& e) { return std::pair(e.peer, e.key); };
            auto const drop = [&](std::string const& peer, std::string const& key) {
                std::erase_if(list, [&](auto const& e) { return e.peer == peer && e.key == key; });
            };
            if (random.one_in(4)) {
                auto const peer = pick('a'), key = pick('k');
                get(meta.remove(peer, key));
                drop(peer, key);
            } else {
                std::vector<peer_meta_entry> batch;
                for (auto left = random.below(5); left > 0; --left) {
                    auto const expiry = time + std::chrono::seconds(random.below(8));
                    batch.push_back(entry(pick('a'), pick('k'), std::to_string(step),
                                          random.one_in(2) ? std::optional(expiry) : std::nullopt));
                    drop(batch.back().peer, batch.back().key);
                    list.push_back(batch.back());
                }
                put(meta, std::move(batch), time);
            }
            std::erase_if(list, [&](auto const& e) { return e.expires_at && *e.expires_at <= time; });
            std::ranges::sort(list, {}, place);
            REQUIRE((get(meta.get_all(time)) == list));
        }
    });
}

}  // namespace opstore::testing
