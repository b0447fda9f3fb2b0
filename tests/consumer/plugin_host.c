/* A host in plain C11: loads the plugin that is named on its command line and looks at its table. */
#include <opstore/plugin/opstore_plugin.h>

#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char** argv) {
    void* const library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library) {
        fprintf(stderr, "%s\n", argc == 2 ? dlerror() : "usage: plugin_host PLUGIN");
        return 1;
    }
    opstore_plugin_entry entry;
    *(void**)&entry = dlsym(library, OPSTORE_PLUGIN_SYMBOL);
    opstore_plugin const* const api = entry ? entry() : NULL;
    if (!api || api->magic != OPSTORE_PLUGIN_MAGIC || api->abi_version != OPSTORE_PLUGIN_ABI_VERSION) {
        fprintf(stderr, "%s is not this plugin\n", argv[1]);
        return 1;
    }
    printf("plugin %s\n", api->version);
    return 0;
}
