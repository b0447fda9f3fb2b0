#include <tests/bench/sqlite_rival.hpp>

#include <opstore/random.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <unordered_set>

namespace opstore::bench {
namespace {

/// Rows that one statement of a page fetches, whatever the limit in bytes.
constexpr int page_batch = 500;

/// Of the log, between two checkpoints: SQLite's default, and while nothing is measured.
constexpr int checkpoint_pages = 1'000;
constexpr int checkpoint_pages_filling = 50'000;

// "Between the ends" or "outside of the gap": one statement serves both, and hides the range from the
// planner.
constexpr char const* in_arc =
    "((?1 <= ?2 AND storage_center_loc >= ?1 AND storage_center_loc <= ?2)"
    " OR (?1 > ?2 AND (storage_center_loc <= ?2 OR storage_center_loc >= ?1)))";

constexpr char const* schema = R"(
CREATE TABLE DhtOp (
    hash                    BLOB PRIMARY KEY ON CONFLICT IGNORE,
    type                    TEXT NOT NULL,
    basis_hash              BLOB NOT NULL,
    require_receipt         INTEGER NOT NULL,
    action_hash             BLOB NOT NULL,
    storage_center_loc      INTEGER NOT NULL,
    authored_timestamp      INTEGER NOT NULL,
    op_order                TEXT NOT NULL,
    validation_status       INTEGER,
    when_stored             INTEGER,
    when_sys_validated      INTEGER,
    when_app_validated      INTEGER,
    when_integrated         INTEGER,
    withhold_publish        INTEGER,
    receipts_complete       INTEGER,
    last_publish_time       INTEGER,
    validation_stage        INTEGER,
    num_validation_attempts INTEGER,
    last_validation_attempt INTEGER,
    dependency              BLOB,
    serialized_size         INTEGER NOT NULL DEFAULT 0,
    transfer_source         BLOB,
    transfer_method         INTEGER,
    transfer_time           INTEGER,
    payload                 BLOB NOT NULL
);
CREATE INDEX DhtOp_type_dep_idx ON DhtOp (type, dependency);
CREATE INDEX DhtOp_type_when_int_idx ON DhtOp (type, when_integrated);
CREATE INDEX DhtOp_validation_stage_idx ON DhtOp (validation_stage, type, dependency);
CREATE INDEX DhtOp_stage_type_status_idx ON DhtOp (validation_stage, type, validation_status);
CREATE INDEX DhtOp_validation_status_idx ON DhtOp (validation_status);
CREATE INDEX DhtOp_authored_timestamp_idx ON DhtOp (authored_timestamp);
CREATE INDEX DhtOp_storage_center_loc_idx ON DhtOp (storage_center_loc);
CREATE INDEX DhtOp_action_hash_idx ON DhtOp (action_hash);
CREATE INDEX DhtOp_basis_hash_idx ON DhtOp (basis_hash);
CREATE TABLE SliceHash (
    arc_start   INTEGER NOT NULL,
    arc_end     INTEGER NOT NULL,
    slice_index INTEGER NOT NULL,
    hash        BLOB NOT NULL,
    PRIMARY KEY (arc_start, arc_end, slice_index) ON CONFLICT REPLACE
);
)";

/// The three ops that an action with an entry yields.
struct op_kind {
    std::string_view type;
    char order;
};
constexpr std::array<op_kind, 3> kinds{
    {{"StoreRecord", '0'}, {"StoreEntry", '1'}, {"RegisterAgentActivity", '2'}}};
constexpr std::uint64_t agents = 1000;

/// 32 bytes that look like a hash, from two numbers.
std::array<std::byte, 32> hash_of(std::uint64_t kind, std::uint64_t number) {
    random_source random(kind * 0x9e3779b97f4a7c15 + number);
    std::array<std::byte, 32> hash;
    for (std::size_t i = 0; i < hash.size(); i += 8) {
        auto const part = random.next();
        std::memcpy(hash.data() + i, &part, sizeof part);
    }
    return hash;
}

}  // namespace

