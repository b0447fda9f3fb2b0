#pragma once

#include <cstdint>
#include <limits>

namespace opstore::gossip::detail {

// Everything is found by 32-bit indices: half of a pointer, and it survives that a table grows.
using index = std::uint32_t;
inline constexpr index none = std::numeric_limits<index>::max();

struct links {
    index previous = none;
    index next = none;
};

/// The ends of a list whose links lie in its members, so that a member leaves from the middle at no cost.
///
/// Members are named by their index in a table of the caller; `links_of(member)` gives the links that this
/// list uses of it, by reference. A member is in one list at a time for each `links` that it has. The list
/// allocates nothing, and its size is bounded by the table alone.
///
/// Thread safety: none.
struct chain {
    index first = none;
    index last = none;

    bool empty() const { return first == none; }

    /// Precondition: `member` is in no list by these links.
    template <class LinksOf>
    void append(index member, LinksOf links_of) {
        links_of(member) = {last, none};
        (empty() ? first : links_of(last).next) = member;
        last = member;
    }

    /// Leaves the member's own links as they were. Precondition: `member` is in this list.
    template <class LinksOf>
    void unlink(index member, LinksOf links_of) {
        links const around = links_of(member);
        (around.previous == none ? first : links_of(around.previous).next) = around.next;
        (around.next == none ? last : links_of(around.next).previous) = around.previous;
    }
};

}  // namespace opstore::gossip::detail
