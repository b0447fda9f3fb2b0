#include <opstore/base64.hpp>
#include <opstore/tool/commands.hpp>
#include <opstore/tool/interrupt.hpp>
#include <opstore/tool/line_reader.hpp>
#include <opstore/tool/op_writer.hpp>
#include <opstore/tool/output.hpp>

#include <fmt/format.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace opstore::tool {
namespace {

namespace json = boost::json;

/// Room for the fields beside the payload, in each line. The payload's characters may be escaped, two for
/// one.
constexpr std::size_t line_slack = 64u << 10;

/// Rejected lines that are held for the report; further ones are counted. Far more than anybody sends who
/// means them, and some 10 MB.
constexpr std::size_t rejections_told_max = 100'000;

/// Why a line is no op. Thrown while it is read, caught there: it never ends the run.
class bad_line : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

json::value const& field(json::object const& line, char const* name) {
    auto const* const value = line.if_contains(name);
    if (!value)
        throw bad_line(fmt::format("{}: missing", name));
    return *value;
}

std::string_view text_field(json::object const& line, char const* name) {
    auto const* const text = field(line, name).if_string();
    if (!text)
        throw bad_line(fmt::format("{}: not a string", name));
    return {text->data(), text->size()};
}

std::int64_t integer_field(json::object const& line, char const* name) {
    auto const* const number = field(line, name).if_int64();
    if (!number)
        throw bad_line(fmt::format("{}: not an integer of 64 bits", name));
    return *number;
}

std::vector<std::byte> base64_field(json::object const& line, char const* name) {
    auto bytes = from_base64(text_field(line, name), base64_form::standard);
    if (!bytes)
        throw bad_line(fmt::format("{}: not base64 (standard alphabet, with padding)", name));
    return std::move(*bytes);
}

template <std::size_t Size>
std::vector<std::byte> key_field(json::object const& line, char const* name) {
    auto bytes = base64_field(line, name);
    if (bytes.size() != Size)
        throw bad_line(fmt::format("{}: {} bytes, not {}", name, bytes.size(), Size));
    return bytes;
}

op_bytes encode(json::object const& line, op_format const& format) {
    auto const created_at = arc::from_micros(integer_field(line, "created_at"));
    auto const payload = base64_field(line, "payload");
    if (format.name() == "plain")
        return encode_plain(created_at, payload);
    if (format.name() == "located") {
        auto const location = integer_field(line, "location");
        if (location < 0 || location > 0xffffffff)
            throw bad_line(fmt::format("location: {} is not within 0 to 4294967295", location));
        return encode_located(created_at, arc::location{static_cast<std::uint32_t>(location)}, payload);
    }
    auto const author = key_field<32>(line, "author");
    auto const signature = key_field<64>(line, "signature");
    return assemble_signed(std::span<const std::byte, 32>(author), std::span<const std::byte, 64>(signature),
                           created_at, payload);
}

incoming_op read_op(std::string const& text, op_format const& format) {
    json::error_code error;
    auto const value = json::parse(text, error);
    if (error)
        throw bad_line(fmt::format("not JSON: {}", error.message()));
    auto const* const line = value.if_object();
    if (!line)
        throw bad_line("not a JSON object");
    incoming_op op(encode(*line, format));
    if (line->contains("op_id")) {
        auto const claimed = op_id::from_text(text_field(*line, "op_id"), format.id_length());
        if (!claimed)
            throw bad_line("op_id: neither base64url without padding nor hex");
        op.claimed_id = *claimed;
    }
    return op;
}

/// One run of the command.
class ingest_run {
public:
    ingest_run(session& s, command_line const& line, line_reader& input, op_store& store)
        : line_(line),
          format_(*store.options().format),
          input_(input),
          writer_(
              s, store,
              [this](std::uint64_t number, rejection const& r) {
                  reject(number, fmt::format("{}: {}", to_string(r.reason), r.message));
              },
              [this](std::uint64_t number, ingest_report const& report) { note_commit(number, report); }) {
        input_.limit_lines(store.options().max_op_bytes / 3 * 8 + line_slack);
    }

    void run() {
        // From now on an end in order is worth more than a quick one.
        watch_interrupts();
        while (auto const line = next_line())
            take(*line);
        store_all();
        progress_.clear();
    }

    /// The number of lines whose outcome is settled, from the first on.
    std::uint64_t lines_stored() const { return lines_stored_; }
    bool any_rejected() const { return rejected_count_ > 0; }

