#include <tests/gossip/model/naive_model.hpp>

namespace opstore::gossip::testing {
namespace {

constexpr std::int64_t unit_micros = 900'000'000;

unsigned byte_at(std::string const& id, std::size_t i) {
    return static_cast<unsigned char>(id[i]);
}

/// The last four bytes are the location, little-endian; a sector is 2^23 locations.
unsigned sector_of(std::string const& id) {
    auto const first = id.size() - 4;
    return (byte_at(id, first) | byte_at(id, first + 1) << 8 | byte_at(id, first + 2) << 16 |
            byte_at(id, first + 3) << 24) >>
           23;
}

void combine(std::string& hash, std::string const& id) {
    if (hash.empty()) {
        hash = id;
        return;
    }
    for (std::size_t i = 0; i < id.size(); ++i) {
        hash[i] = static_cast<char>(hash[i] ^ id[i]);
    }
}

}  // namespace

std::int64_t naive_model::slice_micros() const {
    return unit_micros << factor_;
}

naive_model::layout naive_model::layout_at(std::int64_t now) const {
    layout made;
    std::int64_t const least_recent = slice_micros() - unit_micros;
    made.full_slices = now < least_recent ? 0 : (now - least_recent) / slice_micros();
    made.boundary = made.full_slices * slice_micros();
    std::int64_t end = made.boundary;
    for (int i = factor_ - 1; i >= 0; --i) {
        std::int64_t const size = unit_micros << i;
        std::int64_t const recent = now - end;
        int count = 0;
        if (recent > (2 * size - unit_micros) + size) {
            count = 2;
        } else if (recent > size) {
            count = 1;
        }
        for (; count > 0; --count) {
            made.rings.push_back({end, end + size});
            end += size;
        }
    }
    return made;
}

std::string naive_model::disc_top(sectors const& in, layout const& at) const {
    std::string hash;
    for (auto const& each : ops) {
        if (in.contains(sector_of(each.id)) && each.created_at < at.boundary) {
            combine(hash, each.id);
        }
    }
    return hash;
}

std::vector<std::string> naive_model::ring_tops(sectors const& in, layout const& at) const {
    std::vector<std::string> hashes(at.rings.size());
    for (auto const& each : ops) {
        for (std::size_t i = 0; i < at.rings.size(); ++i) {
            bool const inside = each.created_at >= at.rings[i].start && each.created_at < at.rings[i].end;
            if (in.contains(sector_of(each.id)) && inside) {
                combine(hashes[i], each.id);
            }
        }
    }
    return hashes;
}

naive_model::hashes_by_sector naive_model::disc_by_sector(sectors const& in, layout const& at) const {
    hashes_by_sector hashes;
    for (auto const& each : ops) {
        if (in.contains(sector_of(each.id)) && each.created_at < at.boundary) {
            combine(hashes[sector_of(each.id)], each.id);
        }
    }
    return hashes;
}

std::map<unsigned, std::map<std::uint64_t, std::string>> naive_model::disc_by_slice(sectors const& in,
                                                                                    layout const& at) const {
    std::map<unsigned, std::map<std::uint64_t, std::string>> hashes;
    for (auto const sector : in) {
        hashes[sector];
    }
    for (auto const& each : ops) {
        if (in.contains(sector_of(each.id)) && each.created_at < at.boundary) {
            auto const index = static_cast<std::uint64_t>(each.created_at / slice_micros());
            combine(hashes[sector_of(each.id)][index], each.id);
        }
    }
    return hashes;
}

naive_model::hashes_by_sector naive_model::ring_by_sector(sectors const& in, layout const& at,
                                                          std::size_t ring) const {
    hashes_by_sector hashes;
    for (auto const& each : ops) {
        bool const inside = each.created_at >= at.rings[ring].start && each.created_at < at.rings[ring].end;
        if (in.contains(sector_of(each.id)) && inside) {
            combine(hashes[sector_of(each.id)], each.id);
        }
    }
    return hashes;
}

}  // namespace opstore::gossip::testing
