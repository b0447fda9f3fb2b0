#include <tests/contract/script_fuzz.hpp>
#include <tests/support/chosen_id_format.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <arc/time_slices.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>

namespace opstore::testing {
namespace {

constexpr std::size_t id_count = 24;
constexpr std::size_t payload_bytes_max = 14;
constexpr std::size_t batch_ops_max = 12;
constexpr std::size_t cursor_count = 4;
constexpr std::int64_t unit_micros = 900'000'000;

// Answers as text: equal answers are equal texts, and a difference can be read.

template <class T>
std::string text(std::vector<T> const& values);

std::string text(op_id const& id) {
    return to_string(id);
}
std::string text(arc::timestamp time) {
    return std::to_string(arc::to_micros(time));
}
std::string text(std::uint64_t number) {
    return std::to_string(number);
}
std::string text(std::vector<std::byte> const& bytes) {
    std::string hex;
    for (auto const byte : bytes) {
        hex += fmt::format("{:02x}", std::to_integer<int>(byte));
    }
    return hex;
}
std::string text(slice_hash const& h) {
    return fmt::format("{}={}", h.index, text(h.hash));
}
std::string text(sector_hash const& h) {
    return fmt::format("{}={} of {}", h.sector, h.hash.empty() ? "empty" : to_string(h.hash), h.op_count);
}
std::string text(stored_op const& op) {
    return fmt::format("{} at {} created {} stored {}: {}", text(op.id), op.location.value,
                       text(op.created_at), text(op.stored_at), text(op.data));
}
std::string text(new_op const& op) {
    return fmt::format("{} created {}", text(op.id), text(op.created_at));
}
std::string text(rejection const& r) {
    return fmt::format("{}:{}", r.index, to_string(r.reason));
}
std::string text(combined_hash const& hash) {
    return hash.empty() ? "empty" : to_string(hash);
}
std::string text(arc::time_range const& r) {
    return fmt::format("[{}, {})", text(r.start), text(r.end));
}
std::string text(arc::dht_arc arc) {
    return arc::to_string(arc);
}

std::string text(unit_hash const& h) {
    return fmt::format("{}/{}={} of {}", h.unit, h.sector, text(h.hash), h.op_count);
}
std::string text(tail_op const& op) {
    return fmt::format("{} at {} created {}", text(op.id), op.location.value, text(op.created_at));
}
std::string text(sector_slices const& s) {
    return fmt::format("{}: {}", s.sector, text(s.slices));
}
std::string text(op_region const& r) {
    return fmt::format("{} {}", r.sector, text(r.range));
}
std::string text(region_ids const& r) {
    return fmt::format("{} ops {} bytes {} {}", r.op_count, r.bytes, r.taken ? "taken" : "skipped",
                       text(r.ids));
}
std::string text(op_position const& p) {
    return fmt::format("{} {}", text(p.created_at), text(p.id));
}

template <class T>
std::string text(std::optional<T> const& value) {
    return value ? text(*value) : "none";
}

template <class T>
std::string text(std::vector<T> const& values) {
    std::string list = "(";
    for (auto const& value : values) {
        list += text(value) + "; ";
    }
    return list + ")";
}

std::string text(ingest_report const& r) {
    return fmt::format("held {} new {} bytes {} rejected {}", text(r.held), text(r.newly_stored),
                       r.newly_stored_bytes, text(r.rejected));
}
std::string text(id_list const& list) {
    return fmt::format("{} bytes {}", text(list.ids), list.bytes);
}
std::string text(id_page const& page) {
    return fmt::format("{} bytes {} next {} next_op_bytes {}", text(page.ids), page.bytes, text(page.next),
                       text(page.next_op_bytes));
}
std::string text(store_summary const& s) {
    return fmt::format("boundary {} disc {} rings {}", text(s.disc_boundary), text(s.disc_top_hash),
                       text(s.ring_top_hashes));
}
std::string text(seal_report const& r) {
    return fmt::format("full_slices {} sealed {}", r.full_slices, r.sealed);
}
std::string text(verify_report const& r) {
    std::string damages;
    for (auto const& d : r.damages) {
        damages += fmt::format("{} {}: kept {} computed {}; ", d.what, d.where, d.kept, d.computed);
    }
    return fmt::format("ops {} slice_hashes {} damages {}: {}", r.ops, r.slice_hashes, r.damage_count,
                       damages);
}
std::string text(space_hashes const& s) {
    return fmt::format("watermark {} ops {} disc {} recent {}", text(s.watermark), s.op_count, text(s.disc),
                       text(s.recent));
}
std::string text(op_tail const& tail) {
    return fmt::format("{} next {} complete {}", text(tail.ops), text(tail.next), tail.complete);
}
std::string text(region_page const& page) {
    return fmt::format("{} bytes {} next {}", text(page.ids), page.bytes, text(page.next));
}
std::string text(op_batch const& batch) {
    return fmt::format("{} read {}", text(batch.ops), batch.ids_read);
}
std::string text(space_stat const& s) {
    return fmt::format("ops {} bytes {} watermark {} full_slices {}", s.op_count, s.op_bytes,
                       text(s.watermark), s.full_slices);
}

template <class T>
std::string answer_text(result<T> const& answer) {
    if (answer.has_error()) {
        return fmt::format("refused: {}", to_string(answer.error().code()));
    }
    if constexpr (std::is_void_v<T>) {
        return "done";
    } else {
        return text(*answer);
    }
}

template <class T>
std::string ask(boost::asio::awaitable<result<T>> call) {
    return answer_text(run(std::move(call)));
}

/// One call with its arguments fixed.
struct scripted_call {
    std::string name;
    std::function<std::string(op_store&)> ask;
};

/// Draws setup and calls: for one seed the same, as far as the answers are (page walks follow them).
class script {
public:
    explicit script(std::uint64_t seed);

