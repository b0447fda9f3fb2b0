#include <opstore/base64.hpp>
#include <opstore/op_id.hpp>

#include <sodium.h>

#include <algorithm>
#include <cassert>
#include <cstring>

namespace opstore {
namespace {

std::optional<op_id> from_hex(std::string_view text) {
    std::array<unsigned char, op_id::length_max> bytes;
    std::size_t length = 0;
    if (sodium_hex2bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &length, nullptr) !=
        0) {
        return std::nullopt;
    }
    return op_id(std::as_bytes(std::span(bytes.data(), length)));
}

std::optional<op_id> from_base64url(std::string_view text) {
    // Spares the decoder a text that no id can have.
    if (text.size() > op_id::length_max * 2) {
        return std::nullopt;
    }
    auto const bytes = from_base64(text, base64_form::url_unpadded);
    return bytes ? op_id::from_bytes(*bytes) : std::nullopt;
}

}  // namespace

op_id::op_id(std::span<const std::byte> bytes) : length_(static_cast<std::uint8_t>(bytes.size())) {
    assert(bytes.size() <= length_max);
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

std::optional<op_id> op_id::from_bytes(std::span<const std::byte> bytes) {
    if (bytes.size() > length_max) {
        return std::nullopt;
    }
    return op_id(bytes);
}

std::optional<op_id> op_id::from_text(std::string_view text, std::size_t length) {
    bool const hex_first = text.size() == 2 * length;
    auto const first = hex_first ? from_hex(text) : from_base64url(text);
    if (first) {
        return first;
    }
    return hex_first ? from_base64url(text) : from_hex(text);
}

bool operator==(op_id const& a, op_id const& b) {
    return a.length_ == b.length_ && std::memcmp(a.bytes_.data(), b.bytes_.data(), a.length_) == 0;
}

std::strong_ordering operator<=>(op_id const& a, op_id const& b) {
    int const order = std::memcmp(a.bytes_.data(), b.bytes_.data(), std::min(a.length_, b.length_));
    return order != 0 ? order <=> 0 : a.length_ <=> b.length_;
}

std::string to_string(op_id const& id) {
    return to_base64(id.bytes(), base64_form::url_unpadded);
}

}  // namespace opstore

std::size_t std::hash<opstore::op_id>::operator()(opstore::op_id const& id) const noexcept {
    std::uint64_t head = 0;
    std::memcpy(&head, id.bytes().data(), std::min(sizeof head, id.length()));
    return head;
}
