#pragma once

#include <opstore/op_store.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

/// Answers of an op_store, and the arguments of its calls, as text: equal answers are equal texts, and people
/// can read a difference. So the script fuzz compares answers of all types alike. Messages of refusals and
/// rejections are left out, since a store may word them as it likes.
namespace opstore::testing {

std::string text(op_id const& id);
std::string text(arc::timestamp time);
std::string text(std::uint64_t number);
std::string text(std::vector<std::byte> const& bytes);
std::string text(slice_hash const& h);
std::string text(sector_hash const& h);
std::string text(stored_op const& op);
std::string text(new_op const& op);
std::string text(rejection const& r);
std::string text(combined_hash const& hash);
std::string text(arc::time_range const& r);
std::string text(arc::dht_arc arc);
std::string text(unit_hash const& h);
std::string text(tail_op const& op);
std::string text(sector_slices const& s);
std::string text(op_region const& r);
std::string text(region_ids const& r);
std::string text(op_position const& p);
std::string text(ingest_report const& r);
std::string text(id_list const& list);
std::string text(id_page const& page);
std::string text(store_summary const& s);
std::string text(seal_report const& r);
std::string text(verify_report const& r);
std::string text(space_hashes const& s);
std::string text(op_tail const& tail);
std::string text(region_page const& page);
std::string text(op_batch const& batch);
std::string text(space_stat const& s);

template <class T>
std::string text(std::vector<T> const& values);

template <class T>
std::string text(std::optional<T> const& value) {
    return value ? text(*value) : "none";
}

template <class T>
std::string text(std::vector<T> const& values) {
    std::string list = "(";
    for (auto const& value : values) {
        list += text(value) + "; ";
    }
    return list + ")";
}

/// The answer, or the code of the refusal.
template <class T>
std::string answer_text(result<T> const& answer) {
    if (answer.has_error()) {
        return fmt::format("refused: {}", to_string(answer.error().code()));
    }
    if constexpr (std::is_void_v<T>) {
        return "done";
    } else {
        return text(*answer);
    }
}

}  // namespace opstore::testing
