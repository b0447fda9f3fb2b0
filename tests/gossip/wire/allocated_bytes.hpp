#pragma once

#include <cstdint>

namespace opstore::testing {

/// Bytes that operator new has given out in this program so far, whether they were given back or not. A
/// program that links allocated_bytes.cpp has an operator new of its own.
std::uint64_t allocated_bytes();

}  // namespace opstore::testing
