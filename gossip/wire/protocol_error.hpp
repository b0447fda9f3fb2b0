#pragma once

#include <boost/system/result.hpp>

#include <boost/assert/source_location.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace opstore::gossip {

/// What another peer did wrong. Such a message changes nothing and ends the round it belongs to.
enum class protocol_errc {
    malformed = 1,       ///< The bytes are no message: cut, or against the grammar of docs/wire.md.
    too_large = 2,       ///< More bytes or elements than a message may have.
    out_of_range = 3,    ///< A value that cannot be: a sector >= 512, an arc set of 3 words, a hash length.
    unknown_type = 4,    ///< A message type this version does not know.
    wrong_session = 5,   ///< For a round that is not the current one.
    unexpected = 6,      ///< A message that the round's state does not allow.
    too_soon = 7,        ///< More rounds than a peer may start in a while.
    bad_agent_info = 8,  ///< An agent info that does not parse, or whose signature does not hold.
    other_space = 9,     ///< A message for another space.
};

/// As one snake_case word, such as "wrong_session".
std::string_view to_string(protocol_errc code);

/// Which rule, and a sentence that names the offending thing.
class protocol_error {
public:
    /// Boost 1.81's result::error() makes one where there is none.
    protocol_error() = default;
    protocol_error(protocol_errc code, std::string message) : code_(code), message_(std::move(message)) {}

    protocol_errc code() const { return code_; }
    std::string const& message() const { return message_; }

private:
    protocol_errc code_ = protocol_errc::malformed;
    std::string message_;
};

[[noreturn]] void throw_exception_from_error(protocol_error const& error, boost::source_location const&);

template <class T>
using protocol_result = boost::system::result<T, protocol_error>;

}  // namespace opstore::gossip
