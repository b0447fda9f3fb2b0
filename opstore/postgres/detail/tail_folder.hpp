#pragma once

#include <opstore/postgres/detail/connection_pool.hpp>
#include <opstore/postgres/detail/query_parts.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>

namespace opstore::postgres::detail {

/// Folds the ops of a space behind the commits that stored them, on another connection
/// (sql/statements/fold.sql). Nobody waits for it: readers add what is not folded yet, the tail. It only has
/// to stay short, and does, as long as folds succeed.
///
/// Thread safety: every method from any thread.
class tail_folder : public std::enable_shared_from_this<tail_folder> {
public:
    /// A tail of so many ops is folded at once: eight batches of a thousand together cost 0.6 of what they
    /// cost one by one. A reader of all sectors pays 0.6 us for each.
    static constexpr std::size_t fold_at = 8'192;
    /// A shorter one is folded so long after a commit; but the first commit of a process folds what the
    /// processes before it left, which may all have ended sooner.
    static constexpr std::chrono::milliseconds fold_after{1000};
    /// From here on is_behind(): about what readers of all sectors feel.
    static constexpr std::size_t behind_at = 32'768;

    /// The pool must outlive all use. `caught_up` is called, on any thread, when is_behind() may have ended.
    tail_folder(connection_pool& pool, space_identity space, std::function<void()> caught_up);

    /// A batch with so many new ops was committed. If there were none it has moved the watermark
    /// nevertheless.
    void note_stored(std::size_t ops);

    /// A fold is under way, and those who store ops should wait for it. One that fails holds nobody up: it is
    /// tried again behind the next commit that makes the tail long enough, and after fold_after, which
    /// doubles with each failure up to a minute.
    bool is_behind() const;

private:
    class fold_job;
    void fold(std::size_t ops_min);
    void fold_soon();
    void end_fold(bool succeeded, bool more);

    connection_pool& pool_;
    space_identity const space_;
    std::function<void()> const caught_up_;

    mutable std::mutex mutex_;
    /// Ops that may be in the tail, at most; but for what earlier writers left, of which nothing is known.
    std::size_t tail_ = 0;
    bool first_ = true;  ///< Nothing was stored yet.
    std::size_t being_folded_ = 0;
    bool folding_ = false;
    static constexpr int failures_counted_max = 6;
    int failures_ = 0;       ///< In a row, as far as they are counted.
    bool due_soon_ = false;  ///< fold_soon() has set a timer.
};

}  // namespace opstore::postgres::detail
