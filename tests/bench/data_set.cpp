#include <tests/bench/data_set.hpp>

#include <opstore/random.hpp>

namespace opstore::bench {
namespace {

/// Ten times the ops reach ten times as far back. Within what each such step adds an op is at any time with
/// equal chance: ops that come one behind the other have nothing in common. What is beyond all scales is new.
std::int64_t age_of(std::uint64_t number, random_source& random) {
    if (number < ops_min || number >= ops_max) {
        return static_cast<std::int64_t>(random.below(history_us(ops_min)));
    }
    auto from = ops_min;
    while (number >= from * 10) {
        from *= 10;
    }
    return history_us(from) + static_cast<std::int64_t>(random.below(history_us(from) * 9));
}

}  // namespace

bench_op make_op(std::uint64_t number) {
    static auto const format = plain_format();
    // Twice: streams of neighbouring seeds would overlap.
    random_source random(random_source(20261121 ^ number).next());
    auto const age = age_of(number, random);
    auto const payload = random.bytes(op_bytes_each - sizeof age);
    bench_op op;
    op.created_at = now - std::chrono::microseconds(age);
    op.data = encode_plain(op.created_at, payload);
    op.id = format->decode(op.data, {}).value().id;
    op.location = format->locate(op.id);
    return op;
}

std::vector<bench_op> make_ops(std::uint64_t first, std::size_t count) {
    std::vector<bench_op> ops;
    ops.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        ops.push_back(make_op(first + i));
    }
    return ops;
}

std::vector<incoming_op> to_incoming(std::span<const bench_op> ops) {
    std::vector<incoming_op> batch;
    batch.reserve(ops.size());
    for (auto const& op : ops) {
        batch.emplace_back(op.data);
    }
    return batch;
}

}  // namespace opstore::bench
