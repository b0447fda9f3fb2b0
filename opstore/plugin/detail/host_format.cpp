#include <opstore/plugin/detail/answers.hpp>
#include <opstore/plugin/detail/arguments.hpp>
#include <opstore/plugin/detail/host_code.hpp>
#include <opstore/plugin/detail/host_format.hpp>
#include <opstore/utf8.hpp>

#include <fmt/format.h>

#include <cstring>

namespace opstore::plugin::detail {
namespace {

constexpr std::size_t name_bytes_max = 63;

static_assert(OPSTORE_ID_BYTES_MAX == op_id::length_max);
static_assert(OPSTORE_UNREADABLE == static_cast<int>(rejection_reason::unreadable));
static_assert(OPSTORE_WRONG_ID == static_cast<int>(rejection_reason::wrong_id));
static_assert(OPSTORE_WRONG_ID_LENGTH == static_cast<int>(rejection_reason::wrong_id_length));
static_assert(OPSTORE_CREATED_BEFORE_EPOCH == static_cast<int>(rejection_reason::created_before_epoch));
static_assert(OPSTORE_TOO_LARGE == static_cast<int>(rejection_reason::too_large));
static_assert(OPSTORE_TOO_FAR_IN_FUTURE == static_cast<int>(rejection_reason::too_far_in_future));
static_assert(OPSTORE_BAD_SIGNATURE == static_cast<int>(rejection_reason::bad_signature));
static_assert(OPSTORE_REFUSED_BY_HOST == static_cast<int>(rejection_reason::refused_by_host));

void release_context(opstore_op_format const& format) noexcept {
    host_code const entered;
    if (format.release)
        format.release(format.context);
}

/// From here on the context is released exactly once, also if there is no memory to keep it in.
std::shared_ptr<host_format> take_context(opstore_op_format const& format) {
    try {
        return std::make_shared<host_format>(format);
    } catch (...) {
        release_context(format);
        throw;
    }
}

decode_failure host_says_no(std::int32_t reason, opstore_decoded_op const& decoded) {
    std::string message(decoded.message, ::strnlen(decoded.message, sizeof decoded.message));
    message = message.empty() ? fmt::format("the host's format rejected it, reason {}", reason)
                              : printable(message);
    bool const known = reason >= OPSTORE_UNREADABLE && reason <= OPSTORE_REFUSED_BY_HOST;
    return decode_failure(known ? static_cast<rejection_reason>(reason) : rejection_reason::refused_by_host,
                          std::move(message));
}

}  // namespace

std::shared_ptr<const op_format> host_format::take(opstore_op_format const& format) {
    // Before it is judged: whatever is refused then, its end releases the context.
    auto const taken = take_context(format);
    if (taken->format_.id_size < 1 || taken->format_.id_size > op_id::length_max)
        refuse("format.id_size", fmt::format("{}, possible are 1 to {}", format.id_size, op_id::length_max));
    if (!taken->format_.decode)
        refuse("format.decode", "NULL");
    taken->name_ = read_text(format.name, "format.name");
    if (taken->name_.empty() || taken->name_.size() > name_bytes_max)
        refuse("format.name", fmt::format("{} bytes, not 1 to {}", taken->name_.size(), name_bytes_max));
    if (!is_utf8(taken->name_))
        refuse("format.name", "it is not UTF-8");
    if (find_format(taken->name_))
        refuse("format.name", fmt::format("'{}' is a built-in format", taken->name_));
    return taken;
}

host_format::host_format(opstore_op_format const& format) : format_(format) {}

host_format::~host_format() {
    release_context(format_);
}

boost::system::result<op_header, decode_failure> host_format::decode(
    std::span<const std::byte> op, std::span<const std::byte> metadata) const {
    opstore_decoded_op decoded{};
    host_code const entered;
    auto const reason = format_.decode(format_.context, c_bytes(op), c_bytes(metadata), &decoded);
    if (reason != 0)
        return host_says_no(reason, decoded);
    if (decoded.id_size > op_id::length_max) {
        return decode_failure(rejection_reason::wrong_id_length,
                              fmt::format("the host's format computed an id of {} bytes", decoded.id_size));
    }
    op_header header;
    header.id = op_id(std::as_bytes(std::span(decoded.id, decoded.id_size)));
    header.created_at = arc::from_micros(decoded.created_at);
    return header;
}

arc::location host_format::locate(op_id const& id) const {
    if (!format_.locate)
        return arc::fold_location(id.bytes());
    host_code const entered;
    return arc::location{format_.locate(format_.context, c_bytes(id.bytes()))};
}

}  // namespace opstore::plugin::detail
