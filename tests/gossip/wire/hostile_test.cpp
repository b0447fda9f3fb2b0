// Goal: bytes that are no message are refused by the right name, before memory is spent on them; what
// another implementation may write is taken. Method: golden messages cut everywhere and with every bit
// turned, messages written field by field, and a count of the bytes that operator new gives out.
#include <gossip/wire/codec.hpp>
#include <tests/gossip/wire/allocated_bytes.hpp>
#include <tests/gossip/wire/golden_messages.hpp>
#include <tests/gossip/wire/raw_message.hpp>
#include <tests/support/chosen_id_format.hpp>

#include <doctest/doctest.h>

#include <array>
#include <numeric>
#include <optional>
#include <string>

namespace opstore::testing {

using namespace gossip;

namespace {

using errc = protocol_errc;

constexpr std::string_view space_name = "sp";

protocol_result<message> decode_for_space(std::span<const std::byte> frame) {
    return decode_frame(bytes_of(space_name), frame);
}

raw_message in_session() {
    return raw_message().bytes(1, golden_session());
}

raw_message frame_of(std::string_view module_id, raw_message const& payload) {
    return raw_message().varint(1, 3).message(2, payload).bytes(3, space_name).bytes(4, module_id);
}

raw_message repeated(raw_message const& fields, std::size_t count) {
    raw_message all;
    for (std::size_t i = 0; i < count; ++i) {
        all.fields_of(fields);
    }
    return all;
}

template <class Work>
std::uint64_t bytes_spent(Work const& work) {
    auto const before = allocated_bytes();
    work();
    return allocated_bytes() - before;
}

}  // namespace

TEST_CASE("wire hostile: a frame that was cut anywhere is refused") {
    for (auto const& golden : golden_messages()) {
        auto const frame = encode_frame(bytes_of(space_name), golden.value);
        for (std::size_t size = 0; size < frame.size(); ++size) {
            // A copy of exactly these bytes, so that a sanitizer sees a look behind them.
            std::vector<std::byte> const cut(frame.begin(),
                                             frame.begin() + static_cast<std::ptrdiff_t>(size));
            CAPTURE(golden.name);
            CAPTURE(size);
            REQUIRE_FALSE(decode_for_space(cut).has_value());
        }
    }
}

TEST_CASE("wire hostile: a message that was cut inside of its envelope is refused, or is a shorter message") {
    // Behind a whole field protobuf cannot see the cut; what is left then has one form, as any message.
    for (auto const& golden : golden_messages()) {
        auto const data = from_hex(golden.hex);
        for (std::size_t size = 0; size < data.size(); ++size) {
            auto const part = std::span(data).first(size);
            auto const frame = frame_of(golden.value.index() == 0   ? "k2gossip"
                                        : golden.value.index() == 1 ? "Fetch"
                                                                    : "Publish",
                                        raw_message().varint(1, golden.type).bytes(2, part));
            auto const decoded = decode_for_space(frame.view());
            if (decoded) {
                CAPTURE(golden.name);
                auto const again = decode_for_space(encode_frame(bytes_of(space_name), *decoded));
                REQUIRE(again.has_value());
                REQUIRE((*again == *decoded));
                REQUIRE((*again != golden.value));
            }
        }
    }
}

TEST_CASE("wire hostile: a frame with a bit turned is refused, or is another message with one form") {
    for (auto const& golden : golden_messages()) {
        auto frame = encode_frame(bytes_of(space_name), golden.value);
        for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
            auto const mask = std::byte{1} << (bit % 8);
            frame[bit / 8] ^= mask;
            if (auto const decoded = decode_for_space(frame)) {
                auto const again = decode_for_space(encode_frame(bytes_of(space_name), *decoded));
                CAPTURE(golden.name);
                CAPTURE(bit);
                REQUIRE(again.has_value());
                REQUIRE((*again == *decoded));
            }
            frame[bit / 8] ^= mask;
        }
    }
}

