#include <tests/bench/results.hpp>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <ostream>
#include <sstream>

namespace opstore::bench {
namespace {

/// Three digits that count, however large the number is.
std::string number(double value) {
    if (value >= 100) {
        return fmt::format("{:.0f}", value);
    }
    return value >= 10 ? fmt::format("{:.1f}", value) : fmt::format("{:.3g}", value);
}

std::string count(std::uint64_t ops) {
    if (ops % 1'000'000 == 0) {
        return fmt::format("{} M", ops / 1'000'000);
    }
    return ops % 1000 == 0 ? fmt::format("{} k", ops / 1000) : fmt::format("{}", ops);
}

/// Markdown, in lines as long as a document may have.
std::string list_item(std::string const& text) {
    constexpr std::size_t columns = 110;
    std::string item = "-";
    std::size_t column = item.size();
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        bool const full = column + 1 + word.size() > columns;
        item += full ? "\n  " + word : " " + word;
        column = full ? 2 + word.size() : column + 1 + word.size();
    }
    return item + '\n';
}

char const* verdict(row const& r) {
    if (!r.meets(r.bound.required)) {
        return "MISSED";
    }
    return r.meets(r.bound.aim) ? "ok" : "below aim";
}

std::string bound_text(row const& r, double bound) {
    return fmt::format("{} {}", r.higher_is_better ? ">=" : "<=", number(bound));
}

}  // namespace

results::results(std::ostream& live) : live_(live) {
    live_ << fmt::format("{:<44} {:>6} {:>14}  {:<34} {:>10} {:>8} {:>8} {:>8}\n", "question", "ops", "ours",
                         "rival", "", "ratio", "required", "aim");
}

void results::add(row r) {
    live_ << fmt::format("{:<44} {:>6} {:>9} {:<4}  {:<34} {:>10} {:>8} {:>8} {:>8} {}\n", r.question,
                         count(r.scale), number(r.ours), r.unit, r.rival, number(r.rival_value),
                         number(r.ratio), bound_text(r, r.bound.required), bound_text(r, r.bound.aim),
                         verdict(r))
          << std::flush;
    rows_.push_back(std::move(r));
}

void results::add_rate(std::string question, std::uint64_t scale, pair_of_times seconds, std::string rival,
                       bounds bound) {
    row r;
    r.question = std::move(question);
    r.scale = scale;
    r.unit = "op/s";
    r.ours = 1 / seconds.one;
    r.rival = std::move(rival);
    r.rival_value = 1 / seconds.other;
    r.ratio = seconds.other / seconds.one;
    r.bound = bound;
    add(std::move(r));
}

void results::add_time(std::string question, std::uint64_t scale, pair_of_times seconds, std::string rival,
                       bounds bound) {
    row r;
    r.question = std::move(question);
    r.scale = scale;
    r.unit = "ms";
    r.ours = seconds.one * 1e3;
    r.rival = std::move(rival);
    r.rival_value = seconds.other * 1e3;
    r.ratio = seconds.other / seconds.one;
    r.bound = bound;
    add(std::move(r));
}

void results::add_allowance(std::string question, std::uint64_t scale, std::string unit, double ours,
                            double allowed) {
    row r;
    r.question = std::move(question);
    r.scale = scale;
    r.unit = std::move(unit);
    r.ours = ours;
    r.rival = "what is allowed";
    r.rival_value = allowed;
    r.ratio = ours / allowed;
    r.bound = {1, 1};
    r.higher_is_better = false;
    add(std::move(r));
}

void results::add_growth(std::string question, std::uint64_t scale, pair_of_times seconds, bounds bound) {
    row r;
    r.question = "growth: " + question;
    r.scale = scale;
    r.unit = "ms";
    r.ours = seconds.one * 1e3;
    r.rival = fmt::format("itself at {}", count(scale / 10));
    r.rival_value = seconds.other * 1e3;
    r.ratio = seconds.one / seconds.other;
    r.bound = bound;
    r.higher_is_better = false;
    add(std::move(r));
}

void results::add_growth_of_ingest(std::string question, std::uint64_t scale, double seconds) {
    seconds_of_ingest_[{question, scale}] = seconds;
    if (auto const before = seconds_of_ingest_.find({question, scale / 10});
        before != seconds_of_ingest_.end()) {
        add_growth(std::move(question), scale, {seconds, before->second}, growth_of_ingest);
    }
}

void results::add_note(std::string note) {
    live_ << "  note: " << note << '\n' << std::flush;
    notes_.push_back(std::move(note));
}

void results::write_json(std::ostream& out) const {
    boost::json::array all;
    for (auto const& r : rows_) {
        all.push_back(boost::json::object{
            {"question", r.question},
            {"scale", r.scale},
            {"unit", r.unit},
            {"ours", r.ours},
            {"rival", r.rival},
            {"rival_value", r.rival_value},
            {"ratio", r.ratio},
            {"required", r.bound.required},
            {"aim", r.bound.aim},
            {"better", r.higher_is_better ? "higher" : "lower"},
        });
    }
    out << boost::json::serialize(all) << '\n';
}

void results::write_markdown(std::ostream& out) const {
    out << "| question | ops | ours | rival | its value | ratio | required | aim | |\n"
           "| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | --- |\n";
    for (auto const& r : rows_) {
        out << fmt::format("| {} | {} | {} {} | {} | {} {} | {} | {} | {} | {} |\n", r.question,
                           count(r.scale), number(r.ours), r.unit, r.rival, number(r.rival_value), r.unit,
                           number(r.ratio), bound_text(r, r.bound.required), bound_text(r, r.bound.aim),
                           verdict(r));
    }
    out << '\n';
    for (auto const& note : notes_) {
        out << list_item(note);
    }
}

}  // namespace opstore::bench
