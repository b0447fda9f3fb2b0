#pragma once

#include <opstore/plugin/opstore_plugin.h>
#include <arc/arc_set.hpp>
#include <arc/dht_arc.hpp>
#include <opstore/deadline.hpp>
#include <opstore/errors.hpp>
#include <opstore/op_store.hpp>
#include <opstore/peer_meta.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Reads what a host gives: each function copies, and throws refused (invalid_argument) that names the
/// argument for what it cannot take.
namespace opstore::plugin::detail {

[[noreturn]] void refuse(char const* name, std::string const& why);

/// What lies behind a host's struct of `size` bytes, beyond what is known here: bytes that are all zero.
void check_unknown_part(void const* given, std::size_t known, std::size_t size, char const* name);

/// What is known here of a struct with a struct_size, by the rules of opstore_plugin.h, "VERSIONS". The
/// fields that an older host does not know are zero. `first_version_size`: what every host fills in.
template <class Struct>
Struct read_known_part(Struct const* given, std::size_t first_version_size, char const* name) {
    if (!given)
        refuse(name, "NULL");
    std::size_t const size = given->struct_size;
    if (size < first_version_size)
        refuse(name, "struct_size is " + std::to_string(size) + ", less than in the first version (" +
                         std::to_string(first_version_size) + ")");
    Struct known{};
    std::copy_n(reinterpret_cast<std::byte const*>(given), std::min(size, sizeof(Struct)),
                reinterpret_cast<std::byte*>(&known));
    return known;
}

/// All of it: the part that is not known here must be zero.
template <class Struct>
Struct read_struct(Struct const* given, std::size_t first_version_size, char const* name) {
    auto const known = read_known_part(given, first_version_size, name);
    check_unknown_part(given, sizeof known, given->struct_size, name);
    return known;
}

/// No host has more of anything. It is far below what a vector of any type here can be asked for.
constexpr std::uint64_t array_count_max = std::uint64_t{1} << 32;

/// `count` elements behind `data`, which may be NULL if there are none.
template <class Element>
std::span<const Element> read_array(Element const* data, std::size_t count, char const* name) {
    if (!data && count > 0)
        refuse(name, "NULL, with a count of " + std::to_string(count));
    if (count > array_count_max)
        refuse(name,
               "a count of " + std::to_string(count) + ", more than " + std::to_string(array_count_max));
    return {data, count};
}

std::vector<std::byte> read_bytes(opstore_bytes given, char const* name);
/// Of any value.
std::string read_key(opstore_bytes given, char const* name);
/// Without zero bytes: it goes on to functions that stop at one.
std::string read_text(opstore_text given, char const* name);

/// One that no op can have becomes the id of length 0, which no op has either.
op_id read_id(opstore_bytes given, char const* name);
/// The same length as given, in the same order.
std::vector<op_id> read_ids(opstore_bytes const* ids, std::size_t count);

std::vector<incoming_op> read_ops(opstore_incoming_op const* ops, std::size_t count);
arc::dht_arc read_arc(opstore_arc given);
std::vector<arc::dht_arc> read_arcs(opstore_arc const* arcs, std::size_t count);
arc::arc_set read_sectors(opstore_sector_set const* given);
std::vector<arc::time_range> read_ranges(opstore_time_range const* ranges, std::size_t count);
op_region read_region(opstore_region const& given);
std::vector<op_region> read_regions(opstore_region const* regions, std::size_t count);
op_position read_position(opstore_position const& given);
std::vector<peer_meta_entry> read_peer_entries(opstore_peer_entry const* entries, std::size_t count);

/// 0: the database's own.
deadline read_timeout(std::uint32_t timeout_ms);

/// The rest is refused by the store, which knows the bounds. Whatever is refused: if there is a format, and
/// both structs have what the first version has, its context is taken over, and so released.
space_options read_space_options(opstore_space_options const* given);

}  // namespace opstore::plugin::detail
