#include <opstore/combined_hash.hpp>

#include <array>
#include <cassert>

namespace opstore {

void combined_hash::add(op_id const& id) {
    if (id.empty()) {
        return;
    }
    if (xor_.empty()) {
        xor_ = id;
        return;
    }
    assert(xor_.length() == id.length());
    std::array<std::byte, op_id::length_max> sum;
    for (std::size_t i = 0; i < id.length(); ++i) {
        sum[i] = xor_.bytes()[i] ^ id.bytes()[i];
    }
    xor_ = op_id(std::span(sum.data(), id.length()));
}

}  // namespace opstore
