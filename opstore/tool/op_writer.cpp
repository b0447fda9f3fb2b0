#include <opstore/tool/op_writer.hpp>

#include <opstore/tool/output.hpp>

#include <fmt/format.h>

#include <utility>

namespace opstore::tool {

op_writer::op_writer(session& s, op_store& store, reject_function reject, commit_function committed)
    : session_(s), store_(store), reject_(std::move(reject)), committed_(std::move(committed)) {}

op_writer::~op_writer() {
    if (pending_)
        pending_->wait();
}

void op_writer::add(incoming_op op, std::uint64_t number) {
    batch_bytes_ += op.data.size();
    batch_.push_back(std::move(op));
    numbers_.push_back(number);
    if (batch_.size() == batch_ops_max || batch_bytes_ >= batch_bytes_max)
        flush();
}

void op_writer::flush() {
    finish();
    if (batch_.empty())
        return;
    pending_numbers_ = std::exchange(numbers_, {});
    batch_bytes_ = 0;
    pending_ = session_.start(store_.process_incoming_ops(std::exchange(batch_, {})));
}

void op_writer::finish() {
    if (!pending_)
        return;
    auto answer = std::move(*pending_);
    pending_.reset();
    auto const report = answer.get().value();
    totals_.held += report.held.size();
    totals_.stored += report.newly_stored.size();
    totals_.duplicates += report.duplicate_count();
    totals_.bytes += report.newly_stored_bytes;
    for (rejection const& r : report.rejected)
        reject_(pending_numbers_[r.index], r);
    committed_(pending_numbers_.back(), report);
}

void seal_due_slices(session& s, op_store& store) {
    constexpr std::uint64_t slices_at_once = 16;
    if (store.options().slices == slice_mode::host)
        return;
    auto const now =
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    try {
        while (s.get(store.seal(now, slices_at_once, s.patient())).sealed > 0) {
        }
    } catch (store_error const& e) {
        // The ops are stored all the same.
        warn(fmt::format("slices that are due were not sealed ({}); `opstore seal` does that later",
                         e.what()));
    }
}

}  // namespace opstore::tool
