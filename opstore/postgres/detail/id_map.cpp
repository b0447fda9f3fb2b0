#include <opstore/postgres/detail/id_map.hpp>

#include <sodium.h>

#include <bit>
#include <cstring>
#include <utility>

namespace opstore::postgres::detail {
namespace {

constexpr std::uint32_t each_byte = 0x01010101;
constexpr std::uint32_t highest_bits = 0x80 * each_byte;

/// Never that of a free slot. Of bits that neither the shard nor the line follows from, or the tags of one
/// line would be alike.
std::uint32_t tag_of(id_map::fingerprint id) {
    return 1 + static_cast<std::uint32_t>(id.high & 0xffff) % 255;
}

/// Marks each byte of `tags` that is `tag` by its highest bit.
std::uint32_t bytes_that_are(std::uint32_t tag, std::uint32_t tags) {
    auto const differences = tags ^ tag * each_byte;
    // No byte carries into the next one.
    auto const others = ((differences & ~highest_bits) + ~highest_bits) | differences;
    return ~others & highest_bits;
}

/// The slots are taken in their order.
bool is_full(std::uint32_t tags) {
    return tags >> 24 != 0;
}

}  // namespace

id_map::key::key() {
    static_assert(sizeof bytes_ == crypto_shorthash_siphashx24_KEYBYTES);
    randombytes_buf(bytes_.data(), bytes_.size());
}

id_map::fingerprint id_map::key::of(std::span<const std::byte> id) const {
    std::array<unsigned char, crypto_shorthash_siphashx24_BYTES> hash;
    crypto_shorthash_siphashx24(hash.data(), reinterpret_cast<unsigned char const*>(id.data()), id.size(),
                                bytes_.data());
    fingerprint print;
    static_assert(sizeof print.high + sizeof print.low <= sizeof hash);
    std::memcpy(&print.high, hash.data(), sizeof print.high);
    std::memcpy(&print.low, hash.data() + sizeof print.high, sizeof print.low);
    print.low &= 0xff'ffff;
    return print;
}

id_map::id_map() : shards_(shard_count) {}

template <class Shard>
auto* id_map::slot_of(Shard& of, fingerprint id) {
    using slot_pointer = decltype(of.lines.data()->slots.data());
    auto const tag = tag_of(id);
    for (auto at = of.line_of(id); !of.lines.empty(); at = of.line_behind(at)) {
        for (auto left = bytes_that_are(tag, of.tags[at]); left != 0; left &= left - 1) {
            auto& its = of.lines[at].slots[static_cast<std::size_t>(std::countr_zero(left)) / 8];
            if (its.high == id.high && its.low == static_cast<std::uint16_t>(id.low))
                return slot_pointer(&its);
        }
        if (!is_full(of.tags[at]))
            break;
    }
    return slot_pointer(nullptr);
}

void id_map::shard::add(fingerprint id, tuple_id place) {
    auto at = line_of(id);
    while (is_full(tags[at]))
        at = line_behind(at);
    auto const free = (static_cast<std::size_t>(std::bit_width(tags[at])) + 7) / 8;
    lines[at].slots[free] = {id.high, static_cast<std::uint16_t>(id.low), place.offset, place.block};
    tags[at] |= tag_of(id) << 8 * free;
    ++size;
}

bool id_map::put(fingerprint id, tuple_id place) {
    auto const number = shard_of(id);
    shard& of = shards_[number];
    if (slot* const its = slot_of(of, id)) {
        its->offset = place.offset;
        its->block = place.block;
        return false;
    }
    // Four fifths full at most: then few searches go on behind their first line.
    if ((of.size + 1) * 5 > of.lines.size() * line_slots * 4)
        grow(number);
    of.add(id, place);
    ++size_;
    return true;
}

void id_map::move(fingerprint id, tuple_id place) {
    if (!find(id).is_nowhere())
        put(id, place);
}

tuple_id id_map::find(fingerprint id) const {
    slot const* const its = slot_of(shards_[shard_of(id)], id);
    return its ? its->place() : tuple_id{};
}

std::vector<tuple_id> id_map::find(std::span<fingerprint const> ids) const {
    // More than the processor fetches at a time, and few enough to be still there when they are looked at.
    constexpr std::size_t ahead = 16;
    std::vector<tuple_id> places;
    places.reserve(ids.size());
    // Three stages, each so far behind the one before: tags are fetched; where they say so, slots; both are
    // looked at. (The prefetches stand here: GCC drops calls of functions that do nothing else.)
    for (std::size_t i = 0; i < ids.size() + 2 * ahead; ++i) {
        if (i < ids.size()) {
            shard const& of = shards_[shard_of(ids[i])];
            if (!of.tags.empty())
                __builtin_prefetch(&of.tags[of.line_of(ids[i])]);
        }
        if (i >= ahead && i < ids.size() + ahead) {
            auto const id = ids[i - ahead];
            shard const& of = shards_[shard_of(id)];
            auto const at = of.line_of(id);
            if (!of.tags.empty() && bytes_that_are(tag_of(id), of.tags[at]) != 0)
                __builtin_prefetch(&of.lines[at]);
        }
        if (i >= 2 * ahead)
            places.push_back(find(ids[i - 2 * ahead]));
    }
    return places;
}

void id_map::grow(std::size_t number) {
    shard& of = shards_[number];
    auto count = of.lines.size() + of.lines.size() / 2 + 1;
    // Beyond this size the shards have different sizes, so that they do not all grow at once.
    constexpr std::size_t large = 64;
    if (of.lines.size() < large && count >= large)
        count = large + number * large / 2 / shard_count;
    shard larger(count);
    for (std::size_t at = 0; at < of.lines.size(); ++at) {
        for (std::size_t i = 0; i < line_slots && of.tags[at] >> 8 * i != 0; ++i) {
            slot const& s = of.lines[at].slots[i];
            larger.add({s.high, static_cast<std::uint32_t>(number << 16 | s.low)}, s.place());
        }
    }
    of = std::move(larger);
}

}  // namespace opstore::postgres::detail