TEST_CASE("wire hostile: bytes behind a frame or a message are refused") {
    for (auto const& golden : golden_messages()) {
        auto frame = encode_frame(bytes_of(space_name), golden.value);
        for (std::uint8_t const garbage :
             std::initializer_list<std::uint8_t>{0x00, 0x04, 0x07, 0x0b, 0x80, 0xff}) {
            CAPTURE(golden.name);
            CAPTURE(garbage);
            auto longer = frame;
            longer.push_back(std::byte{garbage});
            CHECK(decode_for_space(longer).error().code() == errc::malformed);
            auto const data = raw_message(in_session()).byte(garbage);
            CHECK(decode_gossip(payload_of(11, data).view()).error().code() == errc::malformed);
        }
    }
}

TEST_CASE("wire hostile: groups, which proto3 does not have, are refused at every level") {
    auto const group = [](raw_message m) { return m.byte(0x7b).byte(0x7c); };  // Field 15, start and end.
    CHECK(decode_gossip(payload_of(11, in_session()).view()).has_value());
    CHECK(decode_gossip(payload_of(11, group(in_session())).view()).error().code() == errc::malformed);
    CHECK(decode_gossip(group(payload_of(11, in_session())).view()).error().code() == errc::malformed);
    auto const nested = in_session().message(2, group({}));
    CHECK(decode_gossip(payload_of(3, nested).view()).error().code() == errc::malformed);
}

