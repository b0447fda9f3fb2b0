#ifndef OPSTORE_TESTS_PLUGIN_RULES_H
#define OPSTORE_TESTS_PLUGIN_RULES_H

/* The rules of opstore_plugin.h, one function each, run by rules_host.c on a schema that they share. */

#include <tests/plugin/host.h>
#include <tests/plugin/host_format.h>

typedef struct rule {
    char const* name;
    /* `path`: of the library that `api` is of. */
    void (*check)(opstore_plugin const* api, char const* path);
} rule;

/* Each list ends with a rule without a name. */
extern rule const struct_rules[], argument_rules[], life_rules[], callback_rules[], library_rules[];

/* Options for a space of the host's format, made if it is absent. `format` has to stay. */
opstore_space_options space_options_of(char const* key, opstore_op_format const* format);
/* Opens it, and answers the code; the space is in `opening`. */
int32_t open_space_with(host_database* database, opstore_space_options const* options, call* opening);
/* The same, which has to succeed. */
opstore_space* open_test_space(host_database* database, char const* key, format_context* context);

/* The call ended with OPSTORE_INVALID_ARGUMENT, and the message names what was wrong. */
#define CHECK_REFUSED(c, name) check_refused(__FILE__, __LINE__, c, name)
void check_refused(char const* file, int line, call* c, char const* name);

#endif
