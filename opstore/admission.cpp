#include <opstore/admission.hpp>

#include <fmt/format.h>

namespace opstore {
namespace {

std::optional<decode_failure> judge_header(op_header const& header, incoming_op const& op,
                                           space_options const& space, arc::timestamp now) {
    auto const length = space.format->id_length();
    if (op.claimed_id && op.claimed_id->length() != length) {
        return decode_failure(rejection_reason::wrong_id_length,
                              fmt::format("the claimed id has {} bytes, ids of this space have {}",
                                          op.claimed_id->length(), length));
    }
    if (header.id.length() != length) {
        return decode_failure(rejection_reason::wrong_id_length,
                              fmt::format("the format computed an id of {} bytes, ids of this space have {}",
                                          header.id.length(), length));
    }
    if (op.claimed_id && *op.claimed_id != header.id) {
        return decode_failure(rejection_reason::wrong_id,
                              fmt::format("claimed id {}, but the bytes have id {}",
                                          to_string(*op.claimed_id), to_string(header.id)));
    }
    auto const created = arc::to_micros(header.created_at);
    if (created < 0) {
        return decode_failure(rejection_reason::created_before_epoch,
                              fmt::format("created_at {} lies before the Unix epoch", created));
    }
    // Unsigned: the clock may stand before the epoch, and a far future less that overflows an int64.
    auto const ahead = static_cast<std::uint64_t>(created) - static_cast<std::uint64_t>(arc::to_micros(now));
    if (space.max_future && header.created_at > now &&
        ahead > static_cast<std::uint64_t>(space.max_future->count())) {
        return decode_failure(rejection_reason::too_far_in_future,
                              fmt::format("created_at {} is more than {} us ahead of the clock, {}", created,
                                          space.max_future->count(), arc::to_micros(now)));
    }
    return std::nullopt;
}

}  // namespace

admission admit(std::vector<incoming_op> ops, space_options const& space, arc::timestamp now) {
    admission result;
    result.ops.reserve(ops.size());
    for (std::size_t index = 0; index < ops.size(); ++index) {
        incoming_op& op = ops[index];
        auto reject = [&](decode_failure const& failure) {
            result.rejected.emplace_back(index, failure.reason(), failure.message());
        };
        if (op.data.size() > space.max_op_bytes) {
            reject(decode_failure(rejection_reason::too_large,
                                  fmt::format("{} bytes, ops of this space have at most {}", op.data.size(),
                                              space.max_op_bytes)));
            continue;
        }
        auto const header = space.format->decode(op.data, op.metadata);
        if (!header) {
            reject(header.error());
            continue;
        }
        if (auto const failure = judge_header(*header, op, space, now)) {
            reject(*failure);
            continue;
        }
        admitted_op taken;
        taken.id = header->id;
        taken.location = space.format->locate(header->id);
        taken.created_at = header->created_at;
        taken.data = std::move(op.data);
        result.ops.push_back(std::move(taken));
    }
    return result;
}

result<void> admit_slice_hash(space_options const& space, arc::dht_arc arc, std::uint64_t index,
                              std::vector<std::byte> const& hash) {
    if (hash.empty())
        return refusal(errc::invalid_argument, "hash: the empty hash stands for no ops and is not stored");
    if (arc.is_empty())
        return refusal(errc::invalid_argument, "arc: the empty arc has no slices");
    if (index >= std::uint64_t{1} << 63)
        return refusal(errc::invalid_argument, fmt::format("index: {} is not below 2^63", index));
    auto const sector = arc::sector_of(arc.start());
    if (space.slices == slice_mode::store && arc == arc::sector_arc(sector)) {
        return refusal(errc::slices_kept_by_store,
                       fmt::format("arc: the hashes of sector {} are kept by the store", sector));
    }
    return {};
}

}  // namespace opstore
