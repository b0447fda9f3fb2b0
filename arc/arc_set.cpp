#include <arc/arc_set.hpp>

#include <algorithm>
#include <bit>
#include <cassert>

namespace opstore::arc {

std::string misaligned_arc::message() const {
    return "Invalid arc, expected end at " + std::to_string(expected_end) + " but arc specifies " +
           std::to_string(specified_end);
}

arc_set arc_set::full() {
    arc_set set;
    set.words_.fill(~std::uint32_t{0});
    return set;
}

std::variant<arc_set, misaligned_arc> arc_set::from_arcs(std::span<const dht_arc> arcs) {
    arc_set set;
    for (auto const arc : arcs) {
        if (set.count() == sector_count) {
            break;
        }
        if (arc.is_empty()) {
            continue;
        }
        std::uint32_t position = arc.start().value;
        for (std::uint32_t left = arc.span() / sector_size + 1; left > 0; --left) {
            set.insert(sector_of({position}));
            position += sector_size;
        }
        if (position != arc.end().value + 1) {
            return misaligned_arc{position, arc.end().value};
        }
    }
    return set;
}

std::optional<arc_set> arc_set::from_whole_sectors(dht_arc arc) {
    if (arc.is_full()) {
        return full();
    }
    arc_set set;
    for (auto const& piece : sector_pieces(arc)) {
        if (!piece.whole()) {
            return std::nullopt;
        }
        set.insert(piece.sector);
    }
    return set;
}

arc_set arc_set::intersection(arc_set const& other) const {
    arc_set result;
    for (std::size_t i = 0; i < encoded_words; ++i) {
        result.words_[i] = words_[i] & other.words_[i];
    }
    return result;
}

arc_set arc_set::union_with(arc_set const& other) const {
    arc_set result;
    for (std::size_t i = 0; i < encoded_words; ++i) {
        result.words_[i] = words_[i] | other.words_[i];
    }
    return result;
}

arc_set arc_set::without(arc_set const& other) const {
    arc_set result;
    for (std::size_t i = 0; i < encoded_words; ++i) {
        result.words_[i] = words_[i] & ~other.words_[i];
    }
    return result;
}

bool arc_set::includes(sector_index sector) const {
    return sector < sector_count && (words_[sector / 32] >> (sector % 32) & 1) != 0;
}

std::uint32_t arc_set::count() const {
    std::uint32_t count = 0;
    for (auto const word : words_) {
        count += static_cast<std::uint32_t>(std::popcount(word));
    }
    return count;
}

bool arc_set::empty() const {
    return count() == 0;
}

std::vector<sector_index> arc_set::sectors() const {
    std::vector<sector_index> sectors;
    sectors.reserve(count());
    for (std::size_t i = 0; i < encoded_words; ++i) {
        for (std::uint32_t word = words_[i]; word != 0; word &= word - 1) {
            std::size_t const bit = static_cast<std::size_t>(std::countr_zero(word));
            sectors.push_back(static_cast<sector_index>(i * 32 + bit));
        }
    }
    return sectors;
}

void arc_set::insert(sector_index sector) {
    assert(sector < sector_count);
    words_[sector / 32] |= std::uint32_t{1} << (sector % 32);
}

std::optional<arc_set> arc_set::decode(std::span<const std::uint32_t> words) {
    if (words.size() != encoded_words) {
        return std::nullopt;
    }
    arc_set set;
    std::copy(words.begin(), words.end(), set.words_.begin());
    return set;
}

std::vector<dht_arc> arc_set::as_arcs() const {
    std::vector<dht_arc> arcs;
    auto const all = sectors();
    for (std::size_t first = 0; first < all.size();) {
        std::size_t last = first;
        while (last + 1 < all.size() && all[last + 1] == all[last] + 1) {
            ++last;
        }
        arcs.push_back(dht_arc::between(sector_arc(all[first]).start(), sector_arc(all[last]).end()));
        first = last + 1;
    }
    return arcs;
}

}  // namespace opstore::arc