/// A prepared statement. Bound bytes are not copied: they must live until the next reset().
class sqlite_rival::statement {
public:
    statement(sqlite3* db, std::string const& sql) : db_(db) {
        check(::sqlite3_prepare_v3(db, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &raw_, nullptr), sql);
    }
    ~statement() { ::sqlite3_finalize(raw_); }
    statement(statement const&) = delete;
    statement& operator=(statement const&) = delete;

    void bind(int at, std::int64_t value) { check(::sqlite3_bind_int64(raw_, at, value), "bind"); }
    void bind(int at, std::span<const std::byte> bytes) {
        check(::sqlite3_bind_blob64(raw_, at, bytes.data(), bytes.size(), SQLITE_STATIC), "bind");
    }
    void bind(int at, std::string_view text) {
        check(::sqlite3_bind_text64(raw_, at, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8), "bind");
    }

    /// Whether there is a row.
    bool step() {
        auto const code = ::sqlite3_step(raw_);
        if (code != SQLITE_ROW && code != SQLITE_DONE) {
            check(code, "step");
        }
        return code == SQLITE_ROW;
    }
    void reset() { ::sqlite3_reset(raw_); }

    bool is_null(int column) { return ::sqlite3_column_type(raw_, column) == SQLITE_NULL; }
    std::int64_t integer(int column) { return ::sqlite3_column_int64(raw_, column); }
    std::span<const std::byte> bytes(int column) {
        auto const* data = static_cast<std::byte const*>(::sqlite3_column_blob(raw_, column));
        return {data, static_cast<std::size_t>(::sqlite3_column_bytes(raw_, column))};
    }

private:
    void check(int code, std::string const& what) {
        if (code != SQLITE_OK) {
            throw std::runtime_error(fmt::format("SQLite: {}: {}", ::sqlite3_errmsg(db_), what));
        }
    }

    sqlite3* db_;
    sqlite3_stmt* raw_ = nullptr;
};

sqlite_rival::sqlite_rival(std::filesystem::path const& file, std::uint64_t cache_bytes) {
    for (char const* suffix : {"", "-wal", "-shm"}) {
        std::filesystem::remove(file.string() + suffix);
    }
    sqlite3* db = nullptr;
    auto const code = ::sqlite3_open_v2(
        file.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    db_.reset(db);
    if (code != SQLITE_OK) {
        throw std::runtime_error(fmt::format("SQLite cannot open {}", file.string()));
    }
    execute("PRAGMA page_size = 4096");
    execute("PRAGMA journal_mode = WAL");
    execute("PRAGMA mmap_size = 0");
    execute(fmt::format("PRAGMA cache_size = -{}", cache_bytes / 1024));
    set_durability(durability::normal);
    execute(schema);
    begin_ = prepare("BEGIN IMMEDIATE");
    commit_ = prepare("COMMIT");
    insert_ = prepare(
        "INSERT INTO DhtOp (hash, type, basis_hash, require_receipt, action_hash, storage_center_loc,"
        " authored_timestamp, op_order, validation_status, when_stored, when_integrated, serialized_size, "
        "payload)"
        " VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, 0, ?8, ?8, ?9, ?10)");
    slice_ =
        prepare(fmt::format("SELECT hash, basis_hash, serialized_size FROM DhtOp WHERE {}"
                            " AND authored_timestamp >= ?3 AND authored_timestamp < ?4"
                            " AND when_integrated IS NOT NULL ORDER BY authored_timestamp ASC",
                            in_arc));
    earliest_ = prepare(fmt::format(
        "SELECT min(authored_timestamp) FROM DhtOp WHERE {} AND when_integrated IS NOT NULL", in_arc));
    page_ =
        prepare(fmt::format("SELECT hash, when_integrated, serialized_size FROM DhtOp WHERE {}"
                            " AND when_integrated >= ?3 ORDER BY when_integrated ASC LIMIT ?4",
                            in_arc));
    count_ = prepare("SELECT count(*) FROM DhtOp WHERE when_integrated IS NOT NULL");
    hash_count_ = prepare("SELECT max(slice_index) FROM SliceHash WHERE arc_start = ?1 AND arc_end = ?2");
    put_hash_ =
        prepare("INSERT INTO SliceHash (arc_start, arc_end, slice_index, hash) VALUES (?1, ?2, ?3, ?4)");
}

sqlite_rival::~sqlite_rival() = default;

void sqlite_rival::closer::operator()(sqlite3* db) const {
    ::sqlite3_close(db);
}

void sqlite_rival::execute(std::string const& sql) {
    char* message = nullptr;
    if (::sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, &message) != SQLITE_OK) {
        std::string const text = message ? message : "failed";
        ::sqlite3_free(message);
        throw std::runtime_error(fmt::format("SQLite: {}: {}", text, sql));
    }
}

