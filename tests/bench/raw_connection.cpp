#include <tests/bench/raw_connection.hpp>

#include <libpq-fe.h>

#include <stdexcept>

namespace opstore::bench {
namespace {

using result_ptr = std::unique_ptr<PGresult, decltype(&PQclear)>;

template <class Unsigned>
void append(std::string& out, Unsigned value) {
    for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(value >> shift));
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

std::string copy_image(std::span<const raw_row> rows) {
    std::string out("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
    for (raw_row const& row : rows) {
        append(out, std::uint16_t{8});
        append_field(out, std::uint64_t{1});
        append_field(out, static_cast<std::uint64_t>(row.location));
        append_field(out, static_cast<std::uint64_t>(row.created_at));
        append_field(out, static_cast<std::uint64_t>(row.stored_at));
        append_field(out, static_cast<std::uint32_t>(row.payload.size()));
        append_field(out, static_cast<std::uint16_t>(row.location >> 23));
        append_bytes_field(out, row.id);
        append_bytes_field(out, row.payload);
    }
    append(out, std::uint16_t{0xffff});
    return out;
}

}  // namespace

raw_connection::raw_connection(std::string const& conninfo) : conn_(PQconnectdb(conninfo.c_str())) {
    if (PQstatus(conn_) != CONNECTION_OK)
        throw std::runtime_error(PQerrorMessage(conn_));
}

raw_connection::~raw_connection() {
    PQfinish(conn_);
}

void raw_connection::execute(std::string const& sql) {
    result_ptr const result(PQexec(conn_, sql.c_str()), &PQclear);
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK && PQresultStatus(result.get()) != PGRES_TUPLES_OK)
        throw std::runtime_error(PQerrorMessage(conn_));
}

void raw_connection::copy(char const* table, std::span<const raw_row> rows) {
    std::string const image = copy_image(rows);
    result_ptr const begun(
        PQexec(conn_, ("COPY " + std::string(table) + " FROM STDIN (FORMAT binary)").c_str()), &PQclear);
    if (PQresultStatus(begun.get()) != PGRES_COPY_IN ||
        PQputCopyData(conn_, image.data(), static_cast<int>(image.size())) != 1 ||
        PQputCopyEnd(conn_, nullptr) != 1)
        throw std::runtime_error(PQerrorMessage(conn_));
    result_ptr const done(PQgetResult(conn_), &PQclear);
    if (PQresultStatus(done.get()) != PGRES_COMMAND_OK)
        throw std::runtime_error(PQerrorMessage(conn_));
    PQclear(PQgetResult(conn_));
}

std::size_t raw_connection::read_all(std::string const& sql) {
    if (!PQsendQuery(conn_, sql.c_str()) || !PQsetSingleRowMode(conn_))
        throw std::runtime_error(PQerrorMessage(conn_));
    std::size_t count = 0, bytes = 0;
    while (PGresult* raw = PQgetResult(conn_)) {
        result_ptr const row(raw, &PQclear);
        if (PQresultStatus(raw) == PGRES_FATAL_ERROR)
            throw std::runtime_error(PQerrorMessage(conn_));
        for (int r = 0; r < PQntuples(raw); ++r, ++count) {
            for (int f = 0; f < PQnfields(raw); ++f)
                bytes += static_cast<std::size_t>(PQgetlength(raw, r, f));
        }
    }
    return bytes > 0 ? count : 0;
}

std::string raw_connection::read_one(std::string const& sql) {
    result_ptr const result(PQexec(conn_, sql.c_str()), &PQclear);
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK || PQntuples(result.get()) == 0)
        throw std::runtime_error(PQerrorMessage(conn_));
    return PQgetvalue(result.get(), 0, 0);
}

}  // namespace opstore::bench
