#pragma once

#include <opstore/op_store.hpp>
#include <opstore/peer_meta.hpp>
#include <tests/support/chosen_id_format.hpp>
#include <tests/support/manual_clock.hpp>
#include <tests/support/run.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The contract suite: every rule of docs/contract.md as a test case named after it, written once against
/// op_store. A test binary links the suite (opstore_contract_suite) and defines implementations(); the suite
/// then runs every rule on each of them.
namespace opstore::testing {

/// One implementation of op_store.
struct implementation {
    std::string name;
    /// Makes an empty space with these options that reads its wall clock from there. The suite never asks
    /// twice for the same space key, and keeps several spaces at once.
    std::function<std::unique_ptr<op_store>(space_options, manual_clock)> make;
};

/// Defined by each test binary.
std::vector<implementation> const& implementations();

/// One implementation of peer_meta.
struct peer_meta_implementation {
    std::string name;
    /// Opens that of a space, which is made if it does not exist. Asked twice for the same key, it gives the
    /// same entries.
    std::function<std::shared_ptr<peer_meta>(std::string space_key)> open;
};

/// Defined by each test binary.
std::vector<peer_meta_implementation> const& peer_meta_implementations();

/// The clock of a test starts here: factor 9 has 3688 full slices then.
inline constexpr arc::timestamp start_time = arc::from_micros(1'700'000'000'000'000);
inline constexpr std::size_t chosen_id_length = 8;

/// A space of chosen_id_format(chosen_id_length), in slice mode store, whose key no other test has.
space_options chosen_space();

/// A new space of one implementation, and its clock, which stands at start_time.
struct store_under_test {
    implementation const& kind;
    manual_clock clock{start_time};
    std::unique_ptr<op_store> store;

    store_under_test(implementation const& of_kind, space_options options);
    op_store* operator->() const { return store.get(); }
};

/// Runs `test` once for each implementation, each time on a new space; a failure names the implementation.
void on_each_store(space_options const& options, std::function<void(store_under_test&)> const& test);
void on_each_store(std::function<void(store_under_test&)> const& test);

/// The answer of a call that must not be refused.
template <class T>
T get(boost::asio::awaitable<result<T>> call) {
    return run(std::move(call)).value();
}

/// Why a call was refused; "accepted" if it was not.
template <class T>
std::string refusal_of(boost::asio::awaitable<result<T>> call) {
    auto const answer = run(std::move(call));
    return answer.has_error() ? std::string(to_string(answer.error().code())) : "accepted";
}

/// The id of op number `name`, with the location in it.
op_id id_at(std::uint32_t name, std::uint32_t location = 0);
arc::timestamp at(std::int64_t micros);
std::vector<op_id> ids(std::initializer_list<op_id> list);
/// A batch of one op.
std::vector<incoming_op> only(incoming_op op);
/// `count` ops with names first, first + 1, ..., created one microsecond apart from `created_at` on.
std::vector<incoming_op> numbered_ops(std::uint32_t first, std::uint32_t count, arc::timestamp created_at);

/// All pages from `start` on, as one list. Checks that no page exceeds the limit and that each one advances.
std::vector<op_id> follow_pages(op_store& store, arc::dht_arc arc, arc::timestamp start,
                                std::uint64_t limit_bytes);

}  // namespace opstore::testing
