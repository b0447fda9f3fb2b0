#pragma once

#include <opstore/admission.hpp>
#include <opstore/op_store.hpp>
#include <opstore/postgres/detail/connection_pool.hpp>
#include <opstore/postgres/detail/ingest_batch.hpp>
#include <opstore/postgres/detail/tail_folder.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

namespace opstore::postgres::detail {

/// Group commit: the ingests of one space that wait while a transaction is under way go together in the next.
///
/// A call is *waiting*, then *flushing*, then *settled*. A waiting call that is cancelled or whose deadline
/// passes is taken out, and nothing of it is stored. A flushing one goes on for the others; its caller learns
/// that the outcome is in doubt. What it stored is then *unclaimed*: no report has it as newly stored yet.
/// The next call that brings such an op, the repeat mostly, has it in its report; without group commit the
/// repeat may overtake the transaction, then it is the one after. Waiting is the back-pressure: a call
/// answers when its ops are durable, and not before.
///
/// Thread safety: every method from any thread.
class ingest_queue : public std::enable_shared_from_this<ingest_queue> {
public:
    /// Bounds of one transaction, in which every op delays the answer to every call. At least one call goes.
    static constexpr std::size_t group_ops_max = 8'192;
    static constexpr std::size_t group_bytes_max = 8u << 20;
    /// A call more finds errc::overloaded: its caller does not wait for answers.
    static constexpr std::size_t waiting_calls_max = 65'536;
    /// Bound of the memory for callers that do not repeat. What is beyond it is in no report.
    static constexpr std::size_t unclaimed_ops_max = 65'536;
    static constexpr std::size_t doubtful_batches_max = 64;

    /// `clock` may be empty: then the server's. Pool and delegate must outlive all calls. Without group
    /// commit each call has a transaction of its own, as many at once as the pool lets write. The tail is
    /// folded behind the commits, and ingest waits for that where it cannot keep up.
    static std::shared_ptr<ingest_queue> make(connection_pool& pool, earliest_delegate& delegate,
                                              space_identity space, std::function<arc::timestamp()> clock,
                                              bool group_commit);
    ~ingest_queue();

    /// op_store::process_incoming_ops() behind the admission. Precondition: it admitted at least one op.
    boost::asio::awaitable<result<ingest_report>> store(admission admitted, deadline until);

private:
    class call;
    class flush_job;
    enum class withdrawal { taken_out, in_doubt, too_late };

    /// A transaction that failed without an answer. Its writer is not used again.
    struct doubtful_batch {
        tried_batch tried;
        job::clock::time_point ended;  ///< By then, one way or the other.
    };

    ingest_queue(connection_pool& pool, earliest_delegate& delegate, space_identity space,
                 std::function<arc::timestamp()> clock, bool group_commit);

    void enqueue(std::shared_ptr<call> const& c);
    withdrawal withdraw(call& c);
    void expire(std::shared_ptr<call> const& c);
    void flush_waiting();
    std::vector<std::shared_ptr<call>> take_group();
    void submit_group(std::vector<std::shared_ptr<call>> group, batch_writer writer);
    void settle(call& c, std::optional<result<ingest_report>> report, std::exception_ptr error);
    /// What settle() does, under the mutex, to a call that is not settled.
    void conclude(call& c, std::optional<result<ingest_report>> report, std::exception_ptr error);
    /// settle() with a report; what a settled call stored is unclaimed.
    void deliver(call& c, ingest_report report);
    void keep_unclaimed(op_id const& id);
    /// Adds the unclaimed ops among those of the call to its newly stored ones.
    void claim_for(admission const& admitted, ingest_report& report);
    void note_doubtful(doubtful_batch const& batch);
    /// Learns what became of the doubtful batches: ops that they stored are unclaimed. Before the ingest of a
    /// repeat, which would find them held.
    void look_up_doubtful(connection& c);
    void put_back_alone(std::vector<std::shared_ptr<call>> const& group);
    void release(batch_writer writer);
    bool must_prune_marks();

    connection_pool& pool_;
    earliest_delegate& delegate_;
    space_identity const space_;
    std::function<arc::timestamp()> const clock_;
    bool const group_commit_;
    std::shared_ptr<tail_folder> folder_;

    std::mutex mutex_;
    std::deque<std::shared_ptr<call>> waiting_;
    std::vector<batch_writer> idle_writers_;
    std::vector<doubtful_batch> doubtful_;
    std::set<op_id> unclaimed_;
    bool marks_pruned_ = false;
};

}  // namespace opstore::postgres::detail