    script_setup const& setup() const { return setup_; }

    /// Moves the clock where the step is to do so.
    scripted_call next_call(manual_clock& clock);

private:
    void draw_ids();
    void draw_times();

    template <class T>
    T const& pick(std::vector<T> const& from) {
        return from[random_.below(from.size())];
    }
    op_id pick_id();
    arc::timestamp pick_time();
    arc::dht_arc pick_arc();
    arc::arc_set pick_sectors();
    std::uint64_t pick_index();
    std::uint64_t pick_limit();
    std::uint64_t pick_slices();
    op_region pick_region();
    std::vector<op_id> pick_ids();
    incoming_op draw_op();

    scripted_call ingest();
    scripted_call time_slice();
    scripted_call page();
    scripted_call look_up();
    scripted_call earliest();
    scripted_call put_slice_hash();
    scripted_call read_slice_hash();
    scripted_call batched_arcs();
    scripted_call combined();
    scripted_call summary();
    scripted_call space_hashes_at();
    scripted_call tail();
    scripted_call sectors_page();
    scripted_call disc_slices();
    scripted_call regions();
    scripted_call page_of_region();
    scripted_call bounded_ops();
    scripted_call gossip();
    scripted_call seal();
    scripted_call maintenance();
    scripted_call move_clock(manual_clock& clock);

