#pragma once

#include <opstore/postgres/detail/tuple_id.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace opstore::postgres::detail {

/// A map from ids to the places of their rows, of which each takes 21 to 32 bytes, however long the id is:
/// what is kept of it is a fingerprint of 88 bits under a key drawn at random. Nobody who does not know the
/// key can choose an id that is taken for another one; by chance that comes about once in 2^88 / size()
/// questions: with four million ids and a million questions a second, once in two million years.
///
/// Ids are only ever added. Thread safety: none; const methods may run at the same time.
class id_map {
public:
    struct fingerprint {
        std::uint64_t high = 0;
        std::uint32_t low = 0;  ///< < 2^24
        friend bool operator==(fingerprint const&, fingerprint const&) = default;
    };

    /// The maps of one key understand each other's fingerprints.
    class key {
    public:
        /// Drawn at random. Precondition: sodium_init().
        key();
        fingerprint of(std::span<const std::byte> id) const;

    private:
        std::array<unsigned char, 16> bytes_;
    };

    id_map();

    /// Whether the id was not there. If it was, its place is this one now. Precondition: not nowhere.
    bool put(fingerprint id, tuple_id place);

    /// Does nothing if the id is not there. Precondition: not nowhere.
    void move(fingerprint id, tuple_id place);

    /// Of an id that is not there: nowhere.
    tuple_id find(fingerprint id) const;

    /// The same for many, in their order. Quicker than one after the other, since what one waits for from
    /// memory is fetched while others are looked at.
    std::vector<tuple_id> find(std::span<fingerprint const> ids) const;

    std::size_t size() const { return size_; }

private:
    /// The place, and of the fingerprint what does not follow from the shard.
    struct slot {
        std::uint64_t high = 0;
        std::uint16_t low = 0;
        std::uint16_t offset = 0;
        std::uint32_t block = 0;

        tuple_id place() const { return {block, offset}; }
    };

    static constexpr std::size_t line_slots = 4;
    /// What the processor fetches at once. Slots are taken from the first on.
    struct alignas(64) line {
        std::array<slot, line_slots> slots;
    };

    /// A byte for each slot of a line, made from its fingerprint, the first slot's the lowest; 0: free.
    ///
    /// Tags tell of nearly all ids that are not there, and are a sixteenth of the slots: they still fit into
    /// the processor's caches where the slots have long outgrown them.
    using line_tags = std::uint32_t;
    static_assert(sizeof(line_tags) == line_slots && sizeof(line) == 64);

    /// Open addressing by lines: behind a full one, the search goes on in the next.
    struct shard {
        std::vector<line> lines;
        std::vector<line_tags> tags;  ///< Of each line.
        std::size_t size = 0;

        explicit shard(std::size_t line_count = 0) : lines(line_count), tags(line_count) {}

        std::size_t line_of(fingerprint id) const {
            return static_cast<std::size_t>((id.high >> 32) * lines.size() >> 32);
        }
        std::size_t line_behind(std::size_t at) const { return at + 1 == lines.size() ? 0 : at + 1; }
        /// Precondition: the id is not there, and a slot is free.
        void add(fingerprint id, tuple_id place);
    };

    /// The id's slot in its shard; null if it is not there.
    template <class Shard>
    static auto* slot_of(Shard& of, fingerprint id);
    static std::size_t shard_of(fingerprint id) { return id.low >> 16; }
    void grow(std::size_t number);

    /// Each grows by itself, and large ones at sizes of their own: so whoever adds waits for a small part to
    /// be moved, never for all.
    static constexpr std::size_t shard_count = 256;

    std::vector<shard> shards_;
    std::size_t size_ = 0;
};

}  // namespace opstore::postgres::detail
