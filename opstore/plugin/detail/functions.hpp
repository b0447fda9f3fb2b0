#pragma once

#include <opstore/plugin/opstore_plugin.h>

/// The functions of the C table, by what they are about; opstore_plugin.h says what each does. Each file
/// fills in its part of the table.
namespace opstore::plugin::detail {

void add_database_functions(opstore_plugin& table);
void add_space_functions(opstore_plugin& table);
void add_peer_meta_functions(opstore_plugin& table);

}  // namespace opstore::plugin::detail
