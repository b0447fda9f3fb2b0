// The contract suite on the C table of the plugin.
#include <tests/contract/contract_suite.hpp>
#include <tests/plugin/plugin_op_store.hpp>
#include <tests/plugin/plugin_peer_meta.hpp>
#include <tests/postgres/test_database.hpp>

namespace opstore::testing {
namespace {

std::shared_ptr<plugin_database> connect(std::optional<manual_clock> clock = std::nullopt) {
    auto where = test_database_options();
    where.connections = 2;
    return plugin_database::connect(where, std::move(clock));
}

}  // namespace

std::vector<implementation> const& implementations() {
    static std::vector<implementation> const all{
        {"plugin", [](space_options options, manual_clock clock) -> std::unique_ptr<op_store> {
             return plugin_op_store::open(connect(clock), std::move(options));
         }}};
    return all;
}

std::vector<peer_meta_implementation> const& peer_meta_implementations() {
    static std::vector<peer_meta_implementation> const all{
        {"plugin", [](std::string space_key) -> std::shared_ptr<peer_meta> {
             return plugin_peer_meta::open(connect(), std::move(space_key));
         }}};
    return all;
}

}  // namespace opstore::testing
