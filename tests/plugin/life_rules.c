/* The life of a database handle and of its spaces: connect, drain, destroy, and a format's release. */

#include <tests/plugin/rules.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_not_connected(host_database* database) {
    opstore_plugin const* const api = database->api;
    format_context context = {0};
    opstore_op_format const format = host_format(&context);
    opstore_space_options const options = space_options_of("not connected", &format);
    call listing, dropping, opening;
    init_call(&listing, database);
    init_call(&dropping, database);
    API(listing.number = api->list_spaces(database->handle, 0, on_space_list, &listing));
    CHECK(await_call(&listing) == OPSTORE_NOT_CONNECTED);
    CHECK(listing.retryable);
    API(dropping.number = api->drop_space(database->handle, options.key, 0, on_done, &dropping));
    CHECK(await_call(&dropping) == OPSTORE_NOT_CONNECTED);
    CHECK(open_space_with(database, &options, &opening) == OPSTORE_NOT_CONNECTED);
    destroy_host_database(database);
    free_host_database(database);
    CHECK(atomic_load(&context.released) == 1);
}

static void nothing_is_there_before_connecting(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options options = test_options();
    check_not_connected(create_host_database(api, &options));

    options.conninfo = TEXT("host=/nowhere/at/all");
    host_database* const database = create_host_database(api, &options);
    for (int i = 0; i < 2; ++i) {
        call connecting;
        init_call(&connecting, database);
        API(connecting.number = api->connect_database(database->handle, on_done, &connecting));
        CHECK(await_call(&connecting) == OPSTORE_UNAVAILABLE);
        CHECK(connecting.retryable);
    }
    check_not_connected(database);
}

static void connecting_again_succeeds(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options options = test_options();
    options.callback_threads = 3;
    host_database* const database = create_host_database(api, &options);
    call connecting[6];
    for (size_t i = 0; i < LENGTH(connecting); ++i) {
        init_call(&connecting[i], database);
        API(connecting[i].number = api->connect_database(database->handle, on_done, &connecting[i]));
    }
    for (size_t i = 0; i < LENGTH(connecting); ++i)
        CHECK(await_call(&connecting[i]) == 0);
    destroy_host_database(database);
    free_host_database(database);
}

static void schema_must_be_there(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options options = test_options();
    options.migrate = 0;
    options.schema = TEXT("no_such_schema");
    host_database* const database = create_host_database(api, &options);
    call connecting;
    init_call(&connecting, database);
    API(connecting.number = api->connect_database(database->handle, on_done, &connecting));
    CHECK(await_call(&connecting) == OPSTORE_SCHEMA_MISMATCH);
    destroy_host_database(database);
    free_host_database(database);
}

/* With the private server of the tests, if they have one: it runs, so nothing is made or started. */
static void private_server_is_reached(opstore_plugin const* api, char const* path) {
    (void)path;
    char const* const home = getenv("OPSTORE_HOME");
    if (!home || getenv("OPSTORE_TEST_DATABASE"))
        return;
    opstore_database_options options = test_options();
    options.conninfo = (opstore_text){NULL, 0};
    options.embedded_home = (opstore_text){home, strlen(home)};
    options.migrate = 0;
    host_database* const database = connect_host_database(api, &options);
    format_context context = {0};
    CHECK(open_test_space(database, "private server", &context) != NULL);
    destroy_host_database(database);
    free_host_database(database);
}

