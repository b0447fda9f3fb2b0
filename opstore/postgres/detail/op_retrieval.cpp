#include <opstore/postgres/detail/op_retrieval.hpp>

#include <sql/statements.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <utility>

namespace opstore::postgres::detail {
namespace {

/// The ops of a list of ids, as far as they were found, and which of their rows have moved.
class found_ops {
public:
    found_ops(std::vector<op_id> const& ids, std::vector<tuple_id> const& places)
        : ids_(ids), places_(places), at_(ids.size(), none) {}

    bool has(std::size_t position) const { return at_[position] != none; }

    /// The op of the id at a position, and where its row is.
    void put(std::size_t position, stored_op op, tuple_id place) {
        if (!places_[position].is_nowhere() && places_[position] != place)
            moved_.emplace_back(ids_[position], place);
        at_[position] = ops_.size();
        ops_.push_back(std::move(op));
    }

    /// Of the rows that were not where `places` said.
    std::vector<std::pair<op_id, tuple_id>> const& moved() const { return moved_; }

    /// In the order of the ids.
    std::vector<stored_op> take() {
        std::vector<stored_op> in_order;
        in_order.reserve(ops_.size());
        for (std::size_t const at : at_) {
            if (at != none)
                in_order.push_back(std::move(ops_[at]));
        }
        return in_order;
    }

private:
    static constexpr auto none = std::numeric_limits<std::size_t>::max();

    std::vector<op_id> const& ids_;
    std::vector<tuple_id> const& places_;
    std::vector<stored_op> ops_;
    std::vector<std::size_t> at_;  ///< For each id: where in ops_.
    std::vector<std::pair<op_id, tuple_id>> moved_;
};

/// Of a row that has its other columns from `first` on.
stored_op op_of_row(rows const& r, std::size_t row, std::size_t first, op_id const& id) {
    stored_op op;
    op.id = id;
    op.location = arc::location{static_cast<std::uint32_t>(r.bigint(row, first))};
    op.created_at = arc::from_micros(r.bigint(row, first + 1));
    op.stored_at = arc::from_micros(r.bigint(row, first + 2));
    auto const payload = r.bytea(row, first + 3);
    op.data.assign(payload.begin(), payload.end());
    return op;
}

/// The positions of ids whose places are known, by id. By sorting, not hashing: peers choose the ids.
class placed_ids {
public:
    placed_ids(std::vector<op_id> const& ids, std::vector<tuple_id> const& places) : ids_(ids) {
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (!places[i].is_nowhere())
                by_id_.push_back(i);
        }
        std::sort(by_id_.begin(), by_id_.end(),
                  [&](std::size_t a, std::size_t b) { return ids_[a] < ids_[b]; });
    }

    std::vector<std::size_t> const& positions() const { return by_id_; }

