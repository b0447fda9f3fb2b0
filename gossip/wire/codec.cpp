#include <gossip/wire/codec.hpp>
#include <gossip/wire/detail/element_scan.hpp>
#include <gossip/wire/detail/envelope.hpp>
#include <gossip/wire/detail/from_protobuf.hpp>
#include <gossip/wire/detail/to_protobuf.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <memory>
#include <type_traits>
#include <utility>

namespace opstore::gossip {
namespace {

// The names of the modules on the wire, in the order of the alternatives of `message`. Do not rename.
constexpr std::array<std::string_view, std::variant_size_v<message>> module_ids = {"k2gossip", "Fetch",
                                                                                   "Publish"};

// The word of each message, in the order of the alternatives, which is that of the numbers on the wire.
constexpr std::array<std::string_view, std::variant_size_v<gossip_message>> gossip_names = {
    "initiate",
    "accept",
    "no_diff",
    "disc_sectors_diff",
    "disc_details_diff",
    "disc_details_response",
    "ring_details_diff",
    "ring_details_response",
    "hashes",
    "agents",
    "busy",
    "terminate"};
constexpr std::array<std::string_view, std::variant_size_v<fetch_message>> fetch_names = {"fetch_request",
                                                                                          "fetch_response"};
constexpr std::array<std::string_view, std::variant_size_v<publish_message>> publish_names = {
    "publish_ops", "publish_agent"};

constexpr auto const& names_of(gossip_message const*) {
    return gossip_names;
}
constexpr auto const& names_of(fetch_message const*) {
    return fetch_names;
}
constexpr auto const& names_of(publish_message const*) {
    return publish_names;
}

/// The types of a module's messages are numbered from 1 in the order of the variant.
template <class Module>
std::uint64_t type_number(Module const& m) {
    return m.index() + 1;
}

/// One message of a module, on its way to bytes: nothing is written before all sizes are known.
class outgoing {
public:
    template <class Module>
    static outgoing of(Module const& m) {
        return std::visit(
            [&](auto const& value) { return outgoing(type_number(m), detail::to_protobuf(value)); }, m);
    }

    std::size_t size() const { return detail::payload_bytes(type_, data_bytes_); }

    void append_to(std::vector<std::byte>& out) const {
        detail::append_payload_header(out, type_, data_bytes_);
        auto const at = out.size();
        out.resize(at + data_bytes_);
        data_->SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out.data() + at));
    }

private:
    template <class Protobuf>
    outgoing(std::uint64_t type, Protobuf&& data)
        : type_(type),
          data_(std::make_unique<Protobuf>(std::move(data))),
          data_bytes_(data_->ByteSizeLong()) {}

    std::uint64_t type_;
    std::unique_ptr<google::protobuf::MessageLite> data_;
    std::size_t data_bytes_;
};

template <class Module>
std::vector<std::byte> encode_module(Module const& m) {
    auto const payload = outgoing::of(m);
    std::vector<std::byte> out;
    out.reserve(payload.size());
    payload.append_to(out);
    assert(out.size() <= frame_bytes_max);
    return out;
}

/// What a frame has besides its payload and the space's name, at most: tags, lengths and the module's name.
constexpr std::size_t frame_overhead_bytes = 64;

protocol_error named(std::string_view name, protocol_error const& error) {
    return protocol_error(error.code(), fmt::format("{}: {}", name, error.message()));
}

template <class Value>
protocol_result<Value> decode_value(std::span<const std::byte> bytes) {
    using Protobuf = decltype(detail::to_protobuf(std::declval<Value const&>()));
    if (auto const scanned = detail::check_elements(*Protobuf::descriptor(), bytes); !scanned) {
        return scanned.error();
    }
    Protobuf parsed;
    if (!parsed.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return protocol_error(protocol_errc::malformed, "the bytes are no message");
    }
    Value value;
    detail::field_checks checks;
    detail::from_protobuf(std::move(parsed), value, checks);
    if (!checks.ok()) {
        return checks.failure();
    }
    return value;
}

