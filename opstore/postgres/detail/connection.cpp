#include <opstore/postgres/detail/connection.hpp>

#include <opstore/errors.hpp>
#include <sql/statements.hpp>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <pqxx/pqxx>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>

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
/// several statements must not hold the sequencer for ever.
constexpr std::string_view semantic_options =
    " -c default_transaction_isolation=read\\ committed -c synchronous_commit=on -c bytea_output=hex"
    " -c idle_in_transaction_session_timeout=30s -c standard_conforming_strings=on";

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
    std::map<std::string, std::string> keywords = {{"application_name", "opstore"},
                                                   {"connect_timeout", "10"},
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
    constexpr std::array<std::string_view, 9> states = {
        "40001",  // serialization failure
        "40P01",  // deadlock
        "57P01",  // administrator ended the session
        "57P02",  // server crashed
        "57P03",  // server is starting
        "53300",  // too many connections
        "25006",  // read-only: the server became a standby
        "25P03",  // idle in transaction for too long
        "08006",  // connection failure
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

/// Runs `action`; libpqxx's exceptions become store_error.
template <class Action>
auto translated(char const* statement, Action&& action) {
    try {
        return action();
    } catch (pqxx::serialization_failure const& e) {
        throw refused_by_server(statement, "40001", e.what());
    } catch (pqxx::deadlock_detected const& e) {
        throw refused_by_server(statement, "40P01", e.what());
    } catch (pqxx::statement_completion_unknown const& e) {
        throw lost(statement, e.what());
    } catch (pqxx::insufficient_privilege const& e) {
        // libpqxx 6.4 forgets the code of this one.
        throw refused_by_server(statement, "42501", e.what());
    } catch (pqxx::sql_error const& e) {
        if (e.sqlstate().empty())
            throw lost(statement, e.what());
        throw refused_by_server(statement, e.sqlstate(), e.what());
    } catch (pqxx::failure const& e) {
        throw lost(statement, e.what());
    }
}

}  // namespace

struct rows::data {
    pqxx::result result;
};

std::size_t rows::count() const {
    return data_->result.size();
}

bool rows::is_null(std::size_t row, std::size_t column) const {
    return data_->result[static_cast<pqxx::result::size_type>(row)][static_cast<pqxx::row::size_type>(column)]
        .is_null();
}

std::string_view rows::text(std::size_t row, std::size_t column) const {
    auto const field =
        data_->result[static_cast<pqxx::result::size_type>(row)][static_cast<pqxx::row::size_type>(column)];
    return {field.c_str(), field.size()};
}

struct connection::session {
    explicit session(connection_settings const& settings)
        : link(complete_conninfo(settings)), timeout(settings.statement_timeout) {
        // libpqxx 6 would otherwise reconnect behind our back, without transaction, locks and prepared
        // statements.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
        link.inhibit_reactivation(true);
#pragma GCC diagnostic pop
        direct.emplace(link);
    }

    pqxx::connection link;
    /// Sends no BEGIN of its own; this class does, where it wants one.
    std::optional<pqxx::nontransaction> direct;
    std::set<std::string> prepared;
    std::chrono::milliseconds timeout;
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
    return translated(statement.name, [&] {
        if (session_->prepared.insert(statement.name).second)
            session_->link.prepare(statement.name, statement.text);
        std::vector<pqxx::binarystring> images;
        images.reserve(values.images().size());
        for (std::string const& image : values.images())
            images.emplace_back(image);
        auto const result = session_->direct->exec_prepared(
            statement.name, pqxx::prepare::make_dynamic_params(images.begin(), images.end()));
        return rows(std::make_shared<rows::data>(rows::data{result}));
    });
}

rows connection::execute_text(char const* name, std::string const& sql) {
    return translated(
        name, [&] { return rows(std::make_shared<rows::data>(rows::data{session_->direct->exec(sql)})); });
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

void connection::cancel() noexcept {
    try {
        session_->link.cancel_query();
    } catch (std::exception const&) {
        // The statement then ends at its statement_timeout: nothing else can be done about it from here.
    }
}

}  // namespace opstore::postgres::detail
