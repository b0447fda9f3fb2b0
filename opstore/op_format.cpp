#include <opstore/op_format.hpp>

#include <fmt/format.h>
#include <sodium.h>

#include <boost/assert/source_location.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <concepts>
#include <stdexcept>

namespace opstore {
namespace {

constexpr std::size_t hash_bytes = 32;
constexpr std::size_t time_bytes = sizeof(std::int64_t);
constexpr std::size_t location_bytes = sizeof(std::uint32_t);
constexpr std::size_t author_bytes = crypto_sign_PUBLICKEYBYTES;
constexpr std::size_t signature_bytes = crypto_sign_BYTES;
/// Separates these signatures from any other use of an author's key; its terminating zero is signed too.
constexpr char signed_context[] = "opstore.signed.v1";

using decoded = boost::system::result<op_header, decode_failure>;

/// Precondition: as many bytes as the integer has.
template <std::unsigned_integral Integer>
Integer read_little_endian(std::span<const std::byte> bytes) {
    assert(bytes.size() == sizeof(Integer));
    Integer value = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
        value |= static_cast<Integer>(static_cast<Integer>(bytes[i]) << (8 * i));
    }
    return value;
}

template <std::unsigned_integral Integer>
void append_little_endian(op_bytes& to, Integer value) {
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
        to.push_back(static_cast<std::byte>(value >> (8 * i)));
    }
}

void append(op_bytes& to, std::span<const std::byte> bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

void append_time(op_bytes& to, arc::timestamp created_at) {
    append_little_endian(to, static_cast<std::uint64_t>(arc::to_micros(created_at)));
}

arc::timestamp read_time(std::span<const std::byte> bytes) {
    return arc::from_micros(static_cast<std::int64_t>(read_little_endian<std::uint64_t>(bytes)));
}

unsigned char const* sodium_bytes(std::span<const std::byte> bytes) {
    return reinterpret_cast<unsigned char const*>(bytes.data());
}

/// Chooses libsodium's fastest code for this machine; harmless to repeat, safe from many threads.
void start_sodium() {
    if (sodium_init() < 0) {
        throw std::runtime_error("libsodium cannot be initialised");
    }
}

std::array<std::byte, hash_bytes> blake2b_256(std::span<const std::byte> bytes) {
    std::array<std::byte, hash_bytes> hash;
    crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), hash.size(), sodium_bytes(bytes),
                       bytes.size(), nullptr, 0);
    return hash;
}

decode_failure too_short(std::size_t size, std::size_t size_min) {
    return decode_failure(rejection_reason::unreadable,
                          fmt::format("{} bytes, an op of this format has at least {}", size, size_min));
}

/// What an author signs: the context, created_at and the payload.
op_bytes signed_message(std::span<const std::byte> time_and_payload) {
    op_bytes message;
    message.reserve(sizeof signed_context + time_and_payload.size());
    append(message, std::as_bytes(std::span(signed_context)));
    append(message, time_and_payload);
    return message;
}

class plain final : public op_format {
public:
    std::string_view name() const override { return "plain"; }
    std::size_t id_length() const override { return hash_bytes; }

    decoded decode(std::span<const std::byte> op, std::span<const std::byte>) const override {
        if (op.size() < time_bytes) {
            return too_short(op.size(), time_bytes);
        }
        return op_header{op_id(blake2b_256(op)), read_time(op.first(time_bytes))};
    }

    arc::location locate(op_id const& id) const override { return arc::fold_location(id.bytes()); }

    std::span<const std::byte> payload(std::span<const std::byte> op) const override {
        return op.subspan(time_bytes);
    }
};

class located final : public op_format {
public:
    std::string_view name() const override { return "located"; }
    std::size_t id_length() const override { return hash_bytes + location_bytes; }

    decoded decode(std::span<const std::byte> op, std::span<const std::byte>) const override {
        if (op.size() < envelope_bytes) {
            return too_short(op.size(), envelope_bytes);
        }
        auto const hash = blake2b_256(op);
        std::array<std::byte, hash_bytes + location_bytes> id;
        auto const rest = std::copy(hash.begin(), hash.end(), id.begin());
        std::copy_n(op.begin() + time_bytes, location_bytes, rest);
        return op_header{op_id(id), read_time(op.first(time_bytes))};
    }

    arc::location locate(op_id const& id) const override {
        return arc::location{read_little_endian<std::uint32_t>(id.bytes().last(location_bytes))};
    }

