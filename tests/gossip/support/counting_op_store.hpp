#pragma once

#include <opstore/op_store.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace opstore::testing {

/// A store before another one, for tests that say how often a thing may ask the store, what it does when the
/// store fails, and what happens to it while the store takes its time. Everything else is as behind it.
///
/// A method may be overridden once more, to answer something of a test's own.
///
/// Thread safety: as op_store demands, by one mutex.
class counting_op_store : public op_store {
public:
    using counts = std::map<std::string, std::uint64_t, std::less<>>;

    /// `inner` must outlive it.
    explicit counting_op_store(op_store& inner) : inner_(&inner) {}

    /// Since the start, or since forget_calls(); those that failed too. By the name of the method.
    counts calls_by_method() const {
        std::scoped_lock const lock(mutex_);
        return counts_;
    }
    std::uint64_t calls_of(std::string_view method) const {
        std::scoped_lock const lock(mutex_);
        auto const at = counts_.find(method);
        return at == counts_.end() ? 0 : at->second;
    }
    std::uint64_t calls() const {
        std::uint64_t sum = 0;
        for (auto const& [method, count] : calls_by_method()) {
            sum += count;
        }
        return sum;
    }
    void forget_calls() {
        std::scoped_lock const lock(mutex_);
        counts_.clear();
    }

    /// The n-th call from now on (1: the next one) and those behind it, `count` in all, throw a retryable
    /// store_error(unavailable) and do not reach the store behind. With a method's name only its calls are
    /// counted, and fail. Replaces what was asked for before. Precondition: n > 0.
    void fail_at(std::uint64_t n, std::uint64_t count = 1, std::string method = {}) {
        std::scoped_lock const lock(mutex_);
        calls_before_failure_ = n - 1;
        failures_left_ = count;
        failing_method_ = std::move(method);
    }
    /// No call fails any more.
    void heal() { fail_at(1, 0); }

    /// From now on each call goes through the executor before it reaches the store behind, as it does in a
    /// store with I/O: others can run meanwhile.
    void suspend_each_call() {
        std::scoped_lock const lock(mutex_);
        suspends_ = true;
    }

    /// From now on another store is behind: what a backup that was restored looks like from here.
    void put_behind(op_store& inner) {
        std::scoped_lock const lock(mutex_);
        inner_ = &inner;
    }

    space_options const& options() const override { return inner().options(); }

