#include <opstore/base64.hpp>
#include <opstore/tool/commands.hpp>
#include <opstore/tool/output.hpp>

#include <fmt/format.h>
#include <boost/json/object.hpp>

#include <algorithm>

namespace opstore::tool {
namespace {

namespace json = boost::json;

std::string text_of(std::vector<std::byte> const& hash) {
    return to_base64(hash, base64_form::url_unpadded);
}

/// A hash of any length. Text that could be either is taken as hex: base64url of the same bytes is shorter.
std::vector<std::byte> read_hash(std::string const& text) {
    auto const hex_digit = [](char c) {
        return std::string_view("0123456789abcdefABCDEF").find(c) != std::string::npos;
    };
    if (!text.empty() && text.size() % 2 == 0 && std::all_of(text.begin(), text.end(), hex_digit)) {
        std::vector<std::byte> bytes;
        for (std::size_t i = 0; i < text.size(); i += 2)
            bytes.push_back(static_cast<std::byte>(std::stoi(text.substr(i, 2), nullptr, 16)));
        return bytes;
    }
    if (auto bytes = from_base64(text, base64_form::url_unpadded); bytes && !bytes->empty())
        return std::move(*bytes);
    throw usage_error(fmt::format("--hash '{}': neither hex nor base64url without padding, or empty", text));
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
    auto hash = read_hash(line.hash_text);
    auto const store = s.open_for_writing();
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
