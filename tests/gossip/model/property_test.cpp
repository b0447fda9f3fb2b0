// Goal: whatever is stored, whatever the clock does and whenever the model looks, it says what the ops say.
// Method: random scripts on a store in memory with a clock that the test owns; after every step all
// snapshots, of random sectors and of layouts around now, against a naive recomputation. OPSTORE_FUZZ_SEED=n
// runs one.
#include <tests/gossip/model/modelled_space.hpp>
#include <tests/gossip/model/naive_model.hpp>
#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <type_traits>

namespace opstore::gossip::testing {
namespace {

using opstore::testing::random_source;

constexpr std::int64_t unit_micros = 900'000'000;
constexpr std::int64_t hour_micros = 3'600'000'000;
constexpr std::size_t id_length = 6;

std::string plain(std::span<const std::byte> bytes) {
    std::string text;
    for (auto const byte : bytes) {
        text += static_cast<char>(byte);
    }
    return text;
}

std::vector<std::string> plain(std::vector<combined_hash> const& hashes) {
    std::vector<std::string> texts;
    for (auto const& each : hashes) {
        texts.push_back(plain(each.bytes()));
    }
    return texts;
}

template <class Key>
auto plain(std::map<Key, combined_hash> const& hashes) {
    std::map<std::conditional_t<std::is_same_v<Key, arc::sector_index>, unsigned, Key>, std::string> texts;
    for (auto const& [key, hash] : hashes) {
        texts[key] = plain(hash.bytes());
    }
    return texts;
}

class script {
public:
    explicit script(std::uint64_t seed)
        : random_(seed),
          factor_(std::array{0, 1, 2, 3, 5, 7, 9}[random_.below(7)]),
          naive_(factor_),
          space_(draw_start(), factor_, id_length) {}

    void run_steps(int steps) {
        space_.start();
        looked();
        check();
        for (int i = 0; i < steps; ++i) {
            CAPTURE(i);
            step();
            check();
        }
    }

private:
    std::int64_t now() const { return arc::to_micros(space_.clock.now()); }

