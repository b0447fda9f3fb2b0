// Goal: two ends come together if, and only if, they share the network and the secret and each holds the key
// of its agent; whatever else arrives is refused with its reason and never crashes. Method: two handshakes
// played against each other in memory; every bit flipped, every truncation, recordings played again.
#include <gossip/tcp/detail/handshake.hpp>
#include <gossip/tcp/tcp_address.hpp>

#include <tests/gossip/tcp/identities.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <utility>

using namespace opstore::gossip;
using namespace opstore::gossip::detail;
using namespace opstore::gossip::testing;
using opstore::testing::random_source;
using bytes = std::vector<std::byte>;

namespace {

/// Both ends of one handshake, up to the identities.
struct meeting {
    handshake dialer, listener;
    handshake_result<bytes> dialer_second, listener_second;

    meeting(local_identity a, local_identity b, std::optional<agent_id> expected = std::nullopt)
        : dialer(side::dialer, std::move(a), std::move(expected)),
          listener(side::listener, std::move(b)),
          dialer_second(dialer.take_hello(listener.hello())),
          listener_second(listener.take_hello(dialer.hello())) {}

    handshake_result<remote_identity> met_by_dialer() {
        return dialer.take_identity(listener_second.value(), test_now);
    }
    handshake_result<remote_identity> met_by_listener() {
        return listener.take_identity(dialer_second.value(), test_now);
    }
};

handshake_errc failure(handshake_result<remote_identity> const& met) {
    REQUIRE(!met);
    return met.error().code();
}

std::optional<shared_secret> some_secret() {
    return shared_secret("correct horse battery staple");
}

}  // namespace

