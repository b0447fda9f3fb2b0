// Goal: the C table answers as memory does, batched forms included. Method: the script fuzz, both in
// lockstep; OPSTORE_FUZZ_SEED=n runs one.
#include <opstore/memory/memory_op_store.hpp>
#include <tests/contract/script_fuzz.hpp>
#include <tests/plugin/plugin_op_store.hpp>
#include <tests/postgres/test_database.hpp>

#include <doctest/doctest.h>

namespace opstore::testing {

TEST_CASE("script fuzz: the plugin answers as memory") {
    for (auto const seed : fuzz_seeds(6)) {
        auto setup = draw_setup(seed);
        manual_clock clock(setup.start);
        memory_op_store memory(setup.options, clock);
        auto where = test_database_options();
        where.connections = 2;
        setup.options.key += " " + std::to_string(seed);
        auto const store = plugin_op_store::open(plugin_database::connect(where, clock), setup.options);
        if (auto const mismatch = run_script(seed, memory, *store, clock, 300))
            FAIL(to_string(*mismatch));
    }
}

}  // namespace opstore::testing
