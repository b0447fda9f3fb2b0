#pragma once

#include <opstore/op_store.hpp>
#include <opstore/tool/session.hpp>

#include <cstdint>
#include <functional>
#include <future>
#include <optional>
#include <vector>

namespace opstore::tool {

/// Stores a stream of ops batch by batch; while one batch is being stored the next is being filled.
class op_writer {
public:
    static constexpr std::size_t batch_ops_max = 1000;
    static constexpr std::size_t batch_bytes_max = 4u << 20;

    struct totals {
        std::uint64_t held = 0, stored = 0, duplicates = 0, bytes = 0;
    };

    /// Called for each op that the store rejected, with the number it was added under.
    using reject_function = std::function<void(std::uint64_t number, rejection const&)>;
    /// Called after each commit, with the number of the last op of the batch: what was added up to it is
    /// durable.
    using commit_function = std::function<void(std::uint64_t number, ingest_report const&)>;

    op_writer(session& s, op_store& store, reject_function reject, commit_function committed);
    /// What is still being stored is waited for, and its outcome ignored.
    ~op_writer();

    /// `number` is the caller's name for the op. Stores a batch when one is full.
    void add(incoming_op op, std::uint64_t number);

    bool empty() const { return batch_.empty() && !pending_; }
    bool is_storing() const { return pending_.has_value(); }
    /// Begins to store what was added. Waits for the batch before.
    void flush();
    /// Waits until all that was added before the last flush() is durable.
    void finish();

    totals const& total() const { return totals_; }

private:
    session& session_;
    op_store& store_;
    reject_function const reject_;
    commit_function const committed_;
    std::vector<incoming_op> batch_;
    std::vector<std::uint64_t> numbers_;
    std::size_t batch_bytes_ = 0;
    std::optional<std::future<result<ingest_report>>> pending_;
    std::vector<std::uint64_t> pending_numbers_;
    totals totals_;
};

/// Seals what is due in slice mode store, so that summaries stay cheap; nothing in slice mode host.
void seal_due_slices(session& s, op_store& store);

}  // namespace opstore::tool
