#include <gossip/tcp/detail/secure_channel.hpp>

#include <algorithm>

namespace opstore::gossip::detail {
namespace {

constexpr std::size_t header_bytes = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr std::size_t tag_bytes = crypto_secretstream_xchacha20poly1305_ABYTES;

unsigned char* raw(std::byte* bytes) {
    return reinterpret_cast<unsigned char*>(bytes);
}

unsigned char const* raw(std::byte const* bytes) {
    return reinterpret_cast<unsigned char const*>(bytes);
}

}  // namespace

secure_channel::secure_channel(channel_keys const& keys) : receive_key_(keys.receive) {
    crypto_secretstream_xchacha20poly1305_init_push(&sending_, header_.data(), raw(keys.send.data()));
}

secure_channel::~secure_channel() {
    sodium_memzero(&sending_, sizeof sending_);
    sodium_memzero(&receiving_, sizeof receiving_);
    sodium_memzero(receive_key_.data(), receive_key_.size());
}

std::vector<std::byte> secure_channel::seal(std::span<const std::byte> frame) {
    std::size_t const before = header_sent_ ? 0 : header_bytes;
    std::vector<std::byte> sealed(before + frame.size() + tag_bytes);
    if (!header_sent_)
        std::copy(header_.begin(), header_.end(), raw(sealed.data()));
    header_sent_ = true;
    crypto_secretstream_xchacha20poly1305_push(&sending_, raw(sealed.data() + before), nullptr,
                                               raw(frame.data()), frame.size(), nullptr, 0,
                                               crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
    return sealed;
}

std::optional<std::vector<std::byte>> secure_channel::open(std::span<const std::byte> sealed) {
    std::size_t const before = header_received_ ? 0 : header_bytes;
    // What does not open may have moved the stream's state: nothing behind it counts.
    if (broken_ || sealed.size() < before + tag_bytes) {
        broken_ = true;
        return std::nullopt;
    }
    if (!header_received_)
        broken_ = crypto_secretstream_xchacha20poly1305_init_pull(&receiving_, raw(sealed.data()),
                                                                  raw(receive_key_.data())) != 0;
    header_received_ = true;
    std::vector<std::byte> frame(sealed.size() - before - tag_bytes);
    unsigned char tag = 0;
    broken_ = broken_ || crypto_secretstream_xchacha20poly1305_pull(&receiving_, raw(frame.data()), nullptr,
                                                                    &tag, raw(sealed.data() + before),
                                                                    sealed.size() - before, nullptr, 0) != 0;
    broken_ = broken_ || tag != crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    if (broken_)
        return std::nullopt;
    return frame;
}

}  // namespace opstore::gossip::detail
