// Question: what does the first message of a round cost: disc and rings of the full arc, as they are now?
// Ours: as a peer gets it, from its model in memory, which first asks the store what is new since
// (summary_model::follow(), one call). A note says what store.summarize() costs, one call without any memory.
// Rival: what kitsune2 does for each such message: retrieve_slice_hashes() of each of the 512 sectors, one
// after the other, on the same store. (Its rings lie in its memory and cost it nothing here.)
#include <tests/bench/questions.hpp>

#include <arc/sector.hpp>
#include <gossip/model/summary_model.hpp>

#include <fmt/format.h>

namespace opstore::bench {
namespace {

namespace asio = boost::asio;

constexpr bounds over_single_calls{100, 100};
/// Of the one that takes microseconds.
constexpr std::size_t from_memory_calls = 100;

asio::awaitable<void> snapshots_of_model(gossip::summary_model& model, std::size_t calls) {
    for (std::size_t i = 0; i < calls; ++i) {
        auto const followed = co_await model.follow(now);
        followed.value();
        auto const snapshot = model.minimal(arc::arc_set::full(), model.layout_at(now));
        insist(!snapshot.disc_top_hash.empty(), "an empty disc");
    }
}

double seconds_of_snapshot(gossip::summary_model& model) {
    stopwatch const watch;
    run(snapshots_of_model(model, from_memory_calls));
    return watch.seconds() / static_cast<double>(from_memory_calls);
}

asio::awaitable<combined_hash> disc_by_single_calls(op_store& store) {
    combined_hash disc;
    for (arc::sector_index sector = 0; sector < arc::sector_count; ++sector) {
        auto const slices = co_await store.retrieve_slice_hashes(arc::sector_arc(sector));
        for (auto const& slice : slices.value()) {
            disc.add(combined_hash(slice.hash));
        }
    }
    co_return disc;
}

}  // namespace

void ask_minimal_snapshot(stage& s, std::uint64_t scale) {
    s.settle();
    gossip::summary_model model(s.store());
    run(model.start(now)).value();
    auto const disc = model.minimal(arc::arc_set::full(), model.layout_at(now)).disc_top_hash;
    std::vector<contender> const contenders{
        [&](std::size_t) { return seconds_of_snapshot(model); },
        [&](std::size_t) {
            stopwatch const watch;
            auto const sum = run(s.store().summarize(arc::arc_set::full(), now));
            insist(sum.value().disc_top_hash == disc, "the summary's disc differs");
            return watch.seconds();
        },
        [&](std::size_t) {
            stopwatch const watch;
            insist(run(disc_by_single_calls(s.store())) == disc, "the slices' disc differs");
            return watch.seconds();
        }};
    auto const taken = take_turns(s.rounds(), contenders);
    auto const* const question = "minimal snapshot, full arc";
    s.out().add_time(question, scale, taken.beside(0, 2), "512 x retrieve_slice_hashes", over_single_calls);
    if (s.smaller()) {
        s.out().add_growth(question, scale, s.compare_in_new_sessions([](filled_store whose) {
            auto const of = std::make_shared<gossip::summary_model>(whose.store);
            run(of->start(now)).value();
            return [of](std::size_t) { return seconds_of_snapshot(*of); };
        }));
    }
    auto const by_server = taken.beside(1, 2);
    s.out().add_note(
        fmt::format("minimal snapshot at {} ops: summarize(), without a model, takes {:.3g} ms, ratio {:.2f}",
                    scale, by_server.one * 1000, by_server.other / by_server.one));
}

}  // namespace opstore::bench
