#include <opstore/tool/progress_bar.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include <unistd.h>

namespace opstore::tool {
namespace {

constexpr std::chrono::milliseconds draw_interval{150};
constexpr std::size_t bar_cells = 24;
constexpr char const* erase_line = "\r\x1b[K";

}  // namespace

progress_bar::progress_bar(std::string title, std::optional<std::uint64_t> total)
    : shown_(wanted()), title_(std::move(title)), total_(total), next_draw_(clock::now() + draw_interval) {}

progress_bar::~progress_bar() {
    if (shown_)
        std::cerr << erase_line << std::flush;
}

bool progress_bar::wanted() {
    char const* const terminal = std::getenv("TERM");
    return ::isatty(STDERR_FILENO) == 1 && terminal && std::string_view(terminal) != "dumb";
}

void progress_bar::draw(std::uint64_t done, std::string const& detail) {
    next_draw_ = clock::now() + draw_interval;
    std::string bar;
    if (total_ && *total_ > 0) {
        auto const share = std::min(1.0, static_cast<double>(done) / static_cast<double>(*total_));
        auto const filled = static_cast<std::size_t>(share * bar_cells);
        for (std::size_t cell = 0; cell < bar_cells; ++cell)
            bar += cell < filled ? "█" : "░";
        bar += fmt::format(" {:3.0f} %  ", share * 100);
    }
    std::cerr << erase_line << title_ << "  " << bar << detail << std::flush;
}

}  // namespace opstore::tool
