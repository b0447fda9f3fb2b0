#include <arc/location.hpp>

namespace opstore::arc {

location fold_location(std::span<const std::byte> id) {
    std::uint32_t folded = 0;
    for (std::size_t i = 0; i < id.size(); ++i) {
        folded ^= std::to_integer<std::uint32_t>(id[i]) << (8 * (i % 4));
    }
    return {folded};
}

}  // namespace opstore::arc
