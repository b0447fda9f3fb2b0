#include <opstore/postgres/detail/connection.hpp>

#include <opstore/errors.hpp>
#include <sql/statements.hpp>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <sys/socket.h>
#include <pqxx/pqxx>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

namespace opstore::postgres::detail {
namespace {

/// The statements of sql/ are each written for one plan. What the planner could win by looking for another,
/// it loses on tables without statistics: a sort or a scan of all that should have been a walk along an
/// index.
constexpr std::string_view planner_options =
    " -c plan_cache_mode=force_generic_plan -c jit=off -c enable_seqscan=off -c enable_bitmapscan=off"
    " -c enable_hashjoin=off -c enable_mergejoin=off -c max_parallel_workers_per_gather=0";

/// A full batch passes through the server's memory, not through a temporary file: PostgreSQL's default, 4 MB,
/// is less than ingest_batch::statement_bytes_max and what its rows add.
constexpr std::string_view memory_options = " -c work_mem=16MB";

/// Semantics that the store relies on and must not inherit. A writer that hangs inside a transaction of
/// several statements must not hold the sequencer for ever; but who waits for it, or is idle, has his own
/// deadline.
constexpr std::string_view semantic_options =
    " -c default_transaction_isolation=read\\ committed -c synchronous_commit=on"
    " -c idle_in_transaction_session_timeout=30s -c lock_timeout=0 -c idle_session_timeout=0"
    " -c standard_conforming_strings=on";

void append_keyword(std::string& out, std::string_view keyword, std::string_view value) {
    out.append(keyword).append("='");
    for (char const c : value) {
        if (c == '\'' || c == '\\')
            out.push_back('\\');
        out.push_back(c);
    }
    out.append("' ");
}

std::string one_line(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
        text.remove_suffix(1);
    return std::string(text.substr(0, text.find('\n')));
}

/// In seconds, for each address: no longer than a call waits. libpq takes 1 for 2.
std::string connect_timeout(std::chrono::milliseconds statement_timeout) {
    constexpr std::int64_t longest = 10;
    auto const seconds = std::chrono::ceil<std::chrono::seconds>(statement_timeout).count();
    return fmt::format("{}", seconds > 0 ? std::min<std::int64_t>(seconds, longest) : longest);
}

/// The caller's conninfo as libpq reads it, with our session settings behind the caller's own.
std::string complete_conninfo(connection_settings const& settings) {
    char* message = nullptr;
    std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> const given(
        PQconninfoParse(settings.conninfo.c_str(), &message), &PQconninfoFree);
    std::unique_ptr<char, decltype(&PQfreemem)> const owned_message(message, &PQfreemem);
    if (!given) {
        store_error::facts facts;
        facts.code = errc::invalid_argument;
        throw store_error(
            fmt::format("the connection string is malformed: {}", message ? one_line(message) : "no memory"),
            std::move(facts));
    }
    std::map<std::string, std::string> keywords = {
        {"application_name", "opstore"},
        {"connect_timeout", connect_timeout(settings.statement_timeout)},
        {"keepalives_idle", "30"},
        {"tcp_user_timeout", "60000"},
        {"client_encoding", "UTF8"}};
    if (char const* inherited = std::getenv("PGOPTIONS"))
        keywords["options"] = inherited;
    for (PQconninfoOption const* option = given.get(); option->keyword; ++option) {
        if (option->val)
            keywords[option->keyword] = option->val;
    }
    keywords["options"] +=
        fmt::format(" -c search_path={} -c statement_timeout={}{}{}{}", settings.schema,
                    settings.statement_timeout.count(), semantic_options, planner_options, memory_options);
    std::string conninfo;
    for (auto const& [keyword, value] : keywords)
        append_keyword(conninfo, keyword, value);
    return conninfo;
}

bool is_retryable(std::string_view sqlstate) {
    constexpr std::array<std::string_view, 8> states = {
        "40001",  // serialization failure
        "40P01",  // deadlock
        "57P01",  // administrator ended the session
        "57P02",  // server crashed
        "57P03",  // server is starting
        "53300",  // too many connections
        "25006",  // read-only: the server became a standby
        "25P03",  // idle in transaction for too long
    };
    return std::find(states.begin(), states.end(), sqlstate) != states.end();
}

constexpr std::string_view query_cancelled = "57014";

store_error refused_by_server(char const* statement, std::string const& sqlstate, std::string_view message) {
    store_error::facts facts;
    facts.sqlstate = sqlstate;
    facts.statement = statement;
    facts.retryable = is_retryable(sqlstate);
    facts.code = sqlstate == query_cancelled ? errc::timed_out
                 : facts.retryable           ? errc::unavailable
                                             : errc::rejected_by_database;
    return store_error(fmt::format("{}: {} ({})", statement, one_line(message), sqlstate), std::move(facts));
}

/// The server ends a session that sends it more, which looks like a lost connection.
void require_message_fits(char const* statement, std::size_t bytes) {
    constexpr std::size_t most = 1'000'000'000;
    if (bytes <= most)
        return;
    store_error::facts facts;
    facts.code = errc::invalid_argument;
    facts.statement = statement;
    throw store_error(fmt::format("{}: the arguments have more than {} bytes, the most that the server takes "
                                  "at once",
                                  statement, most),
                      std::move(facts));
}

/// A reply that never came: the server may have done what it was asked.
store_error lost(char const* statement, std::string_view message) {
    store_error::facts facts;
    facts.code = errc::unavailable;
    facts.statement = statement;
    facts.retryable = true;
    facts.commit_in_doubt = true;
    return store_error(fmt::format("{}: the connection was lost: {}", statement, one_line(message)),
                       std::move(facts));
}

/// Errors after which the server itself cannot say what became of the statement.
bool is_outcome_unknown(std::string_view sqlstate) {
    return sqlstate.starts_with("08") || sqlstate == "40000" || sqlstate == "40003";
}

/// Of the classes of SQLSTATE, the two that are no errors.
bool is_warning(std::string_view sqlstate) {
    return sqlstate.starts_with("00") || sqlstate.starts_with("01");
}

/// 0 if there is no such process, or it cannot be seen.
pid_t parent_of(pid_t process) {
    std::ifstream file(fmt::format("/proc/{}/stat", process));
    // "pid (name) state parent ...", where a name may have spaces and brackets.
    std::string const text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    auto const name_end = text.rfind(')');
    std::istringstream behind(name_end == std::string::npos ? "" : text.substr(name_end + 1));
    char state = 0;
    pid_t parent = 0;
    behind >> state >> parent;
    return parent;
}

/// libpqxx connects, cancels and closes. Statements go to libpq by its handle: libpqxx 6 reads results as
/// text only. Nothing here calls a function of libpqxx that would reconnect behind our back, without
/// transaction, locks and prepared statements.
class session_link final : public pqxx::connection_base {
public:
    explicit session_link(std::string const& conninfo) : connection_base(connector_), connector_(conninfo) {
        init();
    }
    ~session_link() { close(); }

