#pragma once

#include <gossip/wire/detail/field_checks.hpp>
#include <gossip/wire/messages.hpp>

#include <gossip/wire/wire.pb.h>

/// Protobuf's types to values. Whatever is out of range is noted in `checks`; the value answered then means
/// nothing. Texts and bytes are moved out of the message where that spares a copy.
namespace opstore::gossip::detail {

void from_protobuf(wire::Initiate&& in, initiate_message& m, field_checks& checks);
void from_protobuf(wire::Accept&& in, accept_message& m, field_checks& checks);
void from_protobuf(wire::NoDiff&& in, no_diff_message& m, field_checks& checks);
void from_protobuf(wire::DiscSectorsDiff&& in, disc_sectors_diff_message& m, field_checks& checks);
void from_protobuf(wire::DiscDetailsDiff&& in, disc_details_diff_message& m, field_checks& checks);
void from_protobuf(wire::DiscDetailsResponse&& in, disc_details_response_message& m, field_checks& checks);
void from_protobuf(wire::RingDetailsDiff&& in, ring_details_diff_message& m, field_checks& checks);
void from_protobuf(wire::RingDetailsResponse&& in, ring_details_response_message& m, field_checks& checks);
void from_protobuf(wire::Hashes&& in, hashes_message& m, field_checks& checks);
void from_protobuf(wire::Agents&& in, agents_message& m, field_checks& checks);
void from_protobuf(wire::Busy&& in, busy_message& m, field_checks& checks);
void from_protobuf(wire::Terminate&& in, terminate_message& m, field_checks& checks);
void from_protobuf(wire::FetchRequest&& in, fetch_request_message& m, field_checks& checks);
void from_protobuf(wire::FetchResponse&& in, fetch_response_message& m, field_checks& checks);
void from_protobuf(wire::PublishOps&& in, publish_ops_message& m, field_checks& checks);
void from_protobuf(wire::PublishAgent&& in, publish_agent_message& m, field_checks& checks);

}  // namespace opstore::gossip::detail
