#include <opstore/tool/exit_code.hpp>

#include <opstore/errors.hpp>

#include <system_error>

namespace opstore::tool {
namespace {

exit_code exit_code_of(errc code) {
    switch (code) {
        case errc::invalid_argument:
            return exit_code::usage;
        case errc::schema_mismatch:
            return exit_code::schema_mismatch;
        case errc::unavailable:
            return exit_code::cannot_connect;
        case errc::timed_out:
        case errc::cancelled_in_doubt:
        case errc::overloaded:
            return exit_code::try_again;
        case errc::no_such_space:
        case errc::space_differs:
        case errc::slices_kept_by_store:
        case errc::rejected_by_database:
            break;
    }
    return exit_code::failure;
}

/// A connection that was lost, or that the server ended, was there: trying again is the advice then, and
/// looking for the server only if none answered at all.
exit_code exit_code_of(store_error const& error) {
    bool const reached_a_server = !error.sqlstate().empty() || error.commit_in_doubt();
    if (error.code() == errc::unavailable && error.retryable() && reached_a_server)
        return exit_code::try_again;
    return exit_code_of(error.code());
}

}  // namespace

exit_code exit_code_of(std::exception const& error) {
    if (auto const* own = dynamic_cast<tool_error const*>(&error))
        return own->code();
    if (auto const* refusal = dynamic_cast<refused const*>(&error))
        return exit_code_of(refusal->code());
    if (auto const* outage = dynamic_cast<store_error const*>(&error))
        return exit_code_of(*outage);
    return exit_code::failure;
}

tool_error system_failure(std::string const& what, int error_number) {
    return tool_error(exit_code::failure, what + ": " + std::generic_category().message(error_number));
}

}  // namespace opstore::tool
