#include <opstore/base64.hpp>
#include <opstore/tool/commands.hpp>
#include <opstore/tool/interrupt.hpp>
#include <opstore/tool/line_reader.hpp>
#include <opstore/tool/output.hpp>

#include <fmt/format.h>
#include <boost/json/object.hpp>

#include <chrono>
#include <functional>
#include <thread>

namespace opstore::tool {
namespace {

namespace json = boost::json;

/// Ids in one call: of `get` few, since each may bring max_op_bytes along.
constexpr std::size_t get_ids_max = 100;
constexpr std::size_t missing_ids_max = 10'000;
constexpr std::size_t id_line_bytes_max = 1024;
constexpr std::chrono::milliseconds follow_interval{200};

/// Passes the ids of a file of lines on in chunks. A malformed one is dropped with a warning.
class id_chunks {
public:
    using consumer = std::function<void(std::vector<op_id>)>;

    id_chunks(std::size_t chunk_ids_max, std::size_t id_length, consumer consume)
        : chunk_ids_max_(chunk_ids_max), id_length_(id_length), consume_(std::move(consume)) {}

    void add(std::string const& text) {
        auto const id = op_id::from_text(text, id_length_);
        if (!id || id->length() != id_length_) {
            warn(fmt::format("'{}' is no id of this space ({} bytes as base64url or hex); dropped", text,
                             id_length_));
            return;
        }
        ids_.push_back(*id);
        if (ids_.size() == chunk_ids_max_)
            finish();
    }

    void add_lines(std::string const& path) {
        line_reader input(path);
        input.limit_lines(id_line_bytes_max);
        while (auto const line = input.next()) {
            if (line->too_long)
                warn(fmt::format("line {} is too long for an id; dropped", line->number));
            else if (!line->text.empty())
                add(line->text);
        }
    }

