#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace opstore {

/// The name of an op: the hash of its bytes, 1 to 64 bytes long, of one length within a space.
///
/// The bytes live inside the object, so a million ids are one allocation, not a million. Ids order as
/// byte strings (a prefix before what it is a prefix of). The default value, of length zero, names no op.
///
/// Thread safety: a value type; distinct objects are independent.
class op_id {
public:
    static constexpr std::size_t length_max = 64;

    op_id() = default;

    /// Precondition: at most length_max bytes. Input of unknown length goes through from_bytes().
    explicit op_id(std::span<const std::byte> bytes);

    /// None if there are more than length_max bytes.
    static std::optional<op_id> from_bytes(std::span<const std::byte> bytes);

    /// Reads base64url without padding (kitsune2's text form) or lower or upper case hex. A text that is both
    /// is taken as hex when its length is exactly twice `length`, else as base64url, so the length that the
    /// caller expects decides. None if it is neither, or longer than length_max bytes.
    static std::optional<op_id> from_text(std::string_view text, std::size_t length);

    std::span<const std::byte> bytes() const { return {bytes_.data(), length_}; }
    std::size_t length() const { return length_; }
    bool empty() const { return length_ == 0; }

    friend bool operator==(op_id const& a, op_id const& b);
    friend std::strong_ordering operator<=>(op_id const& a, op_id const& b);

private:
    std::array<std::byte, length_max> bytes_{};
    std::uint8_t length_ = 0;
};

/// Base64url without padding.
std::string to_string(op_id const& id);

}  // namespace opstore

/// An id is a hash already, so eight of its bytes serve. Peers choose what they publish: do not use it for
/// tables whose size an attacker controls.
template <>
struct std::hash<opstore::op_id> {
    std::size_t operator()(opstore::op_id const& id) const noexcept;
};
