/* Structs of either side that are older, newer or spoilt, and the table itself. */
#define _GNU_SOURCE /* pthread_setattr_default_np() */

#include <tests/plugin/rules.h>

#include <stddef.h>
#include <string.h>

static void table_is_complete(opstore_plugin const* api, char const* path) {
    (void)path;
    CHECK(api->struct_size == sizeof *api);
    CHECK(api->version && *api->version);
    unsigned char const* const table = (unsigned char const*)api;
    for (size_t at = offsetof(opstore_plugin, create_database); at < sizeof *api; at += sizeof(void*)) {
        void* function;
        memcpy(&function, table + at, sizeof function);
        CHECK(function != NULL);
    }
}

/* create_database() refuses and says why; so it does without a place to say it. */
static void check_not_created(opstore_plugin const* api, opstore_database_options const* options,
                              char const* name) {
    opstore_failure failure = {.struct_size = sizeof failure};
    opstore_database* database;
    API(database = api->create_database(options, &failure));
    CHECK(database == NULL);
    CHECK(failure.code == OPSTORE_INVALID_ARGUMENT);
    if (!strstr(failure.message, name))
        host_fail(__FILE__, __LINE__, "'%s' does not name %s", failure.message, name);
    API(database = api->create_database(options, NULL));
    CHECK(database == NULL);
}

static void check_created(opstore_plugin const* api, opstore_database_options const* options) {
    host_database* const database = create_host_database(api, options);
    destroy_host_database(database);
    free_host_database(database);
}

static void database_options_in_bounds(opstore_plugin const* api, char const* path) {
    (void)path;
    check_not_created(api, NULL, "options");
    opstore_database_options options = {.struct_size = sizeof options};
    check_created(api, &options);
    uint32_t const connections[] = {2, 1000}, threads[] = {1, 64};
    for (size_t i = 0; i < 2; ++i) {
        options.connections = connections[i];
        options.callback_threads = threads[i];
        check_created(api, &options);
    }
    options.connections = 1;
    check_not_created(api, &options, "connections");
    options.connections = 1001;
    check_not_created(api, &options, "connections");
    options.connections = 2;
    options.callback_threads = 65;
    check_not_created(api, &options, "callback_threads");
    options.callback_threads = 0;

    options.conninfo = (opstore_text){NULL, 1};
    check_not_created(api, &options, "conninfo");
    options.conninfo = TEXT("host=\0here");
    check_not_created(api, &options, "conninfo");
    options.conninfo = TEXT("host=here");
    options.embedded_home = TEXT("/there");
    check_not_created(api, &options, "embedded_home");
    options.embedded_home = (opstore_text){NULL, 0};
    options.schema = TEXT("a\0b");
    check_not_created(api, &options, "schema");
}

/* No thread can have a stack as large as all addresses. */
static void no_threads_are_an_outage(opstore_plugin const* api, char const* path) {
    (void)path;
    pthread_attr_t usual, huge;
    CHECK(pthread_getattr_default_np(&usual) == 0);
    CHECK(pthread_attr_init(&huge) == 0);
    CHECK(pthread_attr_setstacksize(&huge, (size_t)1 << 47) == 0);
    CHECK(pthread_setattr_default_np(&huge) == 0);
    opstore_database_options const options = {.struct_size = sizeof options};
    opstore_failure failure = {.struct_size = sizeof failure};
    opstore_database* database;
    API(database = api->create_database(&options, &failure));
    CHECK(pthread_setattr_default_np(&usual) == 0);
    CHECK(database == NULL);
    CHECK(failure.code == OPSTORE_UNAVAILABLE && strstr(failure.message, "thread"));
    check_created(api, &options);
}

static void failure_of_another_size(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_failure failure;
    memset(&failure, 0x5a, sizeof failure);
    failure.struct_size = sizeof failure - 1;
    opstore_failure const before = failure;
    API(CHECK(api->create_database(NULL, &failure) == NULL));
    CHECK(memcmp(&failure, &before, sizeof failure) == 0);
    struct {
        opstore_failure known;
        uint64_t newer;
    } longer = {.known = {.struct_size = sizeof longer}};
    API(CHECK(api->create_database(NULL, &longer.known) == NULL));
    CHECK(longer.known.code == OPSTORE_INVALID_ARGUMENT);
    CHECK(longer.known.struct_size == sizeof longer.known);
}

static void database_options_of_another_size(opstore_plugin const* api, char const* path) {
    (void)path;
    struct {
        opstore_database_options known;
        uint64_t newer[2];
    } options = {.known = {.struct_size = sizeof options}};
    check_created(api, &options.known);
    options.newer[1] = UINT64_C(1) << 63;
    check_not_created(api, &options.known, "options");
    options.known.struct_size = sizeof options.known;
    check_created(api, &options.known);
    /* A host of the first version; what lies behind its struct is not read. */
    options.known.struct_size = offsetof(opstore_database_options, remembered_ids_max);
    options.known.remembered_ids_max = (uint64_t const*)1;
    check_created(api, &options.known);
    --options.known.struct_size;
    check_not_created(api, &options.known, "options");
    options.known.struct_size = 0;
    check_not_created(api, &options.known, "options");
}

