#include <gossip/simulator/bootstrap.hpp>

#include <iterator>
#include <utility>

namespace opstore::simulator {
namespace {

/// Moves `count` elements, chosen at random, to the front of what it leaves.
template <class Element>
void choose(std::vector<Element>& from, std::size_t count, random_source& random) {
    for (std::size_t i = 0; i < count && i < from.size(); ++i) {
        std::swap(from[i], from[i + random.below(from.size() - i)]);
    }
    if (from.size() > count) {
        from.resize(count);
    }
}

}  // namespace

bootstrap::bootstrap(plan const& p)
    : known_(p.known), arcs_(p.arcs), contacts_(p.contacts), random_(random_stream(p.seed, "bootstrap")) {}

void bootstrap::announce(peer_number peer, std::string info, arc::arc_set const& holds) {
    entries_[peer] = {std::move(info), holds};
}

void bootstrap::withdraw(peer_number peer, std::string tombstone) {
    entries_.erase(peer);
    if (tombstones_.size() == tombstones_max) {
        tombstones_.erase(tombstones_.begin());
    }
    tombstones_.push_back(std::move(tombstone));
}

std::vector<std::string const*> bootstrap::contacts(peer_number peer, arc::arc_set const& wanted) {
    auto told = known_to(peer);
    bool const again = !asked_.insert(peer).second;
    if (known_ == topology::random || (again && arcs_ == arc_choice::sharded)) {
        auto const others = some(peer, wanted);
        told.insert(told.end(), others.begin(), others.end());
    }
    for (auto const& tombstone : tombstones_) {
        told.push_back(&tombstone);
    }
    return told;
}

std::vector<std::string const*> bootstrap::some(peer_number peer, arc::arc_set const& wanted) {
    std::vector<std::string const*> near, any;
    for (auto const& [number, announced] : entries_) {
        if (number != peer) {
            auto& side = announced.holds.intersection(wanted).empty() ? any : near;
            side.push_back(&announced.info);
        }
    }
    choose(near, (contacts_ + 1) / 2, random_);
    choose(any, contacts_ - near.size(), random_);
    near.insert(near.end(), any.begin(), any.end());
    return near;
}

std::vector<std::string const*> bootstrap::known_to(peer_number peer) const {
    std::vector<std::string const*> told;
    switch (known_) {
        case topology::random:
            break;
        case topology::everyone:
            for (auto const& [number, announced] : entries_) {
                if (number != peer) {
                    told.push_back(&announced.info);
                }
            }
            break;
        case topology::ring:
            // Over 0 to the highest number that has announced itself.
            if (auto at = entries_.lower_bound(peer); !entries_.empty()) {
                at = at == entries_.begin() ? entries_.end() : at;
                if (auto const before = std::prev(at); before->first != peer) {
                    told.push_back(&before->second.info);
                }
            }
            break;
        case topology::star:
            if (auto const center = entries_.begin(); center != entries_.end() && center->first != peer) {
                told.push_back(&center->second.info);
            }
            break;
    }
    return told;
}

}  // namespace opstore::simulator
