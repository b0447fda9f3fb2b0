// Goal: what is encoded is decoded to the same value, in one canonical form, and a peer that knows kitsune2's
// fields only reads the same without the extensions. Method: random messages of every kind; for that peer,
// protobuf code of a second declaration (kitsune2.proto). OPSTORE_WIRE_SEED=n takes other messages.
#include <gossip/wire/codec.hpp>
#include <tests/gossip/wire/golden_messages.hpp>
#include <tests/gossip/wire/random_messages.hpp>
#include <tests/support/chosen_id_format.hpp>

#include <tests/gossip/wire/kitsune2.pb.h>

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace opstore::testing {

using namespace gossip;

namespace {

constexpr int messages_of_a_kind = 300;

random_source seeded_source(char const* test) {
    char const* const chosen = std::getenv("OPSTORE_WIRE_SEED");
    std::uint64_t const seed = chosen == nullptr ? 1 : std::strtoull(chosen, nullptr, 10);
    std::printf("%s: OPSTORE_WIRE_SEED=%llu\n", test, static_cast<unsigned long long>(seed));
    return random_source(seed);
}

std::string text_of(std::span<const std::byte> bytes) {
    return std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size());
}

using protobuf_message = google::protobuf::Message;

template <class... Messages>
std::unique_ptr<protobuf_message> make(std::size_t index) {
    using factory = std::unique_ptr<protobuf_message> (*)();
    constexpr std::array<factory, sizeof...(Messages)> factories = {
        []() -> std::unique_ptr<protobuf_message> { return std::make_unique<Messages>(); }...};
    return factories[index]();
}

/// Of the same kind, as kitsune2 declares it.
std::unique_ptr<protobuf_message> kitsune2_message(message const& m) {
    auto const kind = std::visit([](auto const& module) { return module.index(); }, m);
    switch (m.index()) {
        case 0:
            return make<kitsune2::InitiateMessage, kitsune2::AcceptMessage, kitsune2::NoDiffMessage,
                        kitsune2::DiscSectorsDiffMessage, kitsune2::DiscSectorDetailsDiffMessage,
                        kitsune2::DiscSectorDetailsDiffResponseMessage,
                        kitsune2::RingSectorDetailsDiffMessage,
                        kitsune2::RingSectorDetailsDiffResponseMessage, kitsune2::HashesMessage,
                        kitsune2::AgentsMessage, kitsune2::BusyMessage, kitsune2::TerminateMessage>(kind);
        case 1:
            return make<kitsune2::FetchRequestMessage, kitsune2::FetchResponseMessage>(kind);
        default:
            return make<kitsune2::PublishOpsMessage, kitsune2::PublishAgentMessage>(kind);
    }
}

/// The bytes of the message inside of a frame, read by kitsune2's declarations of the envelopes.
std::string inner_bytes(std::span<const std::byte> frame) {
    kitsune2::K2Proto outer;
    REQUIRE(outer.ParseFromString(text_of(frame)));
    CHECK(outer.ty() == 3);
    CHECK(outer.space_id() == "sp");
    kitsune2::Payload payload;
    REQUIRE(payload.ParseFromString(outer.data()));
    return payload.data();
}

template <class Test>
void for_random_messages(char const* name, Test const& test) {
    auto random = seeded_source(name);
    for (std::size_t kind = 0; kind < message_kinds; ++kind) {
        for (int i = 0; i < messages_of_a_kind; ++i) {
            auto const m = random_message(random, kind);
            CAPTURE(name_of(m));
            CAPTURE(i);
            test(m);
        }
    }
}

}  // namespace

TEST_CASE("wire round trip: what is encoded is decoded to the same value, and encoded to the same bytes") {
    auto const space = bytes_of("sp");
    for_random_messages("wire round trip", [&](message const& m) {
        auto const frame = encode_frame(space, m);
        auto const decoded = decode_frame(space, frame);
        REQUIRE(decoded.has_value());
        CHECK((*decoded == m));
        CHECK(to_hex(encode_frame(space, *decoded)) == to_hex(frame));
    });
}

TEST_CASE("wire extensions: a peer that does not know them reads the same message without them") {
    auto const space = bytes_of("sp");
    for_random_messages("wire extensions", [&](message const& m) {
        auto const plain = without_extensions(m);
        auto const read = kitsune2_message(m);
        REQUIRE(read->ParseFromString(inner_bytes(encode_frame(space, m))));
        std::string const kept_aside = read->SerializeAsString();
        CHECK(kept_aside == inner_bytes(encode_frame(space, m)));

        read->DiscardUnknownFields();
        CHECK(read->SerializeAsString() == inner_bytes(encode_frame(space, plain)));
    });
}

TEST_CASE("wire extensions: a message without them has no field that kitsune2 does not know") {
    auto const space = bytes_of("sp");
    for_random_messages("wire without extensions", [&](message const& m) {
        auto const plain = without_extensions(m);
        auto const bytes = inner_bytes(encode_frame(space, plain));
        auto const read = kitsune2_message(plain);
        REQUIRE(read->ParseFromString(bytes));
        read->DiscardUnknownFields();
        CHECK(read->ByteSizeLong() == bytes.size());
    });
}

TEST_CASE("wire extensions: what that peer sends is read, its fields and envelopes in any order") {
    auto const space = bytes_of("sp");
    for_random_messages("wire from kitsune2", [&](message const& m) {
        auto const plain = without_extensions(m);
        auto const sent = kitsune2_message(plain);
        REQUIRE(sent->ParseFromString(inner_bytes(encode_frame(space, plain))));

        kitsune2::K2Proto outer;
        REQUIRE(outer.ParseFromString(text_of(encode_frame(space, plain))));
        kitsune2::Payload payload;
        REQUIRE(payload.ParseFromString(outer.data()));
        payload.set_data(sent->SerializeAsString());
        // The type behind the data, and all envelopes back to front.
        kitsune2::Payload type_only;
        type_only.set_type(payload.type());
        payload.clear_type();
        kitsune2::K2Proto names;
        names.set_ty(outer.ty());
        names.set_space_id(outer.space_id());
        names.set_module_id(outer.module_id());
        kitsune2::K2Proto data;
        data.set_data(payload.SerializeAsString() + type_only.SerializeAsString());
        std::string const frame = names.SerializeAsString() + data.SerializeAsString();

        auto const decoded = decode_frame(space, std::as_bytes(std::span(frame)));
        REQUIRE(decoded.has_value());
        CHECK((*decoded == plain));
    });
}

}  // namespace opstore::testing