static void space_options_of_another_size(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    struct {
        opstore_space_options known;
        uint64_t newer[2];
    } options = {.known = space_options_of("sizes", NULL)};
    options.known.struct_size = sizeof options;
    call opening;
    CHECK(open_space_with(database, &options.known, &opening) == 0);
    format_context contexts[2] = {0};
    opstore_op_format formats[2] = {host_format(&contexts[0]), host_format(&contexts[1])};
    options.newer[0] = 1;
    options.known.format = &formats[0];
    open_space_with(database, &options.known, &opening);
    CHECK_REFUSED(&opening, "options");
    options.known.struct_size = sizeof options.known - 1;
    options.known.format = &formats[1];
    open_space_with(database, &options.known, &opening);
    CHECK_REFUSED(&opening, "options");
    open_space_with(database, NULL, &opening);
    CHECK_REFUSED(&opening, "options");
    destroy_host_database(database);
    free_host_database(database);
    CHECK(atomic_load(&contexts[0].released) == 1);
    CHECK(atomic_load(&contexts[1].released) == 0);
}

static void format_of_another_size(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    format_context contexts[4] = {0};
    struct {
        opstore_op_format known;
        uint64_t newer;
    } format;
    opstore_space_options const options = space_options_of("format sizes", &format.known);
    for (size_t i = 0; i < LENGTH(contexts); ++i) {
        format.known = host_format(&contexts[i]);
        format.newer = i == 3;
        uint32_t const sizes[] = {sizeof format.known, sizeof format, sizeof format.known - 1, sizeof format};
        format.known.struct_size = sizes[i];
        call opening;
        open_space_with(database, &options, &opening);
        if (i < 2)
            CHECK(opening.code == 0);
        else
            CHECK_REFUSED(&opening, "format");
    }
    destroy_host_database(database);
    free_host_database(database);
    /* The host knows whether it is to release the context: only what is too short is left to it. */
    for (size_t i = 0; i < LENGTH(contexts); ++i)
        CHECK(atomic_load(&contexts[i].released) == (i != 2));
}

static void space_is_described(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    format_context context = {0};
    opstore_op_format const format = host_format(&context);
    opstore_space_options options = space_options_of("described", &format);
    uint32_t const factor = 3;
    int64_t const max_future = 5000000;
    options.slice_factor = &factor;
    options.max_future_us = &max_future;
    options.max_op_bytes = 1000;
    options.slices = OPSTORE_SLICES_BY_STORE;
    call opening;
    CHECK(open_space_with(database, &options, &opening) == 0);

    int32_t result;
    struct {
        opstore_space_info known;
        uint8_t newer[16];
    } info;
    memset(&info, 0x5a, sizeof info);
    info.known.struct_size = sizeof info;
    API(result = api->describe_space(opening.space, &info.known));
    CHECK(result == 0);
    /* So that OPSTORE_HAS() of a newer host does not find what was not filled in. */
    CHECK(info.known.struct_size == sizeof info.known);
    CHECK(info.known.key.size == 9 && memcmp(info.known.key.data, "described", 9) == 0);
    CHECK(info.known.format.size == 9 && strcmp(info.known.format.data, "host test") == 0);
    CHECK(info.known.id_size == HOST_ID_BYTES);
    CHECK(info.known.slice_factor == 3);
    CHECK(info.known.slices == OPSTORE_SLICES_BY_STORE);
    CHECK(info.known.max_op_bytes == 1000);
    CHECK(info.known.max_future_us.present == 1 && info.known.max_future_us.value == max_future);
    for (size_t i = 0; i < sizeof info.newer; ++i)
        CHECK(info.newer[i] == 0x5a);

    info.known.struct_size = sizeof info.known - 1;
    API(result = api->describe_space(opening.space, &info.known));
    CHECK(result == OPSTORE_INVALID_ARGUMENT);
    API(result = api->describe_space(opening.space, NULL));
    CHECK(result == OPSTORE_INVALID_ARGUMENT);
    API(result = api->describe_space(NULL, &info.known));
    CHECK(result == OPSTORE_INVALID_ARGUMENT);
    destroy_host_database(database);
    free_host_database(database);
}

rule const struct_rules[] = {
    {"structs: the table is complete", table_is_complete},
    {"structs: database options in bounds", database_options_in_bounds},
    {"structs: no threads are an outage", no_threads_are_an_outage},
    {"structs: a failure of another size", failure_of_another_size},
    {"structs: database options, older and newer", database_options_of_another_size},
    {"structs: space options, older and newer", space_options_of_another_size},
    {"structs: an op format, older and newer", format_of_another_size},
    {"structs: a space is described", space_is_described},
    {0},
};
