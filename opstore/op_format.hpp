#pragma once

#include <arc/location.hpp>
#include <arc/timestamp.hpp>
#include <opstore/op_id.hpp>

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace opstore {

using op_bytes = std::vector<std::byte>;

/// Why one op of a batch was not taken. Stable numbers: they cross the C interface, do not renumber.
enum class rejection_reason {
    unreadable = 1,            ///< The bytes do not follow the space's format.
    wrong_id = 2,              ///< The claimed id is not the id of the bytes.
    wrong_id_length = 3,       ///< An id of another length than the space's.
    created_before_epoch = 4,  ///< created_at < 0.
    too_large = 5,             ///< More bytes than the space's max_op_bytes.
    too_far_in_future = 6,     ///< created_at beyond the space's max_future.
    bad_signature = 7,         ///< The signature does not cover the bytes.
    refused_by_host = 8,       ///< A host's own format said no.
};

/// The reason as one snake_case word, such as "wrong_id".
std::string_view to_string(rejection_reason reason);

/// A format's no to one op: the reason and a sentence.
class decode_failure {
public:
    /// Boost 1.81's result::error() makes one where there is none.
    decode_failure() = default;
    decode_failure(rejection_reason reason, std::string message)
        : reason_(reason), message_(std::move(message)) {}
    rejection_reason reason() const { return reason_; }
    std::string const& message() const { return message_; }

private:
    rejection_reason reason_ = rejection_reason::unreadable;
    std::string message_;
};

[[noreturn]] void throw_exception_from_error(decode_failure const& failure, boost::source_location const&);

/// What a format reads out of an op.
struct op_header {
    op_id id;
    arc::timestamp created_at;
};

/// How the bytes of an op tell its id and its time, and how an id tells its place on the ring.
///
/// Gives callers: one decoder for whatever a host gossips. Asks of implementers: every function is pure (the
/// same input gives the same answer, on every peer), safe to call from many threads at once, and bounded in
/// time by the length of its input; decode() never trusts a length in the bytes.
class op_format {
public:
    virtual ~op_format() = default;

    /// A short word, remembered by every space; a space opened with another name is refused.
    virtual std::string_view name() const = 0;

    /// Length in bytes of the ids that decode() computes, 1 to 64.
    virtual std::size_t id_length() const = 0;

    /// `op` as received; `metadata` is what the host passed beside it, opaque to the store. created_at may be
    /// negative: the store refuses that itself.
    virtual boost::system::result<op_header, decode_failure> decode(
        std::span<const std::byte> op, std::span<const std::byte> metadata) const = 0;

    virtual arc::location locate(op_id const& id) const = 0;

    /// The part of `op` behind the format's envelope, for people and tools. Precondition: decode() took it.
    virtual std::span<const std::byte> payload(std::span<const std::byte> op) const = 0;
};

/// created_at (i64 LE, us), payload. Id: BLAKE2b-256 of all. Location: XOR fold of the id.
std::shared_ptr<const op_format> plain_format();
/// Author key (32), Ed25519 signature (64), created_at (i64 LE, us), payload; the signature covers the text
/// "opstore.signed.v1", a zero byte, created_at and payload. Id: BLAKE2b-256 of all. Location: XOR fold.
std::shared_ptr<const op_format> signed_format();
/// created_at (i64 LE, us), location (u32 LE), payload. Id: BLAKE2b-256 of all, then the location LE: 36
/// bytes, the shape of Holochain's ids. Location: the id's last four bytes, LE.
std::shared_ptr<const op_format> located_format();

/// The built-in format of that name ("plain", "signed", "located"), or null.
std::shared_ptr<const op_format> find_format(std::string_view name);

/// The bytes of an op in each built-in format.
op_bytes encode_plain(arc::timestamp created_at, std::span<const std::byte> payload);
op_bytes encode_located(arc::timestamp created_at, arc::location at, std::span<const std::byte> payload);
/// `secret_key` is libsodium's 64-byte Ed25519 secret key, whose last 32 bytes are the author key.
op_bytes encode_signed(std::span<const std::byte, 64> secret_key, arc::timestamp created_at,
                       std::span<const std::byte> payload);
/// From parts that somebody else signed; whether the signature holds shows when the op is decoded.
op_bytes assemble_signed(std::span<const std::byte, 32> author, std::span<const std::byte, 64> signature,
                         arc::timestamp created_at, std::span<const std::byte> payload);

}  // namespace opstore
