#include <opstore/plugin/detail/arguments.hpp>
#include <opstore/plugin/detail/host_format.hpp>

#include <fmt/format.h>

namespace opstore::plugin::detail {
namespace {

/// Of the first version, which ended there.
constexpr std::size_t op_format_size =
    offsetof(opstore_op_format, release) + sizeof(opstore_op_format::release);
constexpr std::size_t space_options_size =
    offsetof(opstore_space_options, max_future_us) + sizeof(opstore_space_options::max_future_us);

/// One put_peer_meta() is one message to the server, which bears a gigabyte of it at most.
constexpr std::size_t peer_entries_max = 65'536, peer_entries_bytes_max = 64u << 20;

void check_size(std::span<const opstore_peer_entry> entries) {
    if (entries.size() > peer_entries_max)
        refuse("entries", fmt::format("{} of them, more than {}", entries.size(), peer_entries_max));
    std::size_t left = peer_entries_bytes_max;
    for (opstore_peer_entry const& entry : entries) {
        for (std::size_t const size : {entry.peer.size, entry.key.size, entry.value.size}) {
            if (size > left)
                refuse("entries", fmt::format("more than {} bytes in all", peer_entries_bytes_max));
            left -= size;
        }
    }
}

std::span<const std::byte> span_of(opstore_bytes given, char const* name) {
    return std::as_bytes(read_array(given.data, given.size, name));
}

std::shared_ptr<const op_format> read_format(opstore_space_options const& given) {
    if (given.format) {
        // Taken before anything else is looked at: whatever is refused then, its end releases the context.
        auto taken = host_format::take(read_known_part(given.format, op_format_size, "format"));
        check_unknown_part(given.format, sizeof *given.format, given.format->struct_size, "format");
        if (given.built_in_format.size > 0)
            refuse("built_in_format", "a space has one format, and `format` is given too");
        return taken;
    }
    auto const name = read_text(given.built_in_format, "built_in_format");
    auto found = name.empty() ? plain_format() : find_format(name);
    if (!found)
        refuse("built_in_format", fmt::format("'{}' is not plain, signed or located", name));
    return found;
}

}  // namespace

void refuse(char const* name, std::string const& why) {
    throw refused(refusal(errc::invalid_argument, fmt::format("{}: {}", name, why)));
}

void check_unknown_part(void const* given, std::size_t known, std::size_t size, char const* name) {
    auto const* const bytes = static_cast<std::byte const*>(given);
    for (std::size_t i = known; i < size; ++i) {
        if (bytes[i] != std::byte{0}) {
            refuse(name, fmt::format("it is longer than this plugin knows ({} bytes, not {}) and asks for "
                                     "something there: a newer plugin is needed",
                                     size, known));
        }
    }
}

std::vector<std::byte> read_bytes(opstore_bytes given, char const* name) {
    auto const bytes = span_of(given, name);
    return {bytes.begin(), bytes.end()};
}

std::string read_key(opstore_bytes given, char const* name) {
    auto const bytes = span_of(given, name);
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

std::string read_text(opstore_text given, char const* name) {
    auto const text = read_array(given.data, given.size, name);
    std::string result(text.begin(), text.end());
    if (result.find('\0') != std::string::npos)
        refuse(name, "there is a zero byte in it");
    return result;
}

op_id read_id(opstore_bytes given, char const* name) {
    return op_id::from_bytes(span_of(given, name)).value_or(op_id());
}

std::vector<op_id> read_ids(opstore_bytes const* ids, std::size_t count) {
    auto const given = read_array(ids, count, "ids");
    std::vector<op_id> result;
    result.reserve(count);
    for (opstore_bytes const id : given)
        result.push_back(read_id(id, "an id"));
    return result;
}

std::vector<incoming_op> read_ops(opstore_incoming_op const* ops, std::size_t count) {
    auto const batch = read_array(ops, count, "ops");
    std::vector<incoming_op> result;
    result.reserve(count);
    for (opstore_incoming_op const& given : batch) {
        incoming_op op(read_bytes(given.data, "data of an op"));
        if (given.claimed_id.size > 0)
            op.claimed_id = read_id(given.claimed_id, "claimed_id of an op");
        op.metadata = read_bytes(given.metadata, "metadata of an op");
        result.push_back(std::move(op));
    }
    return result;
}

arc::dht_arc read_arc(opstore_arc given) {
    if (given.kind == OPSTORE_ARC_EMPTY)
        return arc::dht_arc::empty();
    if (given.kind != OPSTORE_ARC_RANGE)
        refuse("arc", fmt::format("kind is {}, not OPSTORE_ARC_EMPTY or OPSTORE_ARC_RANGE", given.kind));
    return arc::dht_arc::between({given.start}, {given.end});
}

std::vector<arc::dht_arc> read_arcs(opstore_arc const* arcs, std::size_t count) {
    auto const given = read_array(arcs, count, "arcs");
    std::vector<arc::dht_arc> result;
    result.reserve(count);
    for (opstore_arc const arc : given)
        result.push_back(read_arc(arc));
    return result;
}

arc::arc_set read_sectors(opstore_sector_set const* given) {
    if (!given)
        refuse("sectors", "NULL");
    return arc::arc_set::decode(given->words).value();
}

std::vector<arc::time_range> read_ranges(opstore_time_range const* ranges, std::size_t count) {
    auto const given = read_array(ranges, count, "ranges");
    std::vector<arc::time_range> result;
    result.reserve(count);
    for (opstore_time_range const range : given)
        result.push_back({arc::from_micros(range.start), arc::from_micros(range.end)});
    return result;
}

op_region read_region(opstore_region const& given) {
    // A sector that does not exist holds no ops, as everywhere; it only must not become one that does.
    auto const sector = std::min<std::uint32_t>(given.sector, arc::sector_count);
    return {static_cast<arc::sector_index>(sector),
            {arc::from_micros(given.range.start), arc::from_micros(given.range.end)}};
}

std::vector<op_region> read_regions(opstore_region const* regions, std::size_t count) {
    auto const given = read_array(regions, count, "regions");
    std::vector<op_region> result;
    result.reserve(count);
    for (opstore_region const& region : given)
        result.push_back(read_region(region));
    return result;
}

op_position read_position(opstore_position const& given) {
    if (given.id.size > op_id::length_max)
        refuse("after", fmt::format("an id of {} bytes", given.id.size));
    return {arc::from_micros(given.created_at), read_id(given.id, "after")};
}

std::vector<peer_meta_entry> read_peer_entries(opstore_peer_entry const* entries, std::size_t count) {
    auto const all = read_array(entries, count, "entries");
    check_size(all);
    std::vector<peer_meta_entry> result;
    result.reserve(count);
    for (opstore_peer_entry const& given : all) {
        peer_meta_entry entry;
        entry.peer = read_key(given.peer, "peer of an entry");
        entry.key = read_key(given.key, "key of an entry");
        entry.value = read_bytes(given.value, "value of an entry");
        if (given.expires_at.present)
            entry.expires_at = arc::from_micros(given.expires_at.value);
        result.push_back(std::move(entry));
    }
    return result;
}

deadline read_timeout(std::uint32_t timeout_ms) {
    return timeout_ms == 0 ? deadline() : deadline::after(std::chrono::milliseconds(timeout_ms));
}

space_options read_space_options(opstore_space_options const* all) {
    auto const given = read_known_part(all, space_options_size, "options");
    auto format = read_format(given);
    space_options options;
    options.format = std::move(format);
    check_unknown_part(all, sizeof given, given.struct_size, "options");
    options.key = read_key(given.key, "key");
    if (given.max_op_bytes > 0)
        options.max_op_bytes = given.max_op_bytes;
    if (given.slice_factor) {
        // Compared before it is narrowed.
        if (*given.slice_factor > static_cast<std::uint32_t>(arc::factor_max))
            refuse("slice_factor",
                   fmt::format("{}, possible are 0 to {}", *given.slice_factor, arc::factor_max));
        options.slice_factor = static_cast<int>(*given.slice_factor);
    }
    if (given.slices != OPSTORE_SLICES_BY_HOST && given.slices != OPSTORE_SLICES_BY_STORE)
        refuse("slices", fmt::format("{} is no slice mode", given.slices));
    options.slices = given.slices == OPSTORE_SLICES_BY_STORE ? slice_mode::store : slice_mode::host;
    if (given.max_future_us)
        options.max_future = std::chrono::microseconds(*given.max_future_us);
    return options;
}

}  // namespace opstore::plugin::detail
