#include <gossip/wire/detail/to_protobuf.hpp>

#include <span>
#include <string>

namespace opstore::gossip::detail {
namespace {

using byte_lists = google::protobuf::RepeatedPtrField<std::string>;

std::string text_of(std::span<const std::byte> bytes) {
    return std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size());
}

void put(std::vector<op_id> const& ids, byte_lists& out) {
    out.Reserve(static_cast<int>(ids.size()));
    for (auto const& id : ids) {
        out.Add(text_of(id.bytes()));
    }
}

void put(std::vector<agent_id> const& agents, byte_lists& out) {
    for (auto const& agent : agents) {
        out.Add(text_of(agent));
    }
}

void put(std::vector<std::string> const& agent_infos, byte_lists& out) {
    for (auto const& info : agent_infos) {
        out.Add(std::string(info));
    }
}

void put(arc::arc_set const& arcs, wire::ArcSet& out) {
    auto const words = arcs.encode();
    out.mutable_value()->Add(words.begin(), words.end());
}

void put(std::vector<region_cursor> const& cursors,
         google::protobuf::RepeatedPtrField<wire::RegionCursor>& out) {
    for (auto const& cursor : cursors) {
        auto& added = *out.Add();
        added.set_sector(cursor.region.sector);
        added.set_start(arc::to_micros(cursor.region.range.start));
        added.set_end(arc::to_micros(cursor.region.range.end));
        if (cursor.after) {
            added.set_after_created_at(arc::to_micros(cursor.after->created_at));
            added.set_after_id(text_of(cursor.after->id.bytes()));
        }
    }
}

void put(accept_response const& response, wire::AcceptResponse& out) {
    put(response.missing_agents, *out.mutable_missing_agents());
    put(response.provided_agents, *out.mutable_provided_agents());
    put(response.new_ops, *out.mutable_new_ops());
    out.set_updated_new_since(arc::to_micros(response.updated_new_since));
    put(response.oversized_new_ops, *out.mutable_oversized_new_ops());
}

void put(minimal_snapshot const& snapshot, wire::MinimalSnapshot& out) {
    out.set_disc_boundary(arc::to_micros(snapshot.disc_boundary));
    out.set_disc_top_hash(text_of(snapshot.disc_top_hash.bytes()));
    for (auto const& hash : snapshot.ring_top_hashes) {
        out.add_ring_top_hashes(text_of(hash.bytes()));
    }
}

void put(disc_sectors_snapshot const& snapshot, wire::DiscSectorsSnapshot& out) {
    out.set_disc_boundary(arc::to_micros(snapshot.disc_boundary));
    for (auto const& [sector, hash] : snapshot.sectors) {
        out.add_disc_sectors(sector);
        out.add_disc_sector_hashes(text_of(hash.bytes()));
    }
}

void put(disc_details_snapshot const& snapshot, wire::DiscDetailsSnapshot& out) {
    out.set_disc_boundary(arc::to_micros(snapshot.disc_boundary));
    for (auto const& [sector, slices] : snapshot.sectors) {
        out.add_sector_indices(sector);
        auto& added = *out.add_disc_slice_hashes();
        for (auto const& [slice, hash] : slices) {
            added.add_slice_indices(slice);
            added.add_hashes(text_of(hash.bytes()));
        }
    }
}

void put(ring_details_snapshot const& snapshot, wire::RingDetailsSnapshot& out) {
    out.set_disc_boundary(arc::to_micros(snapshot.disc_boundary));
    for (auto const& [ring, sectors] : snapshot.rings) {
        out.add_ring_indices(ring);
        auto& added = *out.add_ring_sector_hashes();
        for (auto const& [sector, hash] : sectors) {
            added.add_sector_indices(sector);
            added.add_hashes(text_of(hash.bytes()));
        }
    }
}

template <class Message>
Message begin(session_id const& session) {
    Message out;
    out.set_session_id(text_of(session));
    return out;
}

/// What initiate and accept have in common.
template <class Out, class Message>
Out begin_round(Message const& m) {
    auto out = begin<Out>(m.session);
    put(m.participating_agents, *out.mutable_participating_agents());
    if (m.arcs) {
        put(*m.arcs, *out.mutable_arc_set());
    }
    out.set_new_since(arc::to_micros(m.new_since));
    out.set_max_op_data_bytes(m.max_op_data_bytes);
    if (m.dht_op_count) {
        out.set_dht_op_count(*m.dht_op_count);
    }
    out.set_extensions(m.extensions);
    return out;
}

}  // namespace

wire::Initiate to_protobuf(initiate_message const& m) {
    auto out = begin_round<wire::Initiate>(m);
    out.set_tie_breaker(m.tie_breaker);
    return out;
}

