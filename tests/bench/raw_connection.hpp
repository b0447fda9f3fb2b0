#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct pg_conn;

namespace opstore::bench {

/// A row of table op, as a rival writes it.
struct raw_row {
    std::int64_t location, created_at, stored_at;
    std::vector<std::byte> id, payload;

    raw_row() = default;
};

/// Bare libpq: the limit that the store is measured against.
class raw_connection {
public:
    explicit raw_connection(std::string const& conninfo);
    ~raw_connection();

    void execute(std::string const& sql);
    /// One binary COPY, one transaction, into a table with the columns of op in the order of sql/migrations.
    void copy(char const* table, std::span<const raw_row> rows);
    /// Runs a query, reads every field of every row, and returns the number of rows.
    std::size_t read_all(std::string const& sql);
    /// The first field of the first row.
    std::string read_one(std::string const& sql);

private:
    pg_conn* conn_;
};

}  // namespace opstore::bench
