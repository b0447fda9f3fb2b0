#include <gossip/wire/codec.hpp>
#include <gossip/wire/detail/envelope.hpp>
#include <gossip/wire/detail/field_reader.hpp>

#include <fmt/format.h>

#include <array>

namespace opstore::gossip::detail {
namespace {

using google::protobuf::io::CodedOutputStream;

constexpr std::uint32_t type_field = 1;
constexpr std::uint32_t data_field = 2;
constexpr std::uint32_t space_field = 3;
constexpr std::uint32_t module_field = 4;

constexpr std::uint32_t tag_of(std::uint32_t field, wire_type type) {
    return field << 3 | static_cast<std::uint32_t>(type);
}

void append_varint(std::vector<std::byte>& out, std::uint64_t value) {
    std::array<std::uint8_t, 10> bytes;
    std::uint8_t const* const end = CodedOutputStream::WriteVarint64ToArray(value, bytes.data());
    auto const written = std::as_bytes(std::span(bytes.data(), static_cast<std::size_t>(end - bytes.data())));
    out.insert(out.end(), written.begin(), written.end());
}

void append_bytes_header(std::vector<std::byte>& out, std::uint32_t field, std::size_t size) {
    append_varint(out, tag_of(field, wire_type::bytes));
    append_varint(out, size);
}

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

protocol_result<void> check_size(std::span<const std::byte> bytes) {
    if (bytes.size() > frame_bytes_max) {
        return protocol_error(protocol_errc::too_large,
                              fmt::format("{} bytes; a frame has at most {}", bytes.size(), frame_bytes_max));
    }
    return {};
}

}  // namespace

protocol_result<frame_view> read_frame(std::span<const std::byte> bytes) {
    if (auto const size = check_size(bytes); !size) {
        return size.error();
    }
    frame_view frame;
    field_reader reader(bytes);
    while (auto const field = reader.next()) {
        if (field->number == type_field && field->type == wire_type::varint) {
            frame.type = field->value;
        } else if (field->number == data_field && field->type == wire_type::bytes) {
            frame.data = field->bytes;
        } else if (field->number == space_field && field->type == wire_type::bytes) {
            frame.space = field->bytes;
        } else if (field->number == module_field && field->type == wire_type::bytes) {
            frame.module_id = text_of(field->bytes);
        }
    }
    if (reader.failed()) {
        return protocol_error(protocol_errc::malformed, "the frame is no K2Proto message");
    }
    return frame;
}

protocol_result<payload_view> read_payload(std::span<const std::byte> bytes) {
    if (auto const size = check_size(bytes); !size) {
        return size.error();
    }
    payload_view payload;
    field_reader reader(bytes);
    while (auto const field = reader.next()) {
        if (field->number == type_field && field->type == wire_type::varint) {
            payload.type = field->value;
        } else if (field->number == data_field && field->type == wire_type::bytes) {
            payload.data = field->bytes;
        }
    }
    if (reader.failed()) {
        return protocol_error(protocol_errc::malformed, "the payload is no module's message");
    }
    return payload;
}

std::size_t payload_bytes(std::uint64_t type, std::size_t data_bytes) {
    std::size_t const type_bytes = 1 + CodedOutputStream::VarintSize64(type);
    return data_bytes == 0 ? type_bytes
                           : type_bytes + 1 + CodedOutputStream::VarintSize64(data_bytes) + data_bytes;
}

void append_payload_header(std::vector<std::byte>& out, std::uint64_t type, std::size_t data_bytes) {
    append_varint(out, tag_of(type_field, wire_type::varint));
    append_varint(out, type);
    if (data_bytes != 0) {
        append_bytes_header(out, data_field, data_bytes);
    }
}

void append_frame_header(std::vector<std::byte>& out, std::size_t data_bytes) {
    append_varint(out, tag_of(type_field, wire_type::varint));
    append_varint(out, frame_type_module);
    append_bytes_header(out, data_field, data_bytes);
}

void append_frame_trailer(std::vector<std::byte>& out, std::span<const std::byte> space,
                          std::string_view module_id) {
    append_bytes_header(out, space_field, space.size());
    out.insert(out.end(), space.begin(), space.end());
    auto const name = std::as_bytes(std::span(module_id));
    append_bytes_header(out, module_field, name.size());
    out.insert(out.end(), name.begin(), name.end());
}

}  // namespace opstore::gossip::detail
