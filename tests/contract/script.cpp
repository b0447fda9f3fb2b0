#include <tests/contract/script.hpp>

#include <tests/contract/answer_text.hpp>
#include <tests/support/run.hpp>

#include <arc/time_slices.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace opstore::testing {
namespace {

constexpr std::size_t batch_ops_max = 12;

template <class T>
std::string ask(boost::asio::awaitable<result<T>> call) {
    return answer_text(run(std::move(call)));
}

}  // namespace

scripted_call script::ingest() {
    std::vector<incoming_op> batch;
    for (auto left = random_.below(batch_ops_max + 1); left > 0; --left) {
        batch.push_back(arguments_.pick_op());
    }
    return {fmt::format("process_incoming_ops, {} ops", batch.size()),
            [batch](op_store& store) { return ask(store.process_incoming_ops(batch)); }};
}

scripted_call script::time_slice() {
    auto const arc = arguments_.pick_arc();
    auto const start = arguments_.pick_time();
    auto const end = arguments_.pick_time();
    return {fmt::format("retrieve_op_hashes_in_time_slice {} [{}, {})", text(arc), text(start), text(end)),
            [=](op_store& store) { return ask(store.retrieve_op_hashes_in_time_slice(arc, start, end)); }};
}

scripted_call script::page() {
    auto const arc = arguments_.pick_arc();
    auto const limit = arguments_.pick_limit();
    auto& cursor = cursors_[random_.below(cursor_count)];
    if (random_.one_in(8)) {
        cursor = random_.one_in(2) ? arguments_.pick_time() : arc::from_micros(0);
    }
    auto const start = cursor;
    return {fmt::format("retrieve_op_ids_bounded {} from {} limit {}", text(arc), text(start), limit),
            [=, &cursor](op_store& store) {
                auto const answer = run(store.retrieve_op_ids_bounded(arc, start, limit));
                cursor = answer.has_value() ? answer->next : start;
                return answer_text(answer);
            }};
}

scripted_call script::look_up() {
    auto const ids = arguments_.pick_ids();
    if (random_.one_in(2)) {
        return {fmt::format("retrieve_ops {}", text(ids)),
                [ids](op_store& store) { return ask(store.retrieve_ops(ids)); }};
    }
    return {fmt::format("filter_out_existing_ops {}", text(ids)),
            [ids](op_store& store) { return ask(store.filter_out_existing_ops(ids)); }};
}

scripted_call script::earliest() {
    auto const arc = arguments_.pick_arc();
    return {fmt::format("earliest_timestamp_in_arc {}", text(arc)),
            [arc](op_store& store) { return ask(store.earliest_timestamp_in_arc(arc)); }};
}

scripted_call script::put_slice_hash() {
    auto const arc = arguments_.pick_arc();
    auto const index = arguments_.pick_index();
    auto const hash = random_.bytes(arguments_.pick(std::vector<std::size_t>{0, 1, 2, 32, 70}));
    return {fmt::format("store_slice_hash {} {} {}", text(arc), index, text(hash)),
            [=](op_store& store) { return ask(store.store_slice_hash(arc, index, hash)); }};
}

scripted_call script::read_slice_hash() {
    auto const arc = arguments_.pick_arc();
    auto const index = arguments_.pick_index();
    switch (random_.below(3)) {
        case 0:
            return {fmt::format("slice_hash_count {}", text(arc)),
                    [arc](op_store& store) { return ask(store.slice_hash_count(arc)); }};
        case 1:
            return {fmt::format("retrieve_slice_hash {} {}", text(arc), index),
                    [=](op_store& store) { return ask(store.retrieve_slice_hash(arc, index)); }};
        default:
            return {fmt::format("retrieve_slice_hashes {}", text(arc)),
                    [arc](op_store& store) { return ask(store.retrieve_slice_hashes(arc)); }};
    }
}

scripted_call script::batched_arcs() {
    std::vector<arc::dht_arc> arcs;
    for (auto left = random_.below(10); left > 0; --left) {
        arcs.push_back(arguments_.pick_arc());
    }
    if (random_.one_in(2)) {
        return {fmt::format("earliest_timestamps_in_arcs {}", text(arcs)),
                [arcs](op_store& store) { return ask(store.earliest_timestamps_in_arcs(arcs)); }};
    }
    return {fmt::format("retrieve_slice_hashes_of_arcs {}", text(arcs)),
            [arcs](op_store& store) { return ask(store.retrieve_slice_hashes_of_arcs(arcs)); }};
}

scripted_call script::combined() {
    auto const sectors = arguments_.pick_sectors();
    std::vector<arc::time_range> ranges;
    for (auto left = random_.below(6); left > 0; --left) {
        auto const start = arguments_.pick_time();
        ranges.push_back({start, arguments_.pick_time()});
    }
    return {fmt::format("combined_hashes {} {}", text(sectors.as_arcs()), text(ranges)),
            [=](op_store& store) { return ask(store.combined_hashes(sectors, ranges)); }};
}

scripted_call script::summary() {
    auto const sectors = arguments_.pick_sectors();
    auto const now = arguments_.pick_time();
    return {fmt::format("summarize {} at {}", text(sectors.as_arcs()), text(now)),
            [=](op_store& store) { return ask(store.summarize(sectors, now)); }};
}

scripted_call script::space_hashes_at() {
    auto const slices = arguments_.pick_slices();
    return {fmt::format("retrieve_space_hashes {}", slices),
            [=](op_store& store) { return ask(store.retrieve_space_hashes(slices)); }};
}