template <class Module, std::size_t... Index>
protocol_result<Module> decode_type(std::size_t index, std::span<const std::byte> data,
                                    std::index_sequence<Index...>) {
    protocol_result<Module> decoded = protocol_error();
    auto const decode_one = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
        using Value = std::variant_alternative_t<I, Module>;
        auto value = decode_value<Value>(data);
        if (value) {
            decoded = Module(std::move(*value));
        } else {
            decoded = named(names_of(static_cast<Module const*>(nullptr))[I], value.error());
        }
    };
    ((index == Index ? decode_one(std::integral_constant<std::size_t, Index>()) : void()), ...);
    return decoded;
}

template <class Module>
protocol_result<Module> decode_module(std::span<const std::byte> bytes) {
    auto const payload = detail::read_payload(bytes);
    if (!payload) {
        return payload.error();
    }
    constexpr std::size_t types = std::variant_size_v<Module>;
    if (payload->type == 0 || payload->type > types) {
        return protocol_error(protocol_errc::unknown_type,
                              fmt::format("message type {}; known are 1 to {}", payload->type, types));
    }
    return decode_type<Module>(payload->type - 1, payload->data, std::make_index_sequence<types>());
}

template <class Module>
protocol_result<message> decode_any(std::span<const std::byte> bytes) {
    auto decoded = decode_module<Module>(bytes);
    if (!decoded) {
        return decoded.error();
    }
    return message(std::move(*decoded));
}

}  // namespace

std::vector<std::byte> encode_frame(std::span<const std::byte> space, message const& m) {
    auto const payload = std::visit([](auto const& module) { return outgoing::of(module); }, m);
    std::vector<std::byte> out;
    out.reserve(payload.size() + space.size() + frame_overhead_bytes);
    detail::append_frame_header(out, payload.size());
    payload.append_to(out);
    detail::append_frame_trailer(out, space, module_ids[m.index()]);
    assert(out.size() <= frame_bytes_max);
    return out;
}

protocol_result<message> decode_frame(std::span<const std::byte> space, std::span<const std::byte> frame) {
    auto const read = detail::read_frame(frame);
    if (!read) {
        return read.error();
    }
    if (read->type != detail::frame_type_module) {
        return protocol_error(protocol_errc::unknown_type, fmt::format("frame type {}", read->type));
    }
    if (!read->space || !std::ranges::equal(*read->space, space)) {
        return protocol_error(protocol_errc::other_space,
                              read->space ? "a frame for another space" : "a frame for no space");
    }
    if (read->module_id == module_ids[0]) {
        return decode_any<gossip_message>(read->data);
    }
    if (read->module_id == module_ids[1]) {
        return decode_any<fetch_message>(read->data);
    }
    if (read->module_id == module_ids[2]) {
        return decode_any<publish_message>(read->data);
    }
    return protocol_error(protocol_errc::unknown_type, "a frame for an unknown module");
}

std::vector<std::byte> encode(gossip_message const& m) {
    return encode_module(m);
}

std::vector<std::byte> encode(fetch_message const& m) {
    return encode_module(m);
}

std::vector<std::byte> encode(publish_message const& m) {
    return encode_module(m);
}

protocol_result<gossip_message> decode_gossip(std::span<const std::byte> bytes) {
    return decode_module<gossip_message>(bytes);
}

protocol_result<fetch_message> decode_fetch(std::span<const std::byte> bytes) {
    return decode_module<fetch_message>(bytes);
}

protocol_result<publish_message> decode_publish(std::span<const std::byte> bytes) {
    return decode_module<publish_message>(bytes);
}

std::string_view name_of(message const& m) {
    return std::visit([](auto const& module) { return names_of(&module)[module.index()]; }, m);
}

}  // namespace opstore::gossip