static void spaces_come_and_go(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    format_context contexts[5] = {0};
    opstore_space* const space = open_test_space(database, "come and go", &contexts[0]);

    opstore_op_format format = host_format(&contexts[1]);
    opstore_space_options options = space_options_of("come and go", &format);
    options.slices = OPSTORE_SLICES_BY_STORE;
    call opening;
    CHECK(open_space_with(database, &options, &opening) == OPSTORE_SPACE_DIFFERS);
    options.must_exist = 1;
    format = host_format(&contexts[2]);
    CHECK(open_space_with(database, &options, &opening) == 0);
    opstore_space_info info = {.struct_size = sizeof info};
    API(CHECK(api->describe_space(opening.space, &info) == 0));
    CHECK(info.slices == OPSTORE_SLICES_BY_HOST);

    call dropping[2], late;
    for (size_t i = 0; i < 2; ++i) {
        init_call(&dropping[i], database);
        API(dropping[i].number = api->drop_space(database->handle, options.key, 0, on_done, &dropping[i]));
        CHECK(await_call(&dropping[i]) == (i == 0 ? 0 : OPSTORE_NO_SUCH_SPACE));
    }
    init_call(&late, database);
    API(late.number = api->stat(space, 0, on_stat, &late));
    CHECK(await_call(&late) == OPSTORE_NO_SUCH_SPACE);
    format = host_format(&contexts[3]);
    CHECK(open_space_with(database, &options, &opening) == OPSTORE_NO_SUCH_SPACE);
    /* A key need not be text; the message, which names it, is. */
    static uint8_t const odd_key[] = {'k', 0xff, 0xfe, 0, '\n'};
    format = host_format(&contexts[4]);
    options.key = (opstore_bytes){odd_key, sizeof odd_key};
    CHECK(open_space_with(database, &options, &opening) == OPSTORE_NO_SUCH_SPACE);
    CHECK(strstr(opening.message, "k\\xff\\xfe\\x00\\x0a"));
    destroy_host_database(database);
    free_host_database(database);
    for (size_t i = 0; i < LENGTH(contexts); ++i)
        CHECK(atomic_load(&contexts[i].released) == 1);
}

/* Whatever becomes of an open_space(), its format is released once. */
static void refused_formats_are_released(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    static char const long_name[64] = "a name of 64 bytes, and so one byte longer than there is room.";
    format_context contexts[12] = {0};
    for (size_t i = 0; i < LENGTH(contexts); ++i) {
        opstore_op_format format = host_format(&contexts[i]);
        opstore_space_options options = space_options_of("refused formats", &format);
        char const* name = "format";
        switch (i) {
            case 0:
                format.name = (opstore_text){NULL, 0};
                break;
            case 1:
                format.name = (opstore_text){long_name, sizeof long_name};
                break;
            case 2:
                format.name = TEXT("located");
                break;
            case 3:
                format.name = TEXT("zero\0byte");
                break;
            case 4:
                format.id_size = 0;
                break;
            case 5:
                format.id_size = OPSTORE_ID_BYTES_MAX + 1;
                break;
            case 6:
                format.decode = NULL;
                break;
            case 7:
                options.built_in_format = TEXT("plain");
                break;
            case 8:
                options.built_in_format = (opstore_text){NULL, 1};
                break;
            case 9:
                options.key = (opstore_bytes){NULL, 1}, name = "key";
                break;
            case 10:
                options.max_op_bytes = UINT64_MAX, name = "max_op_bytes";
                break;
            default:
                options.slices = 7, name = "slices";
                break;
        }
        call opening;
        open_space_with(database, &options, &opening);
        CHECK_REFUSED(&opening, name);
    }
    format_context cancelled[20] = {0};
    call openings[LENGTH(cancelled)];
    for (size_t i = 0; i < LENGTH(cancelled); ++i) {
        opstore_op_format const format = host_format(&cancelled[i]);
        opstore_space_options const options = space_options_of("refused formats", &format);
        init_call(&openings[i], database);
        API(openings[i].number = api->open_space(database->handle, &options, 0, on_space, &openings[i]));
        API(api->cancel_call(database->handle, openings[i].number));
    }
    int32_t result;
    API(result = api->drain_database(database->handle, 0));
    CHECK(result == 0);
    format_context late = {0};
    opstore_op_format const format = host_format(&late);
    opstore_space_options const options = space_options_of("refused formats", &format);
    call opening;
    CHECK(open_space_with(database, &options, &opening) == OPSTORE_CLOSING);
    destroy_host_database(database);
    free_host_database(database);
    for (size_t i = 0; i < LENGTH(contexts); ++i) {
        if (atomic_load(&contexts[i].released) != 1)
            host_fail(__FILE__, __LINE__, "case %zu was not released", i);
    }
    for (size_t i = 0; i < LENGTH(cancelled); ++i) {
        CHECK(openings[i].code == 0 || openings[i].code == OPSTORE_CANCELLED ||
              openings[i].code == OPSTORE_CANCELLED_IN_DOUBT);
        CHECK(atomic_load(&cancelled[i].released) == 1);
    }
    CHECK(atomic_load(&late.released) == 1);
}

