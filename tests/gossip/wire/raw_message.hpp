#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace opstore::testing {

/// Writes protobuf's encoding field by field, whatever sense it makes: bytes that no encoder would write.
///
/// Thread safety: none.
class raw_message {
public:
    raw_message() = default;

    raw_message& varint(std::uint32_t field, std::uint64_t value) {
        append(field << 3);
        append(value);
        return *this;
    }

    raw_message& bytes(std::uint32_t field, std::span<const std::byte> value) {
        append(field << 3 | 2);
        append(value.size());
        bytes_.insert(bytes_.end(), value.begin(), value.end());
        return *this;
    }

    raw_message& bytes(std::uint32_t field, std::string_view value) {
        return bytes(field, std::as_bytes(std::span(value)));
    }

    raw_message& message(std::uint32_t field, raw_message const& value) { return bytes(field, value.view()); }

    raw_message& packed(std::uint32_t field, std::span<const std::uint64_t> numbers) {
        raw_message list;
        for (auto const number : numbers) {
            list.append(number);
        }
        return message(field, list);
    }

    /// All of another message's fields.
    raw_message& fields_of(raw_message const& other) {
        bytes_.insert(bytes_.end(), other.bytes_.begin(), other.bytes_.end());
        return *this;
    }

    /// One byte behind all else, field or not.
    raw_message& byte(std::uint8_t value) {
        bytes_.push_back(std::byte{value});
        return *this;
    }

    std::span<const std::byte> view() const { return bytes_; }

private:
    void append(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7) {
            bytes_.push_back(static_cast<std::byte>(value | 0x80));
        }
        bytes_.push_back(static_cast<std::byte>(value));
    }

    std::vector<std::byte> bytes_;
};

/// A module's message of type `type` that holds `data`.
inline raw_message payload_of(std::uint64_t type, raw_message const& data) {
    return raw_message().varint(1, type).message(2, data);
}

}  // namespace opstore::testing
