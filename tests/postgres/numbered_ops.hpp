#pragma once

#include <opstore/op_store.hpp>

#include <cstdint>
#include <vector>

namespace opstore::testing {

inline constexpr auto numbered_op_start = arc::from_micros(1'700'000'000'000'000);

/// Op number n: a plain op whose payload is the number; created one second apart from 2023-11-14 on.
inline incoming_op numbered_op(std::uint64_t number) {
    auto const created = numbered_op_start + std::chrono::seconds(number);
    return incoming_op(encode_plain(created, std::as_bytes(std::span(&number, 1))));
}

inline op_id id_of_numbered_op(std::uint64_t number) {
    return plain_format()->decode(numbered_op(number).data, {}).value().id;
}

/// Ops first, first + step, ... : `count` of them.
inline std::vector<incoming_op> numbered_batch(std::uint64_t first, std::uint64_t count,
                                               std::uint64_t step = 1) {
    std::vector<incoming_op> batch;
    for (std::uint64_t i = 0; i < count; ++i)
        batch.push_back(numbered_op(first + i * step));
    return batch;
}

}  // namespace opstore::testing
