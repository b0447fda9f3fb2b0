#include <gossip/simulator/op_recipe.hpp>

#include <gossip/simulator/plan.hpp>

#include <algorithm>

namespace opstore::simulator {
namespace {

template <class Integer>
void append(op_bytes& to, Integer value, std::size_t bytes_max) {
    for (std::size_t i = 0; i < std::min(sizeof(Integer), bytes_max); ++i) {
        to.push_back(static_cast<std::byte>(value >> (8 * i)));
    }
}

}  // namespace

op_bytes write_op(std::uint64_t seed, op_recipe const& recipe) {
    op_bytes payload;
    auto const size = std::max(sizeof recipe.number, std::size_t{recipe.payload_bytes});
    payload.reserve(size);
    append(payload, recipe.number, size);
    auto random = random_stream(seed, "payload", recipe.number);
    while (payload.size() < size) {
        append(payload, random.next(), size - payload.size());
    }
    return encode_located(recipe.created_at, recipe.at, payload);
}

}  // namespace opstore::simulator
