#pragma once

#include <opstore/op_id.hpp>

#include <cstddef>
#include <span>
#include <string>

namespace opstore {

/// The hash of a set of ops: the XOR of their ids, as kitsune2 combines slices, sectors, disc and rings.
///
/// The set without ops has the empty hash (no bytes at all), which differs from a hash of zero bytes: two
/// sets that cancel out are still two sets. XOR is linear, so whoever can author ops can forge any value;
/// that is the price of compatibility, and why the store keeps op counts beside its hashes.
///
/// Thread safety: a value type.
class combined_hash {
public:
    combined_hash() = default;

    /// Precondition: at most op_id::length_max bytes.
    explicit combined_hash(std::span<const std::byte> bytes) : xor_(bytes) {}

    /// Precondition: as long as everything combined before.
    void add(op_id const& id);
    /// An empty `other` changes nothing.
    void add(combined_hash const& other) { add(other.xor_); }

    bool empty() const { return xor_.empty(); }
    std::span<const std::byte> bytes() const { return xor_.bytes(); }

    friend bool operator==(combined_hash const&, combined_hash const&) = default;
    /// Base64url without padding; the empty hash is the empty text.
    friend std::string to_string(combined_hash const& hash) { return to_string(hash.xor_); }

private:
    op_id xor_;
};

}  // namespace opstore
