// Goal: no bytes crash, hang or over-read a decoder, and whatever is taken has one canonical form. Method:
// libFuzzer drives it (fuzz.sh); corpus_replay.cpp runs what that has found before. The property is checked
// on every input that decodes: encoded again, it decodes to an equal value and the same bytes.
#include <gossip/wire/codec.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

namespace opstore::testing {
namespace {

using namespace gossip;

void require(bool holds, char const* what) {
    if (!holds) {
        std::fprintf(stderr, "decode_fuzz: %s\n", what);
        std::abort();
    }
}

template <class Message, class Encode, class Decode>
void check(protocol_result<Message> const& decoded, Encode const& encode_one, Decode const& decode_one) {
    if (!decoded) {
        require(!decoded.error().message().empty(), "an error without a message");
        return;
    }
    auto const bytes = encode_one(*decoded);
    auto const again = decode_one(std::span<const std::byte>(bytes));
    require(again.has_value(), "what was decoded is encoded to something that is refused");
    require(*again == *decoded, "what was decoded is encoded to another value");
    require(encode_one(*again) == bytes, "one value has two encodings");
}

/// "sp", the space of the golden frames.
constexpr std::array fuzz_space = {std::byte{'s'}, std::byte{'p'}};

void decode_every_way(std::span<const std::byte> input) {
    auto const to_bytes = [](auto const& m) { return encode(m); };
    check(decode_gossip(input), to_bytes, decode_gossip);
    check(decode_fetch(input), to_bytes, decode_fetch);
    check(decode_publish(input), to_bytes, decode_publish);
    check(
        decode_frame(fuzz_space, input), [](message const& m) { return encode_frame(fuzz_space, m); },
        [](std::span<const std::byte> frame) { return decode_frame(fuzz_space, frame); });
}

}  // namespace
}  // namespace opstore::testing

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    opstore::testing::decode_every_way(std::as_bytes(std::span(data, size)));
    return 0;
}
