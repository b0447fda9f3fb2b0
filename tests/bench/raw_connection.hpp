#pragma once

#include <tests/bench/data_set.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

struct pg_conn;

namespace opstore::bench {

/// Bare libpq: the limit that the store is measured against, and the fixture's way to ask the server.
///
/// Thread safety: none. Errors throw std::runtime_error.
class raw_connection {
public:
    explicit raw_connection(std::string const& conninfo);
    ~raw_connection();
    raw_connection(raw_connection const&) = delete;
    raw_connection& operator=(raw_connection const&) = delete;

    void execute(std::string const& sql);
    /// The first field of the first row.
    std::string read_one(std::string const& sql);

    /// Makes a table for copy(): the columns of `op`, no index, no key.
    void create_copy_table(std::string const& table);
    /// One binary COPY, one transaction.
    void copy(std::string const& table, std::uint64_t first_stamp, std::span<const bench_op> ops);

    /// How the server writes the fields of a result.
    enum class field_format { text = 0, binary = 1 };
    /// Runs a query, touches every field of every row, returns the number of rows.
    std::size_t read_all(std::string const& sql, field_format format);

private:
    [[noreturn]] void fail();

    pg_conn* conn_;
};

}  // namespace opstore::bench
