#include <opstore/postgres/detail/query_parts.hpp>

#include <arc/sector.hpp>
#include <sql/statements.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>
#include <stdexcept>

namespace opstore::postgres::detail {
namespace {

store_error wrong_length(std::size_t id_length) {
    store_error::facts facts;
    facts.code = errc::rejected_by_database;
    return store_error(
        fmt::format(
            "the database holds ids or hashes that are not {} bytes long, or not all; verify the space",
            id_length),
        std::move(facts));
}

}  // namespace

parameters of_space(space_identity space) {
    parameters values;
    values.bigint(space.space_id).bigint(space.incarnation);
    return values;
}

refusal space_is_gone() {
    return refusal(errc::no_such_space, "the space does not exist any more");
}

std::int64_t saturated(std::uint64_t value) {
    return static_cast<std::int64_t>(
        std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max()));
}

std::uint64_t rest_of(std::uint64_t limit, std::uint64_t used) {
    return limit > used ? limit - used : 0;
}

std::vector<std::int64_t> sector_numbers(arc::arc_set const& sectors) {
    auto const list = sectors.sectors();
    return {list.begin(), list.end()};
}

std::vector<std::byte> sector_mask(arc::arc_set const& sectors) {
    std::vector<std::byte> mask;
    for (std::uint32_t const word : sectors.encode()) {
        for (int shift = 0; shift < 32; shift += 8)
            mask.push_back(static_cast<std::byte>(word >> shift));
    }
    return mask;
}

void piece_arrays::add(std::int64_t number, arc::dht_arc const& of) {
    for (arc::sector_piece const& piece : arc::sector_pieces(of)) {
        arc.push_back(number);
        sector.push_back(piece.sector);
        first.push_back(piece.first);
        last.push_back(piece.last);
    }
}

std::string id_array(std::vector<op_id> const& ids, std::size_t begin, std::size_t end) {
    std::size_t bytes = 0;
    for (std::size_t i = begin; i < end; ++i)
        bytes += ids[i].length();
    bytea_array_image image(end - begin, bytes);
    for (std::size_t i = begin; i < end; ++i)
        image.add(ids[i].bytes());
    return image.take();
}

void require_ascending(std::vector<std::int64_t> const& values, char const* statement) {
    if (!std::is_sorted(values.begin(), values.end()))
        throw std::logic_error(std::string(statement) + ": the server returned its rows out of order");
}

void append_ids(std::vector<op_id>& out, std::span<const std::byte> joined, std::size_t id_length,
                std::size_t count) {
    if (joined.size() != count * id_length)
        throw wrong_length(id_length);
    out.reserve(out.size() + count);
    for (std::size_t i = 0; i < count; ++i)
        out.emplace_back(joined.subspan(i * id_length, id_length));
}

bool fold_some(connection& c, space_identity space) {
    auto const folded = c.execute(
        sql::fold, parameters().bigint(space.space_id).bigint(space.incarnation).bigint(fold_ops_max));
    return !folded.empty() && folded.boolean(0, 0);
}

combined_hash hash_of(std::span<const std::byte> bytes, std::size_t id_length) {
    if (bytes.size() != id_length)
        throw wrong_length(id_length);
    return combined_hash(bytes);
}

void add_part(std::vector<std::byte>& hash, std::span<const std::byte> part) {
    // All parts are as long as the space's ids, but for damage.
    hash.resize(std::max(hash.size(), part.size()));
    for (std::size_t i = 0; i < part.size(); ++i)
        hash[i] ^= part[i];
}

void add_part(std::vector<slice_hash>& slices, std::uint64_t index, std::span<const std::byte> part) {
    auto at = slices.end();
    if (!slices.empty() && slices.back().index >= index)
        at = std::lower_bound(slices.begin(), slices.end(), index,
                              [](slice_hash const& s, std::uint64_t wanted) { return s.index < wanted; });
    if (at != slices.end() && at->index == index)
        add_part(at->hash, part);
    else
        slices.emplace(at, index, std::vector<std::byte>(part.begin(), part.end()));
}

arc::timestamp after_watermark(arc::timestamp start, std::int64_t watermark) {
    auto const last = std::numeric_limits<std::int64_t>::max();
    return std::max(start, arc::from_micros(watermark == last ? last : watermark + 1));
}

}  // namespace opstore::postgres::detail
