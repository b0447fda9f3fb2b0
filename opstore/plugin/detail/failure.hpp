#pragma once

#include <opstore/plugin/opstore_plugin.h>
#include <opstore/errors.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace opstore::plugin::detail {

/// Why a call failed, as it crosses to the host. Making one never fails: without memory for its texts it is
/// told without them.
struct failure {
    std::int32_t code = OPSTORE_INTERNAL;
    bool retryable = false;
    bool commit_in_doubt = false;
    std::string message, sqlstate, statement;

    failure() = default;
    /// Messages quote what they are about, keys of any bytes too: made printable, they are texts for the
    /// host.
    failure(std::int32_t c, std::string_view text) noexcept;
};

/// connect_database() has not succeeded yet.
class not_connected : public std::exception {
public:
    char const* what() const noexcept override { return "the database is not connected yet"; }
};

failure no_memory() noexcept;
/// Before anything was changed.
failure cancelled() noexcept;
failure describe(refusal const& refused) noexcept;
/// Of any exception that a store or this plugin throws. Precondition: not null.
failure describe(std::exception_ptr const& error) noexcept;

/// In a catch block: throws on what ended a call, as one that may have changed something. For a call of
/// several steps, of which an earlier one was a write: whatever ended it, a cancel too, that write stands.
[[noreturn]] void rethrow_in_doubt();

/// Its C form, valid as long as `f` is.
opstore_error c_error(failure const& f);

}  // namespace opstore::plugin::detail
