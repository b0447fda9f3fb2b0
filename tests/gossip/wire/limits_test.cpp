// Goal: every bound of docs/wire.md is where it says, on every field that it is about. Method: messages
// written field by field, one below, at and above each bound.
#include <gossip/wire/codec.hpp>
#include <tests/gossip/wire/raw_message.hpp>
#include <tests/support/chosen_id_format.hpp>

#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <limits>
#include <optional>
#include <string>

namespace opstore::testing {

using namespace gossip;

namespace {

using errc = protocol_errc;
using outcome = std::optional<protocol_errc>;  ///< None: it was taken.

constexpr outcome taken = std::nullopt;

template <class Message>
outcome outcome_of(protocol_result<Message> const& decoded) {
    return decoded ? taken : outcome(decoded.error().code());
}

raw_message in_session() {
    return raw_message().bytes(1, std::string(12, 's'));
}

outcome gossip_outcome(std::uint64_t type, raw_message const& data) {
    return outcome_of(decode_gossip(payload_of(type, data).view()));
}

outcome fetch_outcome(std::uint64_t type, raw_message const& data) {
    return outcome_of(decode_fetch(payload_of(type, data).view()));
}

outcome publish_outcome(std::uint64_t type, raw_message const& data) {
    return outcome_of(decode_publish(payload_of(type, data).view()));
}

std::string filled(std::size_t size) {
    return std::string(size, 'x');
}

/// One of the values that a bound is about, put into a message; what becomes of it.
using place = std::function<outcome(std::string const& value)>;

raw_message minimal_with(raw_message const& snapshot) {
    return in_session().message(30, snapshot);
}

raw_message response_with(std::uint32_t field, std::string const& value) {
    return in_session().message(2, raw_message().bytes(field, value));
}

std::array<std::uint64_t, 1> one(std::uint64_t number) {
    return {number};
}

/// Disc details of one sector with one slice; ring details of one ring with one sector have the same form.
raw_message details(std::uint64_t outer, std::uint64_t inner, std::string const& hash) {
    auto const hashes = raw_message().packed(1, one(inner)).bytes(2, hash);
    return in_session().message(20, raw_message().packed(2, one(outer)).message(3, hashes));
}

raw_message cursor(std::uint64_t sector, std::int64_t start, std::int64_t end) {
    return raw_message()
        .varint(1, sector)
        .varint(2, static_cast<std::uint64_t>(start))
        .varint(3, static_cast<std::uint64_t>(end));
}

raw_message disc_details_with(std::uint32_t field, raw_message const& cursor_message) {
    return in_session().message(20, {}).message(field, cursor_message);
}

}  // namespace

TEST_CASE("wire limits: a session id has 12 bytes, in every message of a round") {
    for (std::uint64_t type = 1; type <= 12; ++type) {
        CAPTURE(type);
        // With an empty snapshot, wherever that type has it.
        auto const message_of = [&](std::size_t size) {
            raw_message data;
            data.bytes(1, filled(size));
            return type == 4 ? data.message(10, {}) : type >= 5 && type <= 8 ? data.message(20, {}) : data;
        };
        CHECK(gossip_outcome(type, message_of(11)) == errc::out_of_range);
        CHECK(gossip_outcome(type, message_of(12)) == taken);
        CHECK(gossip_outcome(type, message_of(13)) == errc::out_of_range);
        CHECK(gossip_outcome(type, {}) == errc::out_of_range);
    }
}

TEST_CASE("wire limits: ids of ops have 1 to 64 bytes, wherever they stand") {
    std::vector<std::pair<char const*, place>> const places = {
        {"accept.new_ops", [](auto& id) { return gossip_outcome(2, in_session().bytes(22, id)); }},
        {"accept.oversized", [](auto& id) { return gossip_outcome(2, in_session().bytes(1001, id)); }},
        {"response.new_ops", [](auto& id) { return gossip_outcome(3, response_with(3, id)); }},
        {"response.oversized", [](auto& id) { return gossip_outcome(3, response_with(1001, id)); }},
        {"disc_details_response.missing_ids",
         [](auto& id) { return gossip_outcome(6, in_session().bytes(10, id).message(20, {})); }},
        {"ring_details_response.missing_ids",
         [](auto& id) { return gossip_outcome(8, in_session().bytes(10, id).message(20, {})); }},
        {"hashes.missing_ids", [](auto& id) { return gossip_outcome(9, in_session().bytes(10, id)); }},
        {"cursor.after_id",
         [](auto& id) {
             return gossip_outcome(9, in_session().message(1001, cursor(0, 0, 0).varint(4, 0).bytes(5, id)));
         }},
        {"fetch_request", [](auto& id) { return fetch_outcome(1, raw_message().bytes(1, id)); }},
        {"fetch_response.ops",
         [](auto& id) { return fetch_outcome(2, raw_message().message(1, raw_message().bytes(1, id))); }},
        {"fetch_response.absent", [](auto& id) { return fetch_outcome(2, raw_message().bytes(1000, id)); }},
        {"publish_ops",
         [](auto& id) { return publish_outcome(1, raw_message().message(1, raw_message().bytes(1, id))); }},
    };
    for (auto const& [name, outcome_with] : places) {
        CAPTURE(name);
        CHECK(outcome_with(filled(0)) == errc::out_of_range);
        CHECK(outcome_with(filled(1)) == taken);
        CHECK(outcome_with(filled(64)) == taken);
        CHECK(outcome_with(filled(65)) == errc::out_of_range);
    }
}

TEST_CASE("wire limits: ids of agents have 1 to 64 bytes, wherever they stand") {
    std::vector<std::pair<char const*, place>> const places = {
        {"initiate", [](auto& agent) { return gossip_outcome(1, in_session().bytes(10, agent)); }},
        {"accept", [](auto& agent) { return gossip_outcome(2, in_session().bytes(10, agent)); }},
        {"accept.missing_agents",
         [](auto& agent) { return gossip_outcome(2, in_session().bytes(12, agent)); }},
        {"response.missing_agents", [](auto& agent) { return gossip_outcome(3, response_with(1, agent)); }},
    };
    for (auto const& [name, outcome_with] : places) {
        CAPTURE(name);
        CHECK(outcome_with(filled(0)) == errc::out_of_range);
        CHECK(outcome_with(filled(1)) == taken);
        CHECK(outcome_with(filled(64)) == taken);
        CHECK(outcome_with(filled(65)) == errc::out_of_range);
    }
}

TEST_CASE("wire limits: hashes of maps have 1 to 64 bytes, top hashes 0 to 64") {
    std::vector<std::pair<char const*, place>> const of_maps = {
        {"disc_sectors",
         [](auto& hash) {
             auto const snapshot = raw_message().packed(2, one(0)).bytes(3, hash);
             return gossip_outcome(4, in_session().message(10, snapshot));
         }},
        {"disc_details", [](auto& hash) { return gossip_outcome(5, details(0, 0, hash)); }},
        {"disc_details_response", [](auto& hash) { return gossip_outcome(6, details(0, 0, hash)); }},
        {"ring_details", [](auto& hash) { return gossip_outcome(7, details(0, 0, hash)); }},
        {"ring_details_response", [](auto& hash) { return gossip_outcome(8, details(0, 0, hash)); }},
    };
    std::vector<std::pair<char const*, place>> const tops = {
        {"disc_top_hash",
         [](auto& hash) { return gossip_outcome(2, minimal_with(raw_message().bytes(2, hash))); }},
        {"ring_top_hashes",
         [](auto& hash) { return gossip_outcome(2, minimal_with(raw_message().bytes(3, hash))); }},
    };
    for (auto const* places : {&of_maps, &tops}) {
        for (auto const& [name, outcome_with] : *places) {
            CAPTURE(name);
            CHECK(outcome_with(filled(0)) == (places == &tops ? taken : outcome(errc::out_of_range)));
            CHECK(outcome_with(filled(1)) == taken);
            CHECK(outcome_with(filled(64)) == taken);
            CHECK(outcome_with(filled(65)) == errc::out_of_range);
        }
    }
}

TEST_CASE("wire limits: the hashes of one snapshot have one length") {
    auto const minimal = [](std::string const& disc, std::string const& first, std::string const& second) {
        return gossip_outcome(2, minimal_with(raw_message().bytes(2, disc).bytes(3, first).bytes(3, second)));
    };
    CHECK(minimal("4444", "4444", "4444") == taken);
    CHECK(minimal("4444", "", "4444") == taken);
    CHECK(minimal("", "", "") == taken);
    CHECK(minimal("4444", "4444", "55555") == errc::out_of_range);
    CHECK(minimal("4444", "", "55555") == errc::out_of_range);
    CHECK(minimal("", "4444", "55555") == errc::out_of_range);

    auto const other_slice = raw_message().packed(1, one(0)).bytes(2, std::string("55555"));
    auto const slice = raw_message().packed(1, one(0)).bytes(2, std::string("4444"));
    auto const two_sectors = std::array<std::uint64_t, 2>{1, 2};
    for (std::uint64_t const type : {5, 6, 7, 8}) {
        CAPTURE(type);
        auto const same = raw_message().packed(2, two_sectors).message(3, slice).message(3, slice);
        auto const mixed = raw_message().packed(2, two_sectors).message(3, slice).message(3, other_slice);
        CHECK(gossip_outcome(type, in_session().message(20, same)) == taken);
        CHECK(gossip_outcome(type, in_session().message(20, mixed)) == errc::out_of_range);
    }
    auto const sectors = [&](std::string const& second) {
        auto const snapshot =
            raw_message().packed(2, two_sectors).bytes(3, std::string("4444")).bytes(3, second);
        return gossip_outcome(4, in_session().message(10, snapshot));
    };
    CHECK(sectors("4444") == taken);
    CHECK(sectors("333") == errc::out_of_range);
}

TEST_CASE("wire limits: an arc set has 16 words") {
    for (std::uint64_t const type : {1, 2}) {
        for (std::size_t const words : {0, 15, 16, 17}) {
            CAPTURE(words);
            std::vector<std::uint64_t> const list(words, 0xffffffff);
            auto const arcs = raw_message().packed(1, list);
            CHECK(gossip_outcome(type, in_session().message(11, arcs)) ==
                  (words == 16 ? taken : outcome(errc::out_of_range)));
        }
    }
}

TEST_CASE("wire limits: sectors, rings and slices") {
    auto const disc_sector = [](std::uint64_t sector) {
        auto const snapshot = raw_message().packed(2, one(sector)).bytes(3, std::string("h"));
        return gossip_outcome(4, in_session().message(10, snapshot));
    };
    CHECK(disc_sector(511) == taken);
    CHECK(disc_sector(512) == errc::out_of_range);
    for (std::uint64_t const disc : {5, 6}) {
        CHECK(gossip_outcome(disc, details(511, 0, "h")) == taken);
        CHECK(gossip_outcome(disc, details(512, 0, "h")) == errc::out_of_range);
        constexpr auto last = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        CHECK(gossip_outcome(disc, details(0, last, "h")) == taken);
        CHECK(gossip_outcome(disc, details(0, last + 1, "h")) == errc::out_of_range);
    }
    for (std::uint64_t const ring : {7, 8}) {
        CHECK(gossip_outcome(ring, details(63, 511, "h")) == taken);
        CHECK(gossip_outcome(ring, details(64, 511, "h")) == errc::out_of_range);
        CHECK(gossip_outcome(ring, details(63, 512, "h")) == errc::out_of_range);
    }
    for (std::size_t const rings : {63, 64, 65}) {
        raw_message snapshot;
        for (std::size_t i = 0; i < rings; ++i) {
            snapshot.bytes(3, std::string());
        }
        CHECK(gossip_outcome(2, minimal_with(snapshot)) == (rings <= 64 ? taken : outcome(errc::too_large)));
    }
}

TEST_CASE("wire limits: region cursors") {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> const places = {
        {5, 1000}, {6, 1000}, {6, 1001}, {7, 1000}, {8, 1000}, {8, 1001}, {9, 1001}};
    for (auto const& [type, field] : places) {
        CAPTURE(type);
        CAPTURE(field);
        auto const with = [type = type, field = field](raw_message const& c) {
            return gossip_outcome(type, disc_details_with(field, c));
        };
        CHECK(with(cursor(511, 0, 0)) == taken);
        CHECK(with(cursor(512, 0, 0)) == errc::out_of_range);
        CHECK(with(cursor(0, -1, 1)) == taken);
        CHECK(with(cursor(0, 1, 0)) == errc::out_of_range);
        CHECK(with(cursor(0, 0, 0).varint(4, 0)) == errc::out_of_range);
        CHECK(with(cursor(0, 0, 0).varint(4, 0).bytes(5, filled(64))) == taken);
        CHECK(with(cursor(0, 0, 0).bytes(5, filled(1))) == errc::malformed);
        for (std::size_t const count : {63, 64, 65}) {
            auto data = in_session().message(20, {});
            for (std::size_t i = 0; i < count; ++i) {
                data.message(field, cursor(0, 0, 0));
            }
            CHECK(gossip_outcome(type, data) == (count <= 64 ? taken : outcome(errc::too_large)));
        }
    }
}

TEST_CASE("wire limits: texts") {
    std::vector<std::pair<char const*, place>> const infos = {
        {"response", [](auto& info) { return gossip_outcome(3, response_with(2, info)); }},
        {"disc_details_diff",
         [](auto& info) { return gossip_outcome(5, in_session().bytes(10, info).message(20, {})); }},
        {"agents", [](auto& info) { return gossip_outcome(10, in_session().bytes(10, info)); }},
        {"publish_agent", [](auto& info) { return publish_outcome(2, raw_message().bytes(1, info)); }},
    };
    for (auto const& [name, outcome_with] : infos) {
        CAPTURE(name);
        CHECK(outcome_with(filled(4095)) == taken);
        CHECK(outcome_with(filled(4096)) == taken);
        CHECK(outcome_with(filled(4097)) == errc::too_large);
        CHECK(outcome_with("\xff") == errc::malformed);
    }
    auto const reason = [](std::string const& text) {
        return gossip_outcome(12, in_session().bytes(2, text));
    };
    CHECK(reason(filled(1023)) == taken);
    CHECK(reason(filled(1024)) == taken);
    CHECK(reason(filled(1025)) == errc::too_large);
    CHECK(reason("\u20ac\U0010ffff") == taken);
    // Lone, cut, overlong, a surrogate, beyond the last code point.
    for (auto const* text : {"\x80", "\xe2\x82", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
        CHECK(reason(text) == errc::malformed);
    }
}

TEST_CASE("wire limits: elements of a message, in a list, in nested messages, packed or unknown") {
    auto const ids = [](std::size_t count) {
        raw_message data;
        for (std::size_t i = 0; i < count; ++i) {
            data.bytes(1, std::string_view("i"));
        }
        return fetch_outcome(1, data);
    };
    CHECK(ids(elements_max - 1) == taken);
    CHECK(ids(elements_max) == taken);
    CHECK(ids(elements_max + 1) == errc::too_large);

    auto const unknown = [](std::size_t count) {
        raw_message data;
        for (std::size_t i = 0; i < count; ++i) {
            data.varint(9, 0);
        }
        return fetch_outcome(1, data);
    };
    CHECK(unknown(elements_max) == taken);
    CHECK(unknown(elements_max + 1) == errc::too_large);

    // Session, snapshot, the packed sector, the slices, and twice as many as there are slices.
    auto const slices = [](std::size_t count, bool with_boundary) {
        raw_message hashes;
        hashes.packed(1, std::vector<std::uint64_t>(count));
        for (std::size_t i = 0; i < count; ++i) {
            hashes.bytes(2, std::string_view("h"));
        }
        auto snapshot = raw_message().packed(2, one(0)).message(3, hashes);
        return gossip_outcome(5, in_session().message(20, with_boundary ? snapshot.varint(1, 1) : snapshot));
    };
    static_assert(elements_max % 2 == 0);
    constexpr std::size_t most = (elements_max - 4) / 2;
    CHECK(slices(most - 1, true) == taken);
    CHECK(slices(most, false) == taken);
    CHECK(slices(most, true) == errc::too_large);

    // Two fields, and a number of words that no arc set has; the count comes first.
    auto const words = [](std::size_t count) {
        auto const arcs = raw_message().packed(1, std::vector<std::uint64_t>(count));
        return gossip_outcome(1, in_session().message(11, arcs));
    };
    CHECK(words(elements_max - 2) == errc::out_of_range);
    CHECK(words(elements_max - 1) == errc::too_large);
}

TEST_CASE("wire limits: bytes of a frame, and of a payload alone") {
    auto const space = bytes_of("sp");
    auto const response_of = [](std::size_t data_bytes) {
        fetch_response_message response;
        response.ops.emplace_back();
        response.ops[0].id = op_id(bytes_of("id"));
        response.ops[0].data.resize(data_bytes);
        return fetch_message(std::move(response));
    };
    constexpr std::size_t near = frame_bytes_max - 1000;
    std::size_t const overhead = encode_frame(space, response_of(near)).size() - near;
    auto const frame = encode_frame(space, response_of(frame_bytes_max - overhead));
    REQUIRE(frame.size() == frame_bytes_max);
    auto const decoded = decode_frame(space, frame);
    CHECK(outcome_of(decoded) == taken);
    CHECK((decoded.value() == message(response_of(frame_bytes_max - overhead))));

    auto smaller = encode_frame(space, response_of(frame_bytes_max - overhead - 1));
    REQUIRE(smaller.size() == frame_bytes_max - 1);
    CHECK(outcome_of(decode_frame(space, smaller)) == taken);
    // Two bytes of an unknown field make it one byte too long.
    smaller.push_back(std::byte{0x78});
    smaller.push_back(std::byte{0});
    CHECK(outcome_of(decode_frame(space, smaller)) == errc::too_large);

    CHECK(outcome_of(decode_gossip(smaller)) == errc::too_large);
    CHECK(outcome_of(decode_fetch(smaller)) == errc::too_large);
    CHECK(outcome_of(decode_publish(smaller)) == errc::too_large);
}

}  // namespace opstore::testing
