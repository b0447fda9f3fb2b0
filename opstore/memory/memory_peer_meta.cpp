#include <opstore/memory/memory_peer_meta.hpp>

#include <opstore/peer_meta_bounds.hpp>

namespace asio = boost::asio;

namespace opstore {
namespace {

bool has_expired(peer_meta_entry const& entry, arc::timestamp now) {
    return entry.expires_at && *entry.expires_at <= now;
}

}  // namespace

asio::awaitable<result<std::vector<peer_meta_entry>>> memory_peer_meta::get_all(arc::timestamp now,
                                                                                deadline) {
    std::scoped_lock const lock(mutex_);
    std::vector<peer_meta_entry> all;
    for (auto const& [place, entry] : entries_) {
        if (!has_expired(entry, now)) {
            all.push_back(entry);
        }
    }
    co_return all;
}

asio::awaitable<result<std::optional<peer_meta_entry>>> memory_peer_meta::get(std::string peer,
                                                                              std::string key,
                                                                              arc::timestamp now, deadline) {
    if (auto const valid = check_peer_and_key(peer, key); !valid) {
        co_return valid.error();
    }
    std::scoped_lock const lock(mutex_);
    std::optional<peer_meta_entry> found;
    auto const at = entries_.find({std::move(peer), std::move(key)});
    if (at != entries_.end() && !has_expired(at->second, now)) {
        found = at->second;
    }
    co_return found;
}

asio::awaitable<result<void>> memory_peer_meta::put(std::vector<peer_meta_entry> entries, arc::timestamp now,
                                                    deadline) {
    for (peer_meta_entry const& entry : entries) {
        if (auto const valid = check(entry); !valid) {
            co_return valid.error();
        }
    }
    std::scoped_lock const lock(mutex_);
    for (peer_meta_entry& entry : entries) {
        std::pair place(entry.peer, entry.key);
        entries_.insert_or_assign(std::move(place), std::move(entry));
    }
    std::erase_if(entries_, [&](auto const& item) { return has_expired(item.second, now); });
    co_return result<void>();
}

asio::awaitable<result<void>> memory_peer_meta::remove(std::string peer, std::string key, deadline) {
    if (auto const valid = check_peer_and_key(peer, key); !valid) {
        co_return valid.error();
    }
    std::scoped_lock const lock(mutex_);
    entries_.erase({std::move(peer), std::move(key)});
    co_return result<void>();
}

}  // namespace opstore
