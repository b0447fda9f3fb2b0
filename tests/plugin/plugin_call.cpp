#include <tests/plugin/plugin_call.hpp>

#include <tests/plugin/plugin_answers.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <string>

namespace opstore::testing {
namespace {

store_error outage(opstore_error const& error) {
    store_error::facts facts;
    facts.code = static_cast<errc>(error.code);
    facts.retryable = error.retryable != 0;
    facts.commit_in_doubt = error.commit_in_doubt != 0;
    facts.sqlstate = cpp_text(error.sqlstate);
    facts.statement = cpp_text(error.statement);
    return store_error(cpp_text(error.message), std::move(facts));
}

}  // namespace

refusal read_error(opstore_error const& error) {
    if (error.struct_size != sizeof error || error.message.size == 0)
        throw plugin_broke_its_word("an error without its size or its message");
    switch (error.code) {
        case OPSTORE_NO_SUCH_SPACE:
        case OPSTORE_SPACE_DIFFERS:
        case OPSTORE_INVALID_ARGUMENT:
        case OPSTORE_SLICES_KEPT_BY_STORE:
            return {static_cast<errc>(error.code), cpp_text(error.message)};
        case OPSTORE_SCHEMA_MISMATCH:
        case OPSTORE_UNAVAILABLE:
        case OPSTORE_TIMED_OUT:
        case OPSTORE_CANCELLED_IN_DOUBT:
        case OPSTORE_REJECTED_BY_DATABASE:
        case OPSTORE_OVERLOADED:
            throw outage(error);
        case OPSTORE_CANCELLED:
            throw boost::system::system_error(boost::asio::error::operation_aborted);
        default:
            throw std::runtime_error("plugin error " + std::to_string(error.code) + ": " +
                                     cpp_text(error.message));
    }
}

void plugin_wait::arm(handler_type handler) {
    // The wrapper took the coroutine's slot for itself and offers one of its own: that is the one to use.
    auto slot = boost::asio::get_associated_cancellation_slot(handler_.emplace(std::move(handler)));
    if (slot.is_connected()) {
        slot.assign([weak = weak_from_this()](boost::asio::cancellation_type) {
            if (auto const self = weak.lock())
                plugin_library().cancel_call(self->database_, self->number_);
        });
    }
    work_.emplace(boost::asio::make_work_guard(executor_));
    alive_ = shared_from_this();
}

void plugin_wait::ended() {
    auto resume = [self = std::move(alive_), handler = std::move(*handler_)]() mutable {
        boost::asio::get_associated_cancellation_slot(handler).clear();
        std::move(handler)();
    };
    auto const executor = std::exchange(executor_, boost::asio::any_io_executor());
    auto const work = std::exchange(work_, std::nullopt);
    boost::asio::post(executor, std::move(resume));
}

}  // namespace opstore::testing
