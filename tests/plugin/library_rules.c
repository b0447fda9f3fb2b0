/* The library as a file: two copies at once, and gone after dlclose(). */

#include <tests/plugin/rules.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void copy_file(char const* from, char const* to) {
    FILE* const in = fopen(from, "rb");
    FILE* const out = fopen(to, "wb");
    CHECK(in != NULL && out != NULL);
    static char buffer[1 << 16];
    for (size_t size; (size = fread(buffer, 1, sizeof buffer, in)) > 0;)
        CHECK(fwrite(buffer, 1, size, out) == size);
    CHECK(!ferror(in));
    fclose(in);
    CHECK(fclose(out) == 0);
}

static void ingest(host_database* database, opstore_space* space, uint64_t first, size_t count) {
    scratch memory = {0};
    call c;
    init_call(&c, database);
    opstore_incoming_op const* const ops = write_ops(&memory, first, count, 10);
    API(c.number = database->api->process_incoming_ops(space, ops, count, 0, on_ingest, &c));
    scratch_spoil(&memory);
    CHECK(await_call(&c) == 0);
    CHECK(c.count == count);
}

static uint64_t op_count(host_database* database, opstore_space* space) {
    call c;
    init_call(&c, database);
    API(c.number = database->api->query_total_op_count(space, 0, on_count, &c));
    CHECK(await_call(&c) == 0);
    return c.count;
}

static void two_copies_work_at_once(opstore_plugin const* api, char const* path) {
    char copy_path[] = "/tmp/opstore_plugin_copy_XXXXXX";
    int const file = mkstemp(copy_path);
    CHECK(file >= 0);
    close(file);
    copy_file(path, copy_path);
    opstore_database_options const where = test_options();
    host_database* const first = connect_host_database(api, &where);
    format_context contexts[3] = {0};
    opstore_space* const first_space = open_test_space(first, "two copies", &contexts[0]);
    for (size_t i = 1; i < LENGTH(contexts); ++i) {
        /* The second time after it was unloaded. */
        host_library copy = load_library(copy_path, RTLD_NOW | RTLD_LOCAL);
        CHECK(copy.api != api);
        host_database* const second = connect_host_database(copy.api, &where);
        opstore_space* const second_space = open_test_space(second, "two copies", &contexts[i]);
        ingest(first, first_space, i * 100, 20);
        ingest(second, second_space, i * 100 + 10, 20);
        CHECK(op_count(first, first_space) == i * 30);
        CHECK(op_count(second, second_space) == i * 30);
        destroy_host_database(second);
        free_host_database(second);
        CHECK(atomic_load(&contexts[i].released) == 1);
        unload_library(&copy);
        CHECK(op_count(first, first_space) == i * 30);
    }
    destroy_host_database(first);
    free_host_database(first);
    CHECK(atomic_load(&contexts[0].released) == 1);
    unlink(copy_path);
}

/* Pages of code that are gone while a thread or a handler still needs them would show here. */
static void unloading_leaves_nothing_behind(opstore_plugin const* api, char const* path) {
    (void)api;
    char copy_path[] = "/tmp/opstore_plugin_copy_XXXXXX";
    int const file = mkstemp(copy_path);
    CHECK(file >= 0);
    close(file);
    copy_file(path, copy_path);
    host_library copy = load_library(copy_path, RTLD_NOW | RTLD_LOCAL);
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(copy.api, &where);
    destroy_host_database(database);
    free_host_database(database);
    unload_library(&copy);
    CHECK(dlopen(copy_path, RTLD_NOW | RTLD_NOLOAD) == NULL);
    unlink(copy_path);
}

rule const library_rules[] = {
    {"library: two copies work at once", two_copies_work_at_once},
    {"library: unloading leaves nothing behind", unloading_leaves_nothing_behind},
    {0},
};