scripted_call script::tail() {
    auto const ops_max = 1 + random_.below(random_.one_in(4) ? 40 : 4);
    auto& cursor = cursors_[random_.below(cursor_count)];
    auto const start = cursor;
    return {fmt::format("retrieve_tail {} {}", text(start), ops_max), [=, &cursor](op_store& store) {
                auto const answer = run(store.retrieve_tail(start, ops_max));
                cursor = answer.has_value() ? answer->next : start;
                return answer_text(answer);
            }};
}

scripted_call script::sectors_page() {
    auto const sectors = arguments_.pick_sectors();
    auto const limit = arguments_.pick_limit();
    auto& cursor = cursors_[random_.below(cursor_count)];
    auto const start = cursor;
    return {fmt::format("retrieve_op_ids_of_sectors {} from {} limit {}", text(sectors.as_arcs()),
                        text(start), limit),
            [=, &cursor](op_store& store) {
                auto const answer = run(store.retrieve_op_ids_of_sectors(sectors, start, limit));
                cursor = answer.has_value() ? answer->next : start;
                return answer_text(answer);
            }};
}

scripted_call script::disc_slices() {
    auto const sectors = arguments_.pick_sectors();
    auto const slices = arguments_.pick_slices();
    return {fmt::format("retrieve_disc_slices {} {}", text(sectors.as_arcs()), slices),
            [=](op_store& store) { return ask(store.retrieve_disc_slices(sectors, slices)); }};
}

scripted_call script::regions() {
    std::vector<op_region> wanted;
    for (auto left = random_.below(8); left > 0; --left) {
        wanted.push_back(arguments_.pick_region());
    }
    auto const limit = arguments_.pick_limit();
    return {fmt::format("retrieve_region_ids {} limit {}", text(wanted), limit),
            [=](op_store& store) { return ask(store.retrieve_region_ids(wanted, limit)); }};
}

scripted_call script::page_of_region() {
    auto const region = arguments_.pick_region();
    auto const limit = arguments_.pick_limit();
    if (random_.one_in(3)) {
        region_cursor_ = random_.one_in(2)
                             ? std::nullopt
                             : std::optional(op_position{arguments_.pick_time(), arguments_.pick_id()});
    }
    auto const after = region_cursor_;
    return {fmt::format("retrieve_region_page {} after {} limit {}", text(region), text(after), limit),
            [=, this](op_store& store) {
                auto const answer = run(store.retrieve_region_page(region, after, limit));
                region_cursor_ = answer.has_value() ? answer->next : after;
                return answer_text(answer);
            }};
}

scripted_call script::bounded_ops() {
    auto const ids = arguments_.pick_ids();
    auto const limit = arguments_.pick_limit();
    return {fmt::format("retrieve_ops_bounded {} limit {}", text(ids), limit),
            [=](op_store& store) { return ask(store.retrieve_ops_bounded(ids, limit)); }};
}

scripted_call script::gossip() {
    switch (random_.below(7)) {
        case 0:
            return space_hashes_at();
        case 1:
            return tail();
        case 2:
            return sectors_page();
        case 3:
            return disc_slices();
        case 4:
            return regions();
        case 5:
            return page_of_region();
        default:
            return bounded_ops();
    }
}

scripted_call script::seal() {
    auto const now = arguments_.pick_time();
    auto const slices_max = arguments_.pick(std::vector<std::uint64_t>{0, 1, 2, 1000});
    return {fmt::format("seal {} {}", text(now), slices_max),
            [=](op_store& store) { return ask(store.seal(now, slices_max)); }};
}

scripted_call script::maintenance() {
    switch (random_.below(8)) {
        case 0:
            return {"verify", [](op_store& store) { return ask(store.verify()); }};
        case 1:
            return {"repair", [](op_store& store) { return ask(store.repair()); }};
        case 2:
        case 3:
        case 4:
            return {"stat", [](op_store& store) { return ask(store.stat()); }};
        default:
            return {"query_total_op_count",
                    [](op_store& store) { return ask(store.query_total_op_count()); }};
    }
}

scripted_call script::move_clock(manual_clock& clock) {
    auto const slice_micros = arguments_.slice_micros();
    std::int64_t const step =
        arguments_.pick(std::vector<std::int64_t>{1, 2, arc::unit.count(), slice_micros, 2 * slice_micros});
    auto const now = arc::to_micros(clock.now());
    clock.set(arc::from_micros(random_.one_in(3) ? std::max<std::int64_t>(-1, now - step) : now + step));
    if (random_.one_in(2)) {
        arguments_.replace_time(clock.now());
    }
    return {fmt::format("clock to {}", text(clock.now())), [](op_store&) { return std::string("moved"); }};
}

scripted_call script::next_call(manual_clock& clock) {
    auto const die = random_.below(130);
    if (die < 25) {
        return ingest();
    }
    if (die < 42) {
        return page();
    }
    if (die < 50) {
        return time_slice();
    }
    if (die < 56) {
        return look_up();
    }
    if (die < 60) {
        return earliest();
    }
    if (die < 66) {
        return put_slice_hash();
    }
    if (die < 74) {
        return read_slice_hash();
    }
    if (die < 79) {
        return batched_arcs();
    }
    if (die < 83) {
        return combined();
    }
    if (die < 87) {
        return summary();
    }
    if (die < 91) {
        return seal();
    }
    if (die < 95) {
        return maintenance();
    }
    return die < 100 ? move_clock(clock) : gossip();
}

}  // namespace opstore::testing
