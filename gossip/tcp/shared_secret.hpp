#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <variant>

namespace opstore::gossip {

/// What all peers of a network share, so that nobody else may join or listen.
///
/// Everything that the file holds counts, apart from white space at its end. Make one with
/// `head -c 32 /dev/urandom | base64 > FILE`: it is used as a key, not as a password, and a short or guessed
/// one can be searched for by whoever records a connection.
///
/// Thread safety: a value type. The key is wiped when it goes.
class shared_secret {
public:
    static constexpr std::size_t text_bytes_min = 16;
    static constexpr std::size_t text_bytes_max = 4096;

    /// Precondition: text_bytes_min to text_bytes_max bytes.
    explicit shared_secret(std::string_view text);
    ~shared_secret();
    shared_secret(shared_secret const&) = default;
    shared_secret& operator=(shared_secret const&) = default;

    std::span<const std::byte, 32> key() const { return key_; }

private:
    std::array<std::byte, 32> key_{};
};

/// Reads a file. Answers the secret, or a sentence that names the file and what is wrong with it: it cannot
/// be read, others than its owner may read it, or it holds too little or too much.
std::variant<shared_secret, std::string> read_shared_secret(std::string const& path);

}  // namespace opstore::gossip
