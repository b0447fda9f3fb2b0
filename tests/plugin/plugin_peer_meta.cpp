#include <tests/plugin/plugin_peer_meta.hpp>

#include <tests/plugin/plugin_answers.hpp>
#include <tests/plugin/plugin_call.hpp>
#include <tests/plugin/plugin_op_store.hpp>
#include <tests/support/run.hpp>

namespace opstore::testing {
namespace {

using boost::asio::awaitable;

std::optional<peer_meta_entry> read_one_entry(opstore_peer_entries const* given) {
    auto entries = read_peer_entries(given);
    if (entries.size() > 1)
        throw plugin_broke_its_word("more than one entry");
    return entries.empty() ? std::nullopt : std::optional(std::move(entries.front()));
}

}  // namespace

std::unique_ptr<plugin_peer_meta> plugin_peer_meta::open(std::shared_ptr<plugin_database> database,
                                                         std::string space_key) {
    auto* const space = run(database->open_space(space_options(std::move(space_key)))).value();
    return std::unique_ptr<plugin_peer_meta>(new plugin_peer_meta(std::move(database), space));
}

plugin_peer_meta::~plugin_peer_meta() {
    plugin_library().close_space(space_);
}

awaitable<result<std::vector<peer_meta_entry>>> plugin_peer_meta::get_all(arc::timestamp now,
                                                                          deadline until) {
    auto start = [&](opstore_peer_entries_fn done, void* user) {
        return plugin_library().get_all_peer_meta(space_, arc::to_micros(now), c_timeout(until), done, user);
    };
    co_return co_await call_plugin<std::vector<peer_meta_entry>, read_peer_entries, opstore_peer_entries_fn>(
        database_->handle(), start);
}

awaitable<result<std::optional<peer_meta_entry>>> plugin_peer_meta::get(std::string peer, std::string key,
                                                                        arc::timestamp now, deadline until) {
    auto start = [&](opstore_peer_entries_fn done, void* user) {
        return plugin_library().get_peer_meta(space_, c_bytes(peer), c_bytes(key), arc::to_micros(now),
                                              c_timeout(until), done, user);
    };
    co_return co_await call_plugin<std::optional<peer_meta_entry>, read_one_entry, opstore_peer_entries_fn>(
        database_->handle(), start);
}

awaitable<result<void>> plugin_peer_meta::put(std::vector<peer_meta_entry> entries, arc::timestamp now,
                                              deadline until) {
    std::vector<opstore_peer_entry> c;
    for (peer_meta_entry const& entry : entries) {
        opstore_peer_entry to{};
        to.peer = c_bytes(entry.peer);
        to.key = c_bytes(entry.key);
        to.value = c_bytes(entry.value);
        if (entry.expires_at)
            to.expires_at = {1, arc::to_micros(*entry.expires_at)};
        c.push_back(to);
    }
    auto start = [&](opstore_done_fn done, void* user) {
        return plugin_library().put_peer_meta(space_, c.data(), c.size(), arc::to_micros(now),
                                              c_timeout(until), done, user);
    };
    co_return co_await call_plugin<void, read_done, opstore_done_fn>(database_->handle(), start);
}

awaitable<result<void>> plugin_peer_meta::remove(std::string peer, std::string key, deadline until) {
    auto start = [&](opstore_done_fn done, void* user) {
        return plugin_library().remove_peer_meta(space_, c_bytes(peer), c_bytes(key), c_timeout(until), done,
                                                 user);
    };
    co_return co_await call_plugin<void, read_done, opstore_done_fn>(database_->handle(), start);
}

}  // namespace opstore::testing
