#include <gossip/peer/detail/peer_state.hpp>

#include <arc/sector.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>

namespace asio = boost::asio;

namespace opstore::gossip {
namespace {

/// Ids that one peer may have asked for and not been sent; who asks for more asks again.
constexpr std::size_t served_ids_max = 8'192;
/// Peers that may have: as many as a TCP node is connected to. With all their ids about 60 MiB.
constexpr std::size_t served_peers_max = 64;
/// Ids that the store is asked for at once: more than there are in a request of one of our peers.
constexpr std::size_t probed_ids_max = 1'024;
/// Bytes of ops in one response, an op larger than that alone: small enough that a frame does not hold up
/// the messages of a round behind it.
constexpr std::uint64_t response_bytes_max = 1 << 20;
/// Bytes of ops sent to one peer in one call, so that others have their turn; and that may wait to be sent to
/// it, so that a slow link still has room for the messages of a round. An op that is larger goes alone.
constexpr std::uint64_t unsent_bytes_max = 2 << 20;
/// Until a peer is sent more: the queue of a fast link does not run dry meanwhile.
constexpr std::chrono::microseconds serving_pause = std::chrono::milliseconds(10);
/// The same after the transport took no more. What it did not take is read from the store again.
constexpr std::chrono::microseconds refused_pause = std::chrono::milliseconds(100);
/// Who takes nothing for so long has given up waiting.
constexpr std::chrono::microseconds serving_patience = std::chrono::seconds(60);
/// An op that leaves no room for the rest of its frame cannot be sent.
constexpr std::size_t sendable_bytes_max = frame_bytes_max - 4096;
/// Peers that are told of an op that was made here; gossip carries it on.
constexpr std::size_t publish_peers_max = 10;
/// Ids in one message that tells of ops; of more, the rest is left to gossip.
constexpr std::size_t published_ids_max = 8'192;

}  // namespace

/// Puts those of `ids` into the fetch queue that are wanted and not held; answers them. `all_fit` becomes
/// false if the queue was full.
asio::awaitable<std::vector<op_id>> peer::state::fetch_missing(std::vector<op_id> ids, peer_url const& from,
                                                               arc::timestamp now, bool* all_fit) {
    auto const& format = *store_.options().format;
    std::vector<op_id> wanted;
    std::vector<op_id> unknown;
    for (auto const& id : ids) {
        if (id.length() != format.id_length() ||
            !options_.target_arcs.includes(arc::sector_of(format.locate(id)))) {
            continue;
        }
        (fetch_.wants(id) ? wanted : unknown).push_back(id);
    }
    if (!unknown.empty()) {
        count_store_call("filter");
        auto const missing = co_await store_.filter_out_existing_ops(std::move(unknown));
        wanted.insert(wanted.end(), missing.value().begin(), missing.value().end());
    }
    if (!wanted.empty()) {
        brought_news_ = true;
        *all_fit = fetch_.add(wanted, from, now) == 0;
    }
    co_return wanted;
}

void peer::state::send_requests(arc::timestamp now) {
    bool const was_waiting = !fetch_.empty();
    // A peer that cannot be reached gives its requests back, and others are asked at once: at most every peer
    // is struck off once.
    for (bool again = true; again;) {
        again = false;
        for (auto& request : fetch_.due(now)) {
            fetch_request_message ask;
            ask.ids = std::move(request.ids);
            if (!send(request.to, fetch_message(std::move(ask)))) {
                cannot_fetch_from(request.to, now);
                again = true;
            }
        }
    }
    settle_given_up();
    if (fetch_.empty()) {
        known_.all_settled();
    }
    if (was_waiting && fetch_.empty()) {
        hurry(now);
    }
}

/// Its ops were listed in vain. The comparison of slices does not see the youngest, so its bookmark goes back
/// instead of being settled with the ids that are given up.
void peer::state::cannot_fetch_from(peer_url const& url, arc::timestamp now) {
    fetch_.unreachable(url, now);
    known_.roll_back(url);
}

/// What nobody gives does not hold up bookmarks: the comparison of slices lists it again.
void peer::state::settle_given_up() {
    auto const given_up = fetch_.take_given_up();
    if (!given_up.empty()) {
        known_.settled(given_up);
    }
}

asio::awaitable<void> peer::state::serve(peer_url const& to, fetch_request_message request,
                                         arc::timestamp now) {
    bool const is_new = !serving_.contains(to);
    if (is_new && serving_.size() >= served_peers_max) {
        co_return;
    }
    auto& mine = serving_[to];
    // Each once: a small request that names one large op again and again is not worth as many answers, and
    // who asks again because the link is slow gets what is on its way already.
    for (auto const& id : request.ids) {
        if (mine.ids.size() < served_ids_max) {
            mine.ids.insert(id);
        }
    }
    if (is_new) {
        mine.drop_at = now + serving_patience;
        co_await serve_more(to, now);
    }
}

/// Goes on with who has waited longest.
asio::awaitable<void> peer::state::serve_next(arc::timestamp now) {
    // Nor must a clock that was set back keep anybody waiting for as long as that.
    for (auto& [url, waiting] : serving_) {
        waiting.next_at = std::min(waiting.next_at, now + refused_pause);
        waiting.drop_at = std::min(waiting.drop_at, now + serving_patience);
    }
    std::erase_if(serving_, [&](auto const& entry) { return now >= entry.second.drop_at; });
    auto const next =
        std::ranges::min_element(serving_, {}, [](auto const& entry) { return entry.second.next_at; });
    if (next != serving_.end() && now >= next->second.next_at) {
        co_await serve_more(next->first, now);
    }
}

/// Sends as much of what `to` asked for as one call may; tick() goes on with the rest.
asio::awaitable<void> peer::state::serve_more(peer_url to, arc::timestamp now) {
    // An outage of the store ends it: who asked asks again.
    auto entry = serving_.extract(to);
    auto& mine = entry.mapped();
    std::uint64_t sent_bytes = 0;
    bool refused = false;
    while (!refused && !mine.ids.empty() && sent_bytes < unsent_bytes_max &&
           out_.queued_bytes(to) < unsent_bytes_max) {
        auto const sent = co_await send_ops(to, mine.ids);
        refused = !sent;
        sent_bytes += sent.value_or(0);
        mine.drop_at = sent ? now + serving_patience : mine.drop_at;
    }
    mine.next_at = now + (refused ? refused_pause : serving_pause);
    if (!mine.ids.empty()) {
        serving_.insert(std::move(entry));
    }
}

/// One answer to the first of `ids`, which are then taken off. The bytes of its ops; none if the transport
/// did not take it.
asio::awaitable<std::optional<std::uint64_t>> peer::state::send_ops(peer_url const& to,
                                                                    std::set<op_id>& ids) {
    count_store_call("serve");
    auto const count = static_cast<std::ptrdiff_t>(std::min(ids.size(), probed_ids_max));
    std::vector<op_id> first(ids.begin(), std::next(ids.begin(), count));
    auto found = co_await store_.retrieve_ops_bounded(std::move(first), response_bytes_max);
    auto& batch = found.value();
    fetch_response_message response;
    std::uint64_t bytes = 0;
    std::set<op_id> held;
    for (auto& op : batch.ops) {
        if (op.data.size() <= sendable_bytes_max && held.insert(op.id).second) {
            bytes += op.data.size();
            auto& out = response.ops.emplace_back();
            out.id = op.id;
            out.data = std::move(op.data);
        }
    }
    auto const read = std::next(ids.begin(), static_cast<std::ptrdiff_t>(batch.ids_read));
    std::copy_if(ids.begin(), read, std::back_inserter(response.absent),
                 [&](op_id const& id) { return !held.contains(id); });
    // Beside an op that fills a frame there is no room for the ids of those that are not here.
    fetch_response_message rest;
    if (batch.ids_read > 1 && !response.ops.empty() && !response.absent.empty()) {
        rest.absent = std::move(response.absent);
        response.absent.clear();
    }
    if (!send(to, fetch_message(std::move(response)))) {
        co_return std::nullopt;
    }
    ids.erase(ids.begin(), read);
    if (!rest.absent.empty()) {
        send(to, fetch_message(std::move(rest)));
    }
    co_return bytes;
}

asio::awaitable<void> peer::state::ingest(peer_url const& from, fetch_response_message response,
                                          arc::timestamp now) {
    auto answered = response.absent;
    for (auto const& op : response.ops) {
        answered.push_back(op.id);
    }
    fetch_.progress(from, answered, now);
    std::vector<incoming_op> ops;
    for (auto& op : response.ops) {
        if (fetch_.wants(op.id)) {
            ops.emplace_back(std::move(op.data), op.id);
        }
    }
    fetch_.not_from(response.absent, from, now);
    if (ops.empty()) {
        co_return;
    }
    std::vector<op_id> claimed;
    for (auto const& op : ops) {
        claimed.push_back(*op.claimed_id);
    }
    count_store_call("ingest");
    auto const stored = co_await store_.process_incoming_ops(std::move(ops));
    auto const& report = stored.value();
    // Durable now, and only now are they no more asked for.
    bool const was_waiting = !fetch_.empty();
    fetch_.held(report.held);
    known_.settled(report.held);
    report_.ops_fetched += report.newly_stored.size();
    report_.ops_refused += report.rejected.size();
    std::vector<op_id> refused_ids;
    for (auto const& rejected : report.rejected) {
        refused_ids.push_back(claimed[rejected.index]);
        log(fmt::format("{}: op refused: {}", from, rejected.message));
    }
    fetch_.not_from(refused_ids, from, now);
    if (was_waiting && fetch_.empty()) {
        hurry(now);
    }
}

asio::awaitable<void> peer::state::handle_published(peer_url const& from, publish_ops_message published,
                                                    arc::timestamp now) {
    published.ops.resize(std::min(published.ops.size(), published_ids_max));
    std::vector<op_id> ids;
    for (auto const& op : published.ops) {
        ids.push_back(op.id);
    }
    bool all_fit = true;
    co_await fetch_missing(std::move(ids), from, now, &all_fit);
}

asio::awaitable<void> peer::state::publish(std::vector<op_id> ids, arc::timestamp now) {
    std::map<peer_url, publish_ops_message> to_send;
    auto const everyone = agents_.all(now);
    for (auto const& id : ids) {
        auto const sector = arc::sector_of(store_.options().format->locate(id));
        std::size_t told = 0;
        auto const first = everyone.empty() ? 0 : random_.below(everyone.size());
        for (std::size_t i = 0; i < everyone.size() && told < publish_peers_max; ++i) {
            auto const& info = everyone[(first + i) % everyone.size()]->info;
            if (!info.url || *info.url == options_.url || info.is_tombstone) {
                continue;
            }
            auto const* known = known_.find(*info.url);
            auto const sectors =
                known && known->arcs ? known->arcs : arc::arc_set::from_whole_sectors(info.storage_arc);
            if (sectors && sectors->includes(sector)) {
                to_send[*info.url].ops.emplace_back().id = id;
                ++told;
            }
        }
    }
    for (auto& [url, published] : to_send) {
        for (auto from = published.ops.begin(); from != published.ops.end();) {
            auto const left = static_cast<std::size_t>(published.ops.end() - from);
            auto const to = from + static_cast<std::ptrdiff_t>(std::min(left, published_ids_max));
            publish_ops_message part;
            part.ops.assign(from, to);
            send(url, publish_message(std::move(part)));
            from = to;
        }
    }
    co_return;
}

}  // namespace opstore::gossip
