#include <opstore/errors.hpp>

namespace opstore {

std::string_view to_string(errc code) {
    switch (code) {
        case errc::no_such_space:
            return "no_such_space";
        case errc::space_differs:
            return "space_differs";
        case errc::invalid_argument:
            return "invalid_argument";
        case errc::slices_kept_by_store:
            return "slices_kept_by_store";
        case errc::schema_mismatch:
            return "schema_mismatch";
        case errc::unavailable:
            return "unavailable";
        case errc::timed_out:
            return "timed_out";
        case errc::cancelled_in_doubt:
            return "cancelled_in_doubt";
        case errc::rejected_by_database:
            return "rejected_by_database";
        case errc::overloaded:
            return "overloaded";
    }
    return "unknown";
}

}  // namespace opstore
