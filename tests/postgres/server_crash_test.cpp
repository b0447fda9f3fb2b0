// Goal: what was acknowledged survives a crash of the server, and calls go on by themselves afterwards.
// Method: a server of its own, stopped the way a power cut would, again and again under load.
#include <opstore/embedded/embedded_cluster.hpp>
#include <opstore/postgres/postgres_database.hpp>
#include <tests/embedded/temporary_home.hpp>
#include <tests/postgres/numbered_ops.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <thread>

namespace opstore::testing {

TEST_CASE("server crash: acknowledged ops survive, each newly stored once") {
    temporary_home home;
    auto cluster = home.cluster();
    cluster.ensure_running();
    database_options const where(cluster.conninfo());
    migrate(where);
    auto const store =
        run(run(postgres_database::open(where))->open_or_create_space(space_options("crashing"))).value();
    std::atomic<bool> done{false};
    constexpr std::size_t writers = 3;
    std::vector<std::map<op_id, int>> acknowledged(writers), newly_stored(writers);
    std::atomic<int> outages{0};
    std::vector<std::thread> threads;
    for (std::size_t writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] {
            for (std::uint64_t i = writer * 1'000'000; !done; i += 5) {
                try {
                    auto const report = run(store->process_incoming_ops(numbered_batch(i, 5))).value();
                    for (op_id const& id : report.held)
                        acknowledged[writer][id] = 1;
                    for (new_op const& op : report.newly_stored)
                        ++newly_stored[writer][op.id];
                } catch (store_error const& e) {
                    CHECK(e.retryable());
                    ++outages;
                }
            }
        });
    }
    for (int crash = 0; crash < 4; ++crash) {
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
        CHECK(cluster.stop(embedded_cluster::stop_mode::immediate));
        cluster.ensure_running();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    done = true;
    for (auto& thread : threads)
        thread.join();

    std::vector<op_id> all;
    for (std::size_t writer = 0; writer < writers; ++writer) {
        for (auto const& [id, _] : acknowledged[writer]) {
            all.push_back(id);
            CHECK(newly_stored[writer][id] == 1);
        }
    }
    CHECK(all.size() > 100);
    CHECK(run(store->filter_out_existing_ops(all)).value().empty());
    CHECK(run(store->verify()).value().damage_count == 0);
}

}  // namespace opstore::testing