wire::Accept to_protobuf(accept_message const& m) {
    auto out = begin_round<wire::Accept>(m);
    put(m.missing_agents, *out.mutable_missing_agents());
    put(m.new_ops, *out.mutable_new_ops());
    out.set_updated_new_since(arc::to_micros(m.updated_new_since));
    if (m.snapshot) {
        put(*m.snapshot, *out.mutable_snapshot());
    }
    put(m.oversized_new_ops, *out.mutable_oversized_new_ops());
    if (m.layout_time) {
        out.set_layout_time(arc::to_micros(*m.layout_time));
    }
    return out;
}

wire::NoDiff to_protobuf(no_diff_message const& m) {
    auto out = begin<wire::NoDiff>(m.session);
    if (m.response) {
        put(*m.response, *out.mutable_accept_response());
    }
    out.set_cannot_compare(m.cannot_compare);
    return out;
}

wire::DiscSectorsDiff to_protobuf(disc_sectors_diff_message const& m) {
    auto out = begin<wire::DiscSectorsDiff>(m.session);
    if (m.response) {
        put(*m.response, *out.mutable_accept_response());
    }
    put(m.snapshot, *out.mutable_snapshot());
    return out;
}

wire::DiscDetailsDiff to_protobuf(disc_details_diff_message const& m) {
    auto out = begin<wire::DiscDetailsDiff>(m.session);
    put(m.provided_agents, *out.mutable_provided_agents());
    put(m.snapshot, *out.mutable_snapshot());
    put(m.resume, *out.mutable_resume());
    return out;
}

wire::DiscDetailsResponse to_protobuf(disc_details_response_message const& m) {
    auto out = begin<wire::DiscDetailsResponse>(m.session);
    put(m.missing_ids, *out.mutable_missing_ids());
    put(m.snapshot, *out.mutable_snapshot());
    put(m.resume, *out.mutable_resume());
    put(m.cut, *out.mutable_cut());
    return out;
}

wire::RingDetailsDiff to_protobuf(ring_details_diff_message const& m) {
    auto out = begin<wire::RingDetailsDiff>(m.session);
    if (m.response) {
        put(*m.response, *out.mutable_accept_response());
    }
    put(m.snapshot, *out.mutable_snapshot());
    put(m.resume, *out.mutable_resume());
    out.set_disc_differs(m.disc_differs);
    return out;
}

wire::RingDetailsResponse to_protobuf(ring_details_response_message const& m) {
    auto out = begin<wire::RingDetailsResponse>(m.session);
    put(m.missing_ids, *out.mutable_missing_ids());
    put(m.snapshot, *out.mutable_snapshot());
    put(m.resume, *out.mutable_resume());
    put(m.cut, *out.mutable_cut());
    return out;
}

wire::Hashes to_protobuf(hashes_message const& m) {
    auto out = begin<wire::Hashes>(m.session);
    put(m.missing_ids, *out.mutable_missing_ids());
    put(m.cut, *out.mutable_cut());
    return out;
}

wire::Agents to_protobuf(agents_message const& m) {
    auto out = begin<wire::Agents>(m.session);
    put(m.provided_agents, *out.mutable_provided_agents());
    return out;
}

wire::Busy to_protobuf(busy_message const& m) {
    return begin<wire::Busy>(m.session);
}

wire::Terminate to_protobuf(terminate_message const& m) {
    auto out = begin<wire::Terminate>(m.session);
    out.set_reason(m.reason);
    return out;
}

wire::FetchRequest to_protobuf(fetch_request_message const& m) {
    wire::FetchRequest out;
    put(m.ids, *out.mutable_op_ids());
    return out;
}

wire::FetchResponse to_protobuf(fetch_response_message const& m) {
    wire::FetchResponse out;
    for (auto const& op : m.ops) {
        auto& added = *out.add_ops();
        added.set_op_id(text_of(op.id.bytes()));
        added.set_data(text_of(op.data));
    }
    put(m.absent, *out.mutable_absent());
    return out;
}

wire::PublishOps to_protobuf(publish_ops_message const& m) {
    wire::PublishOps out;
    for (auto const& op : m.ops) {
        auto& added = *out.add_entries();
        added.set_op_id(text_of(op.id.bytes()));
        if (op.metadata) {
            added.set_metadata(text_of(*op.metadata));
        }
    }
    return out;
}

wire::PublishAgent to_protobuf(publish_agent_message const& m) {
    wire::PublishAgent out;
    out.set_agent_info(m.agent_info);
    return out;
}

}  // namespace opstore::gossip::detail
