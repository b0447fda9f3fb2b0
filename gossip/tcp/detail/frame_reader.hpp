#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace opstore::gossip::detail {

/// The length before each frame on a stream: 32 bits, big-endian. A frame of length 0 only says that its
/// sender lives.
inline constexpr std::size_t length_bytes = 4;

std::array<std::byte, length_bytes> encode_length(std::size_t length);

/// Finds the frames in a stream of bytes, however the stream is cut: a state machine without I/O.
///
/// The length is judged before anything is allocated for the body, and who reads may then wait, until there
/// is memory for it.
///
/// Thread safety: none.
class frame_reader {
public:
    enum class state {
        length,    ///< The length, or a part of it, is wanted.
        body,      ///< The body, or a part of it, is wanted.
        whole,     ///< take() has a frame.
        too_large  ///< The length is above the limit: the stream is of no use any more.
    };

    explicit frame_reader(std::size_t body_bytes_max) : body_bytes_max_(body_bytes_max) {}

    state at() const { return state_; }

    /// Of the body that is read. Precondition: state body or whole.
    std::size_t body_bytes() const { return body_bytes_; }

    /// Where the next bytes of the stream go, at least one; valid until commit(). Allocates the body on its
    /// first call in state body. Precondition: state length or body.
    std::span<std::byte> prepare();

    /// `count` bytes were written to what prepare() gave. Answers the state that this leads to.
    state commit(std::size_t count);

    /// The frame; then the next length is wanted. Precondition: state whole.
    std::vector<std::byte> take();

    /// From the next length on. Precondition: state length.
    void set_limit(std::size_t body_bytes_max) { body_bytes_max_ = body_bytes_max; }

private:
    std::size_t body_bytes_max_;
    state state_ = state::length;
    std::array<std::byte, length_bytes> length_{};
    std::vector<std::byte> body_;
    std::size_t filled_ = 0;  ///< Of the length, or of the body.
    std::size_t body_bytes_ = 0;
};

}  // namespace opstore::gossip::detail
