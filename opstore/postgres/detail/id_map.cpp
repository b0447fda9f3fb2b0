#include <opstore/postgres/detail/id_map.hpp>

#include <sodium.h>

#include <cstring>
#include <utility>

namespace opstore::postgres::detail {

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

template <class Lines>
auto& id_map::slot_of(Lines& lines, std::uint64_t high, std::uint16_t low) {
    for (std::size_t at = line_of(high, lines.size());; at = at + 1 == lines.size() ? 0 : at + 1) {
        for (auto& s : lines[at].slots) {
            if (s.is_free() || (s.high == high && s.low == low))
                return s;
        }
    }
}

bool id_map::put(fingerprint id, tuple_id place) {
    auto const number = shard_of(id);
    shard& of = shards_[number];
    // Four fifths full at most: then few searches go on behind their first line.
    if ((of.size + 1) * 5 > of.lines.size() * std::tuple_size_v<decltype(line::slots)> * 4)
        grow(number);
    auto const low = static_cast<std::uint16_t>(id.low);
    slot& its = slot_of(of.lines, id.high, low);
    bool const is_new = its.is_free();
    its = {id.high, low, place.offset, place.block};
    of.size += is_new;
    size_ += is_new;
    return is_new;
}

void id_map::move(fingerprint id, tuple_id place) {
    if (!find(id).is_nowhere())
        put(id, place);
}

tuple_id id_map::find(fingerprint id) const {
    shard const& of = shards_[shard_of(id)];
    if (of.lines.empty())
        return {};
    return slot_of(of.lines, id.high, static_cast<std::uint16_t>(id.low)).place();
}

std::vector<tuple_id> id_map::find(std::span<fingerprint const> ids) const {
    // More than the processor fetches at a time, and few enough to be still there when they are looked at.
    constexpr std::size_t ahead = 16;
    std::vector<tuple_id> places;
    places.reserve(ids.size());
    for (std::size_t i = 0; i < ids.size() + ahead; ++i) {
        if (i < ids.size()) {
            shard const& of = shards_[shard_of(ids[i])];
            if (!of.lines.empty())
                __builtin_prefetch(&of.lines[line_of(ids[i].high, of.lines.size())]);
        }
        if (i >= ahead)
            places.push_back(find(ids[i - ahead]));
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
    std::vector<line> larger(count);
    for (line const& full : of.lines)
        for (slot const& s : full.slots)
            if (!s.is_free())
                slot_of(larger, s.high, s.low) = s;
    of.lines = std::move(larger);
}

}  // namespace opstore::postgres::detail
