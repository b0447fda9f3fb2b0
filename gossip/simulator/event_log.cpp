#include <gossip/simulator/event_log.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace opstore::simulator {
namespace {

constexpr std::size_t hash_bytes = 32;

}  // namespace

running_hash::running_hash() {
    if (sodium_init() < 0) {
        throw std::runtime_error("libsodium cannot be initialised");
    }
    crypto_generichash_init(&state_, nullptr, 0, hash_bytes);
}

void running_hash::add(std::uint64_t number) {
    std::array<unsigned char, sizeof number> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<unsigned char>(number >> (8 * i));
    }
    crypto_generichash_update(&state_, bytes.data(), bytes.size());
}

void running_hash::add(std::span<const std::byte> bytes) {
    add(bytes.size());
    crypto_generichash_update(&state_, reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size());
}

std::string running_hash::finish() {
    std::array<unsigned char, hash_bytes> hash;
    crypto_generichash_final(&state_, hash.data(), hash.size());
    return fmt::format("{:02x}", fmt::join(hash, ""));
}

void event_log::add(arc::timestamp at, std::string_view kind, std::uint32_t from, std::uint32_t to,
                    std::span<const std::byte> frame) {
    ++event_count_;
    hash_.add(static_cast<std::uint64_t>(arc::to_micros(at)));
    hash_.add(std::as_bytes(std::span(kind)));
    hash_.add(std::uint64_t{from} << 32 | to);
    hash_.add(frame);
}

}  // namespace opstore::simulator