    random_source random_;
    script_setup setup_;
    std::int64_t slice_micros_ = 0;
    std::vector<op_id> ids_;
    std::vector<arc::timestamp> times_;
    /// Where the page walks stand; they follow `next` of the answers.
    std::vector<arc::timestamp> cursors_ = std::vector<arc::timestamp>(cursor_count);
    /// Where the page walk of a region stands; the same for both stores.
    std::optional<op_position> region_cursor_;
};

std::vector<std::uint32_t> const& edge_locations() {
    constexpr std::uint32_t size = arc::sector_size;
    static std::vector<std::uint32_t> const all{0,
                                                1,
                                                size - 1,
                                                size,
                                                size + 1,
                                                255 * size,
                                                256 * size - 1,
                                                0x80000000,
                                                511 * size - 1,
                                                511 * size,
                                                0xfffffffe,
                                                0xffffffff};
    return all;
}

script::script(std::uint64_t seed) : random_(seed) {
    space_options& options = setup_.options;
    options.key = fmt::format("script {}", seed);
    options.format = chosen_id_format(pick(std::vector<std::size_t>{1, 2, 5, 8, 8, 32, 36, 64}));
    options.slice_factor = pick(std::vector<int>{0, 1, 2, 3, 9});
    options.slices = random_.one_in(3) ? slice_mode::host : slice_mode::store;
    options.max_op_bytes = 8 + options.format->id_length() + payload_bytes_max - 2;
    slice_micros_ = unit_micros << options.slice_factor;
    if (random_.one_in(3)) {
        options.max_future = std::chrono::microseconds(2 * slice_micros_);
    }
    auto const first_slice = pick(std::vector<std::int64_t>{0, 1, 2, 5, 3000});
    setup_.start = arc::from_micros(first_slice * slice_micros_ + random_.between(-1, slice_micros_));
    draw_ids();
    draw_times();
}

void script::draw_ids() {
    auto const length = setup_.options.format->id_length();
    for (std::size_t i = 0; i < id_count; ++i) {
        std::vector<std::byte> bytes(length);
        if (length >= 5) {
            auto const name = static_cast<std::uint32_t>(random_.below(8) << (random_.one_in(2) ? 0 : 5));
            auto const id = chosen_id(name, arc::location{pick(edge_locations())}, length);
            bytes.assign(id.bytes().begin(), id.bytes().end());
        }
        if (length < 5 || random_.one_in(8)) {
            bytes[random_.below(length)] = static_cast<std::byte>(random_.below(256));
        }
        ids_.emplace_back(bytes);
    }
}

void script::draw_times() {
    auto const now = arc::to_micros(setup_.start);
    auto const slice_now = std::max<std::int64_t>(0, now / slice_micros_);
    for (auto const slice : {std::int64_t{0}, std::int64_t{1}, slice_now - 2, slice_now - 1, slice_now,
                             slice_now + 1, slice_now + 2}) {
        for (std::int64_t step = -1; step <= 1; ++step) {
            times_.push_back(arc::from_micros(slice * slice_micros_ + step));
        }
    }
    for (auto const& ring : arc::layout_at(setup_.start, setup_.options.slice_factor).rings) {
        times_.push_back(ring.start);
        times_.push_back(ring.start - std::chrono::microseconds(1));
    }
    for (auto const micros : {now - 1, now, now + 1, std::numeric_limits<std::int64_t>::max()}) {
        times_.push_back(arc::from_micros(micros));
    }
}

op_id script::pick_id() {
    if (random_.one_in(20)) {
        return op_id(random_.bytes(random_.below(op_id::length_max + 1)));
    }
    return pick(ids_);
}

arc::timestamp script::pick_time() {
    switch (random_.below(20)) {
        case 0:
            return arc::from_micros(std::numeric_limits<std::int64_t>::min());
        case 1:
            return arc::from_micros(std::numeric_limits<std::int64_t>::max());
        default:
            return pick(times_);
    }
}

arc::dht_arc script::pick_arc() {
    auto const start = pick(edge_locations());
    switch (random_.below(8)) {
        case 0:
            return arc::dht_arc::empty();
        case 1:
            return arc::dht_arc::full();
        case 2:
            return arc::dht_arc::between(arc::location{start}, arc::location{start - 1});
        case 3:
        case 4:
            return arc::sector_arc(arc::sector_of(arc::location{start}));
        default:
            return arc::dht_arc::between(arc::location{start}, arc::location{pick(edge_locations())});
    }
}

arc::arc_set script::pick_sectors() {
    if (random_.one_in(4)) {
        return arc::arc_set::full();
    }
    arc::arc_set sectors;
    for (auto left = random_.below(6); left > 0; --left) {
        sectors.insert(arc::sector_of(arc::location{pick(edge_locations())}));
    }
    return sectors;
}

std::uint64_t script::pick_index() {
    constexpr std::uint64_t limit = std::uint64_t{1} << 63;
    return pick(std::vector<std::uint64_t>{0, 1, 2, 3, 4, 2999, 3000, 3001, limit - 1, limit,
                                           std::numeric_limits<std::uint64_t>::max()});
}

std::vector<op_id> script::pick_ids() {
    std::vector<op_id> picked;
    for (auto left = random_.below(2 * id_count); left > 0; --left) {
        picked.push_back(pick_id());
    }
    return picked;
}

incoming_op script::draw_op() {
    auto const time = pick_time();
    auto const payload = random_.bytes(random_.below(payload_bytes_max));
    auto const id = pick(ids_);
    incoming_op op(encode_chosen(id, time, payload));
    switch (random_.below(30)) {
        case 0:
            op.data.resize(random_.below(op.data.size()));
            break;
        case 1:
            op.metadata = bytes_of(metadata_refuse);
            break;
        case 2:
            op.metadata = bytes_of(metadata_short_id);
            break;
        case 3:
            op.data.resize(setup_.options.max_op_bytes + random_.below(3));
            break;
        case 4:
        case 5:
            op.claimed_id = pick_id();
            break;
        default:
            if (random_.one_in(3)) {
                op.claimed_id = id;
            }
    }
    return op;
}

scripted_call script::ingest() {
    std::vector<incoming_op> batch;
    for (auto left = random_.below(batch_ops_max + 1); left > 0; --left) {
        batch.push_back(draw_op());
    }
    return {fmt::format("process_incoming_ops, {} ops", batch.size()),
            [batch](op_store& store) { return ask(store.process_incoming_ops(batch)); }};
}

scripted_call script::time_slice() {
    auto const arc = pick_arc();
    auto const start = pick_time();
    auto const end = pick_time();
    return {fmt::format("retrieve_op_hashes_in_time_slice {} [{}, {})", text(arc), text(start), text(end)),
            [=](op_store& store) { return ask(store.retrieve_op_hashes_in_time_slice(arc, start, end)); }};
}

std::uint64_t script::pick_limit() {
    auto const op_bytes = 8 + setup_.options.format->id_length();
    return random_.one_in(8) ? std::numeric_limits<std::uint64_t>::max() : random_.below(10 * op_bytes);
}

/// Mostly about as many as there are full slices.
std::uint64_t script::pick_slices() {
    auto const time = std::max(pick_time(), arc::from_micros(0));
    auto const slices = arc::slice_index(time, setup_.options.slice_factor);
    return random_.one_in(8) ? pick_index() : slices + random_.below(3);
}

op_region script::pick_region() {
    auto const sector = arc::sector_of(arc::location{pick(edge_locations())});
    bool const anywhere = random_.one_in(20);
    auto const start = random_.one_in(3) ? arc::timestamp::min() : pick_time();
    return {anywhere ? static_cast<arc::sector_index>(random_.below(65'536)) : sector,
            {start, random_.one_in(2) ? arc::timestamp::max() : pick_time()}};
}

scripted_call script::page() {
    auto const arc = pick_arc();
    auto const limit = pick_limit();
    auto& cursor = cursors_[random_.below(cursor_count)];
    if (random_.one_in(8)) {
        cursor = random_.one_in(2) ? pick_time() : arc::from_micros(0);
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
    auto const ids = pick_ids();
    if (random_.one_in(2)) {
        return {fmt::format("retrieve_ops {}", text(ids)),
                [ids](op_store& store) { return ask(store.retrieve_ops(ids)); }};
    }
    return {fmt::format("filter_out_existing_ops {}", text(ids)),
            [ids](op_store& store) { return ask(store.filter_out_existing_ops(ids)); }};
}

scripted_call script::earliest() {
    auto const arc = pick_arc();
    return {fmt::format("earliest_timestamp_in_arc {}", text(arc)),
            [arc](op_store& store) { return ask(store.earliest_timestamp_in_arc(arc)); }};
}

scripted_call script::put_slice_hash() {
    auto const arc = pick_arc();
    auto const index = pick_index();
    auto const hash = random_.bytes(pick(std::vector<std::size_t>{0, 1, 2, 32, 70}));
    return {fmt::format("store_slice_hash {} {} {}", text(arc), index, text(hash)),
            [=](op_store& store) { return ask(store.store_slice_hash(arc, index, hash)); }};
}

scripted_call script::read_slice_hash() {
    auto const arc = pick_arc();
    auto const index = pick_index();
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
        arcs.push_back(pick_arc());
    }
    if (random_.one_in(2)) {
        return {fmt::format("earliest_timestamps_in_arcs {}", text(arcs)),
                [arcs](op_store& store) { return ask(store.earliest_timestamps_in_arcs(arcs)); }};
    }
    return {fmt::format("retrieve_slice_hashes_of_arcs {}", text(arcs)),
            [arcs](op_store& store) { return ask(store.retrieve_slice_hashes_of_arcs(arcs)); }};
}

scripted_call script::combined() {
    auto const sectors = pick_sectors();
    std::vector<arc::time_range> ranges;
    for (auto left = random_.below(6); left > 0; --left) {
        auto const start = pick_time();
        ranges.push_back({start, pick_time()});
    }
    return {fmt::format("combined_hashes {} {}", text(sectors.as_arcs()), text(ranges)),
            [=](op_store& store) { return ask(store.combined_hashes(sectors, ranges)); }};
}

scripted_call script::summary() {
    auto const sectors = pick_sectors();
    auto const now = pick_time();
    return {fmt::format("summarize {} at {}", text(sectors.as_arcs()), text(now)),
            [=](op_store& store) { return ask(store.summarize(sectors, now)); }};
}

scripted_call script::space_hashes_at() {
    auto const slices = pick_slices();
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
    auto const sectors = pick_sectors();
    auto const limit = pick_limit();
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
    auto const sectors = pick_sectors();
    auto const slices = pick_slices();
    return {fmt::format("retrieve_disc_slices {} {}", text(sectors.as_arcs()), slices),
            [=](op_store& store) { return ask(store.retrieve_disc_slices(sectors, slices)); }};
}

scripted_call script::regions() {
    std::vector<op_region> wanted;
    for (auto left = random_.below(8); left > 0; --left) {
        wanted.push_back(pick_region());
    }
    auto const limit = pick_limit();
    return {fmt::format("retrieve_region_ids {} limit {}", text(wanted), limit),
            [=](op_store& store) { return ask(store.retrieve_region_ids(wanted, limit)); }};
}

scripted_call script::page_of_region() {
    auto const region = pick_region();
    auto const limit = pick_limit();
    if (random_.one_in(3)) {
        region_cursor_ =
            random_.one_in(2) ? std::nullopt : std::optional(op_position{pick_time(), pick_id()});
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
    auto const ids = pick_ids();
    auto const limit = pick_limit();
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
    auto const now = pick_time();
    auto const slices_max = pick(std::vector<std::uint64_t>{0, 1, 2, 1000});
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
    std::int64_t const step =
        pick(std::vector<std::int64_t>{1, 2, unit_micros, slice_micros_, 2 * slice_micros_});
    auto const now = arc::to_micros(clock.now());
    clock.set(arc::from_micros(random_.one_in(3) ? std::max<std::int64_t>(-1, now - step) : now + step));
    if (random_.one_in(2)) {
        times_[random_.below(times_.size())] = clock.now();
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

}  // namespace

script_setup draw_setup(std::uint64_t seed) {
    return script(seed).setup();
}

std::string to_string(script_mismatch const& m) {
    return fmt::format("OPSTORE_FUZZ_SEED={} differs at step {}\ncall: {}\n   a: {}\n   b: {}", m.seed,
                       m.step, m.call, m.answer_a, m.answer_b);
}

std::optional<script_mismatch> run_script(std::uint64_t seed, op_store& a, op_store& b, manual_clock& clock,
                                          std::size_t steps) {
    script drawn(seed);
    for (std::size_t step = 0; step < steps; ++step) {
        auto const call = drawn.next_call(clock);
        script_mismatch outcome{seed, step, call.name, call.ask(a), call.ask(b)};
        if (outcome.answer_a != outcome.answer_b) {
            return outcome;
        }
    }
    return std::nullopt;
}

std::vector<std::uint64_t> fuzz_seeds(std::size_t count) {
    if (char const* chosen = std::getenv("OPSTORE_FUZZ_SEED")) {
        std::printf("script fuzz: seed %s\n", chosen);
        return {std::strtoull(chosen, nullptr, 10)};
    }
    std::printf("script fuzz: seeds 1 to %zu\n", count);
    std::vector<std::uint64_t> seeds;
    for (std::uint64_t seed = 1; seed <= count; ++seed) {
        seeds.push_back(seed);
    }
    return seeds;
}

}  // namespace opstore::testing
