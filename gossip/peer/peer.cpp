#include <gossip/peer/detail/peer_state.hpp>

#include <gossip/round/arc_growth.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <chrono>

namespace asio = boost::asio;

namespace opstore::gossip {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::microseconds info_lifetime = 20min;
/// It is signed anew when less than this is left of it.
constexpr std::chrono::microseconds info_renewal = 5min;
/// Peers that are told at once when this one's arc changes; the others hear of it from them.
constexpr std::size_t announced_peers_max = 16;

}  // namespace

peer::state::state(op_store& store, peer_meta& meta, transport& out, peer_options options,
                   std::function<void(std::string_view)> log)
    : store_(store),
      meta_(meta),
      out_(out),
      options_(std::move(options)),
      log_(std::move(log)),
      random_(options_.seed),
      model_(store),
      agents_(
          options_.space, options_.verify_agent
                              ? options_.verify_agent
                              : [](std::string const& text) { return verify_agent_info(text); }),
      rounds_(options_.limits, random_.next()),
      fetch_(options_.fetch),
      own_agent_(agent_of(options_.key)) {
    assert(!options_.space.empty() && options_.url.size() <= url_bytes_max);
    if (options_.starts_in_sync) {
        current_arcs_ = options_.target_arcs;
    }
}

asio::awaitable<void> peer::state::start(arc::timestamp now) {
    auto const loaded = co_await known_.load(meta_, now);
    loaded.value();
    count_store_call("start");
    auto const started = co_await model_.start(now);
    started.value();
    renew_own_info(now, true);
    next_round_at_ = now + std::chrono::microseconds(random_.below(
                               static_cast<std::uint64_t>(options_.limits.initial_interval.count()) + 1));
}

/// Runs what may meet an outage of the store: it is counted, and a later round repairs what was left undone.
/// True if there was none.
template <class Work>
static asio::awaitable<bool> survive(Work& work, peer_report& report,
                                     std::function<void(std::string_view)> const& log) {
    std::string failure;
    try {
        co_await work();
    } catch (store_error const& error) {
        failure = error.what();
    } catch (refused const& error) {
        failure = error.what();
    }
    if (!failure.empty()) {
        ++report.store_errors;
        if (log) {
            log("store: " + failure);
        }
    }
    co_return failure.empty();
}

asio::awaitable<void> peer::state::receive(peer_url from, std::vector<std::byte> frame, arc::timestamp now) {
    if (from.empty() || from.size() > url_bytes_max) {
        ++report_.protocol_errors;
        co_return;
    }
    auto decoded = decode_frame(options_.space, frame);
    if (!decoded) {
        refuse(from, decoded.error(), now);
        co_return;
    }
    auto& traffic = count(report_.received, name_of(*decoded));
    ++traffic.messages;
    traffic.bytes += frame.size();
    frame = {};
    known_.of(from).unreachable_until.reset();
    keep_plan_near(now);
    auto work = [&]() -> asio::awaitable<void> {
        co_await handle(from, std::move(*decoded), now);
        send_requests(now);
        co_await save(now);
    };
    if (!co_await survive(work, report_, log_)) {
        ++known_.of(from).counters[static_cast<std::size_t>(acquaintance_counter::local_errors)];
        known_.changed(from);
    }
}

asio::awaitable<void> peer::state::handle(peer_url const& from, message m, arc::timestamp now) {
    if (auto* gossip = std::get_if<gossip_message>(&m)) {
        co_await handle_gossip(from, std::move(*gossip), now);
    } else if (auto* fetch = std::get_if<fetch_message>(&m)) {
        if (auto* request = std::get_if<fetch_request_message>(fetch)) {
            co_await serve(from, std::move(*request), now);
        } else {
            co_await ingest(from, std::move(std::get<fetch_response_message>(*fetch)), now);
        }
    } else {
        auto& published = std::get<publish_message>(m);
        if (auto* ops = std::get_if<publish_ops_message>(&published)) {
            co_await handle_published(from, std::move(*ops), now);
        } else {
            take_agent(std::get<publish_agent_message>(published).agent_info, now);
        }
    }
}

/// A message that broke a rule changes nothing; one that cannot even be read ends the rounds with its sender,
/// because nobody knows what it was meant to say.
void peer::state::refuse(peer_url const& from, protocol_error const& error, arc::timestamp now) {
    ++report_.protocol_errors;
    log(fmt::format("{}: {}: {}", from, to_string(error.code()), error.message()));
    auto& known = known_.of(from);
    ++known.counters[static_cast<std::size_t>(acquaintance_counter::peer_behavior_errors)];
    known_.changed(from);
    bool const unreadable = error.code() == protocol_errc::malformed ||
                            error.code() == protocol_errc::too_large ||
                            error.code() == protocol_errc::out_of_range;
    if (!unreadable) {
        return;
    }
    for (auto const& round : rounds_.drop(from)) {
        terminate_message end;
        end.session = round.session;
        end.reason = std::string(to_string(error.code()));
        send(from, gossip_message(std::move(end)));
        ended(round_outcome::terminated, round.role, from, now);
    }
}

bool peer::state::send(peer_url const& to, message const& m) {
    auto frame = encode_frame(options_.space, m);
    auto const bytes = frame.size();
    if (bytes > frame_bytes_max || !out_.send(to, std::move(frame))) {
        ++report_.frames_dropped;
        return false;
    }
    auto& traffic = count(report_.sent, name_of(m));
    ++traffic.messages;
    traffic.bytes += bytes;
    return true;
}

