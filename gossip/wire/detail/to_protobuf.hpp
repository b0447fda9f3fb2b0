#pragma once

#include <gossip/wire/messages.hpp>

#include <gossip/wire/wire.pb.h>

/// Values to protobuf's own types. Maps become parallel lists with ascending keys; an extension that says
/// nothing leaves no field.
namespace opstore::gossip::detail {

wire::Initiate to_protobuf(initiate_message const& m);
wire::Accept to_protobuf(accept_message const& m);
wire::NoDiff to_protobuf(no_diff_message const& m);
wire::DiscSectorsDiff to_protobuf(disc_sectors_diff_message const& m);
wire::DiscDetailsDiff to_protobuf(disc_details_diff_message const& m);
wire::DiscDetailsResponse to_protobuf(disc_details_response_message const& m);
wire::RingDetailsDiff to_protobuf(ring_details_diff_message const& m);
wire::RingDetailsResponse to_protobuf(ring_details_response_message const& m);
wire::Hashes to_protobuf(hashes_message const& m);
wire::Agents to_protobuf(agents_message const& m);
wire::Busy to_protobuf(busy_message const& m);
wire::Terminate to_protobuf(terminate_message const& m);
wire::FetchRequest to_protobuf(fetch_request_message const& m);
wire::FetchResponse to_protobuf(fetch_response_message const& m);
wire::PublishOps to_protobuf(publish_ops_message const& m);
wire::PublishAgent to_protobuf(publish_agent_message const& m);

}  // namespace opstore::gossip::detail
