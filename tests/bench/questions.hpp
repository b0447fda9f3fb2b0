#pragma once

#include <tests/bench/stage.hpp>

#include <cstdint>

namespace opstore::bench {

// One question, one file: what is asked, of whom, and how the answer is made comparable is said there. Each
// adds its rows to stage::out().

/// Fills the stage to `scale` ops; the end of it is what is measured.
void ask_ingest(stage& s, std::uint64_t scale);

// The others ask about what is resident, and leave it as it is; `scale` is what the rows say of it.

void ask_pages(stage& s, std::uint64_t scale);
void ask_reads(stage& s, std::uint64_t scale);
void ask_cold_start(stage& s, std::uint64_t scale);
void ask_minimal_snapshot(stage& s, std::uint64_t scale);

/// Stores a few thousand ops more.
void ask_single_ops(stage& s, std::uint64_t scale);

/// About a process that handles `scale` ops, beside what is resident.
void ask_memory(stage& s, std::uint64_t scale);

}  // namespace opstore::bench
