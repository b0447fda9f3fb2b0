#include <gossip/tcp/detail/handshake.hpp>

#include <gossip/tcp/tcp_address.hpp>

#include <fmt/format.h>

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace opstore::gossip::detail {
namespace {

constexpr std::string_view magic = "opstoreP";
constexpr auto version = std::byte{1};
constexpr auto flag_secret = std::byte{1};
constexpr std::size_t version_at = 8, flags_at = 9, ephemeral_at = 10;
constexpr std::string_view key_purpose = "opstore.tcp.v1 keys";
constexpr std::string_view signature_purpose = "opstore.tcp.v1 identity";
constexpr std::size_t signature_bytes = crypto_sign_BYTES;
static_assert(ephemeral_at + crypto_scalarmult_BYTES == handshake::hello_bytes);

unsigned char* raw(std::byte* bytes) {
    return reinterpret_cast<unsigned char*>(bytes);
}

unsigned char const* raw(std::byte const* bytes) {
    return reinterpret_cast<unsigned char const*>(bytes);
}

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

void append(std::vector<std::byte>& to, std::span<const std::byte> bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

void append_sized(std::vector<std::byte>& to, std::span<const std::byte> bytes) {
    to.push_back(static_cast<std::byte>(bytes.size() >> 8));
    to.push_back(static_cast<std::byte>(bytes.size() & 0xff));
    append(to, bytes);
}

/// Takes parts off the front of a message; `failed` once there was less than a part needs.
struct part_reader {
    std::span<const std::byte> rest;
    bool failed = false;

    std::span<const std::byte> take(std::size_t count) {
        if (count > rest.size())
            failed = true;
        auto const part = rest.first(failed ? 0 : count);
        rest = rest.subspan(part.size());
        return part;
    }
    std::span<const std::byte> take_sized() {
        auto const size = take(2);
        return failed
                   ? size
                   : take(std::to_integer<std::size_t>(size[0]) << 8 | std::to_integer<std::size_t>(size[1]));
    }
};

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// What an agent info must be to come with a connection: valid now, and naming a url that is the agent's own.
handshake_result<agent_info> judge_agent_info(std::string_view text, std::vector<std::byte> const& space,
                                              arc::timestamp now) {
    auto const bad = [](std::string why) {
        return handshake_error(handshake_errc::bad_agent_info,
                               fmt::format("the other side's agent info: {}", why));
    };
    auto verified = verify_agent_info(text);
    if (!verified)
        return bad(verified.error().message());
    if (verified->space != space)
        return handshake_error(handshake_errc::other_space, "the other side is of another network");
    if (verified->is_tombstone || verified->expires_at <= now)
        return bad("it has expired");
    auto const url = verified->url ? parse_tcp_url(*verified->url) : std::nullopt;
    if (!url || url->agent != verified->agent)
        return bad("its url is not tcp://ADDRESS:PORT/ and the agent");
    return std::move(*verified);
}

}  // namespace

std::string_view to_string(handshake_errc code) {
    switch (code) {
        case handshake_errc::not_opstore:
            return "not_opstore";
        case handshake_errc::other_version:
            return "other_version";
        case handshake_errc::secret_missing:
            return "secret_missing";
        case handshake_errc::secret_not_wanted:
            return "secret_not_wanted";
        case handshake_errc::wrong_secret:
            return "wrong_secret";
        case handshake_errc::malformed:
            return "malformed";
        case handshake_errc::other_space:
            return "other_space";
        case handshake_errc::bad_agent_info:
            return "bad_agent_info";
        case handshake_errc::not_its_key:
            return "not_its_key";
        case handshake_errc::wrong_agent:
            return "wrong_agent";
        case handshake_errc::self:
            return "self";
    }
    return "unknown";
}

void throw_exception_from_error(handshake_error const& error, boost::source_location const&) {
    throw std::runtime_error(error.message());
}

handshake::handshake(side own_side, local_identity local, std::optional<agent_id> expected)
    : side_(own_side), local_(std::move(local)), expected_(std::move(expected)) {
    randombytes_buf(ephemeral_secret_.data(), ephemeral_secret_.size());
    std::ranges::copy(bytes_of(magic), own_hello_.begin());
    own_hello_[version_at] = version;
    own_hello_[flags_at] = local_.secret ? flag_secret : std::byte{0};
    crypto_scalarmult_base(raw(own_hello_.data() + ephemeral_at), ephemeral_secret_.data());
}

handshake::~handshake() {
    sodium_memzero(ephemeral_secret_.data(), ephemeral_secret_.size());
}

handshake::hello_message const& handshake::hello() const {
    return own_hello_;
}

handshake::hello_message const& handshake::dialer_hello() const {
    return side_ == side::dialer ? own_hello_ : other_hello_;
}

handshake_result<std::vector<std::byte>> handshake::take_hello(std::span<const std::byte> frame) {
    if (frame.size() != hello_bytes || text_of(frame.first(magic.size())) != magic)
        return handshake_error(handshake_errc::not_opstore, "what answered is no opstore peer");
    std::ranges::copy(frame, other_hello_.begin());
    if (other_hello_[version_at] != version)
        return handshake_error(
            handshake_errc::other_version,
            fmt::format("the other side speaks version {}, this program version {}",
                        std::to_integer<int>(other_hello_[version_at]), std::to_integer<int>(version)));
    bool const has_secret = (other_hello_[flags_at] & flag_secret) != std::byte{0};
    if (local_.secret && !has_secret)
        return handshake_error(handshake_errc::secret_missing, "the other side has no shared secret");
    if (!local_.secret && has_secret)
        return handshake_error(handshake_errc::secret_not_wanted,
                               "the other side demands a shared secret (--secret-file)");
    // Our own hello sent back: whoever does that cannot be talked to.
    if (own_hello_ == other_hello_)
        return handshake_error(handshake_errc::not_opstore, "the other side repeats what we say");
    if (!local_.secret)
        return encode_identity();
    auto const keys = agree();
    if (!keys)
        return keys.error();
    channel_ = std::make_unique<secure_channel>(*keys);
    return channel_->seal(encode_identity());
}

handshake_result<channel_keys> handshake::agree() const {
    std::array<unsigned char, crypto_scalarmult_BYTES> shared;
    if (crypto_scalarmult(shared.data(), ephemeral_secret_.data(), raw(other_hello_.data() + ephemeral_at)) !=
        0)
        return handshake_error(handshake_errc::wrong_secret, "the other side's key is none");
    std::vector<std::byte> text;
    append(text, bytes_of(key_purpose));
    append(text, std::as_bytes(std::span(shared)));
    append(text, side_ == side::dialer ? own_hello_ : other_hello_);
    append(text, side_ == side::dialer ? other_hello_ : own_hello_);
    std::array<std::byte, 64> derived;
    auto const secret = local_.secret->key();
    crypto_generichash(raw(derived.data()), derived.size(), raw(text.data()), text.size(), raw(secret.data()),
                       secret.size());
    channel_keys keys;
    auto& from_dialer = side_ == side::dialer ? keys.send : keys.receive;
    auto& from_listener = side_ == side::dialer ? keys.receive : keys.send;
    std::copy_n(derived.begin(), 32, from_dialer.begin());
    std::copy_n(derived.begin() + 32, 32, from_listener.begin());
    sodium_memzero(shared.data(), shared.size());
    sodium_memzero(text.data(), text.size());
    sodium_memzero(derived.data(), derived.size());
    return keys;
}

std::vector<std::byte> handshake::signed_text(side signer, instance_id const& instance) const {
    std::vector<std::byte> text;
    append(text, bytes_of(signature_purpose));
    text.push_back(static_cast<std::byte>(signer));
    append(text, side_ == side::dialer ? own_hello_ : other_hello_);
    append(text, side_ == side::dialer ? other_hello_ : own_hello_);
    append(text, instance);
    return text;
}

std::vector<std::byte> handshake::encode_identity() const {
    auto const text = signed_text(side_, local_.instance);
    std::array<std::byte, signature_bytes> signature;
    crypto_sign_detached(raw(signature.data()), nullptr, raw(text.data()), text.size(),
                         raw(local_.key.data()));
    std::vector<std::byte> identity;
    append(identity, local_.instance);
    append(identity, signature);
    append_sized(identity, local_.space);
    append_sized(identity, bytes_of(local_.agent_info));
    return identity;
}

handshake_result<remote_identity> handshake::take_identity(std::span<const std::byte> frame,
                                                           arc::timestamp now) {
    if (!channel_)
        return judge(frame, now);
    auto const opened = channel_->open(frame);
    if (!opened)
        return handshake_error(handshake_errc::wrong_secret, "the other side has another shared secret");
    return judge(*opened, now);
}

handshake_result<remote_identity> handshake::judge(std::span<const std::byte> identity,
                                                   arc::timestamp now) const {
    part_reader parts{identity};
    auto const instance = parts.take(std::tuple_size_v<instance_id>);
    auto const signature = parts.take(signature_bytes);
    auto const space = parts.take_sized();
    auto const info_text = parts.take_sized();
    if (parts.failed || !parts.rest.empty())
        return handshake_error(handshake_errc::malformed, "the other side's identity cannot be read");
    if (!std::ranges::equal(space, local_.space))
        return handshake_error(handshake_errc::other_space, "the other side is of another network");
    auto info = judge_agent_info(text_of(info_text), local_.space, now);
    if (!info)
        return info.error();

    remote_identity remote;
    std::ranges::copy(instance, remote.instance.begin());
    auto const text = signed_text(side_ == side::dialer ? side::listener : side::dialer, remote.instance);
    if (info->agent.size() != crypto_sign_PUBLICKEYBYTES ||
        crypto_sign_verify_detached(raw(signature.data()), raw(text.data()), text.size(),
                                    raw(info->agent.data())) != 0)
        return handshake_error(handshake_errc::not_its_key,
                               "the other side does not hold the key of the agent it says it is");
    if (info->agent == agent_of(local_.key))
        return handshake_error(handshake_errc::self, "this is ourselves");
    if (expected_ && info->agent != *expected_)
        return handshake_error(handshake_errc::wrong_agent, "another agent answers there now");
    remote.agent = std::move(info->agent);
    remote.url = std::move(*info->url);
    remote.agent_info = text_of(info_text);
    return remote;
}

}  // namespace opstore::gossip::detail
