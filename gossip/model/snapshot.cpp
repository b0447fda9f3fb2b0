#include <gossip/model/snapshot.hpp>

namespace opstore::gossip {
namespace {

/// The keys that only one of them has, and those with different values; ascending.
template <class Key, class Value>
std::vector<Key> different_keys(std::map<Key, Value> const& ours, std::map<Key, Value> const& theirs) {
    std::vector<Key> keys;
    auto our = ours.begin();
    auto their = theirs.begin();
    while (our != ours.end() || their != theirs.end()) {
        if (their == theirs.end() || (our != ours.end() && our->first < their->first)) {
            keys.push_back((our++)->first);
        } else if (our == ours.end() || their->first < our->first) {
            keys.push_back((their++)->first);
        } else {
            if (our->second != their->second) {
                keys.push_back(our->first);
            }
            ++our;
            ++their;
        }
    }
    return keys;
}

/// What is listed there; nothing, if the key is not.
template <class Key, class Value>
Value const& listed_at(std::map<Key, Value> const& in, Key key) {
    static Value const nothing;
    auto const at = in.find(key);
    return at == in.end() ? nothing : at->second;
}

// Precondition of these: same boundary, and not equal.

comparison differences(minimal_snapshot const& ours, minimal_snapshot const& theirs) {
    if (ours.disc_top_hash != theirs.disc_top_hash) {
        return disc_mismatch{};
    }
    if (ours.ring_top_hashes.size() != theirs.ring_top_hashes.size()) {
        return cannot_compare{};
    }
    ring_mismatches found;
    for (std::uint32_t ring = 0; ring < ours.ring_top_hashes.size(); ++ring) {
        if (ours.ring_top_hashes[ring] != theirs.ring_top_hashes[ring]) {
            found.rings.push_back(ring);
        }
    }
    return found;
}

comparison differences(disc_sectors_snapshot const& ours, disc_sectors_snapshot const& theirs) {
    return disc_sector_mismatches{different_keys(ours.sectors, theirs.sectors)};
}

comparison differences(disc_details_snapshot const& ours, disc_details_snapshot const& theirs) {
    disc_slice_mismatches found;
    for (auto const sector : different_keys(ours.sectors, theirs.sectors)) {
        found.sectors[sector] =
            different_keys(listed_at(ours.sectors, sector), listed_at(theirs.sectors, sector));
    }
    return found;
}

comparison differences(ring_details_snapshot const& ours, ring_details_snapshot const& theirs) {
    ring_sector_mismatches found;
    for (auto const& [ring, sectors] : ours.rings) {
        auto const at = theirs.rings.find(ring);
        if (at == theirs.rings.end()) {
            return cannot_compare{};
        }
        found.rings[ring] = different_keys(sectors, at->second);
    }
    if (ours.rings.size() != theirs.rings.size()) {
        return cannot_compare{};
    }
    return found;
}

/// Any two snapshots.
struct comparing {
    template <class Snapshot>
    comparison operator()(Snapshot const& ours, Snapshot const& theirs) const {
        if (ours == theirs) {
            return identical{};
        }
        if (ours.disc_boundary != theirs.disc_boundary) {
            return cannot_compare{};
        }
        return differences(ours, theirs);
    }
    template <class Ours, class Theirs>
    comparison operator()(Ours const&, Theirs const&) const {
        return cannot_compare{};
    }
};

}  // namespace

comparison compare(snapshot const& ours, snapshot const& theirs) {
    return std::visit(comparing{}, ours, theirs);
}

}  // namespace opstore::gossip
