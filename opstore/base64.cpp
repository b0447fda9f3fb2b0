#include <opstore/base64.hpp>

#include <sodium.h>

namespace opstore {
namespace {

int variant_of(base64_form form) {
    return form == base64_form::standard ? sodium_base64_VARIANT_ORIGINAL
                                         : sodium_base64_VARIANT_URLSAFE_NO_PADDING;
}

}  // namespace

std::string to_base64(std::span<const std::byte> bytes, base64_form form) {
    int const variant = variant_of(form);
    std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
    sodium_bin2base64(text.data(), text.size(), reinterpret_cast<unsigned char const*>(bytes.data()),
                      bytes.size(), variant);
    text.pop_back();  // The terminating zero, which libsodium counts.
    return text;
}

std::optional<std::vector<std::byte>> from_base64(std::string_view text, base64_form form) {
    std::vector<std::byte> bytes(text.size() / 4 * 3 + 3);
    std::size_t length = 0;
    int const failed =
        sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                          text.size(), nullptr, &length, nullptr, variant_of(form));
    if (failed != 0) {
        return std::nullopt;
    }
    bytes.resize(length);
    return bytes;
}

}  // namespace opstore
