#include <tests/contract/sector_ops.hpp>

namespace opstore::testing {

std::uint32_t first_of(arc::sector_index sector) {
    return sector * arc::sector_size;
}

arc::arc_set sectors_of(std::initializer_list<arc::sector_index> list) {
    arc::arc_set set;
    for (auto const sector : list) {
        set.insert(sector);
    }
    return set;
}

arc::time_range all_time() {
    return {arc::timestamp::min(), arc::timestamp::max()};
}

void put(store_under_test& space, std::vector<incoming_op> ops) {
    get(space->process_incoming_ops(std::move(ops)));
}

std::vector<op_id> put_five(store_under_test& space) {
    auto const id = [](std::uint32_t name) { return id_at(name, first_of(3) + 9); };
    put(space,
        {chosen_op(id(5), at(10), "x"), chosen_op(id(2), at(20), "xx"), chosen_op(id(4), at(20), "xxx"),
         chosen_op(id(1), at(30), "xxxx"), chosen_op(id(3), at(40), "xxxxx")});
    return {id(5), id(2), id(4), id(1), id(3)};
}

}  // namespace opstore::testing
