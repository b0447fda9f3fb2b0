// Goal: the book holds the newest valid info of each agent, for as long as it lasts, and no more agents than
// its limit. Method: each rule alone with signed texts; the limit and a random script with texts that are
// only parsed, the latter against a list that is scanned.
#include <gossip/agents/address_book.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace opstore::gossip {
namespace {

using namespace std::chrono_literals;
using opstore::testing::random_source;

constexpr auto start = arc::from_micros(1'700'000'000'000'000);
std::vector<std::byte> const space{std::byte{'s'}};

agent_key key_of(std::uint8_t number) {
    std::array<std::byte, 32> seed{};
    seed[0] = std::byte{number};
    return make_agent_key(seed);
}

agent_info info_of(agent_key const& key, arc::timestamp created_at) {
    agent_info info;
    info.agent = agent_of(key);
    info.space = space;
    info.created_at = created_at;
    info.expires_at = created_at + 20min;
    info.url = "tcp://127.0.0.1:1/" + std::to_string(arc::to_micros(created_at));
    info.storage_arc = arc::dht_arc::full();
    return info;
}

bool taken(address_book& book, std::string const& text, arc::timestamp now) {
    auto const result = book.add(text, now);
    REQUIRE(result.has_value());
    return *result;
}

/// An agent of four bytes, which no signature could be of.
agent_info numbered(std::uint32_t number, arc::timestamp created_at, arc::timestamp expires_at) {
    agent_info info;
    for (int shift = 24; shift >= 0; shift -= 8) {
        info.agent.push_back(static_cast<std::byte>(number >> shift));
    }
    info.space = space;
    info.created_at = created_at;
    info.expires_at = expires_at;
    return info;
}

/// A book whose texts are names of infos, as a simulator's are.
class named_infos {
public:
    std::string name(agent_info info) {
        infos_.push_back(std::move(info));
        return std::to_string(infos_.size() - 1);
    }
    address_book::verifier verifier() {
        return [this](std::string const& name) -> protocol_result<agent_info> {
            return infos_.at(std::stoul(name));
        };
    }

private:
    std::vector<agent_info> infos_;
};

}  // namespace

TEST_CASE("address book: an agent is found by its newest info") {
    address_book book(space);
    auto const key = key_of(1);
    auto const agent = agent_of(key);
    CHECK(book.find(agent, start) == nullptr);
    CHECK(book.all(start).empty());

    auto const text = sign(info_of(key, start), key);
    CHECK(taken(book, text, start));
    auto const* found = book.find(agent, start);
    REQUIRE(found);
    CHECK(found->info == info_of(key, start));
    CHECK(found->signed_json == text);

    auto const newer = sign(info_of(key, start + 1us), key);
    CHECK(taken(book, newer, start));
    CHECK(book.size() == 1);
    CHECK(book.find(agent, start)->signed_json == newer);
    // The same again, one of the same time, and an older one.
    CHECK_FALSE(taken(book, newer, start));
    auto other = info_of(key, start + 1us);
    other.url = "tcp://127.0.0.1:2/";
    CHECK_FALSE(taken(book, sign(other, key), start));
    CHECK_FALSE(taken(book, text, start));
    CHECK(book.find(agent, start)->signed_json == newer);
}

TEST_CASE("address book: what does not verify or is of another space changes nothing") {
    address_book book(space);
    auto const key = key_of(1);
    auto const text = sign(info_of(key, start), key);
    auto damaged = text;
    damaged[damaged.size() - 10] ^= 1;
    auto const refused = book.add(damaged, start);
    REQUIRE(refused.has_error());
    CHECK(refused.error().code() == protocol_errc::bad_agent_info);
    CHECK(book.size() == 0);

    CHECK(taken(book, text, start));
    auto elsewhere = info_of(key, start + 1s);
    elsewhere.space.push_back(std::byte{'2'});
    auto const other = book.add(sign(elsewhere, key), start);
    REQUIRE(other.has_error());
    CHECK(other.error().code() == protocol_errc::other_space);
    CHECK(book.find(agent_of(key), start)->signed_json == text);

    auto const large = book.add(std::string(agent_info_bytes_max + 1, ' '), start);
    REQUIRE(large.has_error());
    CHECK(large.error().code() == protocol_errc::too_large);
}

TEST_CASE("address book: an info holds until the moment at which it expires") {
    address_book book(space);
    auto const key = key_of(1);
    auto const agent = agent_of(key);
    auto const text = sign(info_of(key, start), key);
    auto const end = start + 20min;
    CHECK_FALSE(taken(book, text, end));
    CHECK(book.size() == 0);
    CHECK(taken(book, text, end - 1us));
    CHECK(book.find(agent, end - 1us));
    CHECK(book.all(end - 1us).size() == 1);
    CHECK_FALSE(book.find(agent, end));
    CHECK(book.all(end).empty());
    book.expire(end - 1us);
    CHECK(book.size() == 1);
    book.expire(end);
    CHECK(book.size() == 0);
    CHECK(taken(book, text, start));
}

TEST_CASE("address book: an expired info stands in nobody's way, dropped or not") {
    for (bool const dropped : {false, true}) {
        address_book book(space);
        auto const key = key_of(1);
        auto brief = info_of(key, start + 1s);
        brief.expires_at = start + 2s;
        CHECK(taken(book, sign(brief, key), start));
        // Older, and it lasts longer.
        auto const lasting = sign(info_of(key, start), key);
        CHECK_FALSE(taken(book, lasting, start + 1s));
        if (dropped) {
            book.expire(start + 2s);
        }
        CHECK(taken(book, lasting, start + 2s));
        // Its old expiry is forgotten with it.
        book.expire(start + 3s);
        CHECK(book.find(agent_of(key), start + 3s));
    }
}

TEST_CASE("address book: a tombstone takes the place of what was before, and nothing older comes back") {
    address_book book(space);
    auto const key = key_of(1);
    auto const before = sign(info_of(key, start), key);
    CHECK(taken(book, before, start));
    auto grave = info_of(key, start + 1s);
    grave.is_tombstone = true;
    grave.url.reset();
    CHECK(taken(book, sign(grave, key), start + 1s));
    CHECK_FALSE(taken(book, before, start + 1s));
    auto const all = book.all(start + 1s);
    REQUIRE(all.size() == 1);
    CHECK(all[0]->info.is_tombstone);
    // The agent comes back by itself.
    CHECK(taken(book, sign(info_of(key, start + 2s), key), start + 2s));
    CHECK_FALSE(book.find(agent_of(key), start + 2s)->info.is_tombstone);
}

TEST_CASE("address book: all are listed by agent") {
    named_infos infos;
    address_book book(space, infos.verifier());
    for (std::uint32_t const number : {300u, 2u, 70'000u, 1u}) {
        CHECK(taken(book, infos.name(numbered(number, start, start + 1h)), start));
    }
    auto const all = book.all(start);
    REQUIRE(all.size() == 4);
    for (std::size_t i = 1; i < all.size(); ++i) {
        CHECK(all[i - 1]->info.agent < all[i]->info.agent);
    }
}

TEST_CASE("address book: agents, at n - 1, n, n + 1") {
    constexpr auto limit = static_cast<std::uint32_t>(address_book::agents_max);
    named_infos infos;
    address_book book(space, infos.verifier());
    for (std::uint32_t number = 0; number < limit - 1; ++number) {
        // One of them lasts less long than the others.
        auto const expires_at = start + (number == 1'000 ? 1min : 20min);
        REQUIRE(taken(book, infos.name(numbered(number, start, expires_at)), start));
    }
    CHECK(book.size() == limit - 1);
    CHECK(taken(book, infos.name(numbered(limit, start, start + 20min)), start));
    CHECK(book.size() == limit);
    // Full: nobody new, while newer infos of those in it are taken.
    auto const late = infos.name(numbered(limit + 1, start, start + 20min));
    CHECK_FALSE(taken(book, late, start));
    CHECK(book.size() == limit);
    CHECK(taken(book, infos.name(numbered(7, start + 1us, start + 20min)), start));
    CHECK_FALSE(taken(book, late, start + 1min - 1us));
    // One has expired: its place is free, and only its.
    CHECK(taken(book, late, start + 1min));
    CHECK(book.size() == limit);
    CHECK_FALSE(book.find(numbered(1'000, start, start).agent, start));
    CHECK_FALSE(taken(book, infos.name(numbered(limit + 2, start, start + 20min)), start + 1min));
}

TEST_CASE("address book: a proven agent takes the place of one that is not, and stays") {
    constexpr auto limit = static_cast<std::uint32_t>(address_book::agents_max);
    named_infos infos;
    address_book book(space, infos.verifier());
    auto const add = [&](std::uint32_t number, arc::timestamp created_at, bool proven) {
        return book.add(infos.name(numbered(number, created_at, start + 20min)), start, proven).value();
    };
    // The first was heard of and then met, the second met and then heard of anew.
    CHECK(add(0, start, false));
    CHECK_FALSE(add(0, start, true));
    CHECK(add(1, start, true));
    CHECK(add(1, start + 1us, false));
    for (std::uint32_t number = 2; number < limit; ++number) {
        REQUIRE(add(number, start, false));
    }
    CHECK_FALSE(add(limit, start, false));
    for (std::uint32_t number = limit; number < 2 * limit - 2; ++number) {
        REQUIRE(add(number, start, true));
    }
    CHECK(book.size() == limit);
    // All are proven now.
    CHECK_FALSE(add(2 * limit, start, true));
    CHECK(book.find(numbered(0, start, start).agent, start));
    CHECK(book.find(numbered(1, start, start).agent, start));
    CHECK_FALSE(book.find(numbered(2, start, start).agent, start));
    book.expire(start + 20min);
    CHECK(book.size() == 0);
}

TEST_CASE("address book: who was proven and has expired is not proven any more") {
    constexpr auto limit = static_cast<std::uint32_t>(address_book::agents_max);
    named_infos infos;
    address_book book(space, infos.verifier());
    auto const end = start + 1min;
    CHECK(book.add(infos.name(numbered(0, start, end)), start, true).value());
    CHECK(book.add(infos.name(numbered(0, end, end + 20min)), end, false).value());
    for (std::uint32_t number = 1; number < limit; ++number) {
        REQUIRE(book.add(infos.name(numbered(number, end, end + 10min)), end, true).value());
    }
    CHECK(book.add(infos.name(numbered(limit, end, end + 10min)), end, true).value());
    CHECK_FALSE(book.find(numbered(0, end, end).agent, end));
}

TEST_CASE("address book: nobody stays for more than an hour") {
    named_infos infos;
    address_book book(space, infos.verifier());
    auto const hour = address_book::lifetime_max;
    CHECK(taken(book, infos.name(numbered(1, start, arc::timestamp::max())), start));
    CHECK(taken(book, infos.name(numbered(2, start, start + hour - 1us)), start));
    CHECK(book.all(start + hour - 2us).size() == 2);
    CHECK(book.all(start + hour - 1us).size() == 1);
    CHECK(book.all(start + hour).empty());
    book.expire(start + hour);
    CHECK(book.size() == 0);
}

TEST_CASE("address book: a random script gives what a scan of a list gives") {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        CAPTURE(seed);
        random_source random(seed);
        named_infos infos;
        address_book book(space, infos.verifier());
        std::vector<agent_info> list;
        auto now = start;
        for (int step = 0; step < 300; ++step) {
            CAPTURE(step);
            now += std::chrono::microseconds(random.below(3));
            auto const created_at = now - 10us + std::chrono::microseconds(random.below(12));
            auto const info = numbered(static_cast<std::uint32_t>(random.below(12)), created_at,
                                       created_at + std::chrono::microseconds(random.below(30)));
            std::erase_if(list, [&](auto const& one) { return one.expires_at <= now; });
            auto const held = std::find_if(list.begin(), list.end(),
                                           [&](auto const& one) { return one.agent == info.agent; });
            bool const is_newer = held == list.end() || held->created_at < info.created_at;
            bool const expected = info.expires_at > now && is_newer;
            REQUIRE(taken(book, infos.name(info), now) == expected);
            if (expected && held != list.end()) {
                *held = info;
            } else if (expected) {
                list.push_back(info);
            }
            if (random.one_in(5)) {
                book.expire(now);
                REQUIRE(book.size() == list.size());
            }
            std::sort(list.begin(), list.end(),
                      [](auto const& a, auto const& b) { return a.agent < b.agent; });
            auto const all = book.all(now);
            REQUIRE(all.size() == list.size());
            for (std::size_t i = 0; i < all.size(); ++i) {
                REQUIRE(all[i]->info == list[i]);
                REQUIRE(book.find(list[i].agent, now) == all[i]);
            }
        }
    }
}

}  // namespace opstore::gossip
