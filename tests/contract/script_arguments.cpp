#include <tests/contract/script_arguments.hpp>

#include <tests/support/chosen_id_format.hpp>

#include <arc/sector.hpp>
#include <arc/time_slices.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace opstore::testing {
namespace {

constexpr std::size_t id_count = 24;
constexpr std::size_t payload_bytes_max = 14;

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

}  // namespace

script_arguments::script_arguments(std::uint64_t seed, random_source& random) : random_(random) {
    space_options& options = setup_.options;
    options.key = fmt::format("script {}", seed);
    options.format = chosen_id_format(pick(std::vector<std::size_t>{1, 2, 5, 8, 8, 32, 36, 64}));
    options.slice_factor = pick(std::vector<int>{0, 1, 2, 3, 9});
    options.slices = random_.one_in(3) ? slice_mode::host : slice_mode::store;
    options.max_op_bytes = 8 + options.format->id_length() + payload_bytes_max - 2;
    slice_micros_ = arc::unit.count() << options.slice_factor;
    if (random_.one_in(3)) {
        options.max_future = std::chrono::microseconds(2 * slice_micros_);
    }
    auto const first_slice = pick(std::vector<std::int64_t>{0, 1, 2, 5, 3000});
    setup_.start = arc::from_micros(first_slice * slice_micros_ + random_.between(-1, slice_micros_));
    draw_ids();
    draw_times();
}

void script_arguments::draw_ids() {
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

void script_arguments::draw_times() {
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

op_id script_arguments::pick_id() {
    if (random_.one_in(20)) {
        return op_id(random_.bytes(random_.below(op_id::length_max + 1)));
    }
    return pick(ids_);
}

arc::timestamp script_arguments::pick_time() {
    switch (random_.below(20)) {
        case 0:
            return arc::from_micros(std::numeric_limits<std::int64_t>::min());
        case 1:
            return arc::from_micros(std::numeric_limits<std::int64_t>::max());
        default:
            return pick(times_);
    }
}

arc::dht_arc script_arguments::pick_arc() {
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

arc::arc_set script_arguments::pick_sectors() {
    if (random_.one_in(4)) {
        return arc::arc_set::full();
    }
    arc::arc_set sectors;
    for (auto left = random_.below(6); left > 0; --left) {
        sectors.insert(arc::sector_of(arc::location{pick(edge_locations())}));
    }
    return sectors;
}

std::uint64_t script_arguments::pick_index() {
    constexpr std::uint64_t limit = std::uint64_t{1} << 63;
    return pick(std::vector<std::uint64_t>{0, 1, 2, 3, 4, 2999, 3000, 3001, limit - 1, limit,
                                           std::numeric_limits<std::uint64_t>::max()});
}

std::uint64_t script_arguments::pick_limit() {
    auto const op_bytes = 8 + setup_.options.format->id_length();
    return random_.one_in(8) ? std::numeric_limits<std::uint64_t>::max() : random_.below(10 * op_bytes);
}

std::uint64_t script_arguments::pick_slices() {
    auto const time = std::max(pick_time(), arc::from_micros(0));
    auto const slices = arc::slice_index(time, setup_.options.slice_factor);
    return random_.one_in(8) ? pick_index() : slices + random_.below(3);
}

op_region script_arguments::pick_region() {
    auto const sector = arc::sector_of(arc::location{pick(edge_locations())});
    bool const anywhere = random_.one_in(20);
    auto const start = random_.one_in(3) ? arc::timestamp::min() : pick_time();
    return {anywhere ? static_cast<arc::sector_index>(random_.below(65'536)) : sector,
            {start, random_.one_in(2) ? arc::timestamp::max() : pick_time()}};
}

std::vector<op_id> script_arguments::pick_ids() {
    std::vector<op_id> picked;
    for (auto left = random_.below(2 * id_count); left > 0; --left) {
        picked.push_back(pick_id());
    }
    return picked;
}

incoming_op script_arguments::pick_op() {
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

}  // namespace opstore::testing
