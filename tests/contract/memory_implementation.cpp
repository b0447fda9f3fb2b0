// The contract suite on memory_op_store and memory_peer_meta.
#include <opstore/memory/memory_op_store.hpp>
#include <opstore/memory/memory_peer_meta.hpp>
#include <tests/contract/contract_suite.hpp>

#include <map>

namespace opstore::testing {

std::vector<implementation> const& implementations() {
    static std::vector<implementation> const all{
        {"memory", [](space_options options, manual_clock clock) -> std::unique_ptr<op_store> {
             return std::make_unique<memory_op_store>(std::move(options), clock);
         }}};
    return all;
}

std::vector<peer_meta_implementation> const& peer_meta_implementations() {
    static std::map<std::string, std::shared_ptr<peer_meta>> spaces;
    static std::vector<peer_meta_implementation> const all{{"memory", [](std::string space_key) {
                                                                auto& meta = spaces[space_key];
                                                                if (!meta)
                                                                    meta =
                                                                        std::make_shared<memory_peer_meta>();
                                                                return meta;
                                                            }}};
    return all;
}

}  // namespace opstore::testing
