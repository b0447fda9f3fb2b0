#pragma once

#include <opstore/plugin/opstore_plugin.h>
#include <opstore/op_format.hpp>

#include <memory>
#include <string>

namespace opstore::plugin::detail {

/// An op format that asks the host's functions.
///
/// Thread safety: as the host promises, any thread at once.
class host_format final : public op_format {
public:
    /// Takes the context over: release() follows, exactly once, when this object ends.
    /// Throws refused (invalid_argument) or bad_alloc, and has released the context then.
    static std::shared_ptr<const op_format> take(opstore_op_format const& format);

    /// For take().
    explicit host_format(opstore_op_format const& format);
    ~host_format() override;

    host_format(host_format const&) = delete;
    host_format& operator=(host_format const&) = delete;

    std::string_view name() const override { return name_; }
    std::size_t id_length() const override { return format_.id_size; }
    boost::system::result<op_header, decode_failure> decode(
        std::span<const std::byte> op, std::span<const std::byte> metadata) const override;
    arc::location locate(op_id const& id) const override;
    /// The whole op: what its envelope is only the host knows.
    std::span<const std::byte> payload(std::span<const std::byte> op) const override { return op; }

private:
    opstore_op_format const format_;
    std::string name_;
};

}  // namespace opstore::plugin::detail
