#pragma once

#include <sodium.h>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace opstore::gossip::detail {

/// The keys of one connection, one for each direction.
struct channel_keys {
    std::array<std::byte, 32> send{};
    std::array<std::byte, 32> receive{};

    channel_keys() = default;
    ~channel_keys() {
        sodium_memzero(send.data(), send.size());
        sodium_memzero(receive.data(), receive.size());
    }
    channel_keys(channel_keys const&) = default;
    channel_keys& operator=(channel_keys const&) = default;
};

/// Frames that only the two ends of a connection can read or make, in this order and once
/// (crypto_secretstream_xchacha20poly1305): one that was altered, left out, repeated, moved or recorded on
/// another connection does not open, and nothing behind it does.
///
/// Thread safety: none.
class secure_channel {
public:
    /// What sealing adds to a frame, at most: the stream's header comes with the first one.
    static constexpr std::size_t overhead_bytes_max =
        crypto_secretstream_xchacha20poly1305_HEADERBYTES + crypto_secretstream_xchacha20poly1305_ABYTES;

    explicit secure_channel(channel_keys const& keys);
    ~secure_channel();
    secure_channel(secure_channel const&) = delete;
    secure_channel& operator=(secure_channel const&) = delete;

    std::vector<std::byte> seal(std::span<const std::byte> frame);

    /// None if it was not sealed by the other end as the next one; the connection is then to be closed.
    std::optional<std::vector<std::byte>> open(std::span<const std::byte> sealed);

private:
    crypto_secretstream_xchacha20poly1305_state sending_{}, receiving_{};
    std::array<unsigned char, crypto_secretstream_xchacha20poly1305_HEADERBYTES> header_{};
    std::array<std::byte, 32> receive_key_;
    bool header_sent_ = false, header_received_ = false, broken_ = false;
};

}  // namespace opstore::gossip::detail
