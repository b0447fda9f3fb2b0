#include <tests/contract/contract_suite.hpp>

#include <doctest/doctest.h>

#include <atomic>

namespace opstore::testing {

space_options chosen_space() {
    static std::atomic<int> made{0};
    space_options options("contract " + std::to_string(made++));
    options.format = chosen_id_format(chosen_id_length);
    return options;
}

store_under_test::store_under_test(implementation const& of_kind, space_options options)
    : kind(of_kind), store(of_kind.make(std::move(options), clock)) {}

void on_each_store(space_options const& options, std::function<void(store_under_test&)> const& test) {
    REQUIRE_FALSE(implementations().empty());
    for (auto const& kind : implementations()) {
        INFO("implementation: ", kind.name);
        store_under_test tested(kind, options);
        test(tested);
    }
}

void on_each_store(std::function<void(store_under_test&)> const& test) {
    on_each_store(chosen_space(), test);
}

op_id id_at(std::uint32_t name, std::uint32_t location) {
    return chosen_id(name, arc::location{location}, chosen_id_length);
}

arc::timestamp at(std::int64_t micros) {
    return arc::from_micros(micros);
}

std::vector<op_id> ids(std::initializer_list<op_id> list) {
    return list;
}

std::vector<incoming_op> only(incoming_op op) {
    std::vector<incoming_op> batch;
    batch.push_back(std::move(op));
    return batch;
}

std::vector<incoming_op> numbered_ops(std::uint32_t first, std::uint32_t count, arc::timestamp created_at) {
    std::vector<incoming_op> batch;
    batch.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        batch.push_back(chosen_op(id_at(first + i), at(arc::to_micros(created_at) + i)));
    }
    return batch;
}

std::vector<op_id> follow_pages(op_store& store, arc::dht_arc arc, arc::timestamp start,
                                std::uint64_t limit_bytes) {
    std::vector<op_id> walked;
    for (;;) {
        auto const page = get(store.retrieve_op_ids_bounded(arc, start, limit_bytes));
        REQUIRE(page.bytes <= limit_bytes);
        REQUIRE(page.ids.size() <= op_store::page_ids_max);
        walked.insert(walked.end(), page.ids.begin(), page.ids.end());
        if (!page.next_op_bytes) {
            return walked;
        }
        REQUIRE(page.next > start);
        start = page.next;
    }
}

}  // namespace opstore::testing
