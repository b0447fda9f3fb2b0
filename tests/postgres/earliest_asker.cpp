// A process that asks again and again for the earliest op of a sector, for earliest_delegate_test.cpp to stop
// and to let go on. Arguments: conninfo, schema, space, sector, and a file of one asked_times.
#include <arc/sector.hpp>
#include <opstore/postgres/postgres_database.hpp>
#include <tests/postgres/asked_times.hpp>
#include <tests/support/run.hpp>

#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
    using namespace opstore;
    if (argc != 6)
        return EXIT_FAILURE;
    database_options where(argv[1]);
    where.schema = argv[2];
    auto const store =
        testing::run(testing::run(postgres_database::open(where))->open_space(argv[3])).value();
    auto const sector = arc::sector_arc(static_cast<arc::sector_index>(std::stoul(argv[4])));
    testing::shared_asked_times const shared(argv[5]);
    while (!shared->done) {
        std::int64_t const before = shared->stored;
        auto const answer = testing::run(store->earliest_timestamp_in_arc(sector)).value();
        ++shared->answers;
        if (!answer || arc::to_micros(*answer) > before)
            ++shared->stale_answers;
    }
    return EXIT_SUCCESS;
}
