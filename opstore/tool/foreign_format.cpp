#include <opstore/tool/foreign_format.hpp>

#include <fmt/format.h>

#include <utility>

namespace opstore::tool {
namespace {

class foreign final : public op_format {
public:
    foreign(std::string name, std::size_t id_length) : name_(std::move(name)), id_length_(id_length) {}

    std::string_view name() const override { return name_; }
    std::size_t id_length() const override { return id_length_; }

    boost::system::result<op_header, decode_failure> decode(std::span<const std::byte>,
                                                            std::span<const std::byte>) const override {
        return decode_failure(rejection_reason::refused_by_host,
                              fmt::format("only its host can read ops of format '{}'", name_));
    }
    /// Of ops that are stored the database knows the place, and others are not decoded.
    arc::location locate(op_id const&) const override { return arc::location{0}; }

    std::span<const std::byte> payload(std::span<const std::byte> op) const override { return op; }

private:
    std::string const name_;
    std::size_t const id_length_;
};

}  // namespace

std::shared_ptr<const op_format> foreign_format(std::string name, std::size_t id_length) {
    return std::make_shared<foreign>(std::move(name), id_length);
}

}  // namespace opstore::tool
