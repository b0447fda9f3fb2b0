#pragma once

#include <cstdint>
#include <string>

namespace opstore::bench {

/// What a program with that much to do needs, measured in a process of its own: ingests `ops` ops into a
/// space of its own, pages through them, and prints its peak resident size in KiB (VmHWM), alone, to standard
/// output.
void ingest_and_page(std::string const& conninfo, std::uint64_t ops);

/// The option of this program that runs ingest_and_page(): then a conninfo string and a number of ops.
inline constexpr char const* memory_option = "--measure-memory";

}  // namespace opstore::bench
