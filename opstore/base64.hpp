#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace opstore {

/// The two base64 alphabets that the project speaks.
enum class base64_form {
    standard,     ///< RFC 4648 section 4, with padding: payloads in JSON.
    url_unpadded  ///< RFC 4648 section 5, without padding: ids, as kitsune2 prints them.
};

std::string to_base64(std::span<const std::byte> bytes, base64_form form);

/// Strict: None for a foreign character, white space, wrong padding or trailing bits that are not zero.
std::optional<std::vector<std::byte>> from_base64(std::string_view text, base64_form form);

}  // namespace opstore
