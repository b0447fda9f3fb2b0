#include <opstore/postgres/detail/ingest_queue.hpp>

#include <opstore/postgres/detail/random_number.hpp>
#include <sql/statements.hpp>

#include <algorithm>
#include <atomic>
#include <string_view>

namespace opstore::postgres::detail {
namespace {

constexpr char const* stored_or_not = "; whether the ops were stored is in doubt";

/// When a transaction that has until then is over in the server, whatever became of its connection: an
/// attempt may start late, with a statement_timeout of its own, and its last packet may be on its way for a
/// minute. After a day its mark may be forgotten anyway (prune_marks).
job::clock::time_point ended_by(job::clock::time_point until, std::chrono::milliseconds default_timeout) {
    constexpr std::chrono::hours longest{24};
    auto const now = job::clock::now();
    auto const left = std::max<job::clock::duration>(until - now, default_timeout);
    return now + 3 * std::min<job::clock::duration>(left, longest / 3) + std::chrono::minutes(1);
}

/// Whether one call's data may be what the database refused, so that the others deserve a try without it.
bool is_data_error(std::exception_ptr const& error) {
    try {
        std::rethrow_exception(error);
    } catch (store_error const& e) {
        std::string_view const state = e.sqlstate();
        return state.starts_with("22") || state.starts_with("23") || state.starts_with("54") ||
               state == "53200";
    } catch (...) {
        return false;
    }
}

}  // namespace

class ingest_queue::call {
public:
    enum class stage { waiting, flushing, settled };

    call(boost::asio::any_io_executor const& executor, admission a, job::clock::time_point deadline)
        : admitted(std::move(a)), until(deadline), done(std::make_shared<completion>(executor)) {
        for (admitted_op const& op : admitted.ops)
            bytes += op.data.size();
    }

    admission const admitted;
    std::size_t bytes = 0;
    job::clock::time_point const until;
    std::shared_ptr<completion> const done;

    // Guarded by the queue's mutex, until the stage is `settled`.
    deadline_watch::token watched{};
    stage now = stage::waiting;
    bool alone = false;  ///< The database refused a group with it: it shares its transaction with nobody.
    std::optional<result<ingest_report>> report;
    std::exception_ptr error;
};

/// One transaction. It may be repeated as a whole: ingest_batch finds out whether it was committed.
class ingest_queue::flush_job final : public job {
public:
    flush_job(std::shared_ptr<ingest_queue> queue, std::vector<std::shared_ptr<call>> group,
              batch_writer writer, clock::time_point until, bool default_deadline)
        : job(lane::write, persistence::retry, until, default_deadline),
          queue_(std::move(queue)),
          group_(std::move(group)),
          tried_{{writer.id, writer.last_batch + 1}, ended_by(until, queue_->pool_.default_timeout())},
          writer_(writer) {}

    void run(connection& c) override {
        if (queue_->must_prune_marks())
            c.execute(sql::prune_marks, parameters().bigint(queue_->space_.space_id));
        queue_->look_up_doubtful(c);
        auto const now = queue_->clock_ ? std::optional(queue_->clock_()) : std::nullopt;
        // Here, because to look for repeats among many ops must not hold up the caller's executor.
        if (!batch_)
            batch_.emplace(admissions());
        bool const doubt_before = doubt_.exchange(true);
        try {
            space_exists_ = batch_->store(c, queue_->space_, writer_, now, queue_->delegate_);
        } catch (store_error const& e) {
            // The server itself said no: then nothing happened. All else may have happened.
            doubt_ = doubt_before || e.commit_in_doubt() || e.retryable();
            throw;
        }
    }

    void succeed() override {
        if (space_exists_) {
            std::size_t const stored = batch_->fresh_count();
            auto reports = batch_->take_reports();
            for (std::size_t i = 0; i < group_.size(); ++i)
                queue_->deliver(*group_[i], std::move(reports[i]));
            queue_->folder_->note_stored(stored);
        } else {
            for (auto const& c : group_)
                queue_->settle(*c, space_is_gone(), nullptr);
        }
        queue_->release(writer_);
    }

    /// May run while run() does: a deadline waits for nobody. The batch is run()'s, so nothing of it is
    /// touched here; and the writer's number of batches may be ahead of what is known here, so the writer is
    /// not reused.
    void fail(std::exception_ptr error) override {
        batch_writer const fresh_writer{random_number()};
        // An error that was decided while run() had not begun to store, but may yet, says so itself.
        bool const doubt = doubt_ || is_in_doubt(error);
        if (doubt)
            queue_->note_doubtful(tried_);
        if (group_.size() > 1 && is_data_error(error)) {
            queue_->put_back_alone(group_);
        } else {
            auto const told = doubt ? in_doubt(error, stored_or_not) : error;
            for (auto const& c : group_)
                queue_->settle(*c, std::nullopt, told);
        }
        queue_->release(fresh_writer);
    }

private:
    std::vector<admission const*> admissions() const {
        std::vector<admission const*> all;
        for (auto const& c : group_)
            all.push_back(&c->admitted);
        return all;
    }

