#pragma once

#include <opstore/errors.hpp>
#include <opstore/op_id.hpp>
#include <opstore/postgres/detail/connection.hpp>
#include <opstore/postgres/detail/id_set.hpp>
#include <opstore/postgres/detail/query_parts.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <vector>

namespace opstore::postgres::detail {

/// How many ids may be remembered, by all spaces of a database together.
class id_allowance {
public:
    explicit id_allowance(std::size_t ids_max) : ids_max_(ids_max), left_(ids_max) {}

    std::size_t ids_max() const { return ids_max_; }

    /// False: so many are not left, and none was taken.
    bool take(std::size_t ids);
    void give_back(std::size_t ids) { left_ += ids; }
    std::size_t left() const { return left_; }

private:
    std::size_t const ids_max_;
    std::atomic<std::size_t> left_;
};

/// Answers which ids of a space are not held, from memory. A peer that is told of ops filters their ids; to
/// look up each of them is what such a question costs the server, and it costs more the more ops there are.
///
/// What it answers is what the server would answer now. Ops are never removed from a space, and their stamps
/// grow in commit order. So a question reads the ids with stamps above those it knows (ids_since.sql), mostly
/// none; with them it knows what is held in the snapshot of that statement, in which everything is that was
/// committed before the question, by whomever. The statement tells the number of ops too; where it is not
/// that of the ids, somebody has removed or added ops by hand, and all is forgotten.
///
/// Ids are read as questions come: for each id that is asked for, one may be read, which costs the server
/// less than to look one up. So where remembering never pays, it costs no more than asking does; and no
/// question reads many more ids than it asks for.
///
/// Thread safety: every method from any thread.
class held_ids {
public:
    /// Not before so many ids were asked for, a few are read, where not all are known yet.
    static constexpr std::size_t reading_min = 4096;
    /// In one statement, and for a question that asks for fewer.
    static constexpr std::size_t reading_max = 16'384;
    /// Where all were known, so many may always be read: that costs less than the way to the server.
    static constexpr std::size_t reading_free = 256;

    explicit held_ids(std::shared_ptr<id_allowance> allowance);
    ~held_ids();

    held_ids(held_ids const&) = delete;
    held_ids& operator=(held_ids const&) = delete;

    /// Notes that so many ids are asked for. Whether missing() may know; otherwise it would only cost time.
    bool expects(std::size_t ids);

    /// Those of the ids that are not held, in their order; nothing: ask the server. A repeat goes on where
    /// the one before ended. Refusal: no_such_space.
    result<std::optional<std::vector<op_id>>> missing(connection& c, space_view space,
                                                      std::vector<op_id> const& ids);

private:
    static constexpr std::int64_t first_stamp = std::numeric_limits<std::int64_t>::min();

    struct memory {
        id_set ids;
        std::int64_t next = first_stamp;  ///< `ids` has all with stamps below it.
        bool complete = false;            ///< When it was last read, nothing was left.
    };

    struct reading {
        std::uint64_t generation;  ///< Of what it adds to.
        std::int64_t start;
        std::size_t ids_max;
    };

    struct page {
        std::int64_t watermark = 0;
        std::size_t op_count = 0;
        std::vector<id_set::fingerprint> ids;
        std::int64_t last_stamp = 0;  ///< Of the ids, if there are any.

        page() = default;
    };

    enum class outcome { all_known, some_left, of_no_use };

    std::optional<reading> next_reading(std::size_t ids_max) const;
    std::optional<page> read(connection& c, space_view space, reading const& what) const;
    outcome learn(reading const& what, page const& found);
    std::optional<std::vector<op_id>> look_up(std::uint64_t generation, std::vector<op_id> const& ids) const;
    outcome forget(std::size_t op_count);

    id_set::key const key_;
    std::shared_ptr<id_allowance> const allowance_;

    mutable std::shared_mutex mutex_;
    memory known_;
    std::uint64_t generation_ = 0;     ///< How often all was forgotten.
    std::size_t credit_ = 0;           ///< So many may be read.
    std::size_t worth_ = reading_min;  ///< Less credit is not worth a reading, unless `known_` is complete.
};

}  // namespace opstore::postgres::detail