asio::awaitable<void> peer::state::tick(arc::timestamp now) {
    renew_own_info(now, false);
    time_out(now);
    keep_plan_near(now);
    auto work = [&]() -> asio::awaitable<void> {
        if (now >= next_round_at_ && rounds_.may_initiate()) {
            co_await initiate(now);
            co_await seal(now);
        }
        send_requests(now);
        co_await serve_next(now);
        co_await save(now);
    };
    co_await survive(work, report_, log_);
}

arc::timestamp peer::state::next_tick_at() const {
    auto next = own_info_renewal_at_;
    if (rounds_.may_initiate()) {
        next = std::min(next, next_round_at_);
    }
    if (auto const timeout = rounds_.next_timeout_at()) {
        next = std::min(next, *timeout);
    }
    if (auto const fetch = fetch_.next_due_at()) {
        next = std::min(next, *fetch);
    }
    for (auto const& [url, waiting] : serving_) {
        next = std::min(next, waiting.next_at);
    }
    return next;
}

asio::awaitable<void> peer::state::save(arc::timestamp now) {
    auto const saved = co_await known_.save(meta_, now);
    saved.value();
}

void peer::state::lost(peer_url const& url, arc::timestamp now) {
    for (auto const& round : rounds_.drop(url)) {
        ended(round_outcome::timed_out, round.role, url, now);
    }
    cannot_fetch_from(url, now);
    settle_given_up();
    if (fetch_.empty()) {
        hurry(now);
    }
    serving_.erase(url);
    known_.of(url).unreachable_until = now + options_.limits.timeout;
}

std::string peer::state::own_agent_info(arc::timestamp now, bool tombstone) const {
    agent_info info;
    info.agent = own_agent_;
    info.space = options_.space;
    info.created_at = now;
    info.expires_at = now + info_lifetime;
    info.is_tombstone = tombstone;
    info.url = options_.url;
    info.storage_arc = announced_arc(current_arcs_);
    return sign(info, options_.key);
}

void peer::state::renew_own_info(arc::timestamp now, bool changed) {
    // A clock that was set back far makes the info one of the future: sign it anew as well.
    bool const due = now >= own_info_renewal_at_ || now < own_info_renewal_at_ - info_lifetime;
    if (!changed && !due) {
        return;
    }
    own_info_ = own_agent_info(now, false);
    own_info_renewal_at_ = now + info_lifetime - info_renewal;
    agents_.expire(now);
}

/// Tells a few of the agents it knows, at random, what it holds now.
void peer::state::announce() {
    auto const everyone = agents_.all(own_info_renewal_at_ - info_lifetime + info_renewal);
    if (everyone.empty()) {
        return;
    }
    publish_agent_message news;
    news.agent_info = own_info_;
    message const m = publish_message(std::move(news));
    auto const first = random_.below(everyone.size());
    for (std::size_t i = 0; i < std::min(everyone.size(), announced_peers_max); ++i) {
        auto const& info = everyone[(first + i) % everyone.size()]->info;
        if (info.url && *info.url != options_.url && !info.is_tombstone) {
            send(*info.url, m);
        }
    }
}

protocol_result<bool> peer::state::add_agent(std::string const& signed_json, arc::timestamp now,
                                             bool proven) {
    auto added = agents_.add(signed_json, now, proven);
    if (added && *added) {
        hurry(now);
    }
    return added;
}

void peer::state::take_agent(std::string const& signed_json, arc::timestamp now) {
    auto const added = add_agent(signed_json, now, false);
    if (!added) {
        ++report_.protocol_errors;
        log(fmt::format("agent info: {}", added.error().message()));
    }
}

void peer::state::log(std::string_view line) const {
    if (log_) {
        log_(line);
    }
}

peer::peer(op_store& store, peer_meta& meta, transport& out, peer_options options,
           std::function<void(std::string_view)> log)
    : state_(std::make_unique<state>(store, meta, out, std::move(options), std::move(log))) {}

peer::~peer() = default;

asio::awaitable<void> peer::start(arc::timestamp now) {
    return state_->start(now);
}

asio::awaitable<void> peer::receive(peer_url from, std::vector<std::byte> frame, arc::timestamp now) {
    return state_->receive(std::move(from), std::move(frame), now);
}

asio::awaitable<void> peer::tick(arc::timestamp now) {
    return state_->tick(now);
}

arc::timestamp peer::next_tick_at() const {
    return state_->next_tick_at();
}

void peer::lost(peer_url const& url, arc::timestamp now) {
    state_->lost(url, now);
}

void peer::ops_stored(arc::timestamp now) {
    state_->ops_stored(now);
}

asio::awaitable<void> peer::publish(std::vector<op_id> ids, arc::timestamp now) {
    return state_->publish(std::move(ids), now);
}

protocol_result<bool> peer::add_agent(std::string const& signed_json, arc::timestamp now) {
    return state_->add_agent(signed_json, now, true);
}

std::string peer::own_agent_info(arc::timestamp now, bool tombstone) const {
    return state_->own_agent_info(now, tombstone);
}

arc::arc_set const& peer::current_arcs() const {
    return state_->current_arcs();
}

arc::arc_set const& peer::target_arcs() const {
    return state_->target_arcs();
}

address_book const& peer::agents() const {
    return state_->agents();
}

peer_report const& peer::report() const {
    return state_->report();
}

std::size_t peer::fetch_backlog() const {
    return state_->fetch_backlog();
}

}  // namespace opstore::gossip
