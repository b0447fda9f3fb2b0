// What following and answering cost: processor time, on this machine, in one table. The ops come from a
// source that makes them up, so that no store is measured; the model's memory is what the allocator handed
// out for it.
#include <gossip/model/summary_model.hpp>
#include <opstore/memory/memory_op_store.hpp>
#include <tests/gossip/support/counting_op_store.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <fmt/core.h>
#include <malloc.h>

#include <ctime>
#include <string>

namespace opstore::gossip::testing {
namespace {

using opstore::testing::counting_op_store;
using opstore::testing::random_source;
using opstore::testing::run;

constexpr arc::timestamp now = arc::from_micros(1'700'000'000'000'000);

double processor_seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// An endless supply of ops, as the tail of a store; ids of 32 bytes.
class op_source : public counting_op_store {
public:
    op_source(op_store& empty, std::chrono::microseconds span) : counting_op_store(empty), span_(span) {}

    boost::asio::awaitable<result<op_tail>> retrieve_tail(arc::timestamp, std::size_t, deadline) override {
        op_tail tail;
        tail.ops = std::move(next_);
        watermark_ += static_cast<std::int64_t>(tail.ops.size());
        tail.next = arc::from_micros(watermark_ + 1);
        tail.complete = true;
        co_return tail;
    }

    /// What the next retrieve_tail() answers. Not part of what is measured.
    void prepare(std::size_t count) {
        next_.clear();
        for (std::size_t i = 0; i < count; ++i) {
            op_id const id(random_.bytes(32));
            auto const age = random_.between(0, span_.count());
            next_.push_back({id, arc::location{random_.u32()}, now - std::chrono::microseconds(age)});
        }
    }

private:
    std::chrono::microseconds span_;
    random_source random_{1};
    std::vector<tail_op> next_;
    std::int64_t watermark_ = 0;
};

arc::arc_set some_sectors(std::uint64_t odds) {
    random_source random(2);
    arc::arc_set set;
    for (arc::sector_index sector = 0; sector < arc::sector_count; ++sector) {
        if (random.one_in(odds)) {
            set.insert(sector);
        }
    }
    return set;
}

/// Nanoseconds of processor time for each call, over at least a fifth of a second.
template <class Call>
double nanoseconds_of(Call const& call) {
    auto const start = processor_seconds();
    double seconds = 0;
    std::uint64_t calls = 0;
    do {
        for (int i = 0; i < 10; ++i) {
            call();
        }
        calls += 10;
        seconds = processor_seconds() - start;
    } while (seconds < 0.2);
    return seconds * 1e9 / static_cast<double>(calls);
}

std::size_t allocated_bytes() {
    auto const all = mallinfo2();
    return all.uordblks + all.hblkhd;
}

void measure(std::string const& what, std::size_t ops, std::chrono::microseconds span,
             std::size_t ops_in_page) {
    space_options options("bench");
    memory_op_store empty(options, [] { return now; });
    op_source source(empty, span);
    auto const before = allocated_bytes();
    summary_model model(source);
    run(model.start(now)).value();
    auto const layout = model.layout_at(now);
    double applying = 0;
    for (std::size_t done = 0; done < ops; done += ops_in_page) {
        // As in a round: somebody asks, then ops come.
        model.minimal(arc::arc_set::full(), layout);
        source.prepare(ops_in_page);
        auto const start = processor_seconds();
        run(model.follow(now)).value();
        applying += processor_seconds() - start;
    }
    source.prepare(0);
    run(model.follow(now)).value();
    model.minimal(arc::arc_set::full(), layout);
    auto const bytes = allocated_bytes() - before;
    auto const half = some_sectors(2);
    auto const few = some_sectors(16);
    std::uint64_t sink = 0;
    auto const minimal_of = [&](arc::arc_set const& sectors) {
        return nanoseconds_of([&] { sink += model.minimal(sectors, layout).ring_top_hashes.size(); });
    };
    std::int64_t quarter = 0;
    auto const in_new_layout = nanoseconds_of([&] {
        auto const later = model.layout_at(now + ++quarter % 500 * arc::unit);
        sink += model.minimal(arc::arc_set::full(), later).ring_top_hashes.size();
    });
    fmt::print("{:<34} {:>9} {:>9.0f} {:>8.0f} {:>8.0f} {:>8.0f} {:>11.0f} {:>8.2f}\n", what, ops,
               applying * 1e9 / static_cast<double>(ops), minimal_of(arc::arc_set::full()), minimal_of(half),
               minimal_of(few), in_new_layout, static_cast<double>(bytes) / (1 << 20));
    if (sink == 0) {
        fmt::print("nothing was measured\n");
    }
}

void measure_all() {
    using std::chrono::hours;
    fmt::print("{:<34} {:>9} {:>9} {:>8} {:>8} {:>8} {:>11} {:>8}\n", "", "", "apply", "minimal", "half",
               "1 in 16", "new layout", "memory");
    fmt::print("{:<34} {:>9} {:>9} {:>8} {:>8} {:>8} {:>11} {:>8}\n", "created in, in pages of", "ops",
               "ns/op", "ns", "ns", "ns", "ns", "MiB");
    measure("5 days, 65536", 1'000'000, hours(120), 65'536);
    measure("1 year, 65536", 1'000'000, hours(24 * 365), 65'536);
    measure("5 days, 100", 100'000, hours(120), 100);
    measure("5 days, 100: a simulated peer", 5'000, hours(120), 100);
    measure("1 year, 100: a simulated peer", 5'000, hours(24 * 365), 100);
}

}  // namespace
}  // namespace opstore::gossip::testing

int main() {
    opstore::gossip::testing::measure_all();
}
