// Goal: each rule of a space rejects alone, with its reason, and the order of the rest stays. Method: one
// batch with every reason, then each limit at n - 1, n, n + 1.
#include <opstore/admission.hpp>
#include <tests/support/chosen_id_format.hpp>

#include <doctest/doctest.h>

namespace opstore {
namespace {

using testing::chosen_id;
using testing::chosen_op;

constexpr std::size_t id_length = 8;
constexpr auto now = arc::from_micros(1'000'000);

op_id id(std::uint32_t name) {
    return chosen_id(name, arc::location{name}, id_length);
}

space_options chosen_space() {
    space_options space("admission");
    space.format = testing::chosen_id_format(id_length);
    return space;
}

/// The reason why `op` alone is rejected, if it is.
std::optional<rejection_reason> reason_for(incoming_op op, space_options const& space) {
    std::vector<incoming_op> batch;
    batch.push_back(std::move(op));
    auto const judged = admit(std::move(batch), space, now);
    REQUIRE(judged.ops.size() + judged.rejected.size() == 1);
    return judged.rejected.empty() ? std::nullopt : std::optional(judged.rejected[0].reason);
}

}  // namespace

TEST_CASE("admission: good ops keep their order, their repeats and their bytes") {
    std::vector<incoming_op> batch{chosen_op(id(2), arc::from_micros(5), "two"), incoming_op(),
                                   chosen_op(id(1), arc::from_micros(6), "one"),
                                   chosen_op(id(2), arc::from_micros(5), "two")};
    auto const second = batch[2].data;
    auto const judged = admit(std::move(batch), chosen_space(), now);
    REQUIRE(judged.ops.size() == 3);
    CHECK(judged.ops[0].id == id(2));
    CHECK(judged.ops[1].id == id(1));
    CHECK(judged.ops[2].id == id(2));
    CHECK(judged.ops[1].data == second);
    CHECK(judged.ops[1].created_at == arc::from_micros(6));
    CHECK(judged.ops[1].location == arc::location{1});
    REQUIRE(judged.rejected.size() == 1);
    CHECK(judged.rejected[0].index == 1);
    CHECK(judged.rejected[0].reason == rejection_reason::unreadable);
}

TEST_CASE("admission: a claimed id is checked") {
    auto op = chosen_op(id(1), arc::from_micros(0));
    CHECK_FALSE(reason_for(op, chosen_space()));
    op.claimed_id = id(1);
    CHECK_FALSE(reason_for(op, chosen_space()));
    op.claimed_id = id(2);
    CHECK(reason_for(op, chosen_space()) == rejection_reason::wrong_id);
    op.claimed_id = op_id();
    CHECK(reason_for(op, chosen_space()) == rejection_reason::wrong_id_length);
    op.claimed_id = chosen_id(1, arc::location{1}, id_length + 1);
    CHECK(reason_for(op, chosen_space()) == rejection_reason::wrong_id_length);
}

TEST_CASE("admission: the metadata reaches the format") {
    auto op = chosen_op(id(1), arc::from_micros(0));
    op.metadata = testing::bytes_of(testing::metadata_refuse);
    CHECK(reason_for(op, chosen_space()) == rejection_reason::refused_by_host);
    op.metadata = testing::bytes_of(testing::metadata_short_id);
    CHECK(reason_for(op, chosen_space()) == rejection_reason::wrong_id_length);
}

TEST_CASE("admission: size up to and including max_op_bytes") {
    auto space = chosen_space();
    auto const size = chosen_op(id(1), arc::from_micros(0), "0123").data.size();
    space.max_op_bytes = size;
    CHECK_FALSE(reason_for(chosen_op(id(1), arc::from_micros(0), "012"), space));
    CHECK_FALSE(reason_for(chosen_op(id(1), arc::from_micros(0), "0123"), space));
    CHECK(reason_for(chosen_op(id(1), arc::from_micros(0), "01234"), space) == rejection_reason::too_large);
}

TEST_CASE("admission: created_at from the epoch on, ahead of the clock up to max_future") {
    auto space = chosen_space();
    auto reason = [&](std::int64_t micros) {
        return reason_for(chosen_op(id(1), arc::from_micros(micros)), space);
    };
    CHECK(reason(-1) == rejection_reason::created_before_epoch);
    CHECK(reason(INT64_MIN) == rejection_reason::created_before_epoch);
    CHECK_FALSE(reason(0));
    CHECK_FALSE(reason(INT64_MAX));
    space.max_future = std::chrono::microseconds(10);
    CHECK_FALSE(reason(arc::to_micros(now) + 9));
    CHECK_FALSE(reason(arc::to_micros(now) + 10));
    CHECK(reason(arc::to_micros(now) + 11) == rejection_reason::too_far_in_future);
    CHECK(reason(INT64_MAX) == rejection_reason::too_far_in_future);
    CHECK_FALSE(reason(0));
}

TEST_CASE("admission: max_future holds also while the clock stands before the epoch") {
    auto space = chosen_space();
    space.max_future = std::chrono::microseconds(10);
    std::vector<incoming_op> batch{chosen_op(id(1), arc::from_micros(9)),
                                   chosen_op(id(2), arc::from_micros(10)),
                                   chosen_op(id(3), arc::from_micros(INT64_MAX))};
    auto const judged = admit(std::move(batch), space, arc::from_micros(-1));
    REQUIRE(judged.rejected.size() == 2);
    CHECK(judged.rejected[0].index == 1);
    CHECK(judged.rejected[1].reason == rejection_reason::too_far_in_future);
}

}  // namespace opstore
