#pragma once

#include <opstore/plugin/opstore_plugin.h>

namespace opstore::testing {

/// The table of libopstore_postgres.so, loaded as a host loads it (dlopen, RTLD_LOCAL) on the first call and
/// never unloaded. Throws std::runtime_error if it is not there, or is not this plugin in this version.
opstore_plugin const& plugin_library();

}  // namespace opstore::testing