TEST_CASE("two peers meet, with a secret and without") {
    for (auto const& secret : {std::optional<shared_secret>(), some_secret()}) {
        meeting m(identity(1, secret), identity(2, secret));
        auto const by_dialer = m.met_by_dialer();
        auto const by_listener = m.met_by_listener();
        REQUIRE(by_dialer.has_value());
        REQUIRE(by_listener.has_value());
        CHECK(by_dialer->agent == agent_of(key(2)));
        CHECK(by_dialer->url == url_of(2));
        CHECK(by_listener->agent == agent_of(key(1)));
        CHECK(by_listener->instance == identity(1).instance);
        CHECK(m.dialer.dialer_hello() == m.listener.dialer_hello());

        auto const a = m.dialer.channel(), b = m.listener.channel();
        CHECK((a != nullptr) == secret.has_value());
        if (!secret)
            continue;
        for (std::size_t size : {0, 1, 1000, 100'000}) {
            auto const frame = random_source(size).bytes(size);
            CHECK(b->open(a->seal(frame)) == frame);
            CHECK(a->open(b->seal(frame)) == frame);
        }
    }
}

TEST_CASE("the two ends must agree on the secret") {
    SUBCASE("another one") {
        meeting m(identity(1, some_secret()), identity(2, shared_secret("Correct horse battery staple")));
        CHECK(failure(m.met_by_dialer()) == handshake_errc::wrong_secret);
        CHECK(failure(m.met_by_listener()) == handshake_errc::wrong_secret);
    }
    SUBCASE("one has none") {
        meeting m(identity(1), identity(2, some_secret()));
        CHECK(m.dialer_second.error().code() == handshake_errc::secret_not_wanted);
        CHECK(m.listener_second.error().code() == handshake_errc::secret_missing);
    }
    SUBCASE("one says that it has none and goes on") {
        handshake dialer(side::dialer, identity(1, some_secret()));
        auto hello = dialer.hello();
        hello[9] = std::byte{0};
        handshake listener(side::listener, identity(2, some_secret()));
        CHECK(listener.take_hello(hello).error().code() == handshake_errc::secret_missing);
    }
}

TEST_CASE("what the identity says is checked") {
    auto const meets = [](local_identity wrong) {
        meeting m(std::move(wrong), identity(2));
        return failure(m.met_by_listener());
    };
    SUBCASE("another network") {
        auto other = identity(1);
        other.space = {std::byte{9}};
        CHECK(meets(other) == handshake_errc::other_space);
    }
    SUBCASE("an info for another network") {
        auto other = identity(1);
        auto info = info_of(1);
        info.space = {std::byte{9}};
        other.agent_info = sign(info, key(1));
        CHECK(meets(other) == handshake_errc::other_space);
    }
    SUBCASE("the info of another agent, whose key it has not") {
        auto thief = identity(1);
        thief.agent_info = identity(3).agent_info;
        CHECK(meets(thief) == handshake_errc::not_its_key);
    }
    SUBCASE("the url of another agent") {
        auto squatter = identity(1);
        auto info = info_of(1);
        info.url = url_of(3);
        squatter.agent_info = sign(info, key(1));
        CHECK(meets(squatter) == handshake_errc::bad_agent_info);
    }
    SUBCASE("no url, one of another kind, a tombstone, expired") {
        for (int i = 0; i < 4; ++i) {
            auto wrong = identity(1);
            auto info = info_of(1);
            if (i == 0)
                info.url = std::nullopt;
            else if (i == 1)
                info.url = "ws://127.0.0.1:4000";
            else if (i == 2)
                info.is_tombstone = true;
            else
                info.expires_at = test_now;
            wrong.agent_info = sign(info, key(1));
            CHECK(meets(wrong) == handshake_errc::bad_agent_info);
        }
    }
    SUBCASE("a signature that does not hold") {
        auto forged = identity(1);
        forged.agent_info.replace(forged.agent_info.find("expiresAt"), 9, "expiresat");
        CHECK(meets(forged) == handshake_errc::bad_agent_info);
    }
    SUBCASE("another agent than was dialled") {
        meeting m(identity(1), identity(2), agent_of(key(3)));
        CHECK(failure(m.met_by_dialer()) == handshake_errc::wrong_agent);
    }
    SUBCASE("ourselves") {
        CHECK(meets(identity(2)) == handshake_errc::self);
    }
    SUBCASE("a mirror") {
        handshake dialer(side::dialer, identity(1));
        CHECK(dialer.take_hello(dialer.hello()).error().code() == handshake_errc::not_opstore);
    }
}

TEST_CASE("a recorded handshake is of no use on another connection") {
    for (auto const& secret : {std::optional<shared_secret>(), some_secret()}) {
        meeting recorded(identity(1, secret), identity(2, secret));
        handshake listener(side::listener, identity(2, secret));
        REQUIRE(listener.take_hello(recorded.dialer.hello()).has_value());
        auto const met = listener.take_identity(recorded.dialer_second.value(), test_now);
        CHECK(failure(met) == (secret ? handshake_errc::wrong_secret : handshake_errc::not_its_key));
    }
}

TEST_CASE("a message that was cut or altered is refused") {
    for (auto const& secret : {std::optional<shared_secret>(), some_secret()}) {
        bytes const hello = [&] {
            handshake const other(side::dialer, identity(1, secret));
            return bytes(other.hello().begin(), other.hello().end());
        }();
        for (std::size_t length = 0; length < hello.size(); ++length) {
            handshake listener(side::listener, identity(2, secret));
            CHECK(!listener.take_hello(std::span(hello).first(length)));
        }
        meeting size(identity(1, secret), identity(2, secret));
        auto const second_bytes = size.dialer_second->size();
        for (std::size_t at = 0; at < second_bytes; ++at) {
            // Another meeting each time: what failed once is over.
            meeting m(identity(1, secret), identity(2, secret));
            auto& message = *m.dialer_second;
            if (at % 2 == 0)
                message.resize(at);
            else
                message[at] ^= std::byte{1} << (at / 2 % 8);
            CHECK_MESSAGE(!m.met_by_listener(), at);
        }
        meeting longer(identity(1, secret), identity(2, secret));
        longer.dialer_second->push_back(std::byte{0});
        CHECK(!longer.met_by_listener());
    }
}

TEST_CASE("any bytes at all are refused") {
    random_source random(3);
    for (int i = 0; i < 2000; ++i) {
        handshake listener(side::listener, identity(2));
        auto const noise = random.bytes(random.below(200));
        CHECK(!listener.take_hello(noise));
        REQUIRE(listener.take_hello(handshake(side::dialer, identity(1)).hello()).has_value());
        CHECK(!listener.take_identity(noise, test_now));
    }
}

TEST_CASE("sealed frames open once, in order, unaltered, and at the other end only") {
    meeting m(identity(1, some_secret()), identity(2, some_secret()));
    REQUIRE(m.met_by_dialer().has_value());
    REQUIRE(m.met_by_listener().has_value());
    auto const a = m.dialer.channel(), b = m.listener.channel();
    bytes const text = random_source(1).bytes(100);
    auto const first = a->seal(text), second = a->seal(text);
    CHECK(first != second);
    SUBCASE("in order") {
        CHECK(b->open(first) == text);
        CHECK(b->open(second) == text);
    }
    SUBCASE("left out") {
        CHECK(!b->open(second));
        CHECK_MESSAGE(!b->open(first), "nothing behind a failure counts");
    }
    SUBCASE("repeated") {
        CHECK(b->open(first) == text);
        CHECK(!b->open(first));
    }
    SUBCASE("sent back") {
        CHECK(!a->open(first));
    }
    SUBCASE("altered, at any bit") {
        for (std::size_t bit = 0; bit < first.size() * 8; bit += 3) {
            meeting other(identity(1, some_secret()), identity(2, some_secret()));
            REQUIRE(other.met_by_listener().has_value());
            REQUIRE(other.met_by_dialer().has_value());
            auto sealed = other.dialer.channel()->seal(text);
            sealed[bit / 8] ^= std::byte{1} << bit % 8;
            CHECK(!other.listener.channel()->open(sealed));
        }
    }
    SUBCASE("cut") {
        CHECK(!b->open(std::span(first).first(first.size() - 1)));
    }
}
