#include <opstore/base64.hpp>
#include <opstore/tool/commands.hpp>
#include <opstore/tool/output.hpp>

#include <fmt/format.h>
#include <boost/json/object.hpp>

#include <algorithm>
#include <charconv>

namespace opstore::tool {
namespace {

namespace json = boost::json;

std::string text_of(std::vector<std::byte> const& hash) {
    return to_base64(hash, base64_form::url_unpadded);
}

std::optional<std::vector<std::byte>> from_hex(std::string const& text) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        unsigned value = 0;
        auto const [end, error] =
            std::from_chars(text.data() + i, text.data() + std::min(i + 2, text.size()), value, 16);
        if (error != std::errc{} || end != text.data() + i + 2)
            return std::nullopt;
        bytes.push_back(static_cast<std::byte>(value));
    }
    return bytes;
}

/// A hash of any length. As with ids, text that could be either is hex if it then has the length of an id,
/// else base64url.
std::vector<std::byte> read_hash(std::string const& text, std::size_t id_length) {
    auto hex = from_hex(text);
    auto base64 = from_base64(text, base64_form::url_unpadded);
    if (!text.empty() && hex && (hex->size() == id_length || !base64))
        return std::move(*hex);
    if (!text.empty() && base64)
        return std::move(*base64);
    throw usage_error(fmt::format("--hash '{}': empty, or neither hex nor base64url without padding", text));
}

}  // namespace

exit_code run_slices_list(session& s, command_line const& line) {
    auto const store = s.open_for_reading();
    auto const hashes = s.get(store->retrieve_slice_hashes(line.arc));
    json::array list;
    for (slice_hash const& slice : hashes) {
        if (line.json)
            list.push_back({{"index", slice.index}, {"hash", text_of(slice.hash)}});
        else
            print_line(fmt::format(
                "{:>8}  {}  {}", slice.index,
                arc::to_rfc3339(arc::slice_range(slice.index, store->options().slice_factor).start),
                text_of(slice.hash)));
    }
    if (line.json)
        print_json(json::object{{"slices", std::move(list)}});
    return exit_code::ok;
}

exit_code run_slices_get(session& s, command_line const& line) {
    auto const store = s.open_for_reading();
    auto const hash = s.get(store->retrieve_slice_hash(line.arc, line.slice_index));
    if (line.json)
        print_json(json::object{{"hash", hash ? json::value(text_of(*hash)) : json::value(nullptr)}});
    else
        print_line(hash ? text_of(*hash) : "none");
    return exit_code::ok;
}

exit_code run_slices_put(session& s, command_line const& line) {
    // A text that is no hash in any space makes none.
    read_hash(line.hash_text, 0);
    auto const store = s.open_for_writing();
    auto hash = read_hash(line.hash_text, store->options().format->id_length());
    s.get(store->store_slice_hash(line.arc, line.slice_index, std::move(hash)));
    if (line.json)
        print_json(json::object{{"stored", true}});
    return exit_code::ok;
}

exit_code run_slices_count(session& s, command_line const& line) {
    auto const store = s.open_for_reading();
    auto const count = s.get(store->slice_hash_count(line.arc));
    if (line.json)
        print_json(json::object{{"count", count}});
    else
        print_line(std::to_string(count));
    return exit_code::ok;
}

}  // namespace opstore::tool
