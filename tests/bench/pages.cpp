// Question: how fast does a walk over the whole space go, by pages of 1 MiB, from the first op to the last?
// Rivals: the bare SELECT of the same rows in the same order through libpq, all in one answer, fields in
// binary; SQLite's pages. Method: a walk and a SELECT in turns, after VACUUM. A page of SQLite is read at a
// few evenly spread places only, since each of its statements looks at every row there is; the row shows what
// it does in a second there.
#include <tests/bench/questions.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace opstore::bench {
namespace {

constexpr bounds over_select{0.5, 0.8};
constexpr bounds over_sqlite{10, 10};
constexpr std::uint64_t page_bytes = 1 << 20;
/// A walk is long enough to need few.
constexpr std::size_t rounds_max = 5;

boost::asio::awaitable<std::uint64_t> walk(op_store& store) {
    std::uint64_t ops = 0;
    auto from = arc::from_micros(0);
    for (bool more = true; more;) {
        auto const page = co_await store.retrieve_op_ids_bounded(arc::dht_arc::full(), from, page_bytes);
        ops += page.value().ids.size();
        from = page.value().next;
        more = page.value().next_op_bytes.has_value();
    }
    co_return ops;
}

}  // namespace

void ask_pages(stage& s, std::uint64_t scale) {
    s.settle();
    auto& raw = s.server().raw();
    auto const select = fmt::format(
        "SELECT op_id, size, stored_at FROM opstore.op WHERE space_id = {} AND stored_at >= 0 ORDER BY "
        "stored_at",
        raw.read_one("SELECT space_id FROM opstore.space"));
    auto const ops = s.resident();
    auto const rounds = std::min(s.rounds(), rounds_max);
    auto const select_all = [&](raw_connection::field_format format) {
        return [&, format](std::size_t) {
            stopwatch const watch;
            insist(raw.read_all(select, format) == ops, "the rows are not the space");
            return watch.seconds() / static_cast<double>(ops);
        };
    };
    auto const walk_all = [](filled_store whose) {
        return [whose](std::size_t) {
            stopwatch const watch;
            insist(run(walk(whose.store)) == whose.ops, "the pages are not the space");
            return watch.seconds() / static_cast<double>(whose.ops);
        };
    };
    std::vector<contender> const contenders{
        walk_all(s.current()), select_all(raw_connection::field_format::binary),
        [&](std::size_t round) {
            auto const from = now + std::chrono::microseconds(ops * (2 * round + 1) / (2 * rounds));
            stopwatch const watch;
            auto const page = s.sqlite().page(arc::dht_arc::full(), from, page_bytes);
            insist(!page.first.empty(), "SQLite's page is empty");
            return watch.seconds() / static_cast<double>(page.first.size());
        },
        select_all(raw_connection::field_format::text)};
    auto const taken = take_turns(rounds, contenders);
    auto const* const question = "pages of 1 MiB, whole space";
    s.out().add_rate(question, scale, taken.beside(0, 1), "bare SELECT, binary", over_select);
    s.out().add_rate(question, scale, taken.beside(0, 2), "SQLite, at a few places", over_sqlite);
    if (auto const smaller = s.smaller()) {
        constexpr auto page_ops = static_cast<double>(page_bytes / op_bytes_each);
        // Walked as often as makes it as many ops.
        auto const walks = ops / smaller->ops;
        auto const both = take_turns(rounds, {walk_all(s.current()), [&](std::size_t round) {
                                                  double sum = 0;
                                                  for (std::uint64_t i = 0; i < walks; ++i) {
                                                      sum += walk_all(*smaller)(round);
                                                  }
                                                  return sum / static_cast<double>(walks);
                                              }});
        auto const of_an_op = both.beside(0, 1);
        s.out().add_growth(question, scale, {of_an_op.one * page_ops, of_an_op.other * page_ops});
    }
    auto const over_text = taken.beside(0, 3);
    s.out().add_note(
        fmt::format("pages at {} ops: a SELECT with fields in text reads {:.0f} op/s, ratio {:.2f}", scale,
                    1 / over_text.other, over_text.other / over_text.one));
}

}  // namespace opstore::bench