    std::span<const std::byte> payload(std::span<const std::byte> op) const override {
        return op.subspan(envelope_bytes);
    }

private:
    static constexpr std::size_t envelope_bytes = time_bytes + location_bytes;
};

class with_signature final : public op_format {
public:
    std::string_view name() const override { return "signed"; }
    std::size_t id_length() const override { return hash_bytes; }

    decoded decode(std::span<const std::byte> op, std::span<const std::byte>) const override {
        if (op.size() < envelope_bytes) {
            return too_short(op.size(), envelope_bytes);
        }
        auto const author = op.first(author_bytes);
        auto const signature = op.subspan(author_bytes, signature_bytes);
        auto const time_and_payload = op.subspan(author_bytes + signature_bytes);
        auto const message = signed_message(time_and_payload);
        if (crypto_sign_verify_detached(sodium_bytes(signature), sodium_bytes(message), message.size(),
                                        sodium_bytes(author)) != 0) {
            return decode_failure(rejection_reason::bad_signature,
                                  "the signature does not cover the bytes, or the author key is no key");
        }
        return op_header{op_id(blake2b_256(op)), read_time(time_and_payload.first(time_bytes))};
    }

    arc::location locate(op_id const& id) const override { return arc::fold_location(id.bytes()); }

    std::span<const std::byte> payload(std::span<const std::byte> op) const override {
        return op.subspan(envelope_bytes);
    }

private:
    static constexpr std::size_t envelope_bytes = author_bytes + signature_bytes + time_bytes;
};

template <class Format>
std::shared_ptr<const op_format> the_only() {
    static auto const format = [] {
        start_sodium();
        return std::make_shared<const Format>();
    }();
    return format;
}

}  // namespace

std::string_view to_string(rejection_reason reason) {
    switch (reason) {
        case rejection_reason::unreadable:
            return "unreadable";
        case rejection_reason::wrong_id:
            return "wrong_id";
        case rejection_reason::wrong_id_length:
            return "wrong_id_length";
        case rejection_reason::created_before_epoch:
            return "created_before_epoch";
        case rejection_reason::too_large:
            return "too_large";
        case rejection_reason::too_far_in_future:
            return "too_far_in_future";
        case rejection_reason::bad_signature:
            return "bad_signature";
        case rejection_reason::refused_by_host:
            return "refused_by_host";
    }
    return "unknown";
}

void throw_exception_from_error(decode_failure const& failure, boost::source_location const&) {
    throw std::runtime_error(failure.message());
}

std::shared_ptr<const op_format> plain_format() {
    return the_only<plain>();
}
std::shared_ptr<const op_format> signed_format() {
    return the_only<with_signature>();
}
std::shared_ptr<const op_format> located_format() {
    return the_only<located>();
}

std::shared_ptr<const op_format> find_format(std::string_view name) {
    for (auto const& format : {plain_format(), signed_format(), located_format()}) {
        if (format->name() == name) {
            return format;
        }
    }
    return nullptr;
}

op_bytes encode_plain(arc::timestamp created_at, std::span<const std::byte> payload) {
    op_bytes op;
    op.reserve(time_bytes + payload.size());
    append_time(op, created_at);
    append(op, payload);
    return op;
}

op_bytes encode_located(arc::timestamp created_at, arc::location at, std::span<const std::byte> payload) {
    op_bytes op;
    op.reserve(time_bytes + location_bytes + payload.size());
    append_time(op, created_at);
    append_little_endian(op, at.value);
    append(op, payload);
    return op;
}

op_bytes encode_signed(std::span<const std::byte, 64> secret_key, arc::timestamp created_at,
                       std::span<const std::byte> payload) {
    auto const message = signed_message(encode_plain(created_at, payload));
    std::array<std::byte, signature_bytes> signature;
    crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, sodium_bytes(message),
                         message.size(), sodium_bytes(secret_key));
    return assemble_signed(secret_key.last<author_bytes>(), signature, created_at, payload);
}

op_bytes assemble_signed(std::span<const std::byte, 32> author, std::span<const std::byte, 64> signature,
                         arc::timestamp created_at, std::span<const std::byte> payload) {
    op_bytes op;
    op.reserve(author_bytes + signature_bytes + time_bytes + payload.size());
    append(op, author);
    append(op, signature);
    append_time(op, created_at);
    append(op, payload);
    return op;
}

}  // namespace opstore
