#pragma once

#include <gossip/fetch/detail/chain.hpp>
#include <opstore/op_id.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace opstore::gossip::detail {

/// Where an id stands with one of its sources: which of the source's lists it is in.
enum class standing : std::uint8_t {
    ready,    ///< May be asked for.
    spare,    ///< May be asked for if the others have no place: this one has not answered of late.
    resting,  ///< Asked for, of this source or another, or it pauses.
};
inline constexpr index standing_count = 3;

/// That a source has an id.
struct claim {
    index list = none;  ///< Source and standing in one number; none: unused.
    links in_list;

    index source() const { return list / standing_count; }
};

constexpr index list_of(index source, standing which) {
    return source * standing_count + static_cast<index>(which);
}

enum class phase : std::uint8_t { ready, asked, paused };

/// An id that is waited for.
struct entry {
    op_id id;
    phase now = phase::ready;
    std::uint8_t claim_count = 0;
    std::uint32_t attempts = 0;
    index group = none;  ///< The request or pause that it is part of.
    links in_group;
    index unanswered_by = none;  ///< The source whose time ran out last, while it is a source.
};
static_assert(sizeof(entry) <= 88, "fetch_limits::ids_max counts on it");
static_assert(sizeof(claim) == 12, "fetch_limits::ids_max counts on it");

/// The memory of a fetch queue: the ids that wait, and which sources have each. There may be a quarter of a
/// million, each with several sources: a heap node for every claim would cost more than the ids do.
///
/// Entries and the claims on them lie in blocks that never move; a slot names an entry together with its
/// claims_each() places for claims, and is taken again after it was given back. A claim's name is one number,
/// from which its slot follows. What is in the entries and claims is the caller's to keep right.
///
/// Bounds: memory for as many slots as were ever taken at once, in whole blocks, until all are given back.
///
/// Thread safety: none.
class slot_table {
public:
    static constexpr index block_slots = 256;

    /// Preconditions: claims_each >= 1; (the most slots taken at once + block_slots) * claims_each <= none,
    /// so that every claim has a name.
    explicit slot_table(std::size_t claims_each) : claims_each_(static_cast<index>(claims_each)) {}

    entry& at(index slot) { return blocks_[slot / block_slots].entries[slot % block_slots]; }
    entry const& at(index slot) const { return blocks_[slot / block_slots].entries[slot % block_slots]; }

    /// Precondition: number < claims_each().
    index claim_name(index slot, index number) const { return slot * claims_each_ + number; }
    index slot_of(index claim_name) const { return claim_name / claims_each_; }
    claim& claim_at(index name) {
        return blocks_[slot_of(name) / block_slots].claims[name % (block_slots * claims_each_)];
    }
    index claims_each() const { return claims_each_; }

    /// A slot with a new entry for `id`, without claims.
    index take(op_id const& id);

    /// Preconditions: the entry is in no group, and all its claims are unused.
    void give_back(index slot);

private:
    struct block {
        std::vector<entry> entries;
        std::vector<claim> claims;
    };

    void add_block();

    index claims_each_;
    std::vector<block> blocks_;
    index free_ = none;  ///< Free slots are linked by `in_group.next` of their entries.
    std::size_t used_ = 0;
};

/// Orders slots by their ids: the index costs a node with 4 bytes instead of one with an id.
struct by_id {
    using is_transparent = void;
    slot_table const* slots;

    bool operator()(index a, index b) const { return slots->at(a).id < slots->at(b).id; }
    bool operator()(index a, op_id const& b) const { return slots->at(a).id < b; }
    bool operator()(op_id const& a, index b) const { return a < slots->at(b).id; }
};

}  // namespace opstore::gossip::detail
