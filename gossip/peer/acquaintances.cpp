#include <gossip/peer/acquaintances.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>
#include <system_error>
#include <utility>

namespace asio = boost::asio;

namespace opstore::gossip {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view last_round_key = "gossip:last_timestamp";
constexpr std::string_view bookmark_key = "gossip:new_ops_bookmark";
constexpr std::string_view bookmark_arcs_key = "opstore:new_ops_bookmark_arcs";
constexpr std::string_view op_count_key = "gossip:dht_op_count";

struct counter_key {
    std::string_view key;
    std::chrono::microseconds expiry;
};

/// In the order of acquaintance_counter.
constexpr std::array<counter_key, acquaintance_counters> counter_keys{{
    {"gossip:peer_behavior_errors", 1h},
    {"gossip:local_errors", 1h},
    {"gossip:peer_busy", 1h},
    {"gossip:peer_terminated", 1h},
    {"gossip:completed_rounds", 24h},
    {"gossip:peer_timeouts", 24h},
}};

std::vector<std::byte> to_bytes(std::string_view text) {
    auto const* const data = reinterpret_cast<std::byte const*>(text.data());
    return {data, data + text.size()};
}

template <class Number>
std::optional<Number> to_number(std::vector<std::byte> const& value) {
    auto const* const data = reinterpret_cast<char const*>(value.data());
    Number number = 0;
    auto const [end, error] = std::from_chars(data, data + value.size(), number);
    return error == std::errc() && end == data + value.size() ? std::optional(number) : std::nullopt;
}

std::vector<std::byte> to_bytes(arc::arc_set const& arcs) {
    std::vector<std::byte> bytes;
    for (auto const word : arcs.encode()) {
        for (int shift = 0; shift < 32; shift += 8) {
            bytes.push_back(static_cast<std::byte>(word >> shift & 0xff));
        }
    }
    return bytes;
}

std::optional<arc::arc_set> to_arcs(std::vector<std::byte> const& bytes) {
    if (bytes.size() != 4 * arc::arc_set::encoded_words) {
        return std::nullopt;
    }
    std::array<std::uint32_t, arc::arc_set::encoded_words> words{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        words[i / 4] |= std::to_integer<std::uint32_t>(bytes[i]) << 8 * (i % 4);
    }
    return arc::arc_set::decode(words);
}

void read_entry(acquaintance& to, peer_meta_entry const& entry) {
    if (entry.key == bookmark_arcs_key) {
        to.durable_arcs = to_arcs(entry.value).value_or(arc::arc_set());
    } else if (entry.key == op_count_key) {
        to.op_count = to_number<std::uint64_t>(entry.value);
    } else if (entry.key == last_round_key || entry.key == bookmark_key) {
        auto const micros = to_number<std::int64_t>(entry.value);
        auto& field = entry.key == bookmark_key ? to.durable_bookmark : to.last_round_at;
        field = micros ? std::optional(arc::from_micros(*micros)) : std::nullopt;
    } else {
        auto const known = std::ranges::find(counter_keys, entry.key, &counter_key::key);
        if (known != counter_keys.end()) {
            to.counters[static_cast<std::size_t>(known - counter_keys.begin())] =
                to_number<std::uint32_t>(entry.value).value_or(0);
        }
    }
}

class entry_writer {
public:
    entry_writer(std::vector<peer_meta_entry>& to, peer_url const& peer, arc::timestamp now)
        : to_(to), peer_(peer), now_(now) {}

    void add(std::string_view key, std::vector<std::byte> value, std::chrono::microseconds expiry) {
        auto& entry = to_.emplace_back();
        entry.peer = peer_;
        entry.key = key;
        entry.value = std::move(value);
        entry.expires_at = now_ + expiry;
    }
    template <class Number>
    void add_number(std::string_view key, Number number, std::chrono::microseconds expiry) {
        add(key, to_bytes(fmt::to_string(number)), expiry);
    }

private:
    std::vector<peer_meta_entry>& to_;
    peer_url const& peer_;
    arc::timestamp now_;
};

void write_entries(std::vector<peer_meta_entry>& to, peer_url const& url, acquaintance const& known,
                   arc::timestamp now) {
    entry_writer out(to, url, now);
    if (known.last_round_at) {
        out.add_number(last_round_key, arc::to_micros(*known.last_round_at), 10min);
    }
    if (known.op_count) {
        out.add_number(op_count_key, *known.op_count, 24h);
    }
    if (known.durable_bookmark) {
        out.add_number(bookmark_key, arc::to_micros(*known.durable_bookmark), 24h);
        out.add(bookmark_arcs_key, to_bytes(known.durable_arcs), 24h);
    }
    for (std::size_t i = 0; i < acquaintance_counters; ++i) {
        if (known.counters[i] > 0) {
            out.add_number(counter_keys[i].key, known.counters[i], counter_keys[i].expiry);
        }
    }
}

}  // namespace

