#include <tests/bench/raw_connection.hpp>

#include <arc/sector.hpp>

#include <libpq-fe.h>

#include <memory>
#include <stdexcept>

namespace opstore::bench {
namespace {

using result_ptr = std::unique_ptr<PGresult, decltype(&PQclear)>;

template <class Unsigned>
void append(std::string& out, Unsigned value) {
    for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>(value >> shift));
    }
}

template <class Unsigned>
void append_field(std::string& out, Unsigned value) {
    append(out, static_cast<std::uint32_t>(sizeof value));
    append(out, value);
}

void append_bytes_field(std::string& out, std::span<const std::byte> bytes) {
    append(out, static_cast<std::uint32_t>(bytes.size()));
    out.append(reinterpret_cast<char const*>(bytes.data()), bytes.size());
}

/// COPY's binary form: a header, for each row the number of its fields and each with its length, an end.
std::string copy_image(std::uint64_t first_stamp, std::span<const bench_op> ops) {
    std::string out("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
    out.reserve(out.size() + ops.size() * 400);
    for (std::size_t i = 0; i < ops.size(); ++i) {
        auto const& op = ops[i];
        append(out, std::uint16_t{8});
        append_field(out, std::uint64_t{1});
        append_field(out, std::uint64_t{op.location.value});
        append_field(out, static_cast<std::uint64_t>(arc::to_micros(op.created_at)));
        append_field(out, first_stamp + i);
        append_field(out, static_cast<std::uint32_t>(op.data.size()));
        append_field(out, arc::sector_of(op.location));
        append_bytes_field(out, op.id.bytes());
        append_bytes_field(out, op.data);
    }
    append(out, std::uint16_t{0xffff});
    return out;
}

}  // namespace

raw_connection::raw_connection(std::string const& conninfo) : conn_(PQconnectdb(conninfo.c_str())) {
    if (PQstatus(conn_) != CONNECTION_OK) {
        std::string const message = PQerrorMessage(conn_);
        PQfinish(conn_);
        throw std::runtime_error(message);
    }
    execute("SET client_min_messages = warning");
}

raw_connection::~raw_connection() {
    PQfinish(conn_);
}

void raw_connection::fail() {
    throw std::runtime_error(PQerrorMessage(conn_));
}

void raw_connection::execute(std::string const& sql) {
    result_ptr const result(PQexec(conn_, sql.c_str()), &PQclear);
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK && PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
        fail();
    }
}

std::string raw_connection::read_one(std::string const& sql) {
    result_ptr const result(PQexec(conn_, sql.c_str()), &PQclear);
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK || PQntuples(result.get()) == 0) {
        fail();
    }
    return PQgetvalue(result.get(), 0, 0);
}

void raw_connection::create_copy_table(std::string const& table) {
    execute(
        "CREATE TABLE " + table +
        " (space_id bigint, location bigint, created_at bigint, stored_at bigint, size int, sector smallint,"
        " op_id bytea, payload bytea)");
    // As the store keeps it: no attempt to compress.
    execute("ALTER TABLE " + table + " ALTER COLUMN payload SET STORAGE EXTERNAL");
}

void raw_connection::copy(std::string const& table, std::uint64_t first_stamp,
                          std::span<const bench_op> ops) {
    auto const image = copy_image(first_stamp, ops);
    result_ptr const begun(PQexec(conn_, ("COPY " + table + " FROM STDIN (FORMAT binary)").c_str()),
                           &PQclear);
    if (PQresultStatus(begun.get()) != PGRES_COPY_IN ||
        PQputCopyData(conn_, image.data(), static_cast<int>(image.size())) != 1 ||
        PQputCopyEnd(conn_, nullptr) != 1) {
        fail();
    }
    result_ptr const done(PQgetResult(conn_), &PQclear);
    if (PQresultStatus(done.get()) != PGRES_COMMAND_OK) {
        fail();
    }
    PQclear(PQgetResult(conn_));
}

std::size_t raw_connection::read_all(std::string const& sql, field_format format) {
    result_ptr const result(
        PQexecParams(conn_, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, static_cast<int>(format)),
        &PQclear);
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
        fail();
    }
    std::size_t bytes = 0;
    auto const rows = PQntuples(result.get());
    for (int row = 0; row < rows; ++row) {
        for (int field = 0; field < PQnfields(result.get()); ++field) {
            bytes += static_cast<std::size_t>(PQgetlength(result.get(), row, field));
        }
    }
    if (rows > 0 && bytes == 0) {
        throw std::runtime_error("rows without fields");
    }
    return static_cast<std::size_t>(rows);
}

}  // namespace opstore::bench
