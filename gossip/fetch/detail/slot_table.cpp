#include <gossip/fetch/detail/slot_table.hpp>

namespace opstore::gossip::detail {

index slot_table::take(op_id const& id) {
    if (free_ == none) {
        add_block();
    }
    index const slot = free_;
    free_ = at(slot).in_group.next;
    at(slot) = entry();
    at(slot).id = id;
    ++used_;
    return slot;
}

void slot_table::give_back(index slot) {
    at(slot).in_group.next = free_;
    free_ = slot;
    // A backlog of hours must not hold its memory for the rest of the process.
    if (--used_ == 0 && blocks_.size() > 1) {
        blocks_.clear();
        free_ = none;
    }
}

void slot_table::add_block() {
    auto const first = static_cast<index>(blocks_.size() * block_slots);
    blocks_.push_back(
        {std::vector<entry>(block_slots), std::vector<claim>(std::size_t{block_slots} * claims_each_)});
    for (index slot = first + block_slots; slot-- > first;) {
        at(slot).in_group.next = free_;
        free_ = slot;
    }
}

}  // namespace opstore::gossip::detail
