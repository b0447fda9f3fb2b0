// The contract suite on postgres_op_store and postgres_peer_meta.
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

std::vector<peer_meta_implementation> const& peer_meta_implementations() {
    static std::vector<peer_meta_implementation> const all{
        {"postgres", [](std::string space_key) -> std::shared_ptr<peer_meta> {
             auto where = test_database_options();
             where.connections = 2;
             auto const database = open_test_database(std::move(where));
             run(database->open_or_create_space(space_options(space_key))).value();
             return run(database->open_peer_meta(space_key)).value();
         }}};
    return all;
}

}  // namespace opstore::testing
