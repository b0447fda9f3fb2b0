#pragma once

#include <tests/contract/script_arguments.hpp>
#include <tests/support/manual_clock.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace opstore::testing {

/// One call with its arguments fixed, so that several stores can be asked the same. The answer comes as text
/// (answer_text.hpp).
struct scripted_call {
    std::string name;
    std::function<std::string(op_store&)> ask;
};

/// Draws setup and calls: for one seed the same, as far as the answers are (page walks follow them).
///
/// Thread safety: none.
class script {
public:
    explicit script(std::uint64_t seed) : random_(seed), arguments_(seed, random_) {}
    script(script const&) = delete;
    script& operator=(script const&) = delete;

    script_setup const& setup() const { return arguments_.setup(); }

    /// Moves the clock where the step is to do so. The call must be asked before the next one is drawn, and
    /// not outlive the script.
    scripted_call next_call(manual_clock& clock);

private:
    scripted_call ingest();
    scripted_call time_slice();
    scripted_call page();
    scripted_call look_up();
    scripted_call earliest();
    scripted_call put_slice_hash();
    scripted_call read_slice_hash();
    scripted_call batched_arcs();
    scripted_call combined();
    scripted_call summary();
    scripted_call space_hashes_at();
    scripted_call tail();
    scripted_call sectors_page();
    scripted_call disc_slices();
    scripted_call regions();
    scripted_call page_of_region();
    scripted_call bounded_ops();
    scripted_call gossip();
    scripted_call seal();
    scripted_call maintenance();
    scripted_call move_clock(manual_clock& clock);

    static constexpr std::size_t cursor_count = 4;

    random_source random_;
    script_arguments arguments_;
    /// Where the page walks stand; they follow `next` of the answers.
    std::vector<arc::timestamp> cursors_ = std::vector<arc::timestamp>(cursor_count);
    /// Where the page walk of a region stands; the same for both stores.
    std::optional<op_position> region_cursor_;
};

}  // namespace opstore::testing
