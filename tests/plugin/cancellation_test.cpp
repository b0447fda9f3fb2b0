// Goal: a coroutine that is cancelled cancels its call of the C table, and deadlines cross. Method: a session
// of the test holds the space's row, so that ingest waits in the server for as long as we like.
#include <tests/plugin/plugin_op_store.hpp>
#include <tests/postgres/locked_space.hpp>
#include <tests/postgres/numbered_ops.hpp>

#include <doctest/doctest.h>

namespace opstore::testing {
namespace {

using namespace std::chrono_literals;

/// A second way to a space that a session holds: through the plugin.
std::unique_ptr<plugin_op_store> through_plugin(std::string const& name) {
    auto where = test_database_options();
    where.connections = 3;
    where.conninfo += " application_name=" + locked_space::application(name);
    return plugin_op_store::open(plugin_database::connect(where), space_options(name));
}

/// "aborted", or the code of the store_error.
std::string ending_of(ingest_call& call) {
    auto const error = call.finish();
    try {
        if (error)
            std::rethrow_exception(error);
    } catch (store_error const& e) {
        return std::string(to_string(e.code())) + (e.commit_in_doubt() ? " in doubt" : "");
    } catch (boost::system::system_error const& e) {
        return e.code() == boost::asio::error::operation_aborted ? "aborted" : e.what();
    }
    return "answered";
}

}  // namespace

TEST_CASE("plugin: cancelling the coroutine cancels the call") {
    locked_space space("plugin_cancel");
    auto const store = through_plugin("plugin_cancel");
    ingest_call flushing(store->process_incoming_ops(numbered_batch(0, 3)));
    wait_for_lock_waiters("plugin_cancel", 1);
    ingest_call waiting(store->process_incoming_ops(numbered_batch(100, 3)));
    waiting.cancel();
    CHECK(ending_of(waiting) == "aborted");
    flushing.cancel();
    CHECK(ending_of(flushing) == "cancelled_in_doubt in doubt");
    space.release();
    CHECK(run(store->process_incoming_ops(numbered_batch(0, 3))).value().held.size() == 3);
    CHECK(run(store->filter_out_existing_ops({id_of_numbered_op(100)})).value().size() == 1);
}

TEST_CASE("plugin: a deadline crosses as a time-out") {
    locked_space space("plugin_deadline");
    auto const store = through_plugin("plugin_deadline");
    ingest_call flushing(store->process_incoming_ops(numbered_batch(0, 3), deadline::after(300ms)));
    CHECK(ending_of(flushing) == "timed_out in doubt");
    space.release();
    CHECK(run(store->process_incoming_ops(numbered_batch(0, 3))).value().held.size() == 3);
}

}  // namespace opstore::testing
