#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace opstore::postgres::detail {

/// A set of ids, of which each takes 20 to 30 bytes, however long it is: what is kept is a fingerprint of 128
/// bits under a key drawn at random. Nobody who does not know the key can choose an id that is taken for
/// another one; by chance that comes about once in 2^128 / size() questions.
///
/// Ids are only ever added. Thread safety: none; const methods may run at the same time.
class id_set {
public:
    struct fingerprint {
        std::uint64_t low = 0, high = 0;
        friend bool operator==(fingerprint const&, fingerprint const&) = default;
    };

    /// The sets of one key understand each other's fingerprints.
    class key {
    public:
        /// Drawn at random. Precondition: sodium_init().
        key();
        fingerprint of(std::span<const std::byte> id) const;

    private:
        std::array<unsigned char, 16> bytes_;
    };

    id_set();

    /// False: it was there.
    bool insert(fingerprint id);

    bool contains(fingerprint id) const;

    /// The positions of those that are not there, ascending. Quicker than one after the other, since what one
    /// waits for from memory is fetched while others are looked at.
    std::vector<std::size_t> missing(std::span<fingerprint const> ids) const;

    std::size_t size() const { return size_; }

private:
    /// What the processor fetches at once. Slots are taken from the first on; all zero: free.
    struct alignas(64) line {
        std::array<fingerprint, 4> slots;
    };

    /// Open addressing by lines: behind a full one, the search goes on in the next.
    struct shard {
        std::vector<line> lines;
        std::size_t size = 0;
    };

    static std::size_t shard_of(fingerprint id) { return id.high & (shard_count - 1); }
    static std::size_t line_of(fingerprint id, std::size_t count) {
        return static_cast<std::size_t>((id.low >> 32) * count >> 32);
    }

    static bool insert(std::vector<line>& lines, fingerprint id);
    static bool contains(shard const& s, fingerprint id);
    void grow(std::size_t number);

    /// Each grows by itself, and large ones at sizes of their own: so whoever inserts waits for a small part
    /// to be moved, never for all.
    static constexpr std::size_t shard_count = 256;

    std::vector<shard> shards_;
    std::size_t size_ = 0;
};

}  // namespace opstore::postgres::detail
