#pragma once

#include <gossip/tcp/detail/handshake.hpp>
#include <gossip/tcp/tcp_address.hpp>

#include <array>
#include <chrono>
#include <cstdint>

namespace opstore::gossip::testing {

/// Peers by number, all of one network, each with a key of its own.

inline constexpr arc::timestamp test_now{std::chrono::hours(500'000)};

inline std::vector<std::byte> test_space() {
    return {std::byte{'t'}, std::byte{'e'}, std::byte{'s'}, std::byte{'t'}};
}

inline agent_key key(std::uint8_t number) {
    std::array<std::byte, 32> seed{};
    seed[0] = std::byte{number};
    return make_agent_key(seed);
}

inline peer_url url_of(std::uint8_t number) {
    tcp_address const address(boost::asio::ip::address_v4::loopback(),
                              static_cast<std::uint16_t>(4000 + number));
    return make_tcp_url(address, agent_of(key(number)));
}

inline agent_info info_of(std::uint8_t number) {
    agent_info info;
    info.agent = agent_of(key(number));
    info.space = test_space();
    info.created_at = test_now - std::chrono::minutes(1);
    info.expires_at = test_now + std::chrono::minutes(19);
    info.url = url_of(number);
    return info;
}

inline detail::local_identity identity(std::uint8_t number,
                                       std::optional<shared_secret> secret = std::nullopt) {
    detail::local_identity own;
    own.space = test_space();
    own.key = key(number);
    own.agent_info = sign(info_of(number), own.key);
    own.instance[0] = std::byte{number};
    own.secret = std::move(secret);
    return own;
}

}  // namespace opstore::gossip::testing
