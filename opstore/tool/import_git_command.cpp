#include <opstore/tool/commands.hpp>
#include <opstore/tool/git_history.hpp>
#include <opstore/tool/git_process.hpp>
#include <opstore/tool/op_writer.hpp>
#include <opstore/tool/output.hpp>

#include <fmt/format.h>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <limits>

namespace opstore::tool {
namespace {

namespace json = boost::json;

constexpr std::int64_t micros_per_second = 1'000'000;
/// What format plain puts before the payload.
constexpr std::uint64_t plain_envelope_bytes = 8;

/// One run of the command.
class import_run {
public:
    import_run(session& s, op_store& store)
        : content_bytes_max_(std::max(store.options().max_op_bytes, plain_envelope_bytes) -
                             plain_envelope_bytes),
          writer_(
              s, store,
              [this](std::uint64_t number, rejection const& r) {
                  auto const& [name, kind] = in_flight_[number - first_in_flight_];
                  reject(name, kind, fmt::format("{}: {}", to_string(r.reason), r.message));
              },
              [this](std::uint64_t number, ingest_report const&) { forget_up_to(number); }) {}

    void run(command_line const& line) {
        read_git_history(
            line.repository, line.all_objects, content_bytes_max_,
            [this](std::uint64_t count) { progress_.emplace("objects:", count); },
            [this](git_object object) { take(std::move(object)); },
            [this](std::string const& name) {
                reject(name, "object", "missing: the repository does not have it");
            });
        writer_.flush();
        writer_.finish();
        progress_.reset();
    }

    bool any_rejected() const { return !rejected_.empty(); }

    void print_report(bool as_json) {
        double const seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
        auto const& total = writer_.total();
        if (as_json) {
            json::object report;
            for (auto const kind : {git_kind::commit, git_kind::tree, git_kind::blob, git_kind::tag})
                report[to_string(kind) + "s"] = count_of(kind);
            report["held"] = total.held;
            report["stored"] = total.stored;
            report["duplicates"] = total.duplicates;
            report["bytes"] = total.bytes;
            report["rejected"] = std::move(rejected_);
            report["seconds"] = seconds;
            print_json(report);
            return;
        }
        print_line(fmt::format(
            "{} commits, {} trees, {} blobs, {} tags read in {:.1f} s ({} objects/s)",
            human_count(count_of(git_kind::commit)), human_count(count_of(git_kind::tree)),
            human_count(count_of(git_kind::blob)), human_count(count_of(git_kind::tag)), seconds,
            human_count(
                static_cast<std::uint64_t>(static_cast<double>(number_ + rejected_.size()) / seconds))));
        print_line(fmt::format("{} ops held: {} stored ({}), {} duplicates; {} rejected",
                               human_count(total.held), human_count(total.stored), human_bytes(total.bytes),
                               human_count(total.duplicates), human_count(rejected_.size())));
        for (auto const& r : rejected_)
            print_line(fmt::format("  {} {}: {}", r.at("type").as_string().c_str(),
                                   r.at("object").as_string().c_str(), r.at("reason").as_string().c_str()));
    }

private:
    void take(git_object object) {
        auto const kind = to_string(object.kind);
        ++counts_[static_cast<std::size_t>(object.kind)];
        if (progress_)
            progress_->show(number_ + rejected_.size());
        auto const limit = std::numeric_limits<std::int64_t>::max() / micros_per_second;
        if (!object.seconds || *object.seconds > limit || *object.seconds < -limit) {
            reject(object.name, kind, "no_time: its commit's author line has no time that can be read");
            return;
        }
        if (object.size > content_bytes_max_) {
            reject(
                object.name, kind,
                fmt::format("too_large: {} bytes, ops of this space have at most {}",
                            object.size + plain_envelope_bytes, content_bytes_max_ + plain_envelope_bytes));
            return;
        }
        in_flight_.emplace_back(object.name, kind);
        auto const created_at = arc::from_micros(*object.seconds * micros_per_second);
        writer_.add(incoming_op(encode_plain(created_at, object.content)), number_++);
    }

    void forget_up_to(std::uint64_t number) {
        for (; first_in_flight_ <= number; ++first_in_flight_)
            in_flight_.pop_front();
    }

    std::uint64_t count_of(git_kind kind) const { return counts_[static_cast<std::size_t>(kind)]; }

    void reject(std::string const& name, std::string const& kind, std::string const& reason) {
        rejected_.push_back({{"object", name}, {"type", kind}, {"reason", reason}});
    }

    std::uint64_t const content_bytes_max_;
    std::chrono::steady_clock::time_point const begin_ = std::chrono::steady_clock::now();
    op_writer writer_;
    std::optional<progress> progress_;
    std::array<std::uint64_t, 4> counts_{};
    json::array rejected_;
    std::uint64_t number_ = 0;
    /// Names and kinds of the objects that were added but not stored yet, by number.
    std::deque<std::pair<std::string, std::string>> in_flight_;
    std::uint64_t first_in_flight_ = 0;
};

}  // namespace

exit_code run_import_git(session& s, command_line const& line) {
    // A place without a repository makes no space.
    if (!s.open_existing())
        git_process(line.repository, {"rev-parse", "--git-dir"}).finish();
    auto const store = s.open_for_storing();
    if (store->options().format->name() != "plain")
        throw usage_error(fmt::format("import-git makes ops of format plain; space '{}' has format {}",
                                      line.space, store->options().format->name()));
    import_run run(s, *store);
    run.run(line);
    seal_due_slices(s, *store);
    bool const rejected = run.any_rejected();
    run.print_report(line.json);
    return line.strict && rejected ? exit_code::failure : exit_code::ok;
}

}  // namespace opstore::tool
