#pragma once

#include <opstore/admission.hpp>
#include <opstore/op_store.hpp>
#include <opstore/postgres/detail/connection.hpp>
#include <opstore/postgres/detail/earliest_delegate.hpp>
#include <opstore/postgres/detail/query_parts.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace opstore::postgres::detail {

/// Who writes: tells the batches of one writer from those of another, and each from the one before, so that a
/// batch whose answer was lost can be found again (table ingest_mark).
struct batch_writer {
    std::int64_t id;
    std::int64_t last_batch = 0;
    /// So many more batches lock the space first: another writer was met, or a delegate that is not ours.
    int locks_ahead = 0;
};

/// A batch as its mark knows it. It may have been tried under later numbers too.
struct tried_batch {
    std::int64_t writer;
    std::int64_t first_number;
};

/// The ids that a batch added, if it was committed. Precondition: lock_space in this transaction, so that an
/// attempt that is still under way is waited for.
std::optional<std::vector<op_id>> find_committed(connection& c, space_identity space, tried_batch batch);

/// The ops of one or more calls, written in one transaction. Blocking, for a thread of the pool.
///
/// An op that several calls bring, or one call twice, is written once and is new for the first of them.
class ingest_batch {
public:
    /// Bounds of one statement: past these it gains no speed and only holds memory, copies of each byte on
    /// the way through libpq. At least one op always goes.
    static constexpr std::size_t statement_ops_max = 8'192;
    static constexpr std::size_t statement_bytes_max = 8u << 20;

    /// The admissions must outlive the batch; they are the calls', in the order in which they came.
    explicit ingest_batch(std::vector<admission const*> calls);

    /// Stores the batch. May be called again after it threw, on another connection: it then finds out first
    /// whether the attempt before was committed, behind the lock of the space, and repeats it if not.
    /// `delegate` is this process's own. False: the space is gone, nothing was stored.
    bool store(connection& c, space_identity space, batch_writer& writer, std::optional<arc::timestamp> clock,
               earliest_delegate& delegate);

    /// Ops that store() added to the space. Precondition as below.
    std::size_t fresh_count() const;

    /// What became of the calls, in order. Precondition: store() returned true.
    std::vector<ingest_report> take_reports();

private:
    struct statement_range {
        std::size_t begin, end;
    };

    void find_unique_ops();
    void cut_into_statements();
    bool store_anew(connection& c, space_identity space, batch_writer& writer,
                    std::optional<arc::timestamp> clock, earliest_delegate& delegate);
    bool store_after_doubt(connection& c, space_identity space, batch_writer& writer,
                           std::optional<arc::timestamp> clock);
    void store_behind_lock(connection& c, space_identity space, batch_writer const& writer,
                           std::optional<arc::timestamp> clock, std::int64_t delegate);
    /// Whether an op would be the first of its sector.
    bool is_earlier(connection& c, space_identity space) const;
    /// False: the space is gone, another writer came between, or it has delegates and `delegate` is none of
    /// them; behind lock_against_delegates() none of this can be.
    bool execute(connection& c, statement_range range, space_identity space, batch_writer const& writer,
                 std::optional<arc::timestamp> clock, std::int64_t delegate);
    void note_fresh(rows const& answer, statement_range range);
    void note_fresh_by_id(std::vector<op_id> added);

    std::vector<admission const*> calls_;
    std::vector<admitted_op const*> unique_;          ///< In the order in which they came.
    std::vector<std::vector<std::size_t>> ordinals_;  ///< For each op of each call, its place in unique_.
    std::vector<statement_range> statements_;
    std::vector<bool> fresh_;             ///< For each of unique_.
    std::int64_t first_batch_tried_ = 0;  ///< 0: never tried.
};

}  // namespace opstore::postgres::detail
