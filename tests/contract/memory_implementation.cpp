// The contract suite on memory_op_store.
#include <opstore/memory/memory_op_store.hpp>
#include <tests/contract/contract_suite.hpp>

namespace opstore::testing {

std::vector<implementation> const& implementations() {
    static std::vector<implementation> const all{
        {"memory", [](space_options options, manual_clock clock) -> std::unique_ptr<op_store> {
             return std::make_unique<memory_op_store>(std::move(options), clock);
         }}};
    return all;
}

}  // namespace opstore::testing
