/*
 * Goal: the plugin and its host do not see each other's libraries.
 * Method: this host links neither libpq nor OpenSSL nor libsodium, and cannot find their functions once the
 * plugin is loaded with RTLD_LOCAL. Built with POISON it exports functions of those names itself, which
 * abort, and loads the plugin with RTLD_DEEPBIND, as a host with an incompatible libpq of its own would: none
 * of them is ever called.
 *
 * poisoned_host LIBRARY
 */
#define _GNU_SOURCE /* RTLD_DEEPBIND, RTLD_DEFAULT */

#include <tests/plugin/rules.h>

#include <dlfcn.h>
#include <stdio.h>

#define FOREIGN(apply)                                                                                      \
    apply(PQconnectdb) apply(PQconnectdbParams) apply(PQconnectStartParams) apply(PQexec)                   \
        apply(PQexecParams) apply(PQexecPrepared) apply(PQsendQueryPrepared) apply(PQfinish) apply(SSL_new) \
            apply(SSL_CTX_new) apply(OPENSSL_init_ssl) apply(sodium_init) apply(crypto_generichash)

#ifdef POISON
#define POISONED(name)                                                           \
    void name(void);                                                             \
    void name(void) {                                                            \
        host_fail(__FILE__, __LINE__, "the plugin called the host's %s", #name); \
    }
FOREIGN(POISONED)
#else
#define NAME(name) #name,
static char const* const foreign[] = {FOREIGN(NAME)};

static void check_nothing_leaked(void) {
    for (size_t i = 0; i < LENGTH(foreign); ++i) {
        if (dlsym(RTLD_DEFAULT, foreign[i]))
            host_fail(__FILE__, __LINE__, "%s became visible to the host", foreign[i]);
    }
    CHECK(dlsym(RTLD_DEFAULT, OPSTORE_PLUGIN_SYMBOL) == NULL);
}
#endif

static void use(opstore_plugin const* api) {
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    opstore_space_options options = {.struct_size = sizeof options, .built_in_format = TEXT("plain")};
    options.key = BYTES("poisoned");
    call opening, ingest;
    init_call(&opening, database);
    API(opening.number = api->open_space(database->handle, &options, 0, on_space, &opening));
    CHECK(await_call(&opening) == 0);
    /* A plain op is hashed by libsodium. */
    uint8_t bytes[20];
    write_op(bytes, 1700000000000000, 1, sizeof bytes - HOST_OP_HEADER);
    opstore_incoming_op const op = {.data = {bytes, sizeof bytes}};
    init_call(&ingest, database);
    API(ingest.number = api->process_incoming_ops(opening.space, &op, 1, 0, on_ingest, &ingest));
    CHECK(await_call(&ingest) == 0);
    CHECK(ingest.count == 1);
    destroy_host_database(database);
    free_host_database(database);
}

int main(int argc, char** argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: poisoned_host LIBRARY\n");
        return 2;
    }
    on_host_thread = 1;
#ifdef POISON
    CHECK(dlsym(RTLD_DEFAULT, "PQconnectdb") != NULL);
    host_library library = load_library(argv[1], RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    use(library.api);
#else
    check_nothing_leaked();
    host_library library = load_library(argv[1], RTLD_NOW | RTLD_LOCAL);
    check_nothing_leaked();
    use(library.api);
    check_nothing_leaked();
#endif
    unload_library(&library);
    return 0;
}