    PGconn* handle() const { return connector_.kept; }

private:
    struct connector : pqxx::connect_direct {
        using pqxx::connect_direct::connect_direct;

        handle do_startconnect(handle present) override {
            return kept = pqxx::connect_direct::do_startconnect(present);
        }

        handle kept = nullptr;
    };

    connector connector_;
};

}  // namespace

struct rows::data {
    explicit data(PGresult* r) : result(r, &PQclear) {}

    std::unique_ptr<PGresult, decltype(&PQclear)> result;
};

std::size_t rows::count() const {
    return static_cast<std::size_t>(PQntuples(data_->result.get()));
}

bool rows::is_null(std::size_t row, std::size_t column) const {
    return PQgetisnull(data_->result.get(), static_cast<int>(row), static_cast<int>(column)) != 0;
}

std::string_view rows::value(std::size_t row, std::size_t column) const {
    auto* const result = data_->result.get();
    int const r = static_cast<int>(row), c = static_cast<int>(column);
    assert(r < PQntuples(result) && c < PQnfields(result));
    return {PQgetvalue(result, r, c), static_cast<std::size_t>(PQgetlength(result, r, c))};
}

bool rows::is_text(std::size_t column) const {
    return PQfformat(data_->result.get(), static_cast<int>(column)) == 0;
}

std::uint32_t rows::type(std::size_t column) const {
    return PQftype(data_->result.get(), static_cast<int>(column));
}

std::string_view rows::text(std::size_t row, std::size_t column) const {
    return is_text(column) ? value(row, column) : text_from_image(type(column), value(row, column));
}

std::int64_t rows::bigint(std::size_t row, std::size_t column) const {
    return is_text(column) ? bigint_from_text(value(row, column))
                           : bigint_from_image(type(column), value(row, column));
}

tuple_id rows::tid(std::size_t row, std::size_t column) const {
    return tuple_id_from_image(is_text(column) ? unknown_type : type(column), value(row, column));
}

bool rows::boolean(std::size_t row, std::size_t column) const {
    return is_text(column) ? value(row, column) == "t" : boolean_from_image(type(column), value(row, column));
}

std::span<const std::byte> rows::bytea(std::size_t row, std::size_t column) const {
    return bytea_from_image(is_text(column) ? unknown_type : type(column), value(row, column));
}

std::vector<std::int64_t> rows::bigint_array(std::size_t row, std::size_t column) const {
    return bigint_array_from_image(is_text(column) ? unknown_type : type(column), value(row, column));
}

struct connection::session {
    explicit session(connection_settings const& settings)
        : link(complete_conninfo(settings)), timeout(settings.statement_timeout) {}