    std::shared_ptr<ingest_queue> const queue_;
    std::vector<std::shared_ptr<call>> const group_;
    doubtful_batch const tried_;
    batch_writer writer_;
    std::optional<ingest_batch> batch_;
    bool space_exists_ = false;
    std::atomic<bool> doubt_{false};
};

ingest_queue::ingest_queue(connection_pool& pool, earliest_delegate& delegate, space_identity space,
                           std::function<arc::timestamp()> clock, bool group_commit)
    : pool_(pool), delegate_(delegate), space_(space), clock_(std::move(clock)), group_commit_(group_commit) {
    std::size_t const writers = group_commit ? 1 : pool.write_connections();
    for (std::size_t i = 0; i < writers; ++i)
        idle_writers_.push_back(batch_writer{random_number()});
}

std::shared_ptr<ingest_queue> ingest_queue::make(connection_pool& pool, earliest_delegate& delegate,
                                                 space_identity space, std::function<arc::timestamp()> clock,
                                                 bool group_commit) {
    std::shared_ptr<ingest_queue> const queue(
        new ingest_queue(pool, delegate, space, std::move(clock), group_commit));
    auto caught_up = [weak = std::weak_ptr<ingest_queue>(queue)] {
        if (auto const waiting = weak.lock())
            waiting->flush_waiting();
    };
    queue->folder_ = std::make_shared<tail_folder>(pool, space, std::move(caught_up));
    return queue;
}

ingest_queue::~ingest_queue() = default;

boost::asio::awaitable<result<ingest_report>> ingest_queue::store(admission admitted, deadline until) {
    auto const executor = co_await boost::asio::this_coro::executor;
    auto const c = std::make_shared<call>(executor, std::move(admitted), pool_.resolve(until));
    enqueue(c);
    bool const answered = co_await c->done->wait();
    if (!answered) {
        auto const outcome = withdraw(*c);
        if (outcome == withdrawal::taken_out)
            throw boost::system::system_error(boost::asio::error::operation_aborted);
        if (outcome == withdrawal::in_doubt) {
            store_error::facts facts;
            facts.code = errc::cancelled_in_doubt;
            facts.commit_in_doubt = true;
            throw store_error("cancelled while the ops were being stored", std::move(facts));
        }
    }
    if (c->error)
        std::rethrow_exception(c->error);
    co_return std::move(*c->report);
}

void ingest_queue::enqueue(std::shared_ptr<call> const& c) {
    if (c->until <= job::clock::now()) {
        expire(c);
        return;
    }
    auto const watched =
        pool_.watch().add(c->until, [self = weak_from_this(), weak = std::weak_ptr<call>(c)] {
            auto const queue = self.lock();
            auto const due = weak.lock();
            if (queue && due)
                queue->expire(due);
        });
    bool full = false;
    {
        std::lock_guard const lock(mutex_);
        c->watched = watched;
        full = waiting_.size() >= waiting_calls_max;
        // Its deadline may have settled it already.
        if (!full && c->now == call::stage::waiting)
            waiting_.push_back(c);
    }
    if (full) {
        store_error::facts facts;
        facts.code = errc::overloaded;
        facts.retryable = true;
        settle(
            *c, std::nullopt,
            std::make_exception_ptr(store_error("too many ingests wait for the database", std::move(facts))));
        return;
    }
    flush_waiting();
}

void ingest_queue::flush_waiting() {
    while (!folder_->is_behind()) {
        std::vector<std::shared_ptr<call>> group;
        batch_writer writer{};
        {
            std::lock_guard const lock(mutex_);
            if (waiting_.empty() || idle_writers_.empty())
                return;
            group = take_group();
            writer = idle_writers_.back();
            idle_writers_.pop_back();
        }
        submit_group(std::move(group), writer);
    }
}

std::vector<std::shared_ptr<ingest_queue::call>> ingest_queue::take_group() {
    std::vector<std::shared_ptr<call>> group;
    std::size_t ops = 0, bytes = 0;
    while (!waiting_.empty()) {
        auto const& next = waiting_.front();
        ops += next->admitted.ops.size();
        bytes += next->bytes;
        bool const fits = group_commit_ && !next->alone && ops <= group_ops_max && bytes <= group_bytes_max;
        if (!group.empty() && !fits)
            break;
        next->now = call::stage::flushing;
        group.push_back(next);
        waiting_.pop_front();
        if (group.front()->alone)
            break;
    }
    return group;
}

void ingest_queue::submit_group(std::vector<std::shared_ptr<call>> group, batch_writer writer) {
    auto until = pool_.resolve(deadline());
    bool default_deadline = true;
    for (auto const& c : group) {
        if (c->until > until) {
            until = c->until;
            default_deadline = false;
        }
    }
    pool_.submit(
        std::make_shared<flush_job>(shared_from_this(), std::move(group), writer, until, default_deadline));
}

ingest_queue::withdrawal ingest_queue::withdraw(call& c) {
    std::lock_guard const lock(mutex_);
    if (c.now == call::stage::settled)
        return withdrawal::too_late;
    bool const was_waiting = c.now == call::stage::waiting;
    if (was_waiting)
        std::erase_if(waiting_, [&](auto const& other) { return other.get() == &c; });
    c.now = call::stage::settled;
    pool_.watch().remove(c.watched);
    return was_waiting ? withdrawal::taken_out : withdrawal::in_doubt;
}

void ingest_queue::expire(std::shared_ptr<call> const& c) {
    store_error::facts facts;
    facts.code = errc::timed_out;
    facts.retryable = true;
    auto const error =
        std::make_exception_ptr(store_error("the deadline passed before the ops were stored", facts));
    {
        std::lock_guard const lock(mutex_);
        if (c->now == call::stage::settled)
            return;
        bool const waited = c->now == call::stage::waiting;
        if (waited)
            std::erase(waiting_, c);
        conclude(*c, std::nullopt, waited ? error : in_doubt(error, stored_or_not));
    }
    c->done->give();
}

void ingest_queue::settle(call& c, std::optional<result<ingest_report>> report, std::exception_ptr error) {
    {
        std::lock_guard const lock(mutex_);
        if (c.now == call::stage::settled)
            return;
        conclude(c, std::move(report), std::move(error));
    }
    c.done->give();
}

void ingest_queue::conclude(call& c, std::optional<result<ingest_report>> report, std::exception_ptr error) {
    c.now = call::stage::settled;
    c.report = std::move(report);
    c.error = std::move(error);
    pool_.watch().remove(c.watched);
}

void ingest_queue::deliver(call& c, ingest_report report) {
    {
        std::lock_guard const lock(mutex_);
        if (c.now == call::stage::settled) {
            for (new_op const& op : report.newly_stored)
                keep_unclaimed(op.id);
            return;
        }
        claim_for(c.admitted, report);
        conclude(c, std::move(report), nullptr);
    }
    c.done->give();
}

void ingest_queue::keep_unclaimed(op_id const& id) {
    if (unclaimed_.size() < unclaimed_ops_max)
        unclaimed_.insert(id);
}

void ingest_queue::claim_for(admission const& admitted, ingest_report& report) {
    if (unclaimed_.empty())
        return;
    std::vector<new_op> all;
    auto stored = report.newly_stored.begin();
    for (admitted_op const& op : admitted.ops) {
        if (stored != report.newly_stored.end() && stored->id == op.id) {
            all.push_back(*stored++);
        } else if (unclaimed_.erase(op.id) > 0) {
            all.push_back(new_op{op.id, op.created_at});
            report.newly_stored_bytes += op.data.size();
        }
    }
    report.newly_stored = std::move(all);
}

void ingest_queue::note_doubtful(doubtful_batch const& batch) {
    std::lock_guard const lock(mutex_);
    if (doubtful_.size() < doubtful_batches_max)
        doubtful_.push_back(batch);
}

void ingest_queue::look_up_doubtful(connection& c) {
    std::vector<doubtful_batch> doubtful;
    {
        std::lock_guard const lock(mutex_);
        doubtful = doubtful_;
    }
    if (doubtful.empty())
        return;
    c.begin();
    c.execute(sql::lock_space, parameters().bigint(space_.space_id).bigint(space_.incarnation));
    for (doubtful_batch const& d : doubtful) {
        auto const now = job::clock::now();
        auto const added = find_committed(c, space_, d.tried);
        if (!added && now < d.ended)
            continue;
        std::lock_guard const lock(mutex_);
        // Without group commit another writer may have looked at the same time.
        bool const first = std::erase_if(doubtful_, [&](doubtful_batch const& other) {
                               return other.tried.writer == d.tried.writer;
                           }) > 0;
        if (first && added) {
            for (op_id const& id : *added)
                keep_unclaimed(id);
        }
    }
    c.rollback();
}

void ingest_queue::put_back_alone(std::vector<std::shared_ptr<call>> const& group) {
    std::lock_guard const lock(mutex_);
    for (auto c = group.rbegin(); c != group.rend(); ++c) {
        if ((*c)->now != call::stage::flushing)
            continue;
        (*c)->now = call::stage::waiting;
        (*c)->alone = true;
        waiting_.push_front(*c);
    }
}

void ingest_queue::release(batch_writer writer) {
    {
        std::lock_guard const lock(mutex_);
        idle_writers_.push_back(writer);
    }
    flush_waiting();
}

bool ingest_queue::must_prune_marks() {
    std::lock_guard const lock(mutex_);
    return !std::exchange(marks_pruned_, true);
}

}  // namespace opstore::postgres::detail
