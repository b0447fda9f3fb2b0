#include <gossip/tcp/tcp_node.hpp>

#include <gossip/tcp/detail/node_state.hpp>

#include <fmt/format.h>

namespace opstore::gossip {

std::optional<std::string> check(tcp_options const& options) {
    auto const open_to_others = [&](tcp_address const& address) {
        return !options.secret && !is_loopback(address);
    };
    if (options.space.empty() || options.space.size() > detail::handshake::space_bytes_max)
        return fmt::format("a network's name has 1 to {} bytes, not {}", detail::handshake::space_bytes_max,
                           options.space.size());
    if (open_to_others(options.listen))
        return fmt::format("{} is not loopback: listening there takes a shared secret",
                           to_string(options.listen));
    for (tcp_address const& address : options.connect) {
        if (open_to_others(address))
            return fmt::format("{} is not loopback: connecting there takes a shared secret",
                               to_string(address));
        if (address.port() == 0)
            return fmt::format("{} has no port to connect to", to_string(address));
    }
    auto const& announced = options.announce.value_or(options.listen);
    if (announced.address().is_unspecified())
        return fmt::format("{} tells others no address to connect to: announce one",
                           to_string(options.listen));
    if (options.announce && options.announce->port() == 0)
        return fmt::format("{} has no port to announce", to_string(*options.announce));
    return std::nullopt;
}

tcp_node::tcp_node(boost::asio::any_io_executor executor, tcp_options options, log_function log,
                   clock_function clock)
    : state_(std::make_unique<state>(std::move(executor), std::move(options), std::move(log),
                                     std::move(clock))) {}

tcp_node::~tcp_node() = default;

arc::timestamp tcp_node::system_clock_now() {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

tcp_address const& tcp_node::listening_at() const {
    return state_->listening_at();
}

peer_url const& tcp_node::url() const {
    return state_->url();
}

boost::asio::awaitable<void> tcp_node::run(peer& p) {
    return state_->run(p);
}

void tcp_node::stop() {
    state_->stop();
}

bool tcp_node::send(peer_url const& to, std::vector<std::byte> frame) {
    return state_->send(to, std::move(frame));
}

std::size_t tcp_node::queued_bytes(peer_url const& to) const {
    return state_->queued_bytes(to);
}

tcp_report tcp_node::report() const {
    return state_->report();
}

}  // namespace opstore::gossip
