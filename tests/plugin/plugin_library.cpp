#include <tests/plugin/plugin_library.hpp>

#include <dlfcn.h>
#include <stdexcept>
#include <string>

namespace opstore::testing {
namespace {

opstore_plugin const* load() {
    void* const library = dlopen(OPSTORE_PLUGIN_PATH, RTLD_NOW | RTLD_LOCAL);
    void* const symbol = library ? dlsym(library, OPSTORE_PLUGIN_SYMBOL) : nullptr;
    if (!symbol)
        throw std::runtime_error(std::string("the plugin cannot be loaded: ") + dlerror());
    auto const* const api = reinterpret_cast<opstore_plugin_entry>(symbol)();
    if (api->magic != OPSTORE_PLUGIN_MAGIC || api->abi_version != OPSTORE_PLUGIN_ABI_VERSION ||
        api->struct_size != sizeof *api)
        throw std::runtime_error("the plugin is not the one that these tests were built with");
    return api;
}

}  // namespace

opstore_plugin const& plugin_library() {
    static opstore_plugin const* const api = load();
    return *api;
}

}  // namespace opstore::testing
