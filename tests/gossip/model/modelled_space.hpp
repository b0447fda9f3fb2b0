#pragma once

#include <arc/sector.hpp>
#include <gossip/model/summary_model.hpp>
#include <opstore/memory/memory_op_store.hpp>
#include <tests/gossip/support/counting_op_store.hpp>
#include <tests/support/chosen_id_format.hpp>
#include <tests/support/manual_clock.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string_view>
#include <variant>
#include <vector>

namespace opstore::gossip::testing {

using opstore::testing::chosen_id_format;
using opstore::testing::chosen_op;
using opstore::testing::counting_op_store;
using opstore::testing::manual_clock;
using opstore::testing::run;

/// The moment of the numeric scenarios, 14 November 2023, and where its disc ends.
inline constexpr arc::timestamp moment = arc::from_micros(1'700'000'000'000'000);
inline constexpr arc::timestamp moment_boundary = arc::from_micros(1'699'430'400'000'000);

inline constexpr std::chrono::microseconds one_microsecond{1};
inline constexpr std::chrono::hours day{24};

/// From hex.
inline op_id id(std::string_view hex) {
    return op_id::from_text(hex, hex.size() / 2).value();
}
/// `bytes` times the same byte.
inline op_id repeated_id(int byte, std::size_t bytes = 32) {
    std::array<std::byte, op_id::length_max> repeated;
    repeated.fill(static_cast<std::byte>(byte));
    return op_id(std::span(repeated.data(), bytes));
}
/// Of 4 bytes: the location sector * sector_size + low, little-endian.
inline op_id id_in(arc::sector_index sector, std::uint32_t low = 0) {
    std::uint32_t const location = sector * arc::sector_size + low;
    std::array<std::byte, 4> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::byte>(location >> (8 * i));
    }
    return op_id(bytes);
}

inline combined_hash sum(std::initializer_list<op_id> ids) {
    combined_hash hash;
    for (auto const& each : ids) {
        hash.add(each);
    }
    return hash;
}
/// From hex; no digits: the empty hash.
inline combined_hash hash(std::string_view hex) {
    return hex.empty() ? combined_hash() : sum({id(hex)});
}

inline arc::arc_set sector_set(std::initializer_list<arc::sector_index> sectors) {
    arc::arc_set set;
    for (auto const sector : sectors) {
        set.insert(sector);
    }
    return set;
}

/// A space whose ids and times the test chooses, a store for it in memory, and a model that follows it.
struct modelled_space {
    manual_clock clock;
    memory_op_store memory;
    counting_op_store store;
    summary_model model;

    explicit modelled_space(arc::timestamp now, int factor = arc::factor_default, std::size_t id_length = 4)
        : clock(now), memory(options_of(factor, id_length), clock), store(memory), model(store) {}

    static space_options options_of(int factor, std::size_t id_length) {
        space_options options("modelled");
        options.format = chosen_id_format(id_length);
        options.slice_factor = factor;
        return options;
    }

    /// Behind the model's back, as another process does: not through `store`.
    void put(op_id const& op, arc::timestamp created_at) {
        std::vector<incoming_op> batch{chosen_op(op, created_at)};
        REQUIRE(run(memory.process_incoming_ops(std::move(batch))).value().rejected.empty());
    }

    void start() { run(model.start(clock.now())).value(); }
    void follow() { run(model.follow(clock.now())).value(); }
    void follow_at(arc::timestamp now) {
        clock.set(now);
        follow();
    }

    arc::slice_layout layout() const { return model.layout_at(clock.now()); }
    minimal_snapshot minimal(arc::arc_set const& sectors = arc::arc_set::full()) const {
        return model.minimal(sectors, layout());
    }
    /// One slice of the disc, of one sector; the empty hash if it has no ops.
    combined_hash slice(arc::sector_index sector, std::uint64_t index) const {
        auto const details = run(model.disc_details(sector_set({sector}), layout())).value();
        auto const& slices = details.sectors.at(sector);
        auto const at = slices.find(index);
        return at == slices.end() ? combined_hash() : at->second;
    }
};

/// Whether compare() answers this. (Not a comparison of two variants: at -O2 g++ 12 suspects one that was
/// made of an alternative without memory of its own of reading memory that it does not have.)
template <class Expected>
bool finds(snapshot const& ours, snapshot const& theirs, Expected const& expected) {
    auto const found = compare(ours, theirs);
    auto const* answer = std::get_if<Expected>(&found);
    return answer != nullptr && *answer == expected;
}

/// The rings of `snapshot` that are not empty.
inline std::map<std::size_t, combined_hash> filled_rings(minimal_snapshot const& snapshot) {
    std::map<std::size_t, combined_hash> rings;
    for (std::size_t i = 0; i < snapshot.ring_top_hashes.size(); ++i) {
        if (!snapshot.ring_top_hashes[i].empty()) {
            rings[i] = snapshot.ring_top_hashes[i];
        }
    }
    return rings;
}

}  // namespace opstore::gossip::testing