TEST_CASE("wire hostile: an endless number, and lengths beyond the end") {
    raw_message endless;
    endless.byte(0x08);
    for (int i = 0; i < 11; ++i) {
        endless.byte(0xff);
    }
    CHECK(decode_gossip(endless.view()).error().code() == errc::malformed);
    for (std::uint8_t const length : std::initializer_list<std::uint8_t>{0x01, 0x7f, 0x80, 0xff}) {
        auto const data = raw_message(in_session()).byte(0x12).byte(length);
        CHECK(decode_gossip(payload_of(12, data).view()).error().code() == errc::malformed);
    }
    // A length of 2^64 - 1, and one of 2^31.
    auto const huge = raw_message(in_session()).byte(0x12);
    for (auto const* length : {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x80\x80\x80\x80\x08"}) {
        auto data = huge;
        for (char const byte : std::string_view(length)) {
            data.byte(static_cast<std::uint8_t>(byte));
        }
        CHECK(decode_gossip(payload_of(12, data).view()).error().code() == errc::malformed);
    }
}

TEST_CASE("wire hostile: types, modules and spaces that are not known") {
    for (std::uint64_t const type : {std::uint64_t{0}, std::uint64_t{13}, std::uint64_t{1} << 32 | 11}) {
        CAPTURE(type);
        CHECK(decode_gossip(payload_of(type, in_session()).view()).error().code() == errc::unknown_type);
    }
    for (std::uint64_t const type : {0, 3}) {
        CHECK(decode_fetch(payload_of(type, {}).view()).error().code() == errc::unknown_type);
        CHECK(decode_publish(payload_of(type, {}).view()).error().code() == errc::unknown_type);
    }
    CHECK(decode_gossip({}).error().code() == errc::unknown_type);
    CHECK(decode_for_space({}).error().code() == errc::unknown_type);

    auto const busy = payload_of(11, in_session());
    CHECK(decode_for_space(frame_of("k2gossip", busy).view()).has_value());
    for (auto const* module_id : {"", "k2gossi", "k2gossip2", "fetch", "\xff"}) {
        CHECK(decode_for_space(frame_of(module_id, busy).view()).error().code() == errc::unknown_type);
    }
    auto const no_module = raw_message().varint(1, 3).message(2, busy).bytes(3, space_name);
    CHECK(decode_for_space(no_module.view()).error().code() == errc::unknown_type);
    for (std::uint64_t const type : {0, 1, 2, 4, 15}) {
        auto const frame = raw_message(frame_of("k2gossip", busy)).varint(1, type);
        CHECK(decode_for_space(frame.view()).error().code() == errc::unknown_type);
    }

    auto const frame = frame_of("k2gossip", busy);
    for (auto const* other : {"", "s", "spa", "SP"}) {
        CHECK(decode_frame(bytes_of(other), frame.view()).error().code() == errc::other_space);
    }
    auto const no_space = raw_message().varint(1, 3).message(2, busy).bytes(4, std::string_view("k2gossip"));
    CHECK(decode_for_space(no_space.view()).error().code() == errc::other_space);
    CHECK(decode_frame({}, no_space.view()).error().code() == errc::other_space);
}

TEST_CASE("wire hostile: lists that are read side by side have one length") {
    std::array<std::uint64_t, 2> const two = {1, 2};
    auto const disc_sectors = raw_message().packed(2, two).bytes(3, std::string_view("h"));
    CHECK(decode_gossip(payload_of(4, in_session().message(10, disc_sectors)).view()).error().code() ==
          errc::malformed);
    auto const two_for_one = raw_message().packed(1, two).bytes(2, std::string_view("h"));
    auto const one_for_two =
        raw_message().varint(1, 1).bytes(2, std::string_view("h")).bytes(2, std::string_view("h"));
    for (std::uint64_t const type : {5, 6, 7, 8}) {
        CAPTURE(type);
        auto const outer = raw_message().packed(2, two).message(3, {});
        CHECK(decode_gossip(payload_of(type, in_session().message(20, outer)).view()).error().code() ==
              errc::malformed);
        for (auto const* inner : {&two_for_one, &one_for_two}) {
            auto const snapshot = raw_message().varint(2, 1).message(3, *inner);
            CHECK(decode_gossip(payload_of(type, in_session().message(20, snapshot)).view()).error().code() ==
                  errc::malformed);
        }
    }
}

TEST_CASE("wire hostile: a comparison without its snapshot") {
    for (std::uint64_t const type : {4, 5, 6, 7, 8}) {
        CAPTURE(type);
        CHECK(decode_gossip(payload_of(type, in_session()).view()).error().code() == errc::malformed);
    }
}

TEST_CASE("wire lenient: repeated keys, any order, unpacked numbers and unknown fields are taken") {
    // As kitsune2's hash maps may write them: 9 before 7, and 7 twice, of which the last counts.
    auto const hash = [](char const* text) {
        return raw_message().varint(1, 3).bytes(2, std::string_view(text));
    };
    auto const snapshot = raw_message()
                              .message(3, hash("a"))
                              .varint(2, 7)
                              .varint(77, 1)
                              .message(3, hash("b"))
                              .varint(2, 9)
                              .message(3, hash("c"))
                              .packed(2, std::array<std::uint64_t, 1>{7});
    auto const data = raw_message()
                          .message(20, snapshot)
                          .bytes(500, std::string_view("\x08\x96\x01"))
                          .bytes(1, std::string_view("an older one"))
                          .bytes(1, golden_session());
    auto const decoded = decode_gossip(payload_of(5, data).view());
    REQUIRE(decoded.has_value());
    disc_details_diff_message expected;
    expected.session = golden_session();
    expected.snapshot.sectors[7][3] = combined_hash(bytes_of("c"));
    expected.snapshot.sectors[9][3] = combined_hash(bytes_of("b"));
    CHECK((*decoded == gossip_message(expected)));
}

TEST_CASE("wire lenient: no list is required") {
    CHECK(decode_fetch(payload_of(1, {}).view()).has_value());
    CHECK(decode_fetch(payload_of(2, {}).view()).has_value());
    CHECK(decode_publish(payload_of(1, {}).view()).has_value());
    auto const initiate = decode_gossip(payload_of(1, in_session()).view());
    REQUIRE(initiate.has_value());
    CHECK_FALSE(std::get<initiate_message>(*initiate).arcs.has_value());
}

TEST_CASE("wire hostile: what has too many elements is refused before anything is allocated for it") {
    auto const many = [](raw_message const& entry) { return repeated(entry, elements_max + 1); };
    raw_message const empty;
    std::array<std::pair<std::uint64_t, raw_message>, 6> const messages = {{
        {9, many(raw_message().message(10, empty))},                            // Ids.
        {9, many(raw_message().message(1001, empty))},                          // Region cursors.
        {5, raw_message().message(20, many(raw_message().message(3, empty)))},  // Slices of sectors.
        {3, raw_message().message(2, many(raw_message().message(2, empty)))},   // Agent infos.
        {1, raw_message().message(11, many(raw_message().varint(1, 0)))},       // Words, unpacked.
        {11, many(raw_message().varint(4000, 0))},                              // Unknown fields.
    }};
    // Protobuf makes its descriptors at their first use.
    for (std::uint64_t type = 1; type <= 12; ++type) {
        CHECK_FALSE(decode_gossip(payload_of(type, {}).view()).has_value());
    }
    for (auto const& [type, data] : messages) {
        CAPTURE(type);
        auto const payload = payload_of(type, data);
        std::optional<protocol_errc> code;
        auto const spent = bytes_spent([&] { code = decode_gossip(payload.view()).error().code(); });
        CHECK(code == errc::too_large);
        CHECK(spent < 4096);
    }
}

TEST_CASE("wire hostile: texts and data are copied three times at most") {
    auto const op =
        raw_message().bytes(1, std::string_view("i")).bytes(2, std::string(frame_bytes_max / 2, 'x'));
    auto const frame = frame_of("Fetch", payload_of(2, raw_message().message(1, op)));
    auto const spent = bytes_spent([&] { CHECK(decode_for_space(frame.view()).has_value()); });
    CAPTURE(spent);
    CHECK(spent < 3 * frame.view().size());
}

TEST_CASE("wire hostile: what has as many elements as it may costs less than 200 bytes for each") {
    // All that was allocated, given back or not, so the memory in use was less at any moment.
    constexpr std::uint64_t bytes_max = 200 * elements_max;
    raw_message const empty;
    raw_message const id = raw_message().bytes(1, std::string_view("i"));

    auto const request = payload_of(1, repeated(id, elements_max));
    CHECK(bytes_spent([&] { CHECK(decode_fetch(request.view()).has_value()); }) < bytes_max);
    auto const response = payload_of(2, repeated(raw_message().message(1, id), elements_max / 2));
    CHECK(bytes_spent([&] { CHECK(decode_fetch(response.view()).has_value()); }) < bytes_max);
    auto const published = payload_of(1, repeated(raw_message().message(1, id), elements_max / 2));
    CHECK(bytes_spent([&] { CHECK(decode_publish(published.view()).has_value()); }) < bytes_max);

    constexpr std::size_t slice_count = (elements_max - 4) / 2;
    std::vector<std::uint64_t> slices(slice_count);
    std::iota(slices.begin(), slices.end(), 0);
    auto const hashes = raw_message().packed(1, slices).fields_of(
        repeated(raw_message().bytes(2, std::string_view("h")), slice_count));
    auto const details = in_session().message(20, raw_message().varint(2, 0).message(3, hashes));
    auto const disc = payload_of(5, details);
    CHECK(bytes_spent([&] { CHECK(decode_gossip(disc.view()).has_value()); }) < bytes_max);

    // Refused by what they say, so only behind the parser.
    auto const cursors = payload_of(9, repeated(raw_message().message(1001, empty), elements_max));
    CHECK(bytes_spent([&] { CHECK_FALSE(decode_gossip(cursors.view()).has_value()); }) < bytes_max);
    auto const sectors =
        payload_of(5, raw_message().message(20, repeated(raw_message().message(3, empty), elements_max - 1)));
    CHECK(bytes_spent([&] { CHECK_FALSE(decode_gossip(sectors.view()).has_value()); }) < bytes_max);
    auto const unknown = payload_of(11, repeated(raw_message().message(4000, empty), elements_max));
    CHECK(bytes_spent([&] { CHECK_FALSE(decode_gossip(unknown.view()).has_value()); }) < bytes_max);
}

}  // namespace opstore::testing