    /// Of one id: none if another one was asked for, several if it was asked for again.
    std::span<std::size_t const> positions_of(std::span<const std::byte> bytes) const {
        auto const id = op_id::from_bytes(bytes);
        if (!id)
            return {};
        auto const first =
            std::lower_bound(by_id_.begin(), by_id_.end(), *id,
                             [&](std::size_t i, op_id const& other) { return ids_[i] < other; });
        auto const last = std::find_if(first, by_id_.end(), [&](std::size_t i) { return ids_[i] != *id; });
        return {first, last};
    }

private:
    std::vector<op_id> const& ids_;
    std::vector<std::size_t> by_id_;
};

/// Reads the rows at the places that are known. An id of which the row is not there any more stays without
/// op.
result<void> read_at_places(connection& c, space_view space, std::vector<op_id> const& ids,
                            std::vector<tuple_id> const& places, found_ops& ops) {
    enum column { row_id, place, location, payload = location + 3 };
    placed_ids const placed(ids, places);
    auto left = placed.positions();
    for (auto begin = left.begin(); begin != left.end();) {
        auto const count = std::min(static_cast<std::size_t>(left.end() - begin), statement_ids_max);
        auto const end = begin + static_cast<std::ptrdiff_t>(count);
        std::vector<tuple_id> asked;
        std::transform(begin, end, std::back_inserter(asked), [&](std::size_t i) { return places[i]; });
        auto const found =
            c.execute(sql::retrieve_at, of_space(space).tuple_id_array(asked).bigint(result_bytes_max));
        if (found.empty())
            return space_is_gone();
        std::int64_t bytes = 0;
        for (std::size_t row = 0; row < found.count() && !found.is_null(row, row_id); ++row) {
            for (std::size_t const i : placed.positions_of(found.bytea(row, row_id))) {
                if (!ops.has(i))
                    ops.put(i, op_of_row(found, row, location, ids[i]), found.tid(row, place));
            }
            bytes += static_cast<std::int64_t>(found.bytea(row, payload).size());
        }
        // Some may have been left out, if there is one that was not.
        auto const unread = bytes < result_bytes_max
                                ? end
                                : std::partition(begin, end, [&](std::size_t i) { return ops.has(i); });
        begin = unread == begin ? end : unread;
    }
    return {};
}

/// Reads the ops that were not found yet by the index, unless it is known that they are not held.
result<void> read_by_index(connection& c, space_view space, std::vector<op_id> const& ids,
                           held_ids::placed const& placed, found_ops& ops) {
    enum column { ordinal, location, payload = location + 3, place };
    std::vector<op_id> asked;
    std::vector<std::size_t> positions;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (!ops.has(i) && !(placed.all_known && placed.places[i].is_nowhere())) {
            asked.push_back(ids[i]);
            positions.push_back(i);
        }
    }
    // Without ids there is still to find out whether there is the space.
    if (asked.empty() && !ids.empty())
        return {};
    std::size_t begin = 0;
    do {
        std::size_t const end = std::min(begin + statement_ids_max, asked.size());
        auto const found = c.execute(
            sql::retrieve, of_space(space).image(id_array(asked, begin, end)).bigint(result_bytes_max));
        if (found.empty())
            return space_is_gone();
        std::int64_t bytes = 0;
        std::size_t last = begin;
        for (std::size_t row = 0; row < found.count() && !found.is_null(row, ordinal); ++row) {
            last = begin + static_cast<std::size_t>(found.bigint(row, ordinal));
            auto const i = positions[last];
            ops.put(i, op_of_row(found, row, location, ids[i]), found.tid(row, place));
            bytes += static_cast<std::int64_t>(found.bytea(row, payload).size());
        }
        begin = bytes < result_bytes_max ? end : last + 1;
    } while (begin < asked.size());
    return {};
}

}  // namespace

result<std::vector<stored_op>> fetch_ops(connection& c, space_view space, held_ids& held,
                                         std::vector<op_id> const& ids) {
    auto const placed = held.places(c, space, ids);
    if (!placed)
        return placed.error();
    found_ops ops(ids, placed->places);
    auto const nowhere = placed->count_nowhere();
    // Otherwise the index finds all in one round trip, and as soon.
    if (nowhere == 0 || placed->all_known || ids.size() - nowhere >= held_ids::places_min) {
        if (auto const read = read_at_places(c, space, ids, placed->places, ops); !read)
            return read.error();
    }
    if (auto const read = read_by_index(c, space, ids, *placed, ops); !read)
        return read.error();
    held.note_moved(ops.moved());
    return ops.take();
}

result<op_batch> fetch_ops_bounded(connection& c, space_view space, std::vector<op_id> const& ids,
                                   std::uint64_t limit_bytes) {
    enum column { ordinal, size, location, payload = location + 3 };
    op_batch batch;
    std::uint64_t bytes = 0;
    do {
        std::size_t const end = std::min(batch.ids_read + statement_ids_max, ids.size());
        auto const left = saturated(rest_of(limit_bytes, bytes));
        // What is larger than a result should be comes alone; the first op of all comes whatever its size.
        auto const first_max = batch.ops.empty() ? std::numeric_limits<std::int64_t>::max() : left;
        auto const found = c.execute(sql::retrieve_bounded, of_space(space)
                                                                .image(id_array(ids, batch.ids_read, end))
                                                                .bigint(std::min(left, result_bytes_max))
                                                                .bigint(first_max));
        if (found.empty())
            return space_is_gone();
        auto const begin = batch.ids_read;
        batch.ids_read = end;
        for (std::size_t row = 0; row < found.count() && !found.is_null(row, ordinal); ++row) {
            auto const at = begin + static_cast<std::size_t>(found.bigint(row, ordinal));
            auto const op_bytes = static_cast<std::uint64_t>(found.bigint(row, size));
            if (found.is_null(row, payload)) {
                batch.ids_read = at;
                if (op_bytes > rest_of(limit_bytes, bytes))
                    return batch;
                break;
            }
            batch.ops.push_back(op_of_row(found, row, location, ids[at]));
            bytes += op_bytes;
        }
    } while (batch.ids_read < ids.size());
    return batch;
}

}  // namespace opstore::postgres::detail
