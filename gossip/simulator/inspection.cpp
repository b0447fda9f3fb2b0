#include <gossip/simulator/inspection.hpp>

#include <gossip/simulator/event_log.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace asio = boost::asio;

namespace opstore::simulator {
namespace {

constexpr std::size_t ids_per_read = 1'000;
constexpr std::uint64_t bytes_per_read = 64 << 20;

asio::awaitable<std::vector<op_id>> all_ids(op_store& store) {
    std::vector<op_id> all;
    arc::timestamp start = arc::from_micros(0);
    for (bool more = true; more;) {
        auto const page = (co_await store.retrieve_op_ids_bounded(arc::dht_arc::full(), start,
                                                                  std::numeric_limits<std::uint64_t>::max()))
                              .value();
        all.insert(all.end(), page.ids.begin(), page.ids.end());
        start = page.next;
        more = page.next_op_bytes.has_value();
    }
    std::ranges::sort(all);
    co_return all;
}

/// Whether the bytes behind the ids are those that were created.
asio::awaitable<void> check_bytes(ledger& truth, peer_number peer, op_store& store,
                                  std::vector<op_id> const& ids) {
    for (std::size_t at = 0; at < ids.size();) {
        auto const count = std::min(ids_per_read, ids.size() - at);
        std::vector<op_id> wanted(ids.begin() + at, ids.begin() + at + count);
        auto const batch = (co_await store.retrieve_ops_bounded(std::move(wanted), bytes_per_read)).value();
        for (auto const& op : batch.ops) {
            auto const number = truth.find(op.id);
            if (number && op.data != truth.bytes_of(*number)) {
                truth.report(violation::altered, fmt::format("peer {} holds {}", peer, to_string(op.id)));
            }
        }
        at += batch.ids_read;
    }
}

/// The ops of one peer, one bit for each.
std::vector<bool> known_ops(ledger& truth, peer_number peer, std::vector<op_id> const& ids) {
    std::vector<bool> holds(truth.op_count());
    for (auto const& id : ids) {
        if (auto const number = truth.find(id)) {
            holds[*number] = true;
        } else {
            truth.report_invented(peer, "holds", id);
        }
    }
    for (op_number number = 0; number < truth.op_count(); ++number) {
        if (truth.holds(peer, number) && !holds[number]) {
            truth.report(violation::forgotten,
                         fmt::format("peer {} lacks {}", peer, to_string(truth.id_of(number))));
        }
    }
    return holds;
}

using holdings = std::map<peer_number, std::vector<bool>>;

void count(ledger const& truth, holdings const& held, verdict& to) {
    for (op_number number = 0; number < truth.op_count(); ++number) {
        std::uint64_t lacking = 0;
        bool survives = false;
        bool promised = truth.handed_over(number);
        for (auto const& [peer, ops] : held) {
            survives = survives || ops[number];
            promised = promised || truth.holds(peer, number);
            lacking += !ops[number] && truth.belongs(number, peer) ? 1 : 0;
        }
        to.surviving += survives ? 1 : 0;
        to.missing += survives ? lacking : 0;
        to.lost += promised && lacking > 0 ? 1 : 0;
    }
}

}  // namespace

asio::awaitable<verdict> inspect(ledger& truth, std::map<peer_number, op_store*> present) {
    holdings held;
    running_hash state;
    for (auto const& [peer, store] : present) {
        auto const ids = co_await all_ids(*store);
        co_await check_bytes(truth, peer, *store, ids);
        state.add(peer);
        state.add(ids.size());
        for (auto const& id : ids) {
            state.add(id.bytes());
        }
        held[peer] = known_ops(truth, peer, ids);
    }
    verdict found;
    count(truth, held, found);
    found.state_hash = state.finish();
    co_return found;
}

}  // namespace opstore::simulator