/* Takes as long as the test wants. */
static void stand_at_gate(format_gate* gate) {
    pthread_mutex_lock(&gate->mutex);
    ++gate->waiting;
    pthread_cond_broadcast(&gate->changed);
    while (gate->closed)
        pthread_cond_wait(&gate->changed, &gate->mutex);
    pthread_mutex_unlock(&gate->mutex);
}

static void wait_at_gate(call* c) {
    stand_at_gate(c->context);
}

static int64_t read_clock_at_gate(void* gate) {
    stand_at_gate(gate);
    return 1700000000000000;
}

static void drain_waits_as_long_as_it_may(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    format_context context = {0};
    opstore_space* const space = open_test_space(database, "drained", &context);
    format_gate gate;
    init_gate(&gate);
    call slow, late;
    init_call(&slow, database);
    init_call(&late, database);
    slow.inside = wait_at_gate;
    slow.context = &gate;
    API(slow.number = api->stat(space, 0, on_stat, &slow));
    await_gate(&gate);
    int32_t result;
    for (uint32_t timeout_ms = 1; timeout_ms < 50; timeout_ms += 40) {
        API(result = api->drain_database(database->handle, timeout_ms));
        CHECK(result == OPSTORE_TIMED_OUT);
    }
    API(late.number = api->stat(space, 0, on_stat, &late));
    open_gate(&gate);
    CHECK(await_call(&late) == OPSTORE_CLOSING);
    API(result = api->drain_database(database->handle, 0));
    CHECK(result == 0);
    CHECK(atomic_load(&slow.callbacks) == 1 && slow.code == 0);
    API(api->close_space(space));
    destroy_host_database(database);
    free_host_database(database);
    CHECK(atomic_load(&context.released) == 1);
}

/* Larger batches are decoded elsewhere than small ones. */
static void start_gated_ingest(call* c, opstore_space* space, scratch* memory) {
    size_t const count = 20;
    opstore_incoming_op* const ops = write_ops(memory, 0, count, 100);
    API(c->number = c->database->api->process_incoming_ops(space, ops, count, 0, on_ingest, c));
}

static void* open_gate_meanwhile(void* gate) {
    on_host_thread = 1;
    open_gate(gate);
    return NULL;
}

static void cancel_before_the_write_changes_nothing(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    format_gate gate;
    init_gate(&gate);
    format_context context = {.gate = &gate};
    opstore_space* const space = open_test_space(database, "cancelled", &context);
    call ingest, count;
    init_call(&ingest, database);
    scratch memory = {0};
    start_gated_ingest(&ingest, space, &memory);
    scratch_spoil(&memory);
    await_gate(&gate);
    API(api->cancel_call(database->handle, ingest.number));
    API(api->cancel_call(database->handle, ingest.number));
    CHECK(await_call(&ingest) == OPSTORE_CANCELLED);
    CHECK(ingest.retryable && !ingest.commit_in_doubt);
    open_gate(&gate);
    API(api->cancel_call(database->handle, ingest.number));
    API(api->cancel_call(database->handle, ingest.number + 1000));
    API(api->cancel_call(database->handle, 0));
    init_call(&count, database);
    API(count.number = api->query_total_op_count(space, 0, on_count, &count));
    CHECK(await_call(&count) == 0);
    CHECK(count.count == 0);
    destroy_host_database(database);
    free_host_database(database);
    CHECK(atomic_load(&context.released) == 1);
}

static void await_space(host_database* database, opstore_space_options options) {
    options.must_exist = 1;
    call opening;
    for (int i = 0; open_space_with(database, &options, &opening) != 0; ++i)
        CHECK(opening.code == OPSTORE_NO_SUCH_SPACE && i < 100000);
}

/* open_space() makes the space and then looks for what else it needs. The cancel comes in between: the only
   callback thread, which takes the call from the one to the other, is held meanwhile. */