    // The rest as op_store says; see there.
    boost::asio::awaitable<result<ingest_report>> process_incoming_ops(std::vector<incoming_op> ops,
                                                                       deadline until = {}) override {
        return counted("process_incoming_ops", inner().process_incoming_ops(std::move(ops), until));
    }
    boost::asio::awaitable<result<id_list>> retrieve_op_hashes_in_time_slice(arc::dht_arc arc,
                                                                             arc::timestamp start,
                                                                             arc::timestamp end,
                                                                             deadline until = {}) override {
        return counted("retrieve_op_hashes_in_time_slice",
                       inner().retrieve_op_hashes_in_time_slice(arc, start, end, until));
    }
    boost::asio::awaitable<result<std::vector<stored_op>>> retrieve_ops(std::vector<op_id> ids,
                                                                        deadline until = {}) override {
        return counted("retrieve_ops", inner().retrieve_ops(std::move(ids), until));
    }
    boost::asio::awaitable<result<std::vector<op_id>>> filter_out_existing_ops(std::vector<op_id> ids,
                                                                               deadline until = {}) override {
        return counted("filter_out_existing_ops", inner().filter_out_existing_ops(std::move(ids), until));
    }
    boost::asio::awaitable<result<id_page>> retrieve_op_ids_bounded(arc::dht_arc arc, arc::timestamp start,
                                                                    std::uint64_t limit_bytes,
                                                                    deadline until = {}) override {
        return counted("retrieve_op_ids_bounded",
                       inner().retrieve_op_ids_bounded(arc, start, limit_bytes, until));
    }
    boost::asio::awaitable<result<std::optional<arc::timestamp>>> earliest_timestamp_in_arc(
        arc::dht_arc arc, deadline until = {}) override {
        return counted("earliest_timestamp_in_arc", inner().earliest_timestamp_in_arc(arc, until));
    }
    boost::asio::awaitable<result<void>> store_slice_hash(arc::dht_arc arc, std::uint64_t index,
                                                          std::vector<std::byte> hash,
                                                          deadline until = {}) override {
        return counted("store_slice_hash", inner().store_slice_hash(arc, index, std::move(hash), until));
    }
    boost::asio::awaitable<result<std::uint64_t>> slice_hash_count(arc::dht_arc arc,
                                                                   deadline until = {}) override {
        return counted("slice_hash_count", inner().slice_hash_count(arc, until));
    }
    boost::asio::awaitable<result<std::optional<std::vector<std::byte>>>> retrieve_slice_hash(
        arc::dht_arc arc, std::uint64_t index, deadline until = {}) override {
        return counted("retrieve_slice_hash", inner().retrieve_slice_hash(arc, index, until));
    }
    boost::asio::awaitable<result<std::vector<slice_hash>>> retrieve_slice_hashes(
        arc::dht_arc arc, deadline until = {}) override {
        return counted("retrieve_slice_hashes", inner().retrieve_slice_hashes(arc, until));
    }
    boost::asio::awaitable<result<std::uint64_t>> query_total_op_count(deadline until = {}) override {
        return counted("query_total_op_count", inner().query_total_op_count(until));
    }
    boost::asio::awaitable<result<std::vector<std::vector<slice_hash>>>> retrieve_slice_hashes_of_arcs(
        std::vector<arc::dht_arc> arcs, deadline until = {}) override {
        return counted("retrieve_slice_hashes_of_arcs",
                       inner().retrieve_slice_hashes_of_arcs(std::move(arcs), until));
    }
    boost::asio::awaitable<result<std::vector<std::optional<arc::timestamp>>>> earliest_timestamps_in_arcs(
        std::vector<arc::dht_arc> arcs, deadline until = {}) override {
        return counted("earliest_timestamps_in_arcs",
                       inner().earliest_timestamps_in_arcs(std::move(arcs), until));
    }
    boost::asio::awaitable<result<std::vector<std::vector<sector_hash>>>> combined_hashes(
        arc::arc_set sectors, std::vector<arc::time_range> ranges, deadline until = {}) override {
        return counted("combined_hashes", inner().combined_hashes(sectors, std::move(ranges), until));
    }
    boost::asio::awaitable<result<store_summary>> summarize(arc::arc_set sectors, arc::timestamp now,
                                                            deadline until = {}) override {
        return counted("summarize", inner().summarize(sectors, now, until));
    }
    boost::asio::awaitable<result<space_hashes>> retrieve_space_hashes(std::uint64_t full_slices,
                                                                       deadline until = {}) override {
        return counted("retrieve_space_hashes", inner().retrieve_space_hashes(full_slices, until));
    }
    boost::asio::awaitable<result<op_tail>> retrieve_tail(arc::timestamp start, std::size_t ops_max,
                                                          deadline until = {}) override {
        return counted("retrieve_tail", inner().retrieve_tail(start, ops_max, until));
    }
    boost::asio::awaitable<result<id_page>> retrieve_op_ids_of_sectors(arc::arc_set sectors,
                                                                       arc::timestamp start,
                                                                       std::uint64_t limit_bytes,
                                                                       deadline until = {}) override {
        return counted("retrieve_op_ids_of_sectors",
                       inner().retrieve_op_ids_of_sectors(sectors, start, limit_bytes, until));
    }
    boost::asio::awaitable<result<std::vector<sector_slices>>> retrieve_disc_slices(
        arc::arc_set sectors, std::uint64_t full_slices, deadline until = {}) override {
        return counted("retrieve_disc_slices", inner().retrieve_disc_slices(sectors, full_slices, until));
    }
    boost::asio::awaitable<result<std::vector<region_ids>>> retrieve_region_ids(
        std::vector<op_region> regions, std::uint64_t limit_bytes, deadline until = {}) override {
        return counted("retrieve_region_ids",
                       inner().retrieve_region_ids(std::move(regions), limit_bytes, until));
    }
    boost::asio::awaitable<result<region_page>> retrieve_region_page(op_region region,
                                                                     std::optional<op_position> after,
                                                                     std::uint64_t limit_bytes,
                                                                     deadline until = {}) override {
        return counted("retrieve_region_page",
                       inner().retrieve_region_page(region, after, limit_bytes, until));
    }
    boost::asio::awaitable<result<op_batch>> retrieve_ops_bounded(std::vector<op_id> ids,
                                                                  std::uint64_t limit_bytes,
                                                                  deadline until = {}) override {
        return counted("retrieve_ops_bounded",
                       inner().retrieve_ops_bounded(std::move(ids), limit_bytes, until));
    }
    boost::asio::awaitable<result<seal_report>> seal(arc::timestamp now, std::uint64_t slices_max,
                                                     deadline until = {}) override {
        return counted("seal", inner().seal(now, slices_max, until));
    }
    boost::asio::awaitable<result<verify_report>> verify(deadline until = {}) override {
        return counted("verify", inner().verify(until));
    }
    boost::asio::awaitable<result<verify_report>> repair(deadline until = {}) override {
        return counted("repair", inner().repair(until));
    }
    boost::asio::awaitable<result<space_stat>> stat(deadline until = {}) override {
        return counted("stat", inner().stat(until));
    }

private:
    /// Precondition: `call` has not started yet, which holds for every coroutine of Asio.
    template <class T>
    boost::asio::awaitable<T> counted(char const* method, boost::asio::awaitable<T> call) {
        if (note(method)) {
            co_await boost::asio::post(boost::asio::use_awaitable);
        }
        co_return co_await std::move(call);
    }

    /// Whether to suspend first. Throws if this call is one to fail.
    bool note(char const* method) {
        std::scoped_lock const lock(mutex_);
        ++counts_[method];
        if (failures_left_ > 0 && (failing_method_.empty() || failing_method_ == method)) {
            if (calls_before_failure_ == 0) {
                --failures_left_;
                store_error::facts facts;
                facts.retryable = true;
                throw store_error(std::string(method) + ": fails as the test wants it", facts);
            }
            --calls_before_failure_;
        }
        return suspends_;
    }

    op_store& inner() const {
        std::scoped_lock const lock(mutex_);
        return *inner_;
    }

    op_store* inner_;
    mutable std::mutex mutex_;
    counts counts_;
    std::uint64_t calls_before_failure_ = 0;
    std::uint64_t failures_left_ = 0;
    std::string failing_method_;
    bool suspends_ = false;
};

}  // namespace opstore::testing
