#include <opstore/plugin/detail/calls.hpp>
#include <opstore/plugin/detail/functions.hpp>

namespace opstore::plugin::detail {
namespace {

std::uint64_t get_all_peer_meta(opstore_space* space, std::int64_t now, std::uint32_t timeout_ms,
                                opstore_peer_entries_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [now = arc::from_micros(now), until = read_timeout(timeout_ms)](space_state& s) {
            return s.peers->get_all(now, until);
        };
    });
}

std::uint64_t get_peer_meta(opstore_space* space, opstore_bytes peer, opstore_bytes key, std::int64_t now,
                            std::uint32_t timeout_ms, opstore_peer_entries_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [peer = read_key(peer, "peer"), key = read_key(key, "key"), now = arc::from_micros(now),
                until = read_timeout(timeout_ms)](space_state& s) mutable {
            return s.peers->get(std::move(peer), std::move(key), now, until);
        };
    });
}

std::uint64_t put_peer_meta(opstore_space* space, opstore_peer_entry const* entries, std::size_t count,
                            std::int64_t now, std::uint32_t timeout_ms, opstore_done_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [entries = read_peer_entries(entries, count), now = arc::from_micros(now),
                until = read_timeout(timeout_ms)](space_state& s) mutable {
            return s.peers->put(std::move(entries), now, until);
        };
    });
}

std::uint64_t remove_peer_meta(opstore_space* space, opstore_bytes peer, opstore_bytes key,
                               std::uint32_t timeout_ms, opstore_done_fn done, void* user) {
    return start_space_call(space, done, user, [&] {
        return [peer = read_key(peer, "peer"), key = read_key(key, "key"),
                until = read_timeout(timeout_ms)](space_state& s) mutable {
            return s.peers->remove(std::move(peer), std::move(key), until);
        };
    });
}

}  // namespace

void add_peer_meta_functions(opstore_plugin& table) {
    table.get_all_peer_meta = get_all_peer_meta;
    table.get_peer_meta = get_peer_meta;
    table.put_peer_meta = put_peer_meta;
    table.remove_peer_meta = remove_peer_meta;
}

}  // namespace opstore::plugin::detail
