#pragma once

#include <opstore/errors.hpp>
#include <opstore/op_id.hpp>
#include <opstore/postgres/detail/connection.hpp>
#include <opstore/postgres/detail/id_map.hpp>
#include <opstore/postgres/detail/query_parts.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>
#include <vector>

namespace opstore::postgres::detail {

/// How many ids may be remembered, by all spaces of a database together.
class id_allowance {
public:
    explicit id_allowance(std::size_t ids_max) : ids_max_(ids_max), left_(ids_max) {}

    std::size_t ids_max() const { return ids_max_; }
    std::size_t left() const { return left_; }
    /// False: so many are not left, and none was taken.
    bool take(std::size_t ids);
    void give_back(std::size_t ids) { left_ += ids; }

private:
    std::size_t const ids_max_;
    std::atomic<std::size_t> left_;
};

/// Answers from memory which ids of a space are not held, and where the rows of those are that are. A peer
/// that is told of ops filters their ids, and a host retrieves ops by id; to look up each of them is what
/// such a question costs the server, and it costs more the more ops there are.
///
/// Which are not held it answers as the server would answer now. Ops are never removed from a space, and
/// their stamps grow in commit order. So a question reads the ids with stamps above those it knows
/// (ids_since.sql), mostly none; with them it knows what is held in the snapshot of that statement, in which
/// everything is that was committed before the question, by whomever. Where a row is may be out of date: who
/// reads it compares ids.
///
/// Two things that should not happen are noticed, and then all is forgotten. The last op that is remembered
/// is another one, or gone: the server lost commits, or was put back to an earlier state. The space's number
/// of ops is not that of the ids: ops were removed or added by hand. (The space counts them with repair().)
///
/// Ids are read as questions come: for each id that is asked for, one may be read, which costs the server
/// less than to look one up. So where remembering never pays, all questions together take up to about twice
/// as long as by the server alone, and one that reads reading_min ids some milliseconds more.
///
/// Thread safety: every method from any thread.
class held_ids {
public:
    /// Reading begins when so many ids were asked for; and so many may be read for a question that asks for
    /// fewer.
    static constexpr std::size_t reading_min = 4096;
    /// Ids of one statement.
    static constexpr std::size_t statement_max = 16'384;
    /// Once all are known, so many new ones may be read for any question.
    static constexpr std::size_t reading_free = 256;
    /// Fewer rows are found by the index as soon. For them nothing is read once all ids were known; and
    /// beside others of which the place is not known, they are not worth a round trip.
    static constexpr std::size_t places_min = 64;

    explicit held_ids(std::shared_ptr<id_allowance> allowance);

    held_ids(held_ids const&) = delete;
    held_ids& operator=(held_ids const&) = delete;

    /// Notes that so many ids are to be looked up. False: to read them is not worth it yet, and missing()
    /// would only ask the server. Does not wait.
    bool note_question(std::size_t ids);

    /// Those of the ids that are not held, in their order: by memory, where it suffices, else by the server.
    /// A repeat goes on where the one before ended. Precondition: all of the space's id length. Refusal:
    /// no_such_space.
    result<std::vector<op_id>> missing(connection& c, space_view space, std::vector<op_id> const& ids);

    struct placed {
        std::vector<tuple_id> places;  ///< In the order of the ids; nowhere: not known.
        bool all_known = false;        ///< Ids that are nowhere are not held.

        std::size_t count_nowhere() const;
    };

    /// Where the ids' rows were when they were read. Notes how many are to be looked up, and reads on where
    /// that is worth it. Refusal: no_such_space.
    result<placed> places(connection& c, space_view space, std::vector<op_id> const& ids);

    /// Notes where the row of an id is, of which places() said something else.
    void note_moved(std::vector<std::pair<op_id, tuple_id>> const& ids);

private:
    static constexpr std::int64_t before_all = std::numeric_limits<std::int64_t>::min();

    struct memory {
        std::shared_ptr<id_allowance> const allowance;
        std::size_t taken = 0;  ///< Of the allowance.
        id_map ids;             ///< All with stamps up to:
        std::int64_t last_stamp = before_all;
        id_map::fingerprint last{};  ///< Of the op with that stamp.

        explicit memory(std::shared_ptr<id_allowance> from) : allowance(std::move(from)) {}
        ~memory() { allowance->give_back(taken); }
        memory(memory const&) = delete;
        memory& operator=(memory const&) = delete;
    };

    struct reading {
        std::uint64_t generation;  ///< Of the memory that it adds to.
        std::int64_t after;
        id_map::fingerprint last;
        std::size_t ids_max;
    };

    struct page {
        bool fits = false;  ///< It goes on where the memory ends; otherwise, that is no longer right.
        std::size_t op_count = 0;
        std::vector<id_map::fingerprint> ids;
        std::vector<tuple_id> places;  ///< Of their rows.
        std::int64_t last_stamp = before_all;
        id_map::fingerprint last{};

        page() = default;
    };

    enum class outcome { all_known, some_left, unusable };

    bool is_complete();
    /// Reads ids, as many as asked and earned. Returns the generation of the memory if that knows all now.
    result<std::optional<std::uint64_t>> read_on(connection& c, space_view space, std::size_t ids_max);
    std::optional<reading> next_reading(std::size_t ids_max);
    std::optional<page> read(connection& c, space_view space, reading const& what) const;
    outcome learn(reading const& what, page const& found);
    void forget(std::uint64_t generation, std::size_t op_count);
    bool look_up(std::optional<std::uint64_t> generation, std::vector<op_id> const& ids,
                 std::vector<tuple_id>& places) const;

    id_map::key const key_;
    std::shared_ptr<id_allowance> const allowance_;

    mutable std::shared_mutex memory_mutex_;
    std::unique_ptr<memory> memory_;
    std::uint64_t generation_ = 0;  ///< How often all was forgotten.

    /// Of what follows: held for no longer than it takes to look. May be locked behind the other.
    std::mutex credit_mutex_;
    std::size_t credit_ = 0;           ///< So many ids may be read.
    std::size_t worth_ = reading_min;  ///< Less credit is not worth a reading, unless:
    bool complete_ = false;            ///< When it was last read, nothing was left.
};

/// The memories of a database's spaces: one for all that have a space open.
///
/// Thread safety: of() from any thread.
class held_ids_of_spaces {
public:
    /// None is remembered if it is 0.
    explicit held_ids_of_spaces(std::size_t ids_max) : allowance_(std::make_shared<id_allowance>(ids_max)) {}

    std::shared_ptr<held_ids> of(space_identity space);

private:
    std::shared_ptr<id_allowance> const allowance_;
    std::mutex mutex_;
    std::map<std::pair<std::int64_t, std::int64_t>, std::weak_ptr<held_ids>> spaces_;
};

}  // namespace opstore::postgres::detail
