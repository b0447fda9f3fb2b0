#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace opstore::tool {

/// One line on standard error that is written over and over, and gone at the end. Nothing at all unless
/// standard error is a terminal.
class progress_bar {
public:
    /// `total` in the unit of update(), if it is known.
    explicit progress_bar(std::string title, std::optional<std::uint64_t> total = std::nullopt);
    ~progress_bar();
    progress_bar(progress_bar const&) = delete;
    progress_bar& operator=(progress_bar const&) = delete;

    static bool wanted();

    /// Cheap: draws a few times a second only. `detail` is made when it is drawn.
    template <class Detail>
    void update(std::uint64_t done, Detail const& detail) {
        if (due())
            draw(done, detail());
    }

private:
    using clock = std::chrono::steady_clock;

    bool due() const { return shown_ && clock::now() >= next_draw_; }
    void draw(std::uint64_t done, std::string const& detail);

    bool shown_;
    std::string title_;
    std::optional<std::uint64_t> total_;
    clock::time_point next_draw_;
};

}  // namespace opstore::tool
