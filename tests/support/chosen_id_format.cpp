#include <tests/support/chosen_id_format.hpp>

#include <algorithm>
#include <array>
#include <cassert>

namespace opstore::testing {
namespace {

constexpr std::size_t time_bytes = 8;
constexpr std::size_t location_bytes = 4;

std::uint64_t read_little_endian(std::span<const std::byte> bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
        value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
    }
    return value;
}

class chosen_format final : public op_format {
public:
    explicit chosen_format(std::size_t id_length) : id_length_(id_length) {}

    std::string_view name() const override { return "chosen-id"; }
    std::size_t id_length() const override { return id_length_; }

    boost::system::result<op_header, decode_failure> decode(
        std::span<const std::byte> op, std::span<const std::byte> metadata) const override {
        if (op.size() < time_bytes + id_length_) {
            return decode_failure(rejection_reason::unreadable, "shorter than its time and id");
        }
        if (std::ranges::equal(metadata, bytes_of(metadata_refuse))) {
            return decode_failure(rejection_reason::refused_by_host, "the metadata says so");
        }
        bool const short_id = std::ranges::equal(metadata, bytes_of(metadata_short_id));
        auto const created_at = static_cast<std::int64_t>(read_little_endian(op.first(time_bytes)));
        return op_header{op_id(op.subspan(time_bytes, id_length_ - (short_id ? 1 : 0))),
                         arc::from_micros(created_at)};
    }

    arc::location locate(op_id const& id) const override {
        return arc::location{static_cast<std::uint32_t>(
            read_little_endian(id.bytes().last(std::min(location_bytes, id.length()))))};
    }

    std::span<const std::byte> payload(std::span<const std::byte> op) const override {
        return op.subspan(time_bytes + id_length_);
    }

private:
    std::size_t id_length_;
};

}  // namespace

std::shared_ptr<const op_format> chosen_id_format(std::size_t id_length) {
    return std::make_shared<const chosen_format>(id_length);
}

std::vector<std::byte> bytes_of(std::string_view text) {
    auto const bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

op_id chosen_id(std::uint32_t name, arc::location at, std::size_t length) {
    assert(length > location_bytes && length <= op_id::length_max);
    std::array<std::byte, op_id::length_max> bytes{};
    std::size_t const name_bytes = std::min<std::size_t>(4, length - location_bytes);
    assert(name_bytes == 4 || name >> (8 * name_bytes) == 0);
    for (std::size_t i = 0; i < name_bytes; ++i) {
        bytes[i] = static_cast<std::byte>(name >> (8 * (name_bytes - 1 - i)));
    }
    for (std::size_t i = 0; i < location_bytes; ++i) {
        bytes[length - location_bytes + i] = static_cast<std::byte>(at.value >> (8 * i));
    }
    return op_id(std::span(bytes.data(), length));
}

op_bytes encode_chosen(op_id const& id, arc::timestamp created_at, std::span<const std::byte> payload) {
    // The plain format starts with the time too.
    op_bytes op = encode_plain(created_at, id.bytes());
    op.insert(op.end(), payload.begin(), payload.end());
    return op;
}

op_bytes encode_chosen(op_id const& id, arc::timestamp created_at, std::string_view payload) {
    return encode_chosen(id, created_at, std::as_bytes(std::span(payload)));
}

incoming_op chosen_op(op_id const& id, arc::timestamp created_at, std::string_view payload) {
    return incoming_op(encode_chosen(id, created_at, payload));
}

}  // namespace opstore::testing
