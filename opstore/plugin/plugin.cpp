// The one symbol of libopstore_postgres.so.
#include <opstore/plugin/opstore_plugin.h>
#include <opstore/plugin/detail/functions.hpp>

namespace opstore::plugin::detail {
namespace {

opstore_plugin make_table() {
    opstore_plugin table{};
    table.struct_size = sizeof table;
    table.abi_version = OPSTORE_PLUGIN_ABI_VERSION;
    table.magic = OPSTORE_PLUGIN_MAGIC;
    table.version = OPSTORE_VERSION;
    add_database_functions(table);
    add_space_functions(table);
    add_peer_meta_functions(table);
    return table;
}

}  // namespace
}  // namespace opstore::plugin::detail

opstore_plugin const* opstore_plugin_v1(void) {
    static opstore_plugin const table = opstore::plugin::detail::make_table();
    return &table;
}
