#include <gossip/tcp/tcp_address.hpp>

#include <opstore/base64.hpp>

#include <boost/asio/ip/address.hpp>

#include <charconv>

namespace opstore::gossip {
namespace {

constexpr std::string_view scheme = "tcp://";

}  // namespace

std::optional<tcp_address> parse_tcp_address(std::string_view text) {
    auto const colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return std::nullopt;
    std::uint16_t port = 0;
    auto const digits = text.substr(colon + 1);
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size())
        return std::nullopt;
    std::string host(text.substr(0, colon));
    if (host == "localhost")
        host = "127.0.0.1";
    bool const bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    boost::system::error_code no_address;
    auto const address =
        boost::asio::ip::make_address(bracketed ? host.substr(1, host.size() - 2) : host, no_address);
    if (no_address || address.is_v6() != bracketed)
        return std::nullopt;
    return tcp_address(address, port);
}

std::string to_string(tcp_address const& address) {
    auto const host = address.address().to_string();
    return (address.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(address.port());
}

bool is_loopback(tcp_address const& address) {
    auto const& ip = address.address();
    if (ip.is_v6() && ip.to_v6().is_v4_mapped())
        return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, ip.to_v6()).is_loopback();
    return ip.is_loopback();
}

peer_url make_tcp_url(tcp_address const& address, agent_id const& agent) {
    return std::string(scheme) + to_string(address) + "/" + to_base64(agent, base64_form::url_unpadded);
}

std::optional<tcp_url> parse_tcp_url(std::string_view url) {
    if (url.size() > url_bytes_max || !url.starts_with(scheme))
        return std::nullopt;
    auto const slash = url.find('/', scheme.size());
    if (slash == std::string_view::npos)
        return std::nullopt;
    auto const address = parse_tcp_address(url.substr(scheme.size(), slash - scheme.size()));
    auto agent = from_base64(url.substr(slash + 1), base64_form::url_unpadded);
    if (!address || address->port() == 0 || !agent || agent->empty() || agent->size() > agent_id_bytes_max)
        return std::nullopt;
    tcp_url parsed;
    parsed.address = *address;
    parsed.agent = std::move(*agent);
    // One peer has one url: another spelling would be another peer to everything that goes by urls.
    if (make_tcp_url(parsed.address, parsed.agent) != url)
        return std::nullopt;
    return parsed;
}

}  // namespace opstore::gossip
