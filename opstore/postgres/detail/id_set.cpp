#include <opstore/postgres/detail/id_set.hpp>

#include <sodium.h>

#include <algorithm>
#include <utility>

namespace opstore::postgres::detail {
namespace {

constexpr id_set::fingerprint free_slot{};

}  // namespace

id_set::key::key() {
    static_assert(sizeof bytes_ == crypto_shorthash_siphashx24_KEYBYTES);
    randombytes_buf(bytes_.data(), bytes_.size());
}

id_set::fingerprint id_set::key::of(std::span<const std::byte> id) const {
    fingerprint print;
    static_assert(sizeof print == crypto_shorthash_siphashx24_BYTES);
    crypto_shorthash_siphashx24(reinterpret_cast<unsigned char*>(&print),
                                reinterpret_cast<unsigned char const*>(id.data()), id.size(), bytes_.data());
    if (print == free_slot)
        print.low = 1;
    return print;
}

id_set::id_set() : shards_(shard_count) {}

bool id_set::insert(fingerprint id) {
    auto const number = shard_of(id);
    shard& s = shards_[number];
    // Four fifths full at most: then few searches go on behind their first line.
    if ((s.size + 1) * 5 > s.lines.size() * std::tuple_size_v<decltype(line::slots)> * 4)
        grow(number);
    bool const is_new = insert(s.lines, id);
    s.size += is_new;
    size_ += is_new;
    return is_new;
}

bool id_set::contains(fingerprint id) const {
    return contains(shards_[shard_of(id)], id);
}

std::vector<std::size_t> id_set::missing(std::span<fingerprint const> ids) const {
    // More than the processor fetches at a time, and few enough to be still there when they are looked at.
    constexpr std::size_t ahead = 16;
    std::vector<std::size_t> positions;
    for (std::size_t i = 0; i < ids.size() + ahead; ++i) {
        if (i < ids.size()) {
            shard const& s = shards_[shard_of(ids[i])];
            if (!s.lines.empty())
                __builtin_prefetch(&s.lines[line_of(ids[i], s.lines.size())]);
        }
        if (i >= ahead && !contains(ids[i - ahead]))
            positions.push_back(i - ahead);
    }
    return positions;
}

bool id_set::insert(std::vector<line>& lines, fingerprint id) {
    for (std::size_t at = line_of(id, lines.size());; at = at + 1 == lines.size() ? 0 : at + 1) {
        for (fingerprint& slot : lines[at].slots) {
            if (slot == id)
                return false;
            if (slot == free_slot) {
                slot = id;
                return true;
            }
        }
    }
}

bool id_set::contains(shard const& s, fingerprint id) {
    if (s.lines.empty())
        return false;
    for (std::size_t at = line_of(id, s.lines.size());; at = at + 1 == s.lines.size() ? 0 : at + 1) {
        for (fingerprint const& slot : s.lines[at].slots) {
            if (slot == id)
                return true;
            if (slot == free_slot)
                return false;
        }
    }
}

void id_set::grow(std::size_t number) {
    shard& s = shards_[number];
    auto count = s.lines.size() + s.lines.size() / 2 + 1;
    // Beyond this size the shards have different sizes, so that they do not all grow at once.
    constexpr std::size_t large = 64;
    if (s.lines.size() < large && count >= large)
        count = large + number * large / 2 / shard_count;
    std::vector<line> larger(count);
    for (line const& full : s.lines)
        for (fingerprint const& slot : full.slots)
            if (slot != free_slot)
                insert(larger, slot);
    s.lines = std::move(larger);
}

}  // namespace opstore::postgres::detail