std::unique_ptr<sqlite_rival::statement> sqlite_rival::prepare(std::string const& sql) {
    return std::make_unique<statement>(db_.get(), sql);
}

void sqlite_rival::set_durability(durability how) {
    bool const filling = how == durability::none;
    execute(fmt::format("PRAGMA synchronous = {}", filling                   ? "OFF"
                                                   : how == durability::full ? "FULL"
                                                                             : "NORMAL"));
    execute(
        fmt::format("PRAGMA wal_autocheckpoint = {}", filling ? checkpoint_pages_filling : checkpoint_pages));
    if (!filling) {
        execute("PRAGMA wal_checkpoint(TRUNCATE)");
    }
}

void sqlite_rival::store(std::uint64_t first, std::span<const bench_op> ops) {
    begin_->step();
    begin_->reset();
    for (std::size_t i = 0; i < ops.size(); ++i) {
        auto const& op = ops[i];
        auto const number = first + i;
        auto const& kind = kinds[number % kinds.size()];
        auto const action = hash_of(0, number / kinds.size());
        auto const basis = number % kinds.size() == 0   ? action
                           : number % kinds.size() == 1 ? hash_of(1, number)
                                                        : hash_of(2, number % agents);
        auto const created = arc::to_micros(op.created_at);
        auto const order = fmt::format("{}{:019}", kind.order, created);
        insert_->bind(1, op.id.bytes());
        insert_->bind(2, kind.type);
        insert_->bind(3, basis);
        insert_->bind(4, action);
        insert_->bind(5, static_cast<std::int64_t>(op.location.value));
        insert_->bind(6, created);
        insert_->bind(7, std::string_view(order));
        insert_->bind(8, arc::to_micros(now) + static_cast<std::int64_t>(number));
        insert_->bind(9, static_cast<std::int64_t>(op.data.size()));
        insert_->bind(10, op.data);
        insert_->step();
        insert_->reset();
    }
    commit_->step();
    commit_->reset();
}

id_list sqlite_rival::ids_in_slice(arc::dht_arc arc, arc::time_range slice) {
    slice_->bind(1, static_cast<std::int64_t>(arc.start().value));
    slice_->bind(2, static_cast<std::int64_t>(arc.end().value));
    slice_->bind(3, arc::to_micros(slice.start));
    slice_->bind(4, arc::to_micros(slice.end));
    id_list found;
    while (slice_->step()) {
        found.ids.emplace_back(slice_->bytes(0));
        found.bytes += static_cast<std::uint64_t>(slice_->integer(2));
    }
    slice_->reset();
    return found;
}

std::optional<arc::timestamp> sqlite_rival::earliest(arc::dht_arc arc) {
    earliest_->bind(1, static_cast<std::int64_t>(arc.start().value));
    earliest_->bind(2, static_cast<std::int64_t>(arc.end().value));
    std::optional<arc::timestamp> found;
    if (earliest_->step() && !earliest_->is_null(0)) {
        found = arc::from_micros(earliest_->integer(0));
    }
    earliest_->reset();
    return found;
}

