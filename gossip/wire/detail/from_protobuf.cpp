#include <gossip/wire/detail/from_protobuf.hpp>

#include <fmt/format.h>

#include <span>
#include <utility>

namespace opstore::gossip::detail {
namespace {

using byte_lists = google::protobuf::RepeatedPtrField<std::string>;

std::vector<std::byte> bytes_of(std::string_view text) {
    auto const bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

std::vector<op_id> ids_of(byte_lists const& in, field_checks& checks) {
    std::vector<op_id> ids;
    ids.reserve(static_cast<std::size_t>(in.size()));
    for (int i = 0; i < in.size() && checks.ok(); ++i) {
        ids.push_back(checks.id(in[i]));
    }
    return ids;
}

std::vector<agent_id> agents_of(byte_lists const& in, field_checks& checks) {
    std::vector<agent_id> agents;
    agents.reserve(static_cast<std::size_t>(in.size()));
    for (int i = 0; i < in.size() && checks.ok(); ++i) {
        agents.push_back(checks.agent(in[i]));
    }
    return agents;
}

std::string agent_info_of(std::string&& in, field_checks& checks) {
    return checks.text(std::move(in), provided_agent_bytes_max, "an agent info");
}

std::vector<std::string> agent_infos_of(byte_lists& in, field_checks& checks) {
    std::vector<std::string> infos;
    infos.reserve(static_cast<std::size_t>(in.size()));
    for (int i = 0; i < in.size() && checks.ok(); ++i) {
        infos.push_back(agent_info_of(std::move(*in.Mutable(i)), checks));
    }
    return infos;
}

arc::arc_set arcs_of(wire::ArcSet const& in, field_checks& checks) {
    auto const words = std::span(in.value().data(), static_cast<std::size_t>(in.value_size()));
    auto const arcs = arc::arc_set::decode(words);
    if (!arcs) {
        checks.refuse(protocol_errc::out_of_range, fmt::format("an arc set of {} words; it has {}",
                                                               words.size(), arc::arc_set::encoded_words));
    }
    return arcs.value_or(arc::arc_set());
}

region_cursor cursor_of(wire::RegionCursor const& in, field_checks& checks) {
    region_cursor cursor;
    cursor.region.sector = checks.sector(in.sector());
    cursor.region.range = {arc::from_micros(in.start()), arc::from_micros(in.end())};
    if (in.start() > in.end()) {
        checks.refuse(protocol_errc::out_of_range,
                      fmt::format("a region from {} to {} us", in.start(), in.end()));
    }
    if (in.has_after_created_at()) {
        cursor.after = op_position{arc::from_micros(in.after_created_at()), checks.id(in.after_id())};
    } else if (!in.after_id().empty()) {
        checks.refuse(protocol_errc::malformed, "a region cursor with after_id without after_created_at");
    }
    return cursor;
}

std::vector<region_cursor> cursors_of(google::protobuf::RepeatedPtrField<wire::RegionCursor> const& in,
                                      field_checks& checks) {
    checks.at_most(in.size(), region_cursors_max, "region cursors");
    std::vector<region_cursor> cursors;
    for (int i = 0; i < in.size() && checks.ok(); ++i) {
        cursors.push_back(cursor_of(in[i], checks));
    }
    return cursors;
}

accept_response response_of(wire::AcceptResponse&& in, field_checks& checks) {
    accept_response response;
    response.missing_agents = agents_of(in.missing_agents(), checks);
    response.provided_agents = agent_infos_of(*in.mutable_provided_agents(), checks);
    response.new_ops = ids_of(in.new_ops(), checks);
    response.updated_new_since = arc::from_micros(in.updated_new_since());
    response.oversized_new_ops = ids_of(in.oversized_new_ops(), checks);
    return response;
}

minimal_snapshot minimal_of(wire::MinimalSnapshot const& in, field_checks& checks) {
    minimal_snapshot snapshot;
    snapshot.disc_boundary = arc::from_micros(in.disc_boundary());
    snapshot.disc_top_hash = checks.top_hash(in.disc_top_hash());
    checks.at_most(in.ring_top_hashes_size(), rings_max, "rings");
    for (int i = 0; i < in.ring_top_hashes_size() && checks.ok(); ++i) {
        snapshot.ring_top_hashes.push_back(checks.top_hash(in.ring_top_hashes(i)));
    }
    return snapshot;
}

disc_sectors_snapshot disc_sectors_of(wire::DiscSectorsSnapshot const& in, field_checks& checks) {
    disc_sectors_snapshot snapshot;
    snapshot.disc_boundary = arc::from_micros(in.disc_boundary());
    checks.same_length(in.disc_sectors_size(), in.disc_sector_hashes_size(), "disc sectors");
    for (int i = 0; i < in.disc_sectors_size() && checks.ok(); ++i) {
        snapshot.sectors[checks.sector(in.disc_sectors(i))] = checks.hash(in.disc_sector_hashes(i));
    }
    return snapshot;
}

slice_hashes slices_of(wire::SliceHashes const& in, field_checks& checks) {
    slice_hashes slices;
    checks.same_length(in.slice_indices_size(), in.hashes_size(), "slices");
    for (int i = 0; i < in.slice_indices_size() && checks.ok(); ++i) {
        slices[checks.slice(in.slice_indices(i))] = checks.hash(in.hashes(i));
    }
    return slices;
}

disc_details_snapshot disc_details_of(wire::DiscDetailsSnapshot const& in, field_checks& checks) {
    disc_details_snapshot snapshot;
    snapshot.disc_boundary = arc::from_micros(in.disc_boundary());
    checks.same_length(in.sector_indices_size(), in.disc_slice_hashes_size(), "disc details");
    for (int i = 0; i < in.sector_indices_size() && checks.ok(); ++i) {
        auto const sector = checks.sector(in.sector_indices(i));
        snapshot.sectors[sector] = slices_of(in.disc_slice_hashes(i), checks);
    }
    return snapshot;
}

sector_hashes sectors_of(wire::SectorHashes const& in, field_checks& checks) {
    sector_hashes sectors;
    checks.same_length(in.sector_indices_size(), in.hashes_size(), "sectors");
    for (int i = 0; i < in.sector_indices_size() && checks.ok(); ++i) {
        sectors[checks.sector(in.sector_indices(i))] = checks.hash(in.hashes(i));
    }
    return sectors;
}

ring_details_snapshot ring_details_of(wire::RingDetailsSnapshot const& in, field_checks& checks) {
    ring_details_snapshot snapshot;
    snapshot.disc_boundary = arc::from_micros(in.disc_boundary());
    checks.same_length(in.ring_indices_size(), in.ring_sector_hashes_size(), "ring details");
    for (int i = 0; i < in.ring_indices_size() && checks.ok(); ++i) {
        auto const ring = checks.ring(in.ring_indices(i));
        snapshot.rings[ring] = sectors_of(in.ring_sector_hashes(i), checks);
    }
    return snapshot;
}

/// What initiate and accept have in common.
template <class In, class Message>
void read_round_start(In& in, Message& m, field_checks& checks) {
    m.session = checks.session(in.session_id());
    m.participating_agents = agents_of(in.participating_agents(), checks);
    if (in.has_arc_set()) {
        m.arcs = arcs_of(in.arc_set(), checks);
    }
    m.new_since = arc::from_micros(in.new_since());
    m.max_op_data_bytes = in.max_op_data_bytes();
    if (in.has_dht_op_count()) {
        m.dht_op_count = in.dht_op_count();
    }
    m.extensions = in.extensions();
}

template <class In>
std::optional<accept_response> optional_response_of(In& in, field_checks& checks) {
    if (!in.has_accept_response()) {
        return std::nullopt;
    }
    return response_of(std::move(*in.mutable_accept_response()), checks);
}

/// kitsune2 refuses a message of these kinds without its snapshot too.
template <class In>
void require_snapshot(In const& in, field_checks& checks) {
    if (!in.has_snapshot()) {
        checks.refuse(protocol_errc::malformed, "no snapshot");
    }
}

}  // namespace

void from_protobuf(wire::Initiate&& in, initiate_message& m, field_checks& checks) {
    read_round_start(in, m, checks);
    m.tie_breaker = in.tie_breaker();
}

void from_protobuf(wire::Accept&& in, accept_message& m, field_checks& checks) {
    read_round_start(in, m, checks);
    m.missing_agents = agents_of(in.missing_agents(), checks);
    m.new_ops = ids_of(in.new_ops(), checks);
    m.updated_new_since = arc::from_micros(in.updated_new_since());
    if (in.has_snapshot()) {
        m.snapshot = minimal_of(in.snapshot(), checks);
    }
    m.oversized_new_ops = ids_of(in.oversized_new_ops(), checks);
    if (in.has_layout_time()) {
        m.layout_time = arc::from_micros(in.layout_time());
    }
}

void from_protobuf(wire::NoDiff&& in, no_diff_message& m, field_checks& checks) {
    m.session = checks.session(in.session_id());
    m.response = optional_response_of(in, checks);
    m.cannot_compare = in.cannot_compare();
}

void from_protobuf(wire::DiscSectorsDiff&& in, disc_sectors_diff_message& m, field_checks& checks) {
    m.session = checks.session(in.session_id());
    m.response = optional_response_of(in, checks);
    require_snapshot(in, checks);
    m.snapshot = disc_sectors_of(in.snapshot(), checks);
}

void from_protobuf(wire::DiscDetailsDiff&& in, disc_details_diff_message& m, field_checks& checks) {
    m.session = checks.session(in.session_id());
    m.provided_agents = agent_infos_of(*in.mutable_provided_agents(), checks);
    require_snapshot(in, checks);
    m.snapshot = disc_details_of(in.snapshot(), checks);
    m.resume = cursors_of(in.resume(), checks);
}

void from_protobuf(wire::DiscDetailsResponse&& in, disc_details_response_message& m, field_checks& checks) {
    m.session = checks.session(in.session_id());
    m.missing_ids = ids_of(in.missing_ids(), checks);
    require_snapshot(in, checks);
    m.snapshot = disc_details_of(in.snapshot(), checks);
    m.cut = cursors_of(in.cut(), checks);
    m.resume = cursors_of(in.resume(), checks);
}

void from_protobuf(wire::RingDetailsDiff&& in, ring_details_diff_message& m, field_checks& checks) {
    m.session = checks.session(in.session_id());
    m.response = optional_response_of(in, checks);
    require_snapshot(in, checks);
    m.snapshot = ring_details_of(in.snapshot(), checks);
    m.resume = cursors_of(in.resume(), checks);
    m.disc_differs = in.disc_differs();
}

void from_protobuf(wire::RingDetailsResponse&& in, ring_details_response_message& m, field_checks& checks) {
    m.session = checks.session(in.session_id());
    m.missing_ids = ids_of(in.missing_ids(), checks);
    require_snapshot(in, checks);
    m.snapshot = ring_details_of(in.snapshot(), checks);
    m.cut = cursors_of(in.cut(), checks);
    m.resume = cursors_of(in.resume(), checks);
}

void from_protobuf(wire::Hashes&& in, hashes_message& m, field_checks& checks) {
    m.session = checks.session(in.session_id());
    m.missing_ids = ids_of(in.missing_ids(), checks);
    m.cut = cursors_of(in.cut(), checks);
}

void from_protobuf(wire::Agents&& in, agents_message& m, field_checks& checks) {
    m.session = checks.session(in.session_id());
    m.provided_agents = agent_infos_of(*in.mutable_provided_agents(), checks);
}

void from_protobuf(wire::Busy&& in, busy_message& m, field_checks& checks) {
    m.session = checks.session(in.session_id());
}

void from_protobuf(wire::Terminate&& in, terminate_message& m, field_checks& checks) {
    m.session = checks.session(in.session_id());
    m.reason = checks.text(std::move(*in.mutable_reason()), terminate_reason_bytes_max, "a reason");
}

void from_protobuf(wire::FetchRequest&& in, fetch_request_message& m, field_checks& checks) {
    m.ids = ids_of(in.op_ids(), checks);
}

void from_protobuf(wire::FetchResponse&& in, fetch_response_message& m, field_checks& checks) {
    m.ops.reserve(static_cast<std::size_t>(in.ops_size()));
    for (int i = 0; i < in.ops_size() && checks.ok(); ++i) {
        auto& op = m.ops.emplace_back();
        op.id = checks.id(in.ops(i).op_id());
        op.data = bytes_of(in.ops(i).data());
        // Given back at once: the ops of one answer may fill the frame.
        in.mutable_ops(i)->mutable_data()->clear();
        in.mutable_ops(i)->mutable_data()->shrink_to_fit();
    }
    m.absent = ids_of(in.absent(), checks);
}

void from_protobuf(wire::PublishOps&& in, publish_ops_message& m, field_checks& checks) {
    m.ops.reserve(static_cast<std::size_t>(in.entries_size()));
    for (int i = 0; i < in.entries_size() && checks.ok(); ++i) {
        auto const& entry = in.entries(i);
        auto& op = m.ops.emplace_back();
        op.id = checks.id(entry.op_id());
        if (entry.has_metadata()) {
            op.metadata = bytes_of(entry.metadata());
        }
    }
}

void from_protobuf(wire::PublishAgent&& in, publish_agent_message& m, field_checks& checks) {
    m.agent_info = agent_info_of(std::move(*in.mutable_agent_info()), checks);
}

}  // namespace opstore::gossip::detail
