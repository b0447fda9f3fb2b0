#include <gossip/simulator/ledger.hpp>

#include <fmt/format.h>

#include <cassert>
#include <numeric>
#include <utility>

namespace opstore::simulator {

std::string_view to_string(violation v) {
    switch (v) {
        case violation::invented:
            return "invented";
        case violation::altered:
            return "altered";
        case violation::unstored:
            return "unstored";
        case violation::forgotten:
            return "forgotten";
        case violation::malformed:
            return "malformed";
        case violation::spinning:
            return "spinning";
        case violation::threw:
            return "threw";
    }
    return "unknown";
}

ledger::ledger(std::uint64_t seed, std::uint32_t ops_max, std::vector<arc::arc_set> arcs,
               std::vector<bool> lasting)
    : seed_(seed),
      ops_max_(ops_max),
      arcs_(std::move(arcs)),
      lasting_(std::move(lasting)),
      held_(arcs_.size(), std::vector<bool>(ops_max)) {
    ops_.reserve(ops_max);
}

op_bytes ledger::create(arc::timestamp created_at, arc::location at, std::uint32_t payload_bytes) {
    assert(ops_.size() < ops_max_);
    created_op& created = ops_.emplace_back();
    created.recipe = {static_cast<op_number>(ops_.size() - 1), created_at, at, payload_bytes};
    created.sector = arc::sector_of(at);
    auto bytes = write_op(seed_, created.recipe);
    created.id = located_format()->decode(bytes, {}).value().id;
    numbers_.emplace(created.id, created.recipe.number);
    return bytes;
}

std::optional<op_number> ledger::find(op_id const& id) const {
    auto const at = numbers_.find(id);
    return at == numbers_.end() ? std::nullopt : std::optional(at->second);
}

void ledger::stored(peer_number peer, std::vector<op_id> const& held) {
    for (auto const& id : held) {
        auto const number = find(id);
        if (!number) {
            report_invented(peer, "stored", id);
            continue;
        }
        if (held_[peer][*number]) {
            continue;
        }
        held_[peer][*number] = true;
        if (belongs(*number, peer)) {
            ops_[*number].lasting_copies += lasting_[peer] ? 1 : 0;
            missing_ -= !expected_.empty() && expected_[peer] ? 1 : 0;
        }
    }
}

std::vector<op_id> ledger::held_by(peer_number peer) const {
    std::vector<op_id> ids;
    for (op_number number = 0; number < op_count(); ++number) {
        if (held_[peer][number]) {
            ids.push_back(ops_[number].id);
        }
    }
    return ids;
}

void ledger::served(peer_number peer, op_id const& id, op_bytes const& data) {
    ++served_count_;
    auto const number = find(id);
    if (!number) {
        report_invented(peer, "served", id);
    } else if (data != bytes_of(*number)) {
        report(violation::altered, fmt::format("peer {} served {}", peer, to_string(id)));
    } else if (!held_[peer][*number]) {
        report(violation::unstored, fmt::format("peer {} served {}", peer, to_string(id)));
    }
}

bool ledger::may_leave(peer_number peer) const {
    for (op_number number = 0; number < op_count(); ++number) {
        if (held_[peer][number] && ops_[number].lasting_copies == 0) {
            return false;
        }
    }
    return true;
}

void ledger::left(peer_number peer) {
    for (op_number number = 0; number < op_count(); ++number) {
        if (held_[peer][number]) {
            ops_[number].handed_over = true;
        }
    }
}

void ledger::expect(std::vector<peer_number> const& present) {
    expected_.assign(arcs_.size(), false);
    for (auto const peer : present) {
        expected_[peer] = true;
    }
    std::vector<bool> survives(ops_.size());
    for (auto const peer : present) {
        for (op_number number = 0; number < op_count(); ++number) {
            survives[number] = survives[number] || held_[peer][number];
        }
    }
    missing_ = 0;
    for (auto const peer : present) {
        for (op_number number = 0; number < op_count(); ++number) {
            missing_ += survives[number] && !held_[peer][number] && belongs(number, peer) ? 1 : 0;
        }
    }
}

void ledger::report(violation v, std::string text) {
    ++violations_[static_cast<std::size_t>(v)];
    if (texts_.size() < texts_max) {
        texts_.push_back(fmt::format("{}: {}", to_string(v), text));
    }
}

void ledger::report_invented(peer_number peer, std::string_view deed, op_id const& id) {
    invented_.insert(id);
    report(violation::invented, fmt::format("peer {} {} {}", peer, deed, to_string(id)));
}

std::uint64_t ledger::violations() const {
    return std::accumulate(violations_.begin(), violations_.end(), std::uint64_t{0});
}

}  // namespace opstore::simulator