static void cancel_behind_a_write_is_in_doubt(opstore_plugin const* api, char const* path) {
    (void)path;
    format_gate clock_gate, callback_gate;
    init_gate(&clock_gate);
    init_gate(&callback_gate);
    opstore_database_options where = test_options();
    host_database* const other = connect_host_database(api, &where);
    where.clock = read_clock_at_gate;
    where.clock_context = &clock_gate;
    host_database* const database = connect_host_database(api, &where);
    opstore_space_options const options = space_options_of("cancelled late", NULL);
    call opening, listing;
    init_call(&opening, database);
    API(opening.number = api->open_space(database->handle, &options, 0, on_space, &opening));
    await_gate(&clock_gate);
    init_call(&listing, database);
    listing.inside = wait_at_gate;
    listing.context = &callback_gate;
    API(listing.number = api->list_spaces(database->handle, 0, on_space_list, &listing));
    await_gate(&callback_gate);
    open_gate(&clock_gate);
    /* Seen once, it is made; some more looks at it take longer than the one of the call itself. */
    for (int i = 0; i < 20; ++i)
        await_space(other, options);
    API(api->cancel_call(database->handle, opening.number));
    open_gate(&callback_gate);
    int32_t const code = await_call(&opening);
    CHECK(code == 0 || code == OPSTORE_CANCELLED_IN_DOUBT);
    CHECK(code == 0 || (opening.commit_in_doubt && opening.retryable));
    destroy_host_database(database);
    free_host_database(database);
    destroy_host_database(other);
    free_host_database(other);
}

static void destroy_cancels_what_is_under_way(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    format_gate gate;
    init_gate(&gate);
    format_context context = {.gate = &gate};
    opstore_space* const space = open_test_space(database, "destroyed", &context);
    call ingests[5];
    scratch memory = {0};
    for (size_t i = 0; i < LENGTH(ingests); ++i) {
        init_call(&ingests[i], database);
        start_gated_ingest(&ingests[i], space, &memory);
    }
    scratch_spoil(&memory);
    /* Before anything is cancelled: nobody might come to the gate behind that. */
    await_gate(&gate);
    pthread_t opener;
    CHECK(pthread_create(&opener, NULL, open_gate_meanwhile, &gate) == 0);
    destroy_host_database(database);
    for (size_t i = 0; i < LENGTH(ingests); ++i) {
        CHECK(atomic_load(&ingests[i].callbacks) == 1);
        CHECK(ingests[i].code == 0 || ingests[i].code == OPSTORE_CANCELLED ||
              ingests[i].code == OPSTORE_CANCELLED_IN_DOUBT);
    }
    pthread_join(opener, NULL);
    free_host_database(database);
    CHECK(atomic_load(&context.released) == 1);
}

static void calls_outlive_their_space(opstore_plugin const* api, char const* path) {
    (void)path;
    opstore_database_options const where = test_options();
    host_database* const database = connect_host_database(api, &where);
    format_gate gate;
    init_gate(&gate);
    format_context context = {.gate = &gate};
    opstore_space* const space = open_test_space(database, "closed early", &context);
    call ingest;
    init_call(&ingest, database);
    scratch memory = {0};
    start_gated_ingest(&ingest, space, &memory);
    scratch_spoil(&memory);
    await_gate(&gate);
    API(api->close_space(space));
    CHECK(atomic_load(&context.released) == 0);
    open_gate(&gate);
    CHECK(await_call(&ingest) == 0);
    CHECK(ingest.count == 20);
    CHECK(atomic_load(&context.decoded) == 20);
    destroy_host_database(database);
    free_host_database(database);
    CHECK(atomic_load(&context.released) == 1);
}

rule const life_rules[] = {
    {"life: nothing is there before connecting", nothing_is_there_before_connecting},
    {"life: connecting again succeeds", connecting_again_succeeds},
    {"life: the schema must be there", schema_must_be_there},
    {"life: a private server is reached", private_server_is_reached},
    {"life: spaces come and go", spaces_come_and_go},
    {"life: refused formats are released", refused_formats_are_released},
    {"life: drain waits as long as it may", drain_waits_as_long_as_it_may},
    {"life: a cancel before the write changes nothing", cancel_before_the_write_changes_nothing},
    {"life: a cancel behind a write is in doubt", cancel_behind_a_write_is_in_doubt},
    {"life: destroy cancels what is under way", destroy_cancels_what_is_under_way},
    {"life: calls outlive their space", calls_outlive_their_space},
    {0},
};
