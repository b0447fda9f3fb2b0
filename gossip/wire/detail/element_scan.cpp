#include <gossip/wire/codec.hpp>
#include <gossip/wire/detail/element_scan.hpp>
#include <gossip/wire/detail/field_reader.hpp>

#include <google/protobuf/descriptor.h>

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace opstore::gossip::detail {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

/// Every number ends in the one byte of it that has no high bit. Our lists have varints only.
std::size_t packed_count(std::span<const std::byte> list) {
    return static_cast<std::size_t>(
        std::ranges::count_if(list, [](std::byte byte) { return (byte & std::byte{0x80}) == std::byte{0}; }));
}

class element_scan {
public:
    /// The recursion is as deep as the declared types are nested.
    std::optional<protocol_errc> walk(Descriptor const& type, std::span<const std::byte> message) {
        field_reader reader(message);
        FieldDescriptor const* declared = nullptr;
        std::uint32_t declared_number = 0;
        while (auto const field = reader.next()) {
            if (field->number != declared_number) {
                declared = type.FindFieldByNumber(static_cast<int>(field->number));
                declared_number = field->number;
            }
            if (auto const error = count(declared, *field)) {
                return error;
            }
        }
        return reader.failed() ? std::optional(protocol_errc::malformed) : std::nullopt;
    }

private:
    std::optional<protocol_errc> count(FieldDescriptor const* declared, wire_field const& field) {
        bool const holds = declared != nullptr && field.type == wire_type::bytes;
        bool const packed = holds && declared->is_packable();
        elements_ += packed ? std::max<std::size_t>(packed_count(field.bytes), 1) : 1;
        if (elements_ > elements_max) {
            return protocol_errc::too_large;
        }
        bool const nested = holds && declared->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
        return nested ? walk(*declared->message_type(), field.bytes) : std::nullopt;
    }

    std::size_t elements_ = 0;
};

}  // namespace

protocol_result<void> check_elements(Descriptor const& type, std::span<const std::byte> message) {
    auto const error = element_scan().walk(type, message);
    if (!error) {
        return {};
    }
    if (*error == protocol_errc::too_large) {
        return protocol_error(*error, fmt::format("{}: more than {} elements", type.name(), elements_max));
    }
    return protocol_error(*error, fmt::format("{}: the bytes are no message", type.name()));
}

}  // namespace opstore::gossip::detail
