#include <opstore/memory/op_pool.hpp>

#include <cassert>
#include <cstring>
#include <utility>

namespace opstore {

op_pool::place::place(admitted_op admitted) {
    op.id = admitted.id;
    op.location = admitted.location;
    op.created_at = admitted.created_at;
    op.data = std::move(admitted.data);
    op.data.shrink_to_fit();
}

std::strong_ordering op_pool::by_id_and_bytes::compare(key a, key b) {
    if (auto const order = a.id <=> b.id; order != 0) {
        return order;
    }
    if (auto const order = a.data.size() <=> b.data.size(); order != 0 || a.data.empty()) {
        return order;
    }
    return std::memcmp(a.data.data(), b.data.data(), a.data.size()) <=> 0;
}

pooled_op const* op_pool::acquire(admitted_op op) {
    std::scoped_lock const lock(mutex_);
    auto at = places_.find(op);
    if (at == places_.end()) {
        at = places_.emplace(std::move(op)).first;
    }
    ++at->users;
    return &at->op;
}

void op_pool::release(pooled_op const* op) {
    std::scoped_lock const lock(mutex_);
    auto const at = places_.find(*op);
    assert(at != places_.end() && &at->op == op);
    if (--at->users == 0) {
        places_.erase(at);
    }
}

std::size_t op_pool::size() const {
    std::scoped_lock const lock(mutex_);
    return places_.size();
}

}  // namespace opstore