    arc::timestamp draw_start() {
        auto const slices = naive_.slice_micros() * 3;
        return arc::from_micros(random_.one_in(3) ? random_.between(0, slices)
                                                  : random_.between(slices, 1'700'000'000'000'000));
    }

    /// A time at or beside a border that counts at the moment, or anywhere around.
    std::int64_t draw_time() {
        auto const layout = naive_.layout_at(now());
        auto const beside = random_.between(-1, 1);
        switch (random_.below(7)) {
            case 0:
                return layout.boundary + beside;
            case 1:
                if (!layout.rings.empty()) {
                    return layout.rings[random_.below(layout.rings.size())].end + beside;
                }
                [[fallthrough]];
            case 2:
                return random_.between(layout.boundary, std::max(layout.boundary, now()));
            case 3:
                return random_.between(0, std::max<std::int64_t>(0, layout.boundary));
            case 4:
                return now() + random_.between(-2 * unit_micros, 2 * unit_micros);
            case 5:
                return now() + random_.between(0, 3 * naive_.slice_micros());
            default:
                return now() / unit_micros * unit_micros + beside;
        }
    }

    void store_some() {
        for (auto left = 1 + random_.below(6); left > 0; --left) {
            if (!naive_.ops.empty() && random_.one_in(5)) {
                // Held already; first write wins, whatever the time says.
                auto const& held = naive_.ops[random_.below(naive_.ops.size())];
                space_.put(op_id(std::as_bytes(std::span(held.id))), arc::from_micros(held.created_at));
                continue;
            }
            op_id const id(random_.bytes(id_length));
            auto const created_at = std::max<std::int64_t>(0, draw_time());
            space_.put(id, arc::from_micros(created_at));
            naive_.ops.push_back({plain(id.bytes()), created_at});
        }
    }

    void move_clock() {
        auto const slice = naive_.slice_micros();
        // When the next slice becomes full, and when it is folded.
        auto const promotion = (naive_.layout_at(now()).full_slices + 2) * slice - unit_micros;
        switch (random_.below(6)) {
            case 0:
                space_.clock.set(arc::from_micros(promotion + random_.between(-1, 1)));
                break;
            case 1:
                space_.clock.set(arc::from_micros(promotion + hour_micros + random_.between(-1, 1)));
                break;
            case 2:
                space_.clock.set(arc::from_micros(now() / unit_micros * unit_micros + unit_micros +
                                                  random_.between(-1, 1)));
                break;
            case 3:
                space_.clock.step(std::chrono::microseconds(random_.between(0, 3 * slice)));
                break;
            case 4:
                space_.clock.step(-std::chrono::microseconds(random_.between(0, 3 * unit_micros)));
                break;
            default:
                space_.clock.step(-std::chrono::microseconds(random_.between(0, 2 * slice)));
                break;
        }
    }

    void step() {
        switch (random_.below(8)) {
            case 0:
            case 1:
            case 2:
                store_some();
                break;
            case 3:
                move_clock();
                break;
            case 4:
                space_.start();
                looked();
                break;
            case 5:
                run(space_.memory.seal(space_.clock.now(), 1 + random_.below(3))).value();
                break;
            default:
                space_.follow();
                looked();
                break;
        }
    }

    /// The model has just seen everything, and has folded what is full for an hour.
    void looked() {
        seen_ops_ = naive_.ops.size();
        folded_slices_ = naive_.layout_at(now() - hour_micros).full_slices;
    }

    arc::arc_set draw_sectors() {
        if (random_.one_in(4)) {
            return arc::arc_set::full();
        }
        arc::arc_set set;
        auto const odds = 1 + random_.below(5);
        for (arc::sector_index sector = 0; sector < arc::sector_count; ++sector) {
            if (random_.one_in(odds)) {
                set.insert(sector);
            }
        }
        return set;
    }

    void check() {
        CHECK(space_.model.op_count() == seen_ops_);
        for (auto const at : {now(), now() - random_.between(0, hour_micros),
                              now() + random_.between(0, 2 * unit_micros), draw_time()}) {
            CAPTURE(at);
            auto const layout = space_.model.layout_at(arc::from_micros(at));
            auto const expected = naive_.layout_at(at);
            CHECK(space_.model.can_answer(layout) == (expected.full_slices >= folded_slices_));
            auto const sectors = draw_sectors();
            auto const plain_sectors = sectors.sectors();
            naive_model::sectors const in(plain_sectors.begin(), plain_sectors.end());
            check_details(sectors, in, layout, expected);
            if (!space_.model.can_answer(layout)) {
                continue;
            }
            naive_model seen(factor_);
            seen.ops.assign(naive_.ops.begin(), naive_.ops.begin() + static_cast<std::ptrdiff_t>(seen_ops_));
            check_model(seen, sectors, in, layout, expected);
            if (seen_ops_ == naive_.ops.size()) {
                auto const summary = run(space_.memory.summarize(sectors, arc::from_micros(at))).value();
                auto const minimal = space_.model.minimal(sectors, layout);
                CHECK(summary.disc_boundary == minimal.disc_boundary);
                CHECK(summary.disc_top_hash == minimal.disc_top_hash);
                CHECK(summary.ring_top_hashes == minimal.ring_top_hashes);
            }
        }
    }

    void check_model(naive_model const& seen, arc::arc_set const& sectors, naive_model::sectors const& in,
                     arc::slice_layout const& layout, naive_model::layout const& expected) {
        auto const minimal = space_.model.minimal(sectors, layout);
        CHECK(arc::to_micros(minimal.disc_boundary) == expected.boundary);
        CHECK(plain(minimal.disc_top_hash.bytes()) == seen.disc_top(in, expected));
        CHECK(plain(minimal.ring_top_hashes) == seen.ring_tops(in, expected));

        auto const disc = space_.model.disc_sectors(sectors, layout);
        CHECK(arc::to_micros(disc.disc_boundary) == expected.boundary);
        CHECK(plain(disc.sectors) == seen.disc_by_sector(in, expected));

        std::vector<std::uint32_t> wanted;
        for (std::uint32_t ring = 0; ring < expected.rings.size() + 2; ++ring) {
            if (random_.one_in(2)) {
                wanted.push_back(ring);
            }
        }
        auto const details = space_.model.ring_details(sectors, layout, wanted);
        CHECK(arc::to_micros(details.disc_boundary) == expected.boundary);
        std::size_t known = 0;
        for (auto const ring : wanted) {
            if (ring < expected.rings.size()) {
                ++known;
                CHECK(plain(details.rings.at(ring)) == seen.ring_by_sector(in, expected, ring));
            }
        }
        CHECK(details.rings.size() == known);
    }

    /// The store's own: of all ops, seen by the model or not.
    void check_details(arc::arc_set const& sectors, naive_model::sectors const& in,
                       arc::slice_layout const& layout, naive_model::layout const& expected) {
        auto const details = run(space_.model.disc_details(sectors, layout)).value();
        CHECK(arc::to_micros(details.disc_boundary) == expected.boundary);
        std::map<unsigned, std::map<std::uint64_t, std::string>> plain_details;
        for (auto const& [sector, slices] : details.sectors) {
            plain_details[sector] = plain(slices);
        }
        CHECK(plain_details == naive_.disc_by_slice(in, expected));
    }

    random_source random_;
    int factor_;
    naive_model naive_;  ///< All ops that are stored.
    modelled_space space_;
    std::size_t seen_ops_ = 0;
    std::int64_t folded_slices_ = 0;
};

}  // namespace

TEST_CASE("random scripts: the model says what the ops say") {
    std::uint64_t first = 1;
    std::uint64_t last = 60;
    if (auto const* chosen = std::getenv("OPSTORE_FUZZ_SEED")) {
        first = last = std::strtoull(chosen, nullptr, 10);
    }
    std::printf("model scripts: seeds %llu to %llu, OPSTORE_FUZZ_SEED=n runs one\n",
                static_cast<unsigned long long>(first), static_cast<unsigned long long>(last));
    for (auto seed = first; seed <= last; ++seed) {
        CAPTURE(seed);
        script(seed).run_steps(60);
    }
}

}  // namespace opstore::gossip::testing
