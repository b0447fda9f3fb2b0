#include <opstore/postgres/detail/ingest_batch.hpp>

#include <arc/sector.hpp>
#include <opstore/postgres/detail/delegates.hpp>
#include <sql/statements.hpp>

#include <algorithm>
#include <map>
#include <numeric>
#include <stdexcept>

namespace opstore::postgres::detail {
namespace {

/// A statement that lost a race, or met delegates that it could not name, was for nothing. So who met others
/// takes the lock first: that costs two round trips. Now and then one tries without, since they may have
/// gone.
constexpr int batches_locked_after_a_meeting = 32;

}  // namespace

std::optional<std::vector<op_id>> find_committed(connection& c, space_identity space, tried_batch batch) {
    parameters tried;
    tried.bigint(space.space_id).bigint(batch.writer).bigint(batch.first_number);
    auto const mark = c.execute(sql::find_mark, tried);
    if (mark.empty())
        return std::nullopt;
    parameters stamps;
    stamps.bigint(space.space_id).bigint(mark.bigint(0, 0)).bigint(mark.bigint(0, 1));
    auto const ids = c.execute(sql::marked_ops, stamps);
    std::vector<op_id> added;
    for (std::size_t row = 0; row < ids.count(); ++row) {
        if (auto const id = op_id::from_bytes(ids.bytea(row, 0)))
            added.push_back(*id);
    }
    return added;
}

ingest_batch::ingest_batch(std::vector<admission const*> calls) : calls_(std::move(calls)) {
    find_unique_ops();
    cut_into_statements();
}

/// By sorting, not hashing: peers choose the ids.
void ingest_batch::find_unique_ops() {
    std::vector<admitted_op const*> all;
    for (admission const* call : calls_) {
        for (admitted_op const& op : call->ops)
            all.push_back(&op);
    }
    std::vector<std::size_t> by_id(all.size());
    std::iota(by_id.begin(), by_id.end(), std::size_t{0});
    std::sort(by_id.begin(), by_id.end(), [&](std::size_t a, std::size_t b) {
        auto const order = all[a]->id <=> all[b]->id;
        return order != 0 ? order < 0 : a < b;
    });
    std::vector<std::size_t> first_of(all.size());
    for (std::size_t i = 0; i < by_id.size(); ++i) {
        bool const repeat = i > 0 && all[by_id[i]]->id == all[by_id[i - 1]]->id;
        first_of[by_id[i]] = repeat ? first_of[by_id[i - 1]] : by_id[i];
    }
    std::vector<std::size_t> ordinal(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (first_of[i] == i) {
            ordinal[i] = unique_.size();
            unique_.push_back(all[i]);
        } else {
            ordinal[i] = ordinal[first_of[i]];
        }
    }
    auto next = ordinal.begin();
    for (admission const* call : calls_) {
        auto const count = static_cast<std::ptrdiff_t>(call->ops.size());
        ordinals_.emplace_back(next, next + count);
        next += count;
    }
    fresh_.assign(unique_.size(), false);
}

void ingest_batch::cut_into_statements() {
    std::size_t begin = 0, bytes = 0;
    for (std::size_t i = 0; i < unique_.size(); ++i) {
        std::size_t const size = unique_[i]->data.size();
        if (i > begin && (i - begin == statement_ops_max || bytes + size > statement_bytes_max)) {
            statements_.push_back({begin, i});
            begin = i;
            bytes = 0;
        }
        bytes += size;
    }
    if (begin < unique_.size())
        statements_.push_back({begin, unique_.size()});
}

bool ingest_batch::store(connection& c, space_identity space, batch_writer& writer,
                         std::optional<arc::timestamp> clock, earliest_delegate& delegate) {
    if (first_batch_tried_ != 0)
        return store_after_doubt(c, space, writer, clock);
    first_batch_tried_ = writer.last_batch + 1;
    return store_anew(c, space, writer, clock, delegate);
}

bool ingest_batch::store_anew(connection& c, space_identity space, batch_writer& writer,
                              std::optional<arc::timestamp> clock, earliest_delegate& delegate) {
    ++writer.last_batch;
    auto const known = delegate.compare(space, unique_);
    bool const tries = statements_.size() == 1 && writer.locks_ahead == 0 && !known.earlier;
    if (tries && execute(c, statements_.front(), space, writer, clock, known.delegate))
        return true;
    if (tries)
        writer.locks_ahead = batches_locked_after_a_meeting;
    writer.locks_ahead = std::max(writer.locks_ahead - 1, 0);
    auto const left = lock_against_delegates(c, sql::lock_space, space, known.delegate,
                                             [&] { return known.earlier || is_earlier(c, space); });
    if (!left)
        return false;
    store_behind_lock(c, space, writer, clock, *left);
    c.commit();
    if (*left != 0 && *left != known.delegate)
        delegate.join(space);
    return true;
}

bool ingest_batch::is_earlier(connection& c, space_identity space) const {
    std::map<arc::sector_index, arc::timestamp> earliest;
    for (admitted_op const* op : unique_) {
        auto const [at, first] = earliest.emplace(arc::sector_of(op->location), op->created_at);
        if (!first)
            at->second = std::min(at->second, op->created_at);
    }
    std::vector<std::int64_t> sectors, created;
    for (auto const& [sector, created_at] : earliest) {
        sectors.push_back(sector);
        created.push_back(arc::to_micros(created_at));
    }
    parameters ops;
    ops.bigint(space.space_id).bigint_array(sectors).bigint_array(created);
    return !c.execute(sql::is_earlier, ops).empty();
}

/// Ops that nobody can have stored in between must not be taken for duplicates because an answer was empty.
void ingest_batch::store_behind_lock(connection& c, space_identity space, batch_writer const& writer,
                                     std::optional<arc::timestamp> clock, std::int64_t delegate) {
    for (statement_range const range : statements_) {
        if (!execute(c, range, space, writer, clock, delegate))
            throw std::logic_error("ingest: nothing was stored although the space was locked");
    }
}

/// The attempt before may have been committed, may still be under way, or may even wait for the lock behind
/// us. Under the lock its mark tells the first from the rest; and if it runs behind us, it finds the row
/// changed, and does nothing.
bool ingest_batch::store_after_doubt(connection& c, space_identity space, batch_writer& writer,
                                     std::optional<arc::timestamp> clock) {
    ++writer.last_batch;
    // If it was committed, none of its ops is the first of its sector any more.
    auto const left =
        lock_against_delegates(c, sql::lock_space, space, 0, [&] { return is_earlier(c, space); });
    if (!left)
        return false;
    if (auto added = find_committed(c, space, {writer.id, first_batch_tried_}))
        note_fresh_by_id(std::move(*added));
    else
        store_behind_lock(c, space, writer, clock, *left);
    c.commit();
    return true;
}

bool ingest_batch::execute(connection& c, statement_range range, space_identity space,
                           batch_writer const& writer, std::optional<arc::timestamp> clock,
                           std::int64_t delegate) {
    std::size_t const count = range.end - range.begin;
    std::size_t id_bytes = 0, payload_bytes = 0;
    for (std::size_t i = range.begin; i < range.end; ++i) {
        id_bytes += unique_[i]->id.length();
        payload_bytes += unique_[i]->data.size();
    }
    bytea_array_image ids(count, id_bytes), payloads(count, payload_bytes);
    std::vector<std::int64_t> locations, created;
    locations.reserve(count);
    created.reserve(count);
    for (std::size_t i = range.begin; i < range.end; ++i) {
        ids.add(unique_[i]->id.bytes());
        payloads.add(unique_[i]->data);
        locations.push_back(unique_[i]->location.value);
        created.push_back(arc::to_micros(unique_[i]->created_at));
    }
    parameters values;
    values.bigint(space.space_id)
        .bigint(space.incarnation)
        .image(ids.take())
        .bigint_array(locations)
        .bigint_array(created)
        .image(payloads.take())
        .bigint(static_cast<std::int64_t>(count))
        .optional_bigint(clock ? std::optional(arc::to_micros(*clock)) : std::nullopt)
        .bigint(writer.id)
        .bigint(writer.last_batch)
        .bigint(delegate);
    auto const answer = c.execute(sql::ingest, values);
    if (answer.empty())
        return false;
    note_fresh(answer, range);
    return true;
}

void ingest_batch::note_fresh(rows const& answer, statement_range range) {
    bool const all = answer.is_null(0, 1);
    for (std::size_t i = range.begin; i < range.end; ++i)
        fresh_[i] = all;
    if (!all) {
        for (std::int64_t const ordinal : answer.bigint_array(0, 1))
            fresh_[range.begin + static_cast<std::size_t>(ordinal)] = true;
    }
}

void ingest_batch::note_fresh_by_id(std::vector<op_id> added) {
    std::sort(added.begin(), added.end());
    for (std::size_t i = 0; i < unique_.size(); ++i)
        fresh_[i] = std::binary_search(added.begin(), added.end(), unique_[i]->id);
}

std::size_t ingest_batch::fresh_count() const {
    return static_cast<std::size_t>(std::count(fresh_.begin(), fresh_.end(), true));
}

std::vector<ingest_report> ingest_batch::take_reports() {
    std::vector<ingest_report> reports;
    for (std::size_t number = 0; number < calls_.size(); ++number) {
        admission const& call = *calls_[number];
        ingest_report report;
        report.rejected = call.rejected;
        report.held.reserve(call.ops.size());
        for (std::size_t i = 0; i < call.ops.size(); ++i) {
            admitted_op const& op = call.ops[i];
            report.held.push_back(op.id);
            std::size_t const ordinal = ordinals_[number][i];
            if (fresh_[ordinal] && unique_[ordinal] == &op) {
                report.newly_stored.push_back(new_op{op.id, op.created_at});
                report.newly_stored_bytes += op.data.size();
            }
        }
        reports.push_back(std::move(report));
    }
    return reports;
}

}  // namespace opstore::postgres::detail