    void finish() {
        if (!ids_.empty())
            consume_(std::exchange(ids_, {}));
    }

private:
    std::size_t const chunk_ids_max_, id_length_;
    consumer const consume_;
    std::vector<op_id> ids_;
};

void print_op(stored_op const& op, op_format const& format, bool as_json) {
    auto const payload = format.payload(op.data);
    if (as_json) {
        print_json(json::object{{"op_id", to_string(op.id)},
                                {"created_at", arc::to_micros(op.created_at)},
                                {"stored_at", arc::to_micros(op.stored_at)},
                                {"location", op.location.value},
                                {"size", op.data.size()},
                                {"payload", to_base64(payload, base64_form::standard)}});
        return;
    }
    print_line(fmt::format("op        {}\ncreated   {}\nstored    {}\nlocation  {} (sector {})\nsize      {}",
                           to_string(op.id), arc::to_rfc3339(op.created_at), arc::to_rfc3339(op.stored_at),
                           op.location.value, arc::sector_of(op.location), human_bytes(op.data.size())));
    print_line(fmt::format("payload   {}\n", to_base64(payload, base64_form::standard)));
}

void print_page(id_page const& page, bool as_json) {
    if (as_json) {
        json::value const next_bytes =
            page.next_op_bytes ? json::value(*page.next_op_bytes) : json::value(nullptr);
        print_json(json::object{{"op_ids", to_json(page.ids)},
                                {"bytes", page.bytes},
                                {"next", arc::to_micros(page.next)},
                                {"next_op_bytes", next_bytes}});
        return;
    }
    print_ids(page.ids);
    finish_output();
    tell(fmt::format("{} ops, {}; next {}{}\n", human_count(page.ids.size()), human_bytes(page.bytes),
                     arc::to_micros(page.next), page.next_op_bytes ? "" : " (the end)"));
}

std::uint64_t limit_of(op_store const& store, command_line const& line) {
    return line.limit_bytes.value_or(store.options().max_op_bytes);
}

id_page fetch(session& s, op_store& store, command_line const& line, arc::timestamp since) {
    return s.get(store.retrieve_op_ids_bounded(line.arc, since, limit_of(store, line)));
}

void require_progress(id_page const& page, op_store const& store, command_line const& line) {
    if (page.ids.empty() && page.next_op_bytes) {
        throw command_failure(
            exit_code::failure,
            fmt::format("--limit-bytes {} is too small: the next op, at {}, has {} bytes",
                        limit_of(store, line), arc::to_micros(page.next), *page.next_op_bytes));
    }
}

/// Follows the pages, and then waits for more. A space that does not exist yet is waited for too: an empty
/// one answers in its place, whose `next` lies before every stamp.
void follow(session& s, command_line const& line) {
    watch_interrupts();
    auto store = s.open_existing();
    auto since = line.since;
    while (!interrupted()) {
        if (!store)
            store = s.open_existing();
        if (store) {
            auto const page = fetch(s, *store, line, since);
            require_progress(page, *store, line);
            since = page.next;
            if (!page.ids.empty())
                print_page(page, line.json);
            if (page.next_op_bytes)
                continue;
        }
        std::this_thread::sleep_for(follow_interval);
    }
}

}  // namespace

exit_code run_get(session& s, command_line const& line) {
    auto const store = s.open_for_reading();
    auto const& format = *store->options().format;
    std::size_t asked = 0, found = 0;
    id_chunks chunks(get_ids_max, format.id_length(), [&](std::vector<op_id> ids) {
        asked += ids.size();
        for (stored_op const& op : s.get(store->retrieve_ops(std::move(ids)))) {
            print_op(op, format, line.json);
            ++found;
        }
    });
    for (std::string const& text : line.id_texts) {
        if (text == "-")
            chunks.add_lines("-");
        else
            chunks.add(text);
    }
    chunks.finish();
    if (found < asked)
        warn(fmt::format("{} of {} ops are not held", asked - found, asked));
    return exit_code::ok;
}

exit_code run_missing(session& s, command_line const& line) {
    auto const store = s.open_for_reading();
    std::optional<id_list_writer> list;
    if (line.json)
        list.emplace("{\"missing\":[");
    id_chunks chunks(missing_ids_max, store->options().format->id_length(), [&](std::vector<op_id> ids) {
        auto const absent = s.get(store->filter_out_existing_ops(std::move(ids)));
        if (list)
            list->add(absent);
        else
            print_ids(absent);
    });
    chunks.add_lines(line.file);
    chunks.finish();
    if (list)
        list->finish("]}");
    return exit_code::ok;
}

exit_code run_page(session& s, command_line const& line) {
    if (line.follow) {
        follow(s, line);
        return exit_code::ok;
    }
    auto const store = s.open_for_reading();
    auto page = fetch(s, *store, line, line.since);
    print_page(page, line.json);
    while (line.all && page.next_op_bytes) {
        require_progress(page, *store, line);
        page = fetch(s, *store, line, page.next);
        print_page(page, line.json);
    }
    return exit_code::ok;
}

exit_code run_slice(session& s, command_line const& line) {
    auto const store = s.open_for_reading();
    auto const list = s.get(store->retrieve_op_hashes_in_time_slice(line.arc, line.from, line.to));
    if (line.json) {
        id_list_writer writer("{\"op_ids\":[");
        writer.add(list.ids);
        writer.finish(fmt::format("],\"bytes\":{}}}", list.bytes));
    } else {
        print_ids(list.ids);
        finish_output();
        tell(fmt::format("{} ops, {}\n", human_count(list.ids.size()), human_bytes(list.bytes)));
    }
    return exit_code::ok;
}

exit_code run_earliest(session& s, command_line const& line) {
    auto const store = s.open_for_reading();
    auto const earliest = s.get(store->earliest_timestamp_in_arc(line.arc));
    if (line.json)
        print_json(json::object{
            {"created_at", earliest ? json::value(arc::to_micros(*earliest)) : json::value(nullptr)}});
    else
        print_line(earliest ? arc::to_rfc3339(*earliest) : "no ops");
    return exit_code::ok;
}

exit_code run_summary(session& s, command_line const& line) {
    auto const sectors = arc::arc_set::from_whole_sectors(line.arc);
    if (!sectors)
        throw usage_error(fmt::format("--arc {}: a summary is of whole sectors of {} locations",
                                      arc::to_string(line.arc), arc::sector_size));
    auto const now = line.now.value_or(
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()));
    auto const store = s.open_for_reading();
    auto const summary = s.get(store->summarize(*sectors, now));
    if (line.json) {
        json::array rings;
        for (combined_hash const& ring : summary.ring_top_hashes)
            rings.emplace_back(to_string(ring));
        print_json(json::object{{"disc_boundary", arc::to_micros(summary.disc_boundary)},
                                {"disc_top_hash", to_string(summary.disc_top_hash)},
                                {"ring_top_hashes", std::move(rings)}});
        return exit_code::ok;
    }
    auto const shown = [](combined_hash const& hash) { return hash.empty() ? "(no ops)" : to_string(hash); };
    print_line(fmt::format("disc     up to {}  {}", arc::to_rfc3339(summary.disc_boundary),
                           shown(summary.disc_top_hash)));
    auto const layout = arc::layout_at(now, store->options().slice_factor);
    for (std::size_t i = 0; i < summary.ring_top_hashes.size(); ++i) {
        print_line(fmt::format("ring {:>2}  up to {}  {}", i, arc::to_rfc3339(layout.rings[i].range().end),
                               shown(summary.ring_top_hashes[i])));
    }
    return exit_code::ok;
}

}  // namespace opstore::tool
