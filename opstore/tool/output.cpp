#include <opstore/tool/output.hpp>

#include <opstore/tool/exit_code.hpp>
#include <opstore/utf8.hpp>

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace opstore::tool {
namespace {

[[noreturn]] void cannot_write() {
    throw command_failure(exit_code::failure,
                          fmt::format("cannot write to standard output: {}", std::strerror(errno)));
}

}  // namespace

void print_text(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
        cannot_write();
}

void print_line(std::string_view text) {
    print_text(text);
    print_text("\n");
}

void print_json(boost::json::value const& document) {
    print_line(boost::json::serialize(document));
    finish_output();
}

void finish_output() {
    if (std::fflush(stdout) != 0)
        cannot_write();
}

void tell(std::string_view text) {
    [[maybe_unused]] auto const ignored = std::fwrite(text.data(), 1, text.size(), stderr);
}

void warn(std::string_view text) {
    std::string shown = "opstore: ";
    for (;;) {
        auto const end = std::min(text.find('\n'), text.size());
        shown += printable(text.substr(0, end)) + "\n";
        if (end == text.size())
            break;
        shown += "  ";
        text.remove_prefix(end + 1);
    }
    tell(shown);
}

boost::json::array to_json(std::vector<op_id> const& ids) {
    boost::json::array array;
    array.reserve(ids.size());
    for (op_id const& id : ids)
        array.emplace_back(to_string(id));
    return array;
}

void print_ids(std::vector<op_id> const& ids) {
    for (op_id const& id : ids)
        print_line(to_string(id));
}

void id_list_writer::add(std::vector<op_id> const& ids) {
    for (op_id const& id : ids) {
        print_text(begun_ ? "," : before_);
        print_text(fmt::format("\"{}\"", to_string(id)));
        begun_ = true;
    }
}

void id_list_writer::finish(std::string_view behind) {
    if (!begun_)
        print_text(before_);
    print_line(behind);
    finish_output();
}

std::string human_bytes(std::uint64_t bytes) {
    constexpr std::array units = {"B", "KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024)
        return fmt::format("{} B", bytes);
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit)
        value /= 1024;
    return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string human_count(std::uint64_t count) {
    auto digits = std::to_string(count);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), 1, ',');
    return digits;
}

std::string human_time(arc::timestamp time) {
    return time == arc::timestamp() ? "-" : arc::to_rfc3339(time);
}

progress::progress(std::string what, std::uint64_t total)
    : what_(std::move(what)), total_(total), terminal_(::isatty(STDERR_FILENO) == 1) {}

progress::~progress() {
    clear();
}

void progress::clear() {
    if (std::exchange(shown_, false))
        tell("\r\033[K");
}

void progress::show(std::uint64_t done) {
    auto const now = std::chrono::steady_clock::now();
    if (!terminal_ || now < next_)
        return;
    next_ = now + std::chrono::milliseconds(100);
    shown_ = true;
    auto const seconds = std::chrono::duration<double>(now - begin_).count();
    std::string rate;
    if (seconds > 0.5)
        rate = fmt::format(", {}/s",
                           human_count(static_cast<std::uint64_t>(static_cast<double>(done) / seconds)));
    if (total_ > 0) {
        auto const filled = static_cast<std::size_t>(30 * std::min(done, total_) / total_);
        tell(fmt::format("\r\033[K{} [{:-<30}] {} of {}{}", what_, std::string(filled, '#'),
                         human_count(done), human_count(total_), rate));
    } else {
        tell(fmt::format("\r\033[K{} {}{}", what_, human_count(done), rate));
    }
}

}  // namespace opstore::tool
