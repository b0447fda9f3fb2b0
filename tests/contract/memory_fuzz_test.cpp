// Goal: memory_op_store, the oracle of all other stores, is right itself. Method: the script fuzz against a
// model that reads a plain list for every answer. OPSTORE_FUZZ_SEED=n runs one script.
#include <opstore/memory/memory_op_store.hpp>
#include <tests/contract/dumb_op_store.hpp>
#include <tests/contract/script_fuzz.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

#include <tuple>

namespace opstore::testing {

TEST_CASE("script fuzz: memory answers as the dumb model") {
    for (auto const seed : fuzz_seeds(150)) {
        auto const setup = draw_setup(seed);
        manual_clock clock(setup.start);
        memory_op_store memory(setup.options, clock);
        dumb_op_store dumb(setup.options, clock);
        if (auto const mismatch = run_script(seed, memory, dumb, clock, 400)) {
            FAIL(to_string(*mismatch));
        }
    }
}

TEST_CASE("script fuzz: a seed stands for one script") {
    auto const final_stat = [](std::uint64_t seed) {
        auto const setup = draw_setup(seed);
        manual_clock clock(setup.start);
        memory_op_store memory(setup.options, clock);
        dumb_op_store dumb(setup.options, clock);
        CHECK_FALSE(run_script(seed, memory, dumb, clock, 300));
        auto const stat = run(memory.stat()).value();
        return std::tuple(clock.now(), stat.op_count, stat.op_bytes, stat.watermark, stat.full_slices);
    };
    CHECK((final_stat(7) == final_stat(7)));
    CHECK((final_stat(7) != final_stat(8)));
}

TEST_CASE("script fuzz: notices a store that differs") {
    auto const setup = draw_setup(1);
    manual_clock clock(setup.start);
    memory_op_store whole(setup.options, clock);
    auto other_options = setup.options;
    other_options.max_op_bytes -= 5;
    memory_op_store strict(other_options, clock);
    auto const mismatch = run_script(1, whole, strict, clock, 400);
    REQUIRE(mismatch.has_value());
    CHECK(mismatch->answer_a != mismatch->answer_b);
    CHECK(to_string(*mismatch).starts_with("OPSTORE_FUZZ_SEED=1 differs at step "));
}

}  // namespace opstore::testing
