#pragma once

#include <arc/timestamp.hpp>
#include <gossip/agents/agent_info.hpp>
#include <gossip/fetch/fetch_queue.hpp>
#include <gossip/tcp/detail/secure_channel.hpp>
#include <gossip/tcp/shared_secret.hpp>

#include <boost/system/result.hpp>

#include <sodium.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace opstore::gossip::detail {

/// Why a connection did not come about. The first ones are the other side's doing.
enum class handshake_errc {
    not_opstore,        ///< What came is no greeting of this protocol.
    other_version,      ///< Of this protocol.
    secret_missing,     ///< We demand a shared secret and the other side has none.
    secret_not_wanted,  ///< The other side demands a shared secret and we have none.
    wrong_secret,       ///< The secrets differ, or somebody altered what was sent.
    malformed,          ///< The identity cannot be read.
    other_space,        ///< The other side is of another network.
    bad_agent_info,     ///< Not signed by its agent, expired, or without a url of TCP that is its agent's.
    not_its_key,        ///< The other side does not hold the key of the agent it says it is.
    wrong_agent,        ///< Another agent than the one that was dialled answered.
    self                ///< We reached ourselves.
};

/// As one snake_case word.
std::string_view to_string(handshake_errc code);

class handshake_error {
public:
    /// Boost 1.81's result::error() makes one where there is none.
    handshake_error() = default;
    handshake_error(handshake_errc code, std::string message) : code_(code), message_(std::move(message)) {}

    handshake_errc code() const { return code_; }
    std::string const& message() const { return message_; }

private:
    handshake_errc code_ = handshake_errc::malformed;
    std::string message_;
};

[[noreturn]] void throw_exception_from_error(handshake_error const& error, boost::source_location const&);

template <class T>
using handshake_result = boost::system::result<T, handshake_error>;

/// Which end of the connection.
enum class side : std::uint8_t { dialer = 0, listener = 1 };

/// One run of a process, at random: tells a peer that came back from a second connection to the same one.
using instance_id = std::array<std::byte, 8>;

/// What one end says of itself.
struct local_identity {
    std::vector<std::byte> space;
    agent_key key{};
    std::string agent_info;  ///< Signed, with a url of TCP.
    instance_id instance{};
    std::optional<shared_secret> secret;

    local_identity() = default;
    ~local_identity() { sodium_memzero(key.data(), key.size()); }
    local_identity(local_identity const&) = default;
    local_identity& operator=(local_identity const&) = default;
};

/// What the other end proved to be.
struct remote_identity {
    agent_id agent;
    peer_url url;
    std::string agent_info;
    instance_id instance{};

    remote_identity() = default;
};

/// The start of a connection, without I/O: both ends send a hello at once, and each answers the other's with
/// its identity (docs/tcp.md has the bytes). With a shared secret everything from the identity on is sealed
/// with keys that follow from the secret and from two fresh Diffie-Hellman keys: a recording is of no use on
/// another connection, nor to who learns the secret later. With or without it the identity is signed over
/// both hellos, so that nobody can pass for another agent with that agent's public info.
///
/// Calls in this order: hello(), take_hello(), take_identity(), then channel(). After an error: none.
///
/// Thread safety: none.
class handshake {
public:
    static constexpr std::size_t hello_bytes = 42;
    static constexpr std::size_t space_bytes_max = 255;
    /// The larger message of the two, sealed.
    static constexpr std::size_t message_bytes_max =
        8 + 64 + 2 + space_bytes_max + 2 + agent_info_bytes_max + secure_channel::overhead_bytes_max;

    using hello_message = std::array<std::byte, hello_bytes>;

    /// `expected`: whom the dialer means to reach, if it knows.
    handshake(side own_side, local_identity local, std::optional<agent_id> expected = std::nullopt);
    ~handshake();
    handshake(handshake const&) = delete;
    handshake& operator=(handshake const&) = delete;

    /// The frame to send first.
    hello_message const& hello() const;

    /// The other's first frame; answers the frame to send second.
    handshake_result<std::vector<std::byte>> take_hello(std::span<const std::byte> frame);

    /// The other's second frame: who it is.
    handshake_result<remote_identity> take_identity(std::span<const std::byte> frame, arc::timestamp now);

    /// What seals all frames from now on; null without a secret.
    std::unique_ptr<secure_channel> channel() { return std::move(channel_); }

    /// The hello of the dialer: tells connections between the same two peers apart, the same at both ends.
    hello_message const& dialer_hello() const;

private:
    handshake_result<channel_keys> agree() const;
    std::vector<std::byte> signed_text(side signer, instance_id const& instance) const;
    std::vector<std::byte> encode_identity() const;
    handshake_result<remote_identity> judge(std::span<const std::byte> identity, arc::timestamp now) const;

    side const side_;
    local_identity const local_;
    std::optional<agent_id> const expected_;
    std::array<unsigned char, 32> ephemeral_secret_{};
    hello_message own_hello_{}, other_hello_{};
    std::unique_ptr<secure_channel> channel_;
};

}  // namespace opstore::gossip::detail