std::pair<std::vector<op_id>, arc::timestamp> sqlite_rival::page(arc::dht_arc arc, arc::timestamp start,
                                                                 std::uint64_t limit_bytes) {
    std::vector<op_id> ids;
    std::unordered_set<op_id> seen;
    std::uint64_t used = 0;
    for (bool more = true; more;) {
        page_->bind(1, static_cast<std::int64_t>(arc.start().value));
        page_->bind(2, static_cast<std::int64_t>(arc.end().value));
        page_->bind(3, arc::to_micros(start));
        page_->bind(4, std::int64_t{page_batch});
        auto const before = ids.size();
        while (more && page_->step()) {
            auto const size = static_cast<std::uint64_t>(page_->integer(2));
            if (used + size > limit_bytes) {
                more = false;
            } else if (op_id const id(page_->bytes(0)); seen.insert(id).second) {
                ids.push_back(id);
                used += size;
                start = arc::from_micros(page_->integer(1));
            }
        }
        page_->reset();
        more = more && ids.size() > before;
    }
    return {std::move(ids), start};
}

sqlite_rival::statement& sqlite_rival::for_ids(std::map<std::size_t, std::unique_ptr<statement>>& kept,
                                               char const* head, std::size_t count) {
    auto& place = kept[count];
    if (!place) {
        std::string sql = head;
        for (std::size_t i = 0; i < count; ++i) {
            sql += i == 0 ? "(?" : ",?";
        }
        place = prepare(sql + ")");
    }
    return *place;
}

std::vector<op_id> sqlite_rival::filter(std::span<const op_id> ids) {
    auto& present = for_ids(present_, "SELECT hash, basis_hash FROM DhtOp WHERE hash IN ", ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        present.bind(static_cast<int>(i + 1), ids[i].bytes());
    }
    std::unordered_set<op_id> held;
    while (present.step()) {
        held.emplace(present.bytes(0));
    }
    present.reset();
    std::vector<op_id> missing;
    std::ranges::copy_if(ids, std::back_inserter(missing),
                         [&](op_id const& id) { return !held.contains(id); });
    return missing;
}

std::vector<stored_op> sqlite_rival::retrieve(std::span<const op_id> ids) {
    auto& by_id = for_ids(by_id_,
                          "SELECT hash, basis_hash, type, payload FROM DhtOp"
                          " WHERE when_integrated IS NOT NULL AND hash IN ",
                          ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        by_id.bind(static_cast<int>(i + 1), ids[i].bytes());
    }
    std::vector<stored_op> ops;
    while (by_id.step()) {
        auto& op = ops.emplace_back();
        op.id = op_id(by_id.bytes(0));
        auto const payload = by_id.bytes(3);
        op.data.assign(payload.begin(), payload.end());
    }
    by_id.reset();
    return ops;
}

std::uint64_t sqlite_rival::op_count() {
    count_->step();
    auto const count = static_cast<std::uint64_t>(count_->integer(0));
    count_->reset();
    return count;
}

std::uint64_t sqlite_rival::slice_hash_count(arc::dht_arc arc) {
    hash_count_->bind(1, static_cast<std::int64_t>(arc.start().value));
    hash_count_->bind(2, static_cast<std::int64_t>(arc.end().value));
    hash_count_->step();
    auto const count = hash_count_->is_null(0) ? 0 : static_cast<std::uint64_t>(hash_count_->integer(0)) + 1;
    hash_count_->reset();
    return count;
}

void sqlite_rival::store_slice_hash(arc::dht_arc arc, std::uint64_t index, std::span<const std::byte> hash) {
    put_hash_->bind(1, static_cast<std::int64_t>(arc.start().value));
    put_hash_->bind(2, static_cast<std::int64_t>(arc.end().value));
    put_hash_->bind(3, static_cast<std::int64_t>(index));
    put_hash_->bind(4, hash);
    put_hash_->step();
    put_hash_->reset();
}

void sqlite_rival::clear_slice_hashes() {
    execute("DELETE FROM SliceHash");
}

std::string sqlite_rival::version() {
    return ::sqlite3_libversion();
}

}  // namespace opstore::bench
