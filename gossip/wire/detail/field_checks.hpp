#pragma once

#include <gossip/wire/messages.hpp>
#include <gossip/wire/protocol_error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace opstore::gossip::detail {

/// The rules for single values of one message: which lengths and numbers can be at all. It remembers the
/// first that cannot, so that reading a message needs no way out at every field: whoever reads goes on with
/// the default that it gets, and asks for the failure in the end. Loops ask ok() before each turn.
///
/// Thread safety: none; one for each message.
class field_checks {
public:
    bool ok() const { return !failure_; }
    /// Precondition: !ok().
    protocol_error const& failure() const { return *failure_; }

    /// Only the first failure counts.
    void refuse(protocol_errc code, std::string what);

    session_id session(std::string_view bytes);
    op_id id(std::string_view bytes);
    agent_id agent(std::string_view bytes);
    arc::sector_index sector(std::uint32_t index);
    std::uint64_t slice(std::uint64_t index);
    std::uint32_t ring(std::uint32_t index);

    /// Of a set with ops. All hashes that one field_checks sees have one length, because they are combined
    /// with each other.
    combined_hash hash(std::string_view bytes);
    /// Of any set: empty if it has no ops.
    combined_hash top_hash(std::string_view bytes);

    /// UTF-8 of at most `bytes_max` bytes; `name` is the field's, for the report.
    std::string text(std::string&& bytes, std::size_t bytes_max, std::string_view name);

    /// Lists that are read side by side.
    void same_length(int keys, int values, std::string_view name);
    void at_most(int count, std::size_t count_max, std::string_view name);

private:
    std::optional<protocol_error> failure_;
    std::size_t hash_bytes_ = 0;  ///< 0: none yet.
};

}  // namespace opstore::gossip::detail
