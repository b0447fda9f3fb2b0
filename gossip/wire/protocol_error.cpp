#include <gossip/wire/protocol_error.hpp>

namespace opstore::gossip {

std::string_view to_string(protocol_errc code) {
    switch (code) {
        case protocol_errc::malformed:
            return "malformed";
        case protocol_errc::too_large:
            return "too_large";
        case protocol_errc::out_of_range:
            return "out_of_range";
        case protocol_errc::unknown_type:
            return "unknown_type";
        case protocol_errc::wrong_session:
            return "wrong_session";
        case protocol_errc::unexpected:
            return "unexpected";
        case protocol_errc::too_soon:
            return "too_soon";
        case protocol_errc::bad_agent_info:
            return "bad_agent_info";
        case protocol_errc::other_space:
            return "other_space";
    }
    return "unknown";
}

void throw_exception_from_error(protocol_error const& error, boost::source_location const&) {
    throw std::runtime_error(error.message());
}

}  // namespace opstore::gossip
