#include <gossip/simulator/host.hpp>

#include <fmt/format.h>

#include <cassert>
#include <utility>

namespace opstore::simulator {
namespace {

constexpr std::string_view url_start = "sim-";

}  // namespace

gossip::peer_url url_of(peer_number peer) {
    return fmt::format("{}{:04}", url_start, peer);
}

std::optional<peer_number> peer_of(gossip::peer_url const& url) {
    if (!url.starts_with(url_start)) {
        return std::nullopt;
    }
    auto const number = parse_number(std::string_view(url).substr(url_start.size()));
    return number ? std::optional(static_cast<peer_number>(*number)) : std::nullopt;
}

/// What leaves a process, as long as it is alive.
class host::port final : public gossip::transport {
public:
    port(process const& owner, send_function send) : owner_(owner), send_(std::move(send)) {}

    bool send(gossip::peer_url const& to, std::vector<std::byte> frame) override {
        auto const receiver = peer_of(to);
        return receiver && !owner_.dead && send_(*receiver, std::move(frame));
    }

private:
    process const& owner_;
    send_function send_;
};

host::host(peer_number number, peer_stores stores, gossip::peer_options options, microseconds clock_offset,
           process_store::listener on_stored)
    : number_(number),
      stores_(std::move(stores)),
      options_(std::move(options)),
      clock_offset_(clock_offset),
      on_stored_(std::move(on_stored)) {}

void host::boot(send_function send, log_function log) {
    assert(condition_ == condition::absent || condition_ == condition::down);
    condition_ = condition::up;
    ++incarnation_;
    life_ = process();
    tick_at.reset();
    idle_ticks = 0;
    store_ = std::make_unique<process_store>(*stores_.ops, life_, on_stored_);
    meta_ = std::make_unique<process_meta>(*stores_.meta, life_);
    port_ = std::make_unique<port>(life_, std::move(send));
    auto options = options_;
    options.seed = random_stream(options_.seed, "incarnation", incarnation_).next();
    peer_ = std::make_unique<gossip::peer>(*store_, *meta_, *port_, std::move(options), std::move(log));
}

void host::halt(condition next, std::vector<gossip::peer_report>& totals) {
    assert(is_up());
    totals.push_back(peer_->report());
    // What it has grown to hold, it still holds when it comes back.
    options_.starts_in_sync = peer_->current_arcs() == peer_->target_arcs();
    peer_.reset();
    port_.reset();
    meta_.reset();
    store_.reset();
    condition_ = next;
}

}  // namespace opstore::simulator
