/*
 * Goal: every rule of opstore_plugin.h that a test of the contract does not reach.
 * Method: a host in C, one function for each rule.
 *
 * rules_host LIBRARY [PART_OF_A_NAME]
 */

#include <tests/plugin/rules.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

opstore_space_options space_options_of(char const* key, opstore_op_format const* format) {
    opstore_space_options options = {.struct_size = sizeof options, .format = format};
    options.key = (opstore_bytes){(uint8_t const*)key, strlen(key)};
    return options;
}

int32_t open_space_with(host_database* database, opstore_space_options const* options, call* opening) {
    init_call(opening, database);
    API(opening->number = database->api->open_space(database->handle, options, 0, on_space, opening));
    return await_call(opening);
}

opstore_space* open_test_space(host_database* database, char const* key, format_context* context) {
    opstore_op_format const format = host_format(context);
    opstore_space_options const options = space_options_of(key, &format);
    call opening;
    if (open_space_with(database, &options, &opening) != 0)
        host_fail(__FILE__, __LINE__, "open_space: %s", opening.message);
    return opening.space;
}

void check_refused(char const* file, int line, call* c, char const* name) {
    if (await_call(c) != OPSTORE_INVALID_ARGUMENT || !strstr(c->message, name))
        host_fail(file, line, "code %d, '%s', not a refusal that names %s", c->code, c->message, name);
    CHECK(!c->retryable && !c->commit_in_doubt);
}

static unsigned run_rules(rule const* rules, char const* part, opstore_plugin const* api, char const* path) {
    unsigned count = 0;
    for (; rules->name; ++rules) {
        if (!strstr(rules->name, part))
            continue;
        printf("%s\n", rules->name);
        fflush(stdout);
        rules->check(api, path);
        ++count;
    }
    return count;
}

int main(int argc, char** argv) {
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: rules_host LIBRARY [PART_OF_A_NAME]\n");
        return 2;
    }
    on_host_thread = 1;
    host_library library = load_library(argv[1], RTLD_NOW | RTLD_LOCAL);
    rule const* const all[] = {struct_rules, argument_rules, life_rules, callback_rules, library_rules};
    unsigned count = 0;
    for (size_t i = 0; i < LENGTH(all); ++i)
        count += run_rules(all[i], argc == 3 ? argv[2] : "", library.api, argv[1]);
    unload_library(&library);
    printf("%u rules hold\n", count);
    return count == 0;
}
