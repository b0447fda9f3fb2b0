// The contract suite on postgres_op_store.
#include <tests/contract/contract_suite.hpp>
#include <tests/postgres/test_database.hpp>

namespace opstore::testing {

std::vector<implementation> const& implementations() {
    static std::vector<implementation> const all{
        {"postgres", [](space_options options, manual_clock clock) -> std::unique_ptr<op_store> {
             auto where = test_database_options();
             where.clock = clock;
             where.connections = 2;
             return run(open_test_database(std::move(where))->open_or_create_space(std::move(options)))
                 .value();
         }}};
    return all;
}

}  // namespace opstore::testing
