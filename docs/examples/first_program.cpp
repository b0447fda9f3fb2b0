// Stores an op in the embedded database and reads it back the way a peer does.
#include <opstore/embedded/embedded_cluster.hpp>
#include <opstore/postgres/postgres_database.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <iostream>

using namespace opstore;

boost::asio::awaitable<void> greet(database_options where) {
    auto const database = co_await postgres_database::open(where);
    space_options const greetings("greetings");
    auto const store = (co_await database->open_or_create_space(greetings)).value();

    auto const now =
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    std::string const text = "hello, ring";
    std::vector<incoming_op> batch;
    batch.emplace_back(encode_plain(now, std::as_bytes(std::span(text))));
    auto const report = (co_await store->process_incoming_ops(std::move(batch))).value();
    std::cout << "newly stored: " << report.newly_stored.size() << "\n";

    auto const page = (co_await store->retrieve_op_ids_bounded(arc::dht_arc::full(), {}, 1 << 20)).value();
    auto const ops = (co_await store->retrieve_ops(page.ids)).value();
    for (stored_op const& op : ops)
        std::cout << to_string(op.id) << " stored at " << arc::to_rfc3339(op.stored_at) << "\n";
}

int main() {
    embedded_cluster server;
    server.ensure_running();
    database_options const where(server.conninfo());
    migrate(where);

    boost::asio::io_context io;
    auto done = boost::asio::co_spawn(io, greet(where), boost::asio::use_future);
    io.run();
    done.get();
}
