#include <gossip/tcp/detail/frame_reader.hpp>

#include <cassert>
#include <cstdint>
#include <utility>

namespace opstore::gossip::detail {

std::array<std::byte, length_bytes> encode_length(std::size_t length) {
    assert(length <= UINT32_MAX);
    std::array<std::byte, length_bytes> encoded;
    for (std::size_t i = 0; i < length_bytes; ++i)
        encoded[i] = static_cast<std::byte>(length >> 8 * (length_bytes - 1 - i) & 0xff);
    return encoded;
}

std::span<std::byte> frame_reader::prepare() {
    assert(state_ == state::length || state_ == state::body);
    if (state_ == state::length)
        return std::span(length_).subspan(filled_);
    body_.resize(body_bytes_);
    return std::span(body_).subspan(filled_);
}

frame_reader::state frame_reader::commit(std::size_t count) {
    filled_ += count;
    if (state_ == state::length && filled_ == length_bytes) {
        body_bytes_ = 0;
        for (std::byte const b : length_)
            body_bytes_ = body_bytes_ << 8 | std::to_integer<std::size_t>(b);
        filled_ = 0;
        state_ = body_bytes_ > body_bytes_max_ ? state::too_large
                 : body_bytes_ == 0            ? state::whole
                                               : state::body;
    } else if (state_ == state::body && filled_ == body_bytes_) {
        state_ = state::whole;
    }
    return state_;
}

std::vector<std::byte> frame_reader::take() {
    assert(state_ == state::whole);
    state_ = state::length;
    filled_ = 0;
    return std::exchange(body_, {});
}

}  // namespace opstore::gossip::detail
