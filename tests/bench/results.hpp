#pragma once

#include <tests/bench/measurement.hpp>

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace opstore::bench {

/// What a ratio has to reach.
struct bounds {
    double required;
    double aim;
};

/// The answer to one question, beside one rival, at one number of resident ops.
///
/// `ratio` is what `required` and `aim` are about. Where `better` is "higher" it says how many times the
/// store does as well as the rival (rates: ours / rival_value; times: rival_value / ours). Where `better` is
/// "lower" it is ours / rival_value: growth is the time of a call at ten times the ops over the time before,
/// memory is what is used over what may be used.
struct row {
    std::string question;
    std::uint64_t scale = 0;  ///< Resident ops.
    std::string unit;         ///< Of `ours` and `rival_value`.
    double ours = 0;
    std::string rival;
    double rival_value = 0;
    double ratio = 0;
    bounds bound{0, 0};
    bool higher_is_better = true;

    row() = default;

    bool meets(double bound_value) const {
        return higher_is_better ? ratio >= bound_value : ratio <= bound_value;
    }
};

/// All rows of a run, and its output. Rows appear on `live` as they are added.
class results {
public:
    /// By how much a call may cost more at ten times the ops.
    static constexpr bounds growth_of_a_call{1.3, 1.3};
    /// Ingest: its index leaves are cold then.
    static constexpr bounds growth_of_ingest{2.0, 2.0};

    explicit results(std::ostream& live);

    /// Seconds for an op, ours and the rival's; the row shows ops a second.
    void add_rate(std::string question, std::uint64_t scale, pair_of_times seconds, std::string rival,
                  bounds bound);
    /// Seconds for a call, ours and the rival's; the row shows milliseconds.
    void add_time(std::string question, std::uint64_t scale, pair_of_times seconds, std::string rival,
                  bounds bound);
    /// Less is better: the row shows `ours` beside what is allowed.
    void add_allowance(std::string question, std::uint64_t scale, std::string unit, double ours,
                       double allowed);

    /// Seconds for a unit of work, at `scale` and at a tenth of it, measured in turns.
    void add_growth(std::string question, std::uint64_t scale, pair_of_times seconds,
                    bounds bound = growth_of_a_call);
    /// The same of a question that fills the store, so that it cannot be asked of both at one time: adds the
    /// row once a tenth of `scale` was reported too.
    void add_growth_of_ingest(std::string question, std::uint64_t scale, double seconds);

    /// What a reader of the table has to know beside it; not part of the JSON.
    void add_note(std::string note);

    std::vector<row> const& rows() const { return rows_; }

    /// An array of {question, scale, unit, ours, rival, rival_value, ratio, required, aim, better}.
    void write_json(std::ostream& out) const;
    /// A table and the notes, for docs/benchmarks.md.
    void write_markdown(std::ostream& out) const;

private:
    void add(row r);

    std::ostream& live_;
    std::vector<row> rows_;
    std::vector<std::string> notes_;
    std::map<std::pair<std::string, std::uint64_t>, double> seconds_of_ingest_;
};

}  // namespace opstore::bench
