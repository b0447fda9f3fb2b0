// Goal: our bytes are kitsune2's, and the documentation's. Method: known bytes of every kind of message, both
// ways, in every envelope; the table of docs/wire.md is read and compared.
#include <gossip/agents/agent_info.hpp>
#include <gossip/wire/codec.hpp>
#include <gossip/wire/detail/envelope.hpp>
#include <tests/gossip/wire/golden_messages.hpp>
#include <tests/gossip/wire/raw_message.hpp>
#include <tests/support/chosen_id_format.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <set>
#include <string>

namespace opstore::testing {

using namespace gossip;

// The bound of this folder, which knows no agent infos, is the one of the folder that does.
static_assert(provided_agent_bytes_max == agent_info_bytes_max);

namespace {

std::vector<std::byte> encode_payload(message const& m) {
    return std::visit([](auto const& module) { return encode(module); }, m);
}

protocol_result<message> decode_payload(std::size_t module, std::span<const std::byte> bytes) {
    auto const widen = [](auto decoded) -> protocol_result<message> {
        return decoded ? protocol_result<message>(message(*decoded)) : decoded.error();
    };
    return module == 0   ? widen(decode_gossip(bytes))
           : module == 1 ? widen(decode_fetch(bytes))
                         : widen(decode_publish(bytes));
}

std::vector<std::byte> copy(raw_message const& m) {
    return {m.view().begin(), m.view().end()};
}

}  // namespace

TEST_CASE("wire golden: every message in its module's envelope, both ways") {
    for (auto const& golden : golden_messages()) {
        CAPTURE(golden.name);
        auto const expected = copy(raw_message().varint(1, golden.type).bytes(2, from_hex(golden.hex)));
        CHECK(to_hex(encode_payload(golden.value)) == to_hex(expected));
        auto const decoded = decode_payload(golden.value.index(), expected);
        REQUIRE(decoded.has_value());
        CHECK(*decoded == golden.value);
    }
}

TEST_CASE("wire golden: every message in a frame, both ways") {
    auto const space = bytes_of("sp");
    constexpr std::string_view modules[] = {"k2gossip", "Fetch", "Publish"};
    for (auto const& golden : golden_messages()) {
        CAPTURE(golden.name);
        auto const payload = copy(raw_message().varint(1, golden.type).bytes(2, from_hex(golden.hex)));
        auto const expected = copy(raw_message()
                                       .varint(1, 3)
                                       .bytes(2, payload)
                                       .bytes(3, space)
                                       .bytes(4, modules[golden.value.index()]));
        CHECK(to_hex(encode_frame(space, golden.value)) == to_hex(expected));
        auto const decoded = decode_frame(space, expected);
        REQUIRE(decoded.has_value());
        CHECK(*decoded == golden.value);
    }
}

TEST_CASE("wire golden: whole payloads and frames as bytes") {
    busy_message busy;
    busy.session = golden_session();
    CHECK(to_hex(encode(gossip_message(busy))) == "080b120e0a0c000102030405060708090a0b");
    CHECK(to_hex(encode_frame(bytes_of("sp"), gossip_message(busy))) ==
          "08031212080b120e0a0c000102030405060708090a0b1a02737022086b32676f73736970");
    terminate_message terminate;
    terminate.session = golden_session();
    terminate.reason = "No agents requested";
    CHECK(to_hex(encode(gossip_message(terminate))) ==
          "080c12230a0c000102030405060708090a0b12134e6f206167656e747320726571756573746564");
    fetch_request_message request;
    request.ids = {op_id(bytes_of("id_1"))};
    CHECK(to_hex(encode(fetch_message(request))) == "080112060a0469645f31");
}

TEST_CASE("wire golden: kitsune2's frame around a byte that is no message") {
    auto const bytes = from_hex("08031201781a02737022086b32676f73736970");
    auto const frame = detail::read_frame(bytes);
    REQUIRE(frame.has_value());
    CHECK(frame->type == 3);
    CHECK(to_hex(frame->data) == "78");
    CHECK(to_hex(frame->space.value()) == "7370");
    CHECK(frame->module_id == "k2gossip");
    CHECK(decode_frame(bytes_of("sp"), bytes).error().code() == protocol_errc::malformed);

    std::vector<std::byte> written;
    detail::append_frame_header(written, 1);
    written.push_back(std::byte{0x78});
    detail::append_frame_trailer(written, bytes_of("sp"), "k2gossip");
    CHECK(to_hex(written) == to_hex(bytes));
}

TEST_CASE("wire golden: there is a name and a golden message for each kind") {
    std::set<std::string, std::less<>> names;
    for (auto const& golden : golden_messages()) {
        auto const name = std::string(name_of(golden.value));
        CHECK(golden.name.substr(0, golden.name.find(',')) == name);
        names.insert(name);
    }
    CHECK(names.size() == std::variant_size_v<gossip_message> + std::variant_size_v<fetch_message> +
                              std::variant_size_v<publish_message>);
}

TEST_CASE("wire golden: the table of docs/wire.md is this one") {
    std::ifstream file(OPSTORE_WIRE_DOCUMENT);
    REQUIRE(file.is_open());
    std::map<std::string, std::string, std::less<>> documented;
    for (std::string line; std::getline(file, line);) {
        // | name | type | `hex` |
        auto const hex = line.find("| `0");
        if (line.starts_with("| ") && hex != std::string::npos && line.ends_with("` |")) {
            documented[line.substr(2, line.find(" |") - 2)] = line.substr(hex + 3, line.size() - hex - 6);
        }
    }
    for (auto const& golden : golden_messages()) {
        CAPTURE(golden.name);
        CHECK(documented[golden.name] == golden.hex);
    }
    CHECK(documented.size() == golden_messages().size());
}

}  // namespace opstore::testing
