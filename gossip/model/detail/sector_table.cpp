#include <gossip/model/detail/sector_table.hpp>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

namespace opstore::gossip::detail {
namespace {

void xor_into(std::byte* to, std::byte const* from, std::size_t bytes) {
    for (; bytes >= sizeof(std::uint64_t); bytes -= sizeof(std::uint64_t)) {
        std::uint64_t a;
        std::uint64_t b;
        std::memcpy(&a, to, sizeof a);
        std::memcpy(&b, from, sizeof b);
        a ^= b;
        std::memcpy(to, &a, sizeof a);
        to += sizeof a;
        from += sizeof b;
    }
    for (; bytes > 0; --bytes) {
        *to++ ^= *from++;
    }
}

}  // namespace

sector_table::sector_bits sector_table::bits_of(arc::arc_set const& sectors) {
    auto const words = sectors.encode();
    sector_bits bits;
    for (std::size_t i = 0; i < bits.size(); ++i) {
        bits[i] = words[2 * i] | std::uint64_t{words[2 * i + 1]} << 32;
    }
    return bits;
}

std::size_t sector_table::count(sector_bits const& bits) {
    int count = 0;
    for (auto const word : bits) {
        count += std::popcount(word);
    }
    return static_cast<std::size_t>(count);
}

template <class Visit>
void sector_table::visit_hashes(sector_bits const& wanted, Visit const& visit) const {
    std::size_t place = 1;
    for (std::size_t i = 0; i < present_.size(); ++i) {
        for (auto left = wanted[i]; left != 0; left &= left - 1) {
            auto const before = (left & (0 - left)) - 1;
            auto const rank = static_cast<std::size_t>(std::popcount(present_[i] & before));
            visit(i * 64 + static_cast<std::size_t>(std::countr_zero(left)), hash_at(place + rank));
        }
        place += static_cast<std::size_t>(std::popcount(present_[i]));
    }
}

sector_table sector_table::combine(std::span<sector_table const* const> tables) {
    sector_table sum;
    for (auto const* table : tables) {
        for (std::size_t i = 0; i < sum.present_.size(); ++i) {
            sum.present_[i] |= table->present_[i];
        }
        assert(sum.hash_bytes_ == 0 || table->empty() || sum.hash_bytes_ == table->hash_bytes_);
        sum.hash_bytes_ = std::max(sum.hash_bytes_, table->hash_bytes_);
    }
    if (sum.hash_bytes_ == 0) {
        return sum;
    }
    sum.hashes_.resize((1 + count(sum.present_)) * sum.hash_bytes_);
    std::array<std::size_t, arc::sector_count> places;
    std::size_t place = 0;
    sum.visit_hashes(sum.present_, [&](std::size_t sector, std::byte const*) { places[sector] = ++place; });
    for (auto const* table : tables) {
        if (table->empty()) {
            continue;
        }
        xor_into(sum.hash_at(0), table->hash_at(0), sum.hash_bytes_);
        table->visit_hashes(table->present_, [&](std::size_t sector, std::byte const* hash) {
            xor_into(sum.hash_at(places[sector]), hash, sum.hash_bytes_);
        });
    }
    return sum;
}

void sector_table::add(arc::sector_index sector, std::span<const std::byte> hash) {
    assert(sector < arc::sector_count);
    if (hash.empty()) {
        return;
    }
    if (hashes_.empty()) {
        hash_bytes_ = hash.size();
        hashes_.resize(hash_bytes_);
    }
    assert(hash.size() == hash_bytes_);
    std::size_t const word = sector / 64;
    std::uint64_t const bit = std::uint64_t{1} << (sector % 64);
    int before = std::popcount(present_[word] & (bit - 1));
    for (std::size_t i = 0; i < word; ++i) {
        before += std::popcount(present_[i]);
    }
    std::size_t const place = 1 + static_cast<std::size_t>(before);
    if ((present_[word] & bit) == 0) {
        auto const at = hashes_.begin() + static_cast<std::ptrdiff_t>(place * hash_bytes_);
        hashes_.insert(at, hash.begin(), hash.end());
        present_[word] |= bit;
    } else {
        xor_into(hash_at(place), hash.data(), hash_bytes_);
    }
    xor_into(hash_at(0), hash.data(), hash_bytes_);
}

combined_hash sector_table::top(arc::arc_set const& sectors) const {
    auto taken = bits_of(sectors);
    auto left_out = present_;
    for (std::size_t i = 0; i < taken.size(); ++i) {
        taken[i] &= present_[i];
        left_out[i] &= ~taken[i];
    }
    auto const taken_count = count(taken);
    if (taken_count == 0) {
        return {};
    }
    std::array<std::byte, op_id::length_max> sum{};
    bool const subtract = count(left_out) < taken_count;
    if (subtract) {
        xor_into(sum.data(), hash_at(0), hash_bytes_);
    }
    visit_hashes(subtract ? left_out : taken,
                 [&](std::size_t, std::byte const* hash) { xor_into(sum.data(), hash, hash_bytes_); });
    return combined_hash(std::span(sum.data(), hash_bytes_));
}

void sector_table::add_to(sector_hashes& to, arc::arc_set const& sectors) const {
    auto wanted = bits_of(sectors);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        wanted[i] &= present_[i];
    }
    visit_hashes(wanted, [&](std::size_t sector, std::byte const* hash) {
        to[static_cast<arc::sector_index>(sector)].add(combined_hash(std::span(hash, hash_bytes_)));
    });
}

}  // namespace opstore::gossip::detail
