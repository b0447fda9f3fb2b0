// Goal: the text of an agent info is kitsune2's, byte for byte, and a text that somebody else wrote or
// damaged is refused or means what its agent signed. Method: kitsune2's golden text; each field missing, of
// another type, at its limits; every truncation and bit flip; random round trips.
#include <gossip/agents/agent_info.hpp>
#include <opstore/base64.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>
#include <sodium.h>

#include <limits>
#include <string>
#include <vector>

namespace opstore::gossip {
namespace {

using opstore::testing::random_source;

std::vector<std::byte> bytes_of(std::string_view text) {
    auto const bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

agent_key key_of(std::uint8_t number) {
    std::array<std::byte, 32> seed{};
    seed[0] = std::byte{number};
    return make_agent_key(seed);
}

agent_info golden_info() {
    agent_info info;
    info.agent = bytes_of("test-agent");
    info.space = bytes_of("test-space");
    info.created_at = arc::from_micros(1'731'690'797'907'204);
    info.expires_at = arc::from_micros(1'731'762'797'907'204);
    info.url = "ws://test.com:80/test-url";
    info.storage_arc = arc::dht_arc::between({42}, {330'382'099});
    return info;
}

constexpr std::string_view golden_inner =
    R"({"agent":"dGVzdC1hZ2VudA","space":"dGVzdC1zcGFjZQ","createdAt":"1731690797907204",)"
    R"("expiresAt":"1731762797907204","isTombstone":false,"url":"ws://test.com:80/test-url",)"
    R"("storageArc":[42,330382099]})";

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
    std::string result(text);
    auto const at = result.find(from);
    REQUIRE(at != std::string::npos);
    return result.replace(at, from.size(), to);
}

std::string escaped(std::string_view inner) {
    std::string result;
    for (char const c : inner) {
        if (c == '"' || c == '\\') {
            result += '\\';
        }
        result += c;
    }
    return result;
}

/// The outer text with a signature that nobody made.
std::string wrapped(std::string_view inner, std::string_view signature = "ZmFrZS1zaWduYXR1cmU") {
    return R"({"agentInfo":")" + escaped(inner) + R"(","signature":")" + std::string(signature) + R"("})";
}

/// The text with a signature that holds.
std::string signed_text(std::string const& inner, agent_key const& key) {
    std::array<std::byte, crypto_sign_BYTES> signature;
    crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr,
                         reinterpret_cast<unsigned char const*>(inner.data()), inner.size(),
                         reinterpret_cast<unsigned char const*>(key.data()));
    return wrapped(inner, to_base64(signature, base64_form::url_unpadded));
}

protocol_errc error_of(protocol_result<agent_info> const& result) {
    REQUIRE(result.has_error());
    CHECK_FALSE(result.error().message().empty());
    return result.error().code();
}

}  // namespace

TEST_CASE("agent info: kitsune2's golden text is read") {
    std::string const golden =
        R"({"agentInfo":"{\"agent\":\"dGVzdC1hZ2VudA\",\"space\":\"dGVzdC1zcGFjZQ\",)"
        R"(\"createdAt\":\"1731690797907204\",\"expiresAt\":\"1731762797907204\",\"isTombstone\":false,)"
        R"(\"url\":\"ws://test.com:80/test-url\",\"storageArc\":[42,330382099]}",)"
        R"("signature":"ZmFrZS1zaWduYXR1cmU"})";
    CHECK(wrapped(golden_inner) == golden);
    auto const info = parse_agent_info(golden);
    REQUIRE(info.has_value());
    CHECK(*info == golden_info());
}

TEST_CASE("agent info: what is signed is kitsune2's text, byte for byte") {
    auto const key = key_of(1);
    auto info = golden_info();
    info.agent = agent_of(key);
    auto const agent = to_base64(info.agent, base64_form::url_unpadded);
    auto inner = replaced(golden_inner, "dGVzdC1hZ2VudA", agent);
    CHECK(sign(info, key) == signed_text(inner, key));

    info.is_tombstone = true;
    info.url.reset();
    info.storage_arc = arc::dht_arc::empty();
    inner = replaced(inner, "false", "true");
    inner = replaced(inner, R"("ws://test.com:80/test-url")", "null");
    inner = replaced(inner, "[42,330382099]", "null");
    CHECK(sign(info, key) == signed_text(inner, key));

    info.storage_arc = arc::dht_arc::full();
    CHECK(sign(info, key) == signed_text(replaced(inner, R"(Arc":null)", R"(Arc":[0,4294967295])"), key));
}

TEST_CASE("agent info: a key follows from its seed, as RFC 8032 has it") {
    std::array<std::byte, 32> seed;
    std::string_view const hex = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    for (std::size_t i = 0; i < seed.size(); ++i) {
        seed[i] = static_cast<std::byte>(std::stoi(std::string(hex.substr(2 * i, 2)), nullptr, 16));
    }
    auto const agent = agent_of(make_agent_key(seed));
    CHECK(to_base64(agent, base64_form::url_unpadded) == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    CHECK(make_agent_key(seed) == make_agent_key(seed));
}

TEST_CASE("agent info: unknown fields are ignored, missing and null ones have kitsune2's defaults") {
    auto const parsed = parse_agent_info(replaced(
        wrapped(replaced(golden_inner, R"("isTombstone")", R"("later":{"a":[1,2.5,null]},"isTombstone")")),
        R"({"agentInfo")", R"({"fakeField2":"bla2","agentInfo")"));
    REQUIRE(parsed.has_value());
    CHECK(*parsed == golden_info());

    auto bare = golden_info();
    bare.url.reset();
    bare.storage_arc = arc::dht_arc::empty();
    std::string_view const fields = R"(,"url":"ws://test.com:80/test-url","storageArc":[42,330382099])";
    for (std::string_view const instead : {"", R"(,"url":null,"storageArc":null)"}) {
        auto const info = parse_agent_info(wrapped(replaced(golden_inner, fields, instead)));
        REQUIRE(info.has_value());
        CHECK(*info == bare);
    }
}

TEST_CASE("agent info: fields in another order and white space mean the same, and are signed as they are") {
    auto const key = key_of(2);
    auto const agent = to_base64(agent_of(key), base64_form::url_unpadded);
    std::string const inner = R"( { "isTombstone" : false, "storageArc" : [ 42 , 330382099 ], "space" :)"
                              R"( "dGVzdC1zcGFjZQ", "expiresAt":"1731762797907204","agent":")" +
                              agent +
                              R"(","createdAt":"1731690797907204", "url":"ws:\/\/test.com:80\/test-url"} )";
    auto const info = verify_agent_info("\n" + signed_text(inner, key) + " ");
    REQUIRE(info.has_value());
    auto expected = golden_info();
    expected.agent = agent_of(key);
    CHECK(*info == expected);
}

TEST_CASE("agent info: a signature that does not hold") {
    auto const key = key_of(3);
    auto info = golden_info();
    info.agent = agent_of(key);
    auto const text = sign(info, key);
    auto const verified = verify_agent_info(text);
    REQUIRE(verified.has_value());
    CHECK(*verified == info);

    auto const agent = to_base64(info.agent, base64_form::url_unpadded);
    auto const inner = replaced(golden_inner, "dGVzdC1hZ2VudA", agent);
    auto const refused = [](std::string const& by) {
        auto const result = verify_agent_info(by);
        CHECK(error_of(result) == protocol_errc::bad_agent_info);
        CHECK(result.error().message() == "InvalidSignature");
        CHECK(parse_agent_info(by).has_value());
    };
    // None, one of another length, another agent's, and one over another text of the same meaning.
    refused(wrapped(inner, ""));
    refused(wrapped(inner));
    refused(signed_text(inner, key_of(4)));
    refused(replaced(text, "false", "false "));
    refused(replaced(text, "1731762797907204", "1731762797907205"));
}

TEST_CASE("agent info: an agent that is no Ed25519 key is read, and never verified") {
    auto const key = key_of(5);
    for (std::size_t const length : {1, 31, 33, 64}) {
        auto const agent = to_base64(std::vector<std::byte>(length), base64_form::url_unpadded);
        auto const text = signed_text(replaced(golden_inner, "dGVzdC1hZ2VudA", agent), key);
        CHECK(parse_agent_info(text).has_value());
        CHECK(error_of(verify_agent_info(text)) == protocol_errc::bad_agent_info);
    }
    // The key of nobody, for which anybody could make a signature.
    auto const zeros = to_base64(std::vector<std::byte>(32), base64_form::url_unpadded);
    auto const forged = wrapped(replaced(golden_inner, "dGVzdC1hZ2VudA", zeros),
                                to_base64(std::vector<std::byte>(64), base64_form::url_unpadded));
    CHECK(error_of(verify_agent_info(forged)) == protocol_errc::bad_agent_info);
}

TEST_CASE("agent info: each field is checked") {
    struct change {
        std::string_view from;
        std::string_view to;
    };
    for (auto const& [from, to] : std::vector<change>{
             // Missing.
             {R"("agent":"dGVzdC1hZ2VudA",)", ""},
             {R"("space":"dGVzdC1zcGFjZQ",)", ""},
             {R"("createdAt":"1731690797907204",)", ""},
             {R"("expiresAt":"1731762797907204",)", ""},
             {R"("isTombstone":false,)", ""},
             // Of another type.
             {R"("dGVzdC1hZ2VudA")", "null"},
             {R"("dGVzdC1hZ2VudA")", "7"},
             {R"("dGVzdC1zcGFjZQ")", "[]"},
             {R"("1731690797907204")", "1731690797907204"},
             {R"("1731762797907204")", "null"},
             {"false", "0"},
             {"false", R"("false")"},
             {"false", "null"},
             {R"("ws://test.com:80/test-url")", "1"},
             {R"("ws://test.com:80/test-url")", R"(["ws://test.com:80/test-url"])"},
             {"[42,330382099]", "42"},
             {"[42,330382099]", R"("[42,330382099]")"},
             {"[42,330382099]", R"({"start":42,"end":43})"},
             // No base64url: an alphabet of another form, padding, white space, trailing bits, nothing.
             {"dGVzdC1hZ2VudA", "dGVzdC1hZ2VudA=="},
             {"dGVzdC1hZ2VudA", "dGVzdC1hZ2Vud+"},
             {"dGVzdC1hZ2VudA", "dGVz dC1hZ2VudA"},
             {"dGVzdC1hZ2VudA", "dGVzdC1hZ2VudB"},
             {"dGVzdC1hZ2VudA", ""},
             {"dGVzdC1zcGFjZQ", ""},
             // No time.
             {"1731690797907204", ""},
             {"1731690797907204", "x"},
             {"1731690797907204", "1.5"},
             {"1731690797907204", "1e9"},
             {"1731690797907204", " 1"},
             {"1731690797907204", "1 "},
             {"1731690797907204", "0x10"},
             {"1731690797907204", "2025-01-31T23:59:59Z"},
             {"1731690797907204", "9223372036854775808"},
             {"1731690797907204", "-9223372036854775809"},
             // No url.
             {"ws://test.com:80/test-url", ""},
             {"ws://test.com:80/test-url", "ws://a b"},
             {"ws://test.com:80/test-url", "ws://a\\nb"},
             {"ws://test.com:80/test-url", "ws://\\u0000"},
             {"ws://test.com:80/test-url", "ws://\\u00e4"},
             {"ws://test.com:80/test-url", "ws://\\\""},
             {"ws://test.com:80/test-url", "ws://\\\\"},
             {"ws://test.com:80/test-url", "ws://\x7f"},
             // No arc.
             {"[42,330382099]", "[]"},
             {"[42,330382099]", "[42]"},
             {"[42,330382099]", "[42,43,44]"},
             {"[42,330382099]", "[42,-1]"},
             {"[42,330382099]", "[42.0,43]"},
             {"[42,330382099]", "[42,4294967296]"},
             {"[42,330382099]", "[42,18446744073709551615]"},
             {"[42,330382099]", "[42,18446744073709551616]"},
             {"[42,330382099]", R"(["42","43"])"},
             {"[42,330382099]", "[null,null]"},
             // No JSON.
             {"}", ""},
             {"}", "}}"},
             {"}", ",}"},
             {"false", "False"},
             {R"("agent")", "agent"},
             {"ws://", "ws://\\ud800"},
             {"ws://", "ws://\xff"},
         }) {
        CAPTURE(from);
        CAPTURE(to);
        CHECK(error_of(parse_agent_info(wrapped(replaced(golden_inner, from, to)))) ==
              protocol_errc::bad_agent_info);
    }
}

TEST_CASE("agent info: the outer text is checked") {
    for (std::string const& text :
         {std::string(), std::string("{}"), std::string("[]"), std::string("null"), std::string("\"\""),
          std::string(golden_inner), wrapped(""), wrapped("null"), wrapped("[]"), wrapped("7"),
          wrapped(golden_inner) + "x", wrapped(golden_inner) + "{}",
          replaced(wrapped(golden_inner), "signature", "sig"),
          replaced(wrapped(golden_inner), "agentInfo", "agentinfo"),
          replaced(wrapped(golden_inner), R"("ZmFrZS1zaWduYXR1cmU")", "null"),
          wrapped(golden_inner, "ZmFrZS1zaWduYXR1cmU="), wrapped(golden_inner, "Z"),
          R"({"agentInfo":)" + std::string(golden_inner) + R"(,"signature":"ZmFrZS1zaWduYXR1cmU"})"}) {
        CAPTURE(text);
        CHECK(error_of(parse_agent_info(text)) == protocol_errc::bad_agent_info);
        CHECK(error_of(verify_agent_info(text)) == protocol_errc::bad_agent_info);
    }
}

TEST_CASE("agent info: the ends of numbers") {
    auto const parsed = [](std::string_view from, std::string_view to) {
        auto const info = parse_agent_info(wrapped(replaced(golden_inner, from, to)));
        REQUIRE(info.has_value());
        return *info;
    };
    constexpr auto micros_max = std::numeric_limits<std::int64_t>::max();
    CHECK(arc::to_micros(parsed("1731690797907204", "9223372036854775807").created_at) == micros_max);
    CHECK(arc::to_micros(parsed("1731690797907204", "-9223372036854775808").created_at) == -micros_max - 1);
    CHECK(arc::to_micros(parsed("1731690797907204", "-1").created_at) == -1);
    CHECK(arc::to_micros(parsed("1731762797907204", "0").expires_at) == 0);
    CHECK(parsed("[42,330382099]", "[0,4294967295]").storage_arc == arc::dht_arc::full());
    CHECK(parsed("[42,330382099]", "[4294967295,0]").storage_arc ==
          arc::dht_arc::between({4'294'967'295}, {0}));
    CHECK(parsed("[42,330382099]", "[0,0]").storage_arc == arc::dht_arc::between({0}, {0}));
}

TEST_CASE("agent info: bytes of a text, a url, an agent and a space, at n - 1, n, n + 1") {
    auto const with_url = [](std::size_t bytes) {
        std::string const url = "ws://" + std::string(bytes - 5, 'u');
        return wrapped(replaced(golden_inner, "ws://test.com:80/test-url", url));
    };
    CHECK(parse_agent_info(with_url(url_bytes_max - 1)).has_value());
    CHECK(parse_agent_info(with_url(url_bytes_max)).has_value());
    CHECK(error_of(parse_agent_info(with_url(url_bytes_max + 1))) == protocol_errc::bad_agent_info);

    auto const of_size = [](std::size_t bytes) {
        auto const text = wrapped(golden_inner);
        return text + std::string(bytes - text.size(), ' ');
    };
    CHECK(parse_agent_info(of_size(agent_info_bytes_max - 1)).has_value());
    CHECK(parse_agent_info(of_size(agent_info_bytes_max)).has_value());
    CHECK(error_of(parse_agent_info(of_size(agent_info_bytes_max + 1))) == protocol_errc::too_large);
    CHECK(error_of(verify_agent_info(of_size(agent_info_bytes_max + 1))) == protocol_errc::too_large);

    auto const with_bytes = [](std::string_view field, std::size_t bytes) {
        auto const text = to_base64(std::vector<std::byte>(bytes), base64_form::url_unpadded);
        return parse_agent_info(wrapped(replaced(golden_inner, field, text))).has_value();
    };
    CHECK(with_bytes("dGVzdC1hZ2VudA", 1));
    CHECK(with_bytes("dGVzdC1hZ2VudA", agent_id_bytes_max - 1));
    CHECK(with_bytes("dGVzdC1hZ2VudA", agent_id_bytes_max));
    CHECK_FALSE(with_bytes("dGVzdC1hZ2VudA", agent_id_bytes_max + 1));
    CHECK(with_bytes("dGVzdC1zcGFjZQ", 1));
    CHECK(with_bytes("dGVzdC1zcGFjZQ", 255));
    CHECK_FALSE(with_bytes("dGVzdC1zcGFjZQ", 256));
}

TEST_CASE("agent info: what nests too deep is refused, whatever field it is in") {
    auto const nested = [](std::size_t depth) {
        auto const value = std::string(depth, '[') + std::string(depth, ']');
        return wrapped(
            replaced(golden_inner, R"("isTombstone")", R"("later":)" + value + R"(,"isTombstone")"));
    };
    CHECK(parse_agent_info(nested(10)).has_value());
    CHECK(error_of(parse_agent_info(nested(1'500))) == protocol_errc::bad_agent_info);
    CHECK(error_of(parse_agent_info(std::string(4'000, '['))) == protocol_errc::bad_agent_info);
}

TEST_CASE("agent info: the longest that can be signed is not too large") {
    auto const key = key_of(6);
    agent_info info;
    info.agent = agent_of(key);
    info.space.resize(255);
    info.created_at = arc::timestamp::min();
    info.expires_at = arc::timestamp::min();
    info.url = std::string(url_bytes_max, '~');
    info.storage_arc = arc::dht_arc::full();
    auto const text = sign(info, key);
    CHECK(text.size() <= agent_info_bytes_max);
    auto const verified = verify_agent_info(text);
    REQUIRE(verified.has_value());
    CHECK(*verified == info);
}

TEST_CASE("agent info: no truncation and no bit flip is taken for something else") {
    auto const key = key_of(7);
    auto info = golden_info();
    info.agent = agent_of(key);
    auto const text = sign(info, key);
    for (std::size_t length = 0; length < text.size(); ++length) {
        CAPTURE(length);
        CHECK(verify_agent_info(text.substr(0, length)).has_error());
    }
    std::size_t harmless = 0;
    for (std::size_t bit = 0; bit < 8 * text.size(); ++bit) {
        CAPTURE(bit);
        auto flipped = text;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
        auto const result = verify_agent_info(flipped);
        if (result.has_value()) {
            ++harmless;
            CHECK(*result == info);
        }
        auto const parsed = parse_agent_info(flipped);
        CHECK((parsed.has_value() || parsed.has_error()));
    }
    // There is no byte in the text that means nothing.
    CHECK(harmless == 0);
}

TEST_CASE("agent info: random infos come back as they were signed, and random damage never as others") {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        CAPTURE(seed);
        random_source random(seed);
        auto const key = key_of(static_cast<std::uint8_t>(random.below(256)));
        agent_info info;
        info.agent = agent_of(key);
        info.space = random.bytes(1 + random.below(255));
        info.created_at = arc::from_micros(static_cast<std::int64_t>(random.next()));
        info.expires_at = arc::from_micros(static_cast<std::int64_t>(random.next()));
        info.is_tombstone = random.one_in(2);
        if (!random.one_in(4)) {
            std::string url(1 + random.below(url_bytes_max), ' ');
            for (auto& c : url) {
                do {
                    c = static_cast<char>(random.between('!', '~'));
                } while (c == '"' || c == '\\');
            }
            info.url = url;
        }
        if (!random.one_in(4)) {
            info.storage_arc = arc::dht_arc::between({random.u32()}, {random.u32()});
        }
        auto text = sign(info, key);
        auto const verified = verify_agent_info(text);
        REQUIRE(verified.has_value());
        CHECK(*verified == info);
        for (int damage = 0; damage < 20; ++damage) {
            auto damaged = text;
            for (auto left = 1 + random.below(3); left > 0; --left) {
                auto const at = random.below(damaged.size());
                switch (random.below(3)) {
                    case 0:
                        damaged[at] = static_cast<char>(random.below(256));
                        break;
                    case 1:
                        damaged.erase(at, 1 + random.below(4));
                        break;
                    default:
                        damaged.insert(at, 1, damaged[random.below(damaged.size())]);
                }
            }
            auto const result = verify_agent_info(damaged);
            CHECK((result.has_error() || *result == info));
        }
    }
}

}  // namespace opstore::gossip
