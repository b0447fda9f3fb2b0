#pragma once

#include <tests/bench/stage.hpp>

#include <cstdint>

namespace opstore::bench {

// One question, one file: what is asked, of whom, and how the answer is made comparable is said there. Each
// adds its rows to stage::out().

/// Fills the stage to `scale` ops; the end of it is what is measured.
void ask_ingest(stage& s, std::uint64_t scale);

}  // namespace opstore::bench
