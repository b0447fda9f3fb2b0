#pragma once

#include <arc/location.hpp>
#include <arc/timestamp.hpp>
#include <opstore/admission.hpp>
#include <opstore/op_id.hpp>

#include <compare>
#include <cstddef>
#include <mutex>
#include <set>

namespace opstore {

/// What every store says of an op alike; immutable.
struct pooled_op {
    op_id id;
    arc::location location;
    arc::timestamp created_at;
    op_bytes data;

    pooled_op() = default;
};

/// The ops of many stores in one process, each held once: a thousand simulated peers with the same ops take
/// the memory of the payloads of one.
///
/// Ops are told apart by id and bytes, so stores whose formats give other bytes the same id may share a pool.
/// An op stays for as long as it is in use.
///
/// Thread safety: every method from any thread at once. It must outlive the stores that share it.
class op_pool {
public:
    op_pool() = default;
    op_pool(op_pool const&) = delete;
    op_pool& operator=(op_pool const&) = delete;

    /// The pool's copy of `op`, its address fixed until it was released as often as acquired.
    pooled_op const* acquire(admitted_op op);

    /// Precondition: acquire() gave it.
    void release(pooled_op const* op);

    /// Number of ops in use.
    std::size_t size() const;

private:
    struct place {
        pooled_op op;
        /// Not part of the order. Behind the mutex, as the set is.
        mutable std::size_t users = 0;

        explicit place(admitted_op admitted);
    };

    struct by_id_and_bytes {
        using is_transparent = void;

        template <class A, class B>
        bool operator()(A const& a, B const& b) const {
            return compare(facts(a), facts(b)) < 0;
        }

        struct key {
            op_id const& id;
            op_bytes const& data;
        };
        static key facts(place const& p) { return {p.op.id, p.op.data}; }
        static key facts(pooled_op const& op) { return {op.id, op.data}; }
        static key facts(admitted_op const& op) { return {op.id, op.data}; }
        static std::strong_ordering compare(key a, key b);
    };

    mutable std::mutex mutex_;
    std::set<place, by_id_and_bytes> places_;
};

}  // namespace opstore