void acquaintance::listed_up_to(arc::timestamp bookmark, arc::arc_set const& common,
                                std::vector<op_id> const& missing, std::size_t room) {
    rounds.bookmark = bookmark;
    rounds.bookmark_arcs = common;
    if (awaits_all || awaited.size() + missing.size() > room) {
        awaited.clear();
        awaits_all = true;
        return;
    }
    awaited.insert(missing.begin(), missing.end());
    if (awaited.empty()) {
        durable_bookmark = bookmark;
        durable_arcs = common;
    }
}

bool acquaintance::settled(std::vector<op_id> const& ids) {
    if (awaited.empty()) {
        return false;
    }
    for (auto const& id : ids) {
        awaited.erase(id);
    }
    if (!awaited.empty() || !rounds.bookmark) {
        return false;
    }
    durable_bookmark = rounds.bookmark;
    durable_arcs = rounds.bookmark_arcs;
    return true;
}

bool acquaintance::all_settled() {
    awaited.clear();
    awaits_all = false;
    if (!rounds.bookmark) {
        return false;
    }
    durable_bookmark = rounds.bookmark;
    durable_arcs = rounds.bookmark_arcs;
    return true;
}

void acquaintance::roll_back() {
    if (awaits()) {
        awaited.clear();
        awaits_all = false;
        rounds.bookmark = durable_bookmark;
        rounds.bookmark_arcs = durable_arcs;
    }
}

void acquaintance::forget_bookmark() {
    rounds.bookmark.reset();
    rounds.bookmark_arcs = {};
}

void acquaintance::take_cursors(std::vector<region_cursor> const& cut) {
    for (auto const& cursor : cut) {
        std::erase_if(rounds.resume, [&](region_cursor const& old) {
            return old.region.sector == cursor.region.sector && old.region.range == cursor.region.range;
        });
        if (cursor.after) {
            rounds.resume.push_back(cursor);
        }
    }
    if (rounds.resume.size() > region_cursors_max) {
        rounds.resume.erase(rounds.resume.begin(), rounds.resume.end() - region_cursors_max);
    }
}

asio::awaitable<result<void>> acquaintances::load(peer_meta& meta, arc::timestamp now) {
    auto const entries = co_await meta.get_all(now);
    if (!entries) {
        co_return entries.error();
    }
    by_url_.clear();
    changed_.clear();
    awaiting_.clear();
    for (auto const& entry : *entries) {
        read_entry(of(entry.peer), entry);
    }
    for (auto& [url, known] : by_url_) {
        known.rounds.bookmark = known.durable_bookmark;
        known.rounds.bookmark_arcs = known.durable_arcs;
    }
    co_return result<void>();
}

acquaintance& acquaintances::of(peer_url const& url) {
    auto const found = by_url_.find(url);
    if (found != by_url_.end()) {
        return found->second;
    }
    if (by_url_.size() >= peers_max) {
        auto const oldest = std::ranges::min_element(
            by_url_, {}, [](auto const& entry) { return entry.second.last_round_at; });
        changed_.erase(oldest->first);
        awaiting_.erase(oldest->first);
        by_url_.erase(oldest);
    }
    return by_url_[url];
}

acquaintance const* acquaintances::find(peer_url const& url) const {
    auto const found = by_url_.find(url);
    return found == by_url_.end() ? nullptr : &found->second;
}

asio::awaitable<result<void>> acquaintances::save(peer_meta& meta, arc::timestamp now) {
    std::vector<peer_meta_entry> entries;
    for (auto const& url : changed_) {
        if (auto const* known = find(url)) {
            write_entries(entries, url, *known, now);
        }
    }
    if (!entries.empty()) {
        auto const written = co_await meta.put(std::move(entries), now);
        if (!written) {
            co_return written.error();
        }
    }
    changed_.clear();
    co_return result<void>();
}

void acquaintances::listed_up_to(peer_url const& url, arc::timestamp bookmark, arc::arc_set const& common,
                                 std::vector<op_id> const& missing) {
    std::size_t others = 0;
    for (auto const& waiting : awaiting_) {
        auto const* known = waiting == url ? nullptr : find(waiting);
        others += known ? known->awaited.size() : 0;
    }
    auto& known = of(url);
    known.listed_up_to(bookmark, common, missing,
                       std::min(acquaintance::awaited_max, awaited_max - std::min(awaited_max, others)));
    if (known.awaits()) {
        awaiting_.insert(url);
    }
}

void acquaintances::settled(std::vector<op_id> const& ids) {
    std::erase_if(awaiting_, [&](peer_url const& url) {
        auto const found = by_url_.find(url);
        if (found == by_url_.end()) {
            return true;
        }
        if (found->second.settled(ids)) {
            changed_.insert(url);
        }
        return !found->second.awaits();
    });
}

void acquaintances::all_settled() {
    for (auto const& url : std::exchange(awaiting_, {})) {
        auto const found = by_url_.find(url);
        if (found != by_url_.end() && found->second.all_settled()) {
            changed_.insert(url);
        }
    }
}

void acquaintances::roll_back(peer_url const& url) {
    if (auto const found = by_url_.find(url); found != by_url_.end()) {
        found->second.roll_back();
    }
    awaiting_.erase(url);
}

}  // namespace opstore::gossip