    /// Takes the answer to `statement`. A session that ended is in doubt whatever it said last: it may have
    /// been ended between its commit and the answer.
    rows answer(char const* statement, PGresult* result) const {
        auto const answered = std::make_shared<rows::data const>(result);
        auto const status = PQresultStatus(result);
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
            return rows(answered);
        char const* const field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        std::string const sqlstate = field ? field : "";
        char const* const message = PQerrorMessage(link.handle());
        if (PQstatus(link.handle()) != CONNECTION_OK || sqlstate.empty() || is_outcome_unknown(sqlstate))
            throw lost(statement, message);
        throw refused_by_server(statement, sqlstate, message);
    }

    session_link link;
    std::set<std::string> prepared;
    std::chrono::milliseconds timeout;
    bool was_ended = false;  ///< The server said so, unasked; see listen().
};

connection::connection(connection_settings const& settings) {
    try {
        session_ = std::make_unique<session>(settings);
    } catch (pqxx::failure const& e) {
        store_error::facts facts;
        facts.retryable = true;
        throw store_error(fmt::format("cannot connect to the database: {}", one_line(e.what())),
                          std::move(facts));
    }
}

connection::~connection() = default;

rows connection::execute(sql::statement const& statement, parameters const& values) {
    constexpr int binary = 1;
    require_not_cancelled(statement.name);
    PGconn* const link = session_->link.handle();
    if (session_->prepared.insert(statement.name).second)
        session_->answer(statement.name, PQprepare(link, statement.name, statement.text, 0, nullptr));
    std::vector<char const*> images;
    std::vector<int> lengths;
    std::size_t message_bytes = 0;
    for (std::string const& image : values.images()) {
        message_bytes += image.size();
        require_message_fits(statement.name, message_bytes);
        images.push_back(image.data());
        lengths.push_back(static_cast<int>(image.size()));
    }
    std::vector<int> const formats(images.size(), binary);
    return session_->answer(
        statement.name, PQexecPrepared(link, statement.name, static_cast<int>(images.size()), images.data(),
                                       lengths.data(), formats.data(), binary));
}

rows connection::execute_text(char const* name, std::string const& sql) {
    require_not_cancelled(name);
    return session_->answer(name, PQexec(session_->link.handle(), sql.c_str()));
}

void connection::begin() {
    execute_text("begin", "BEGIN");
}

void connection::commit() {
    execute_text("commit", "COMMIT");
}

void connection::rollback() {
    execute_text("rollback", "ROLLBACK");
}

void connection::set_statement_timeout(std::chrono::milliseconds timeout) {
    if (timeout == session_->timeout)
        return;
    execute_text("set_statement_timeout", fmt::format("SET statement_timeout = {}", timeout.count()));
    session_->timeout = timeout;
}

int connection::server_version() const {
    return PQserverVersion(session_->link.handle());
}

int connection::socket() const {
    return PQsocket(session_->link.handle());
}

bool connection::shows_its_end_at_once() const {
    // Only Unix-domain sockets know who listens.
    ucred listener{};
    socklen_t length = sizeof listener;
    return ::getsockopt(socket(), SOL_SOCKET, SO_PEERCRED, &listener, &length) == 0 && listener.pid > 0 &&
           listener.pid == parent_of(PQbackendPID(session_->link.handle()));
}

void connection::listen(std::string const& channel) {
    // An error that no statement asked for is the last that a session says. libpq takes it for a notice.
    auto const note = [](void* where, PGresult const* notice) noexcept {
        char const* const sqlstate = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
        if (sqlstate && !is_warning(sqlstate))
            static_cast<session*>(where)->was_ended = true;
    };
    PQsetNoticeReceiver(session_->link.handle(), note, session_.get());
    execute_text("listen", fmt::format("LISTEN {}", channel));
}

std::vector<std::string> connection::notifications() {
    constexpr char const* what = "notifications";
    PGconn* const link = session_->link.handle();
    if (PQconsumeInput(link) == 0)
        throw lost(what, PQerrorMessage(link));
    std::vector<std::string> channels;
    while (PGnotify* const arrived = PQnotifies(link)) {
        std::unique_ptr<PGnotify, decltype(&PQfreemem)> const owned(arrived, &PQfreemem);
        channels.emplace_back(arrived->relname);
    }
    if (session_->was_ended)
        throw lost(what, "the server ended the session");
    return channels;
}

void connection::require_not_cancelled(char const* statement) const {
    if (!cancelled_)
        return;
    store_error::facts facts;
    facts.code = errc::timed_out;
    facts.statement = statement;
    throw store_error(fmt::format("{}: the work was cancelled before", statement), std::move(facts));
}

void connection::cancel() noexcept {
    cancelled_ = true;
    try {
        session_->link.cancel_query();
    } catch (std::exception const&) {
        // The statement then ends at its statement_timeout: nothing else can be done about it from here.
    }
}

}  // namespace opstore::postgres::detail
