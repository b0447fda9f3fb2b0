#include <tests/contract/script_fuzz.hpp>

#include <tests/contract/script.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace opstore::testing {

script_setup draw_setup(std::uint64_t seed) {
    return script(seed).setup();
}

std::string to_string(script_mismatch const& m) {
    return fmt::format("OPSTORE_FUZZ_SEED={} differs at step {}\ncall: {}\n   a: {}\n   b: {}", m.seed,
                       m.step, m.call, m.answer_a, m.answer_b);
}

std::optional<script_mismatch> run_script(std::uint64_t seed, op_store& a, op_store& b, manual_clock& clock,
                                          std::size_t steps) {
    script drawn(seed);
    for (std::size_t step = 0; step < steps; ++step) {
        auto const call = drawn.next_call(clock);
        script_mismatch outcome{seed, step, call.name, call.ask(a), call.ask(b)};
        if (outcome.answer_a != outcome.answer_b) {
            return outcome;
        }
    }
    return std::nullopt;
}

std::vector<std::uint64_t> fuzz_seeds(std::size_t count) {
    if (char const* chosen = std::getenv("OPSTORE_FUZZ_SEED")) {
        std::printf("script fuzz: seed %s\n", chosen);
        return {std::strtoull(chosen, nullptr, 10)};
    }
    std::printf("script fuzz: seeds 1 to %zu\n", count);
    std::vector<std::uint64_t> seeds;
    for (std::uint64_t seed = 1; seed <= count; ++seed) {
        seeds.push_back(seed);
    }
    return seeds;
}

}  // namespace opstore::testing
