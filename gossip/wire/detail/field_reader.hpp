#pragma once

#include <google/protobuf/io/coded_stream.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace opstore::gossip::detail {

/// How the value of a field follows its tag. Numbers of protobuf's encoding. Its groups (3 and 4) are not
/// here: proto3 cannot declare one.
enum class wire_type : std::uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

/// One field as it lies on the wire.
struct wire_field {
    std::uint32_t number = 0;
    wire_type type = wire_type::varint;
    std::uint64_t value = 0;           ///< Of a varint.
    std::span<const std::byte> bytes;  ///< Of wire_type::bytes, inside of what is read.
};

/// Reads the fields of one message one after another, without a schema and without an allocation.
///
/// Thread safety: none.
class field_reader {
public:
    /// `message` must outlive the reader and what it answers. Precondition: shorter than 2^31 bytes.
    explicit field_reader(std::span<const std::byte> message)
        : message_(message),
          input_(reinterpret_cast<std::uint8_t const*>(message.data()), static_cast<int>(message.size())) {}

    /// None at the end, and where the bytes are no field: failed() tells which.
    std::optional<wire_field> next() {
        if (input_.CurrentPosition() == static_cast<int>(message_.size())) {
            return std::nullopt;
        }
        std::uint32_t const tag = input_.ReadTag();
        wire_field field;
        field.number = tag >> 3;
        field.type = static_cast<wire_type>(tag & 7);
        failed_ = field.number == 0 || !read_value(field);
        return failed_ ? std::nullopt : std::optional(field);
    }

    bool failed() const { return failed_; }

private:
    bool read_value(wire_field& field) {
        switch (field.type) {
            case wire_type::varint:
                return input_.ReadVarint64(&field.value);
            case wire_type::fixed64:
                return input_.Skip(8);
            case wire_type::bytes:
                return read_bytes(field);
            case wire_type::fixed32:
                return input_.Skip(4);
        }
        return false;
    }

    bool read_bytes(wire_field& field) {
        int size = 0;
        if (!input_.ReadVarintSizeAsInt(&size)) {
            return false;
        }
        auto const at = static_cast<std::size_t>(input_.CurrentPosition());
        field.bytes =
            message_.subspan(at).first(std::min(message_.size() - at, static_cast<std::size_t>(size)));
        return input_.Skip(size);
    }

    std::span<const std::byte> message_;
    google::protobuf::io::CodedInputStream input_;
    bool failed_ = false;
};

}  // namespace opstore::gossip::detail