    void print_report() {
        std::sort(rejected_.begin(), rejected_.end());
        if (line_.json)
            print_json_report();
        else
            print_text_report();
    }

private:
    void print_text_report() {
        print_ids(held_);
        finish_output();
        auto const& total = writer_.total();
        say(fmt::format("{} ops held: {} stored ({}), {} duplicates; {} rejected", human_count(total.held),
                        human_count(total.stored), human_bytes(total.bytes), human_count(total.duplicates),
                        human_count(rejected_count_)));
        for (auto const& [number, reason] : rejected_)
            say(fmt::format("  line {}: {}", number, reason));
        if (rejected_count_ > rejected_.size())
            say("  and more");
    }

    void print_json_report() {
        json::array rejected;
        for (auto const& [number, reason] : rejected_)
            rejected.push_back({{"index", number}, {"reason", reason}});
        auto const& total = writer_.total();
        json::object const report = {{"held", total.held},
                                     {"stored", total.stored},
                                     {"duplicates", total.duplicates},
                                     {"bytes", total.bytes},
                                     {"rejected_count", rejected_count_},
                                     {"rejected", std::move(rejected)}};
        if (!line_.ids) {
            print_json(report);
            return;
        }
        auto before = json::serialize(report);
        before.pop_back();
        id_list_writer writer(before + ",\"op_ids\":[");
        writer.add(held_);
        writer.finish("]}");
    }

    /// A line of text for people. Where ids are asked for, they alone are the output.
    void say(std::string const& text) const {
        if (line_.ids)
            tell(text + "\n");
        else
            print_line(text);
    }

    /// Waits for input only when nothing waits for an answer.
    std::optional<line_reader::line> next_line() {
        if (!input_.ready())
            store_all();
        return input_.next();
    }

    void take(line_reader::line const& line) {
        lines_read_ = line.number + 1;
        progress_.show(lines_read_);
        if (line.too_long) {
            reject(line.number, "too_large: the line is longer than any op of this space");
        } else if (line.text.find_first_not_of(" \t") != std::string::npos) {
            try {
                writer_.add(read_op(line.text, format_), line.number);
            } catch (bad_line const& e) {
                reject(line.number, e.what());
            }
        }
    }

    void store_all() {
        writer_.flush();
        writer_.finish();
        acknowledge(lines_read_);
    }

    void note_commit(std::uint64_t number, ingest_report const& report) {
        if (line_.ids)
            held_.insert(held_.end(), report.held.begin(), report.held.end());
        acknowledge(number + 1);
    }

    void acknowledge(std::uint64_t lines) {
        if (lines <= lines_stored_)
            return;
        lines_stored_ = lines;
        if (!line_.ack)
            return;
        progress_.clear();
        if (line_.json)
            print_json({{"line", lines - 1}});
        else
            say(fmt::format("lines up to {} are durable", lines - 1));
        finish_output();
    }

    void reject(std::uint64_t number, std::string reason) {
        if (++rejected_count_ <= rejections_told_max)
            rejected_.emplace_back(number, std::move(reason));
    }

    command_line const& line_;
    op_format const& format_;
    line_reader& input_;
    op_writer writer_;
    progress progress_{"lines read:"};
    std::vector<std::pair<std::uint64_t, std::string>> rejected_;
    std::uint64_t rejected_count_ = 0;
    std::vector<op_id> held_;  ///< With --ids.
    std::uint64_t lines_read_ = 0, lines_stored_ = 0;
};

}  // namespace

exit_code run_ingest(session& s, command_line const& line) {
    // Before the space is made: a file that is not there makes none.
    line_reader input(line.file);
    auto const store = s.open_for_storing();
    ingest_run run(s, line, input, *store);
    auto const with_progress = [&](char const* what) {
        auto const stored = run.lines_stored();
        return stored == 0 ? fmt::format("{}; no line is known to be stored", what)
                           : fmt::format("{}; lines up to {} are stored", what, stored - 1);
    };
    try {
        run.run();
    } catch (store_error const& e) {
        throw command_failure(exit_code_of(e.code()), with_progress(e.what()));
    } catch (refused const& e) {
        throw command_failure(exit_code_of(e.code()), with_progress(e.what()));
    } catch (command_failure const& e) {
        throw command_failure(e.code(), with_progress(e.what()));
    }
    seal_due_slices(s, *store);
    run.print_report();
    if (interrupted())
        throw command_failure(exit_code::failure, "interrupted; what is reported is stored");
    return line.strict && run.any_rejected() ? exit_code::failure : exit_code::ok;
}

}  // namespace opstore::tool
