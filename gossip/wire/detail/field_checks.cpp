#include <gossip/wire/detail/field_checks.hpp>

#include <fmt/format.h>
#include <boost/nowide/utf/utf.hpp>

#include <algorithm>
#include <utility>

namespace opstore::gossip::detail {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

bool is_utf8(std::string_view text) {
    namespace utf = boost::nowide::utf;
    auto const* at = text.data();
    auto const* const end = at + text.size();
    while (at != end) {
        if (!utf::is_valid_codepoint(utf::utf_traits<char>::decode(at, end))) {
            return false;
        }
    }
    return true;
}

}  // namespace

void field_checks::refuse(protocol_errc code, std::string what) {
    if (!failure_) {
        failure_.emplace(code, std::move(what));
    }
}

session_id field_checks::session(std::string_view bytes) {
    session_id session{};
    if (bytes.size() != session.size()) {
        refuse(protocol_errc::out_of_range,
               fmt::format("a session id of {} bytes; it has {}", bytes.size(), session.size()));
        return session;
    }
    std::ranges::copy(bytes_of(bytes), session.begin());
    return session;
}

op_id field_checks::id(std::string_view bytes) {
    if (bytes.empty() || bytes.size() > op_id::length_max) {
        refuse(protocol_errc::out_of_range,
               fmt::format("an op id of {} bytes; it has 1 to {}", bytes.size(), op_id::length_max));
        return {};
    }
    return op_id(bytes_of(bytes));
}

agent_id field_checks::agent(std::string_view bytes) {
    if (bytes.empty() || bytes.size() > agent_id_bytes_max) {
        refuse(protocol_errc::out_of_range,
               fmt::format("an agent id of {} bytes; it has 1 to {}", bytes.size(), agent_id_bytes_max));
        return {};
    }
    auto const agent = bytes_of(bytes);
    return agent_id(agent.begin(), agent.end());
}

arc::sector_index field_checks::sector(std::uint32_t index) {
    if (index >= arc::sector_count) {
        refuse(protocol_errc::out_of_range,
               fmt::format("sector {}; the last one is {}", index, arc::sector_count - 1));
        return 0;
    }
    return static_cast<arc::sector_index>(index);
}

std::uint64_t field_checks::slice(std::uint64_t index) {
    if (index >= slice_index_end) {
        refuse(protocol_errc::out_of_range,
               fmt::format("slice {}; the last one is {}", index, slice_index_end - 1));
    }
    return index;
}

std::uint32_t field_checks::ring(std::uint32_t index) {
    if (index >= rings_max) {
        refuse(protocol_errc::out_of_range, fmt::format("ring {}; the last one is {}", index, rings_max - 1));
    }
    return index;
}

combined_hash field_checks::hash(std::string_view bytes) {
    if (bytes.empty()) {
        refuse(protocol_errc::out_of_range, "an empty hash where ops are listed");
    }
    return top_hash(bytes);
}

combined_hash field_checks::top_hash(std::string_view bytes) {
    if (bytes.empty()) {
        return {};
    }
    if (bytes.size() > op_id::length_max) {
        refuse(protocol_errc::out_of_range,
               fmt::format("a hash of {} bytes; it has at most {}", bytes.size(), op_id::length_max));
        return {};
    }
    if (hash_bytes_ != 0 && bytes.size() != hash_bytes_) {
        refuse(protocol_errc::out_of_range,
               fmt::format("a hash of {} bytes beside one of {} bytes", bytes.size(), hash_bytes_));
    }
    hash_bytes_ = bytes.size();
    return combined_hash(bytes_of(bytes));
}

std::string field_checks::text(std::string&& bytes, std::size_t bytes_max, std::string_view name) {
    if (bytes.size() > bytes_max) {
        refuse(protocol_errc::too_large,
               fmt::format("{} of {} bytes; the most is {}", name, bytes.size(), bytes_max));
    } else if (!is_utf8(bytes)) {
        refuse(protocol_errc::malformed, fmt::format("{} is not UTF-8", name));
    }
    return std::move(bytes);
}

void field_checks::same_length(int keys, int values, std::string_view name) {
    if (keys != values) {
        refuse(protocol_errc::malformed, fmt::format("{}: {} keys for {} values", name, keys, values));
    }
}

void field_checks::at_most(int count, std::size_t count_max, std::string_view name) {
    if (static_cast<std::size_t>(count) > count_max) {
        refuse(protocol_errc::too_large, fmt::format("{} {}; the most is {}", count, name, count_max));
    }
}

}  // namespace opstore::gossip::detail
