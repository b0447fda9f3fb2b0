#pragma once

#include <opstore/op_store.hpp>
#include <tests/contract/script_setup.hpp>
#include <tests/support/manual_clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The script fuzz: a long random script of calls, with small domains that collide on purpose (few ids,
/// places and times, most of them at edges), asked of two stores in lockstep, every answer compared.
namespace opstore::testing {

/// The setup of the script that `seed` stands for; a function of the seed alone.
script_setup draw_setup(std::uint64_t seed);

/// Where two stores differ.
struct script_mismatch {
    std::uint64_t seed = 0;
    std::size_t step = 0;  ///< From 0.
    std::string call;
    std::string answer_a;
    std::string answer_b;
};

/// For people: seed, step, call and both answers.
std::string to_string(script_mismatch const& mismatch);

/// Runs the first `steps` calls of the script of `seed` on both stores, and stops at the first difference.
/// Messages of refusals and rejections may differ, their codes and all else may not. Moves the clock.
std::optional<script_mismatch> run_script(std::uint64_t seed, op_store& a, op_store& b, manual_clock& clock,
                                          std::size_t steps);

/// Seeds 1 to `count`; if the environment names one in OPSTORE_FUZZ_SEED, that one alone. Prints them.
std::vector<std::uint64_t> fuzz_seeds(std::size_t count);

}  // namespace opstore::testing
