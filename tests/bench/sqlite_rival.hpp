#pragma once

#include <tests/bench/data_set.hpp>

#include <arc/dht_arc.hpp>
#include <arc/time_slices.hpp>
#include <opstore/op_id.hpp>
#include <opstore/op_store.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

struct sqlite3;

namespace opstore::bench {

/// What a peer has instead: SQLite, as Holochain 0.6 sets it up under kitsune2 (its last release with
/// secondary indexes on these columns; 0.7's new schema has none).
///
/// It follows, in words and re-written here:
///  - the set-up of its databases: WAL, synchronous NORMAL, 4 KiB pages, SQLite's own checkpoints, no mmap;
///  - table DhtOp with the columns and the nine indexes that its migrations end with, and table SliceHash;
///  - its op store for kitsune2: ids in a time slice (integrated ops of the arc, by authored time), the
///  bounded
///    page (batches of 500 by integration time until the limit, each from where the last one ended), the
///    earliest time in an arc, which ids are present, ops by id, count of integrated ops, and the four of
///    slice hashes; the arc's condition is its "either it does not wrap and lies between, or it wraps and
///    lies outside".
///
/// Where a choice had to be made it is SQLite's favour:
///  - An op is inserted once, integrated; Holochain inserts it into limbo and updates it three times.
///  - The bytes of the op lie in a last column of DhtOp, which costs ingest no second table and reading no
///  join;
///    Holochain keeps them in Action and Entry.
///  - Hashes have 32 bytes (there 39), three ops share an action, a third of the ops have one of 1000 agents
///  for
///    basis.
///  - Statements are prepared once, there for every call; nothing is encrypted, there all of it is; its cache
///    is as large as PostgreSQL's.
///  - Ids are given. The store under test hashes the bytes itself, in the measured time.
///  - Slice hashes are not maintained by ingest; kitsune2 does so with two calls for each op.
///  - It runs in the caller's thread, on one connection: no pool, no hand-over, no second writer to wait for.
///
/// Thread safety: none. Errors throw std::runtime_error.
class sqlite_rival {
public:
    enum class durability {
        none,    ///< While it is filled, unmeasured: seldom a checkpoint, and nothing waits for the disk.
        normal,  ///< A power cut loses the last commits: as Holochain runs.
        full     ///< A commit is on the disk, as the store's are.
    };

    /// Makes the file anew.
    sqlite_rival(std::filesystem::path const& file, std::uint64_t cache_bytes);
    ~sqlite_rival();

    void set_durability(durability how);

    /// One transaction. Op i is number first + i of the data set, which says its type and its action.
    void store(std::uint64_t first, std::span<const bench_op> ops);

    id_list ids_in_slice(arc::dht_arc arc, arc::time_range slice);
    std::optional<arc::timestamp> earliest(arc::dht_arc arc);
    /// One page, and where the next one starts.
    std::pair<std::vector<op_id>, arc::timestamp> page(arc::dht_arc arc, arc::timestamp start,
                                                       std::uint64_t limit_bytes);
    /// Those that are not held, in input order.
    std::vector<op_id> filter(std::span<const op_id> ids);
    /// In any order.
    std::vector<stored_op> retrieve(std::span<const op_id> ids);
    std::uint64_t op_count();

    /// The highest stored index + 1.
    std::uint64_t slice_hash_count(arc::dht_arc arc);
    void store_slice_hash(arc::dht_arc arc, std::uint64_t index, std::span<const std::byte> hash);
    void clear_slice_hashes();

    static std::string version();

private:
    class statement;

    void execute(std::string const& sql);
    std::unique_ptr<statement> prepare(std::string const& sql);
    /// The statement for a list of this many ids; kept.
    statement& for_ids(std::map<std::size_t, std::unique_ptr<statement>>& kept, char const* head,
                       std::size_t count);

    struct closer {
        void operator()(sqlite3* db) const;
    };
    std::unique_ptr<sqlite3, closer> db_;
    std::unique_ptr<statement> begin_, commit_, insert_, slice_, earliest_, page_, count_, hash_count_,
        put_hash_;
    std::map<std::size_t, std::unique_ptr<statement>> present_, by_id_;
};

}  // namespace opstore::bench
