#include <opstore/plugin/detail/answers.hpp>
#include <opstore/plugin/detail/failure.hpp>
#include <opstore/utf8.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <new>
#include <system_error>

namespace opstore::plugin::detail {

namespace {

/// So short that a string of it needs no memory.
constexpr char no_memory_text[] = "no memory";

failure retryable(std::int32_t code, std::string_view text) noexcept {
    failure f(code, text);
    f.retryable = true;
    return f;
}

void copy_text(std::string const& from, std::string& to) noexcept {
    try {
        to = from;
    } catch (std::bad_alloc const&) {
        // It stays empty, which says nothing that is not so.
    }
}

}  // namespace

static_assert(OPSTORE_NO_SUCH_SPACE == static_cast<int>(errc::no_such_space));
static_assert(OPSTORE_SPACE_DIFFERS == static_cast<int>(errc::space_differs));
static_assert(OPSTORE_INVALID_ARGUMENT == static_cast<int>(errc::invalid_argument));
static_assert(OPSTORE_SLICES_KEPT_BY_STORE == static_cast<int>(errc::slices_kept_by_store));
static_assert(OPSTORE_SCHEMA_MISMATCH == static_cast<int>(errc::schema_mismatch));
static_assert(OPSTORE_UNAVAILABLE == static_cast<int>(errc::unavailable));
static_assert(OPSTORE_TIMED_OUT == static_cast<int>(errc::timed_out));
static_assert(OPSTORE_CANCELLED_IN_DOUBT == static_cast<int>(errc::cancelled_in_doubt));
static_assert(OPSTORE_REJECTED_BY_DATABASE == static_cast<int>(errc::rejected_by_database));
static_assert(OPSTORE_OVERLOADED == static_cast<int>(errc::overloaded));

failure::failure(std::int32_t c, std::string_view text) noexcept : code(c) {
    try {
        message = printable(text);
    } catch (std::bad_alloc const&) {
        message = no_memory_text;
    }
}

failure no_memory() noexcept {
    return retryable(OPSTORE_OUT_OF_MEMORY, no_memory_text);
}

failure cancelled() noexcept {
    return retryable(OPSTORE_CANCELLED, "the call was cancelled");
}

failure describe(refusal const& refused) noexcept {
    return failure(static_cast<std::int32_t>(refused.code()), refused.message());
}

failure describe(std::exception_ptr const& error) noexcept {
    try {
        std::rethrow_exception(error);
    } catch (store_error const& e) {
        failure f(static_cast<std::int32_t>(e.code()), e.what());
        // A cancelled call is one too: no write of this interface does harm twice.
        f.retryable = e.retryable() || e.code() == errc::cancelled_in_doubt;
        f.commit_in_doubt = e.commit_in_doubt();
        copy_text(e.sqlstate(), f.sqlstate);
        copy_text(e.statement(), f.statement);
        return f;
    } catch (refused const& e) {
        return failure(static_cast<std::int32_t>(e.code()), e.what());
    } catch (boost::system::system_error const& e) {
        if (e.code() == boost::asio::error::operation_aborted)
            return cancelled();
        return failure(OPSTORE_INTERNAL, e.what());
    } catch (not_connected const& e) {
        return retryable(OPSTORE_NOT_CONNECTED, e.what());
    } catch (std::bad_alloc const&) {
        return no_memory();
    } catch (std::system_error const& e) {
        if (e.code() == std::errc::resource_unavailable_try_again)
            return retryable(OPSTORE_UNAVAILABLE, "the system does not give a thread");
        return failure(OPSTORE_INTERNAL, e.what());
    } catch (std::exception const& e) {
        return failure(OPSTORE_INTERNAL, e.what());
    } catch (...) {
        return failure(OPSTORE_INTERNAL, "an exception of an unknown type");
    }
}

void rethrow_in_doubt() {
    store_error::facts facts;
    std::string message;
    try {
        throw;
    } catch (store_error const& e) {
        facts.code = e.code();
        facts.retryable = e.retryable();
        facts.sqlstate = e.sqlstate();
        facts.statement = e.statement();
        message = e.what();
    } catch (boost::system::system_error const& e) {
        if (e.code() != boost::asio::error::operation_aborted)
            throw;
        facts.code = errc::cancelled_in_doubt;
        message = "the call was cancelled when a part of it was done";
    }
    facts.commit_in_doubt = true;
    throw store_error(message, std::move(facts));
}

opstore_error c_error(failure const& f) {
    opstore_error error{};
    error.struct_size = sizeof error;
    error.code = f.code;
    error.retryable = f.retryable;
    error.commit_in_doubt = f.commit_in_doubt;
    error.message = c_text(f.message);
    error.sqlstate = c_text(f.sqlstate);
    error.statement = c_text(f.statement);
    return error;
}

}  // namespace opstore::plugin::detail
