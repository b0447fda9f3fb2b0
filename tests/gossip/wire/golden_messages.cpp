#include <tests/gossip/wire/golden_messages.hpp>
#include <tests/support/chosen_id_format.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace opstore::testing {
namespace {

using namespace gossip;

constexpr std::int64_t boundary_micros = 1'699'430'400'000'000;
constexpr std::int64_t since_micros = 1'700'000'000'000'000;

op_id id_of(std::string_view hex) {
    return op_id(from_hex(hex));
}

combined_hash hash_of(std::string_view hex) {
    return combined_hash(from_hex(hex));
}

arc::arc_set arcs_of(std::initializer_list<arc::sector_index> sectors) {
    arc::arc_set arcs;
    for (auto const sector : sectors) {
        arcs.insert(sector);
    }
    return arcs;
}

region_cursor cursor_at_start() {
    return {{511, {arc::from_micros(0), arc::from_micros(900'000'000)}}, std::nullopt};
}

region_cursor cursor_behind_an_op() {
    return {{3, {arc::from_micros(-1), arc::from_micros(1)}},
            op_position{arc::from_micros(0), id_of("01020304")}};
}

initiate_message golden_initiate() {
    initiate_message m;
    m.session = golden_session();
    m.participating_agents = {bytes_of("a1")};
    m.arcs = arcs_of({0, 20});
    m.tie_breaker = 7;
    m.new_since = arc::from_micros(since_micros);
    m.max_op_data_bytes = 104'857'600;
    m.dht_op_count = 0;
    return m;
}

accept_message golden_accept() {
    accept_message m;
    m.session = golden_session();
    m.participating_agents = {bytes_of("a2")};
    m.arcs = arcs_of({0, 511});
    m.missing_agents = {bytes_of("a1")};
    m.new_since = arc::from_micros(since_micros);
    m.max_op_data_bytes = 104'857'600;
    m.new_ops = {id_of("0102"), id_of("0304")};
    m.updated_new_since = arc::from_micros(since_micros + 1);
    m.dht_op_count = 77;
    m.snapshot.emplace();
    m.snapshot->disc_boundary = arc::from_micros(boundary_micros);
    m.snapshot->disc_top_hash = hash_of("0c000004");
    m.snapshot->ring_top_hashes = {hash_of("fcff7ffe"), combined_hash()};
    return m;
}

accept_response response_with_bookmark() {
    accept_response response;
    response.updated_new_since = arc::from_micros(2);
    return response;
}

no_diff_message golden_no_diff() {
    no_diff_message m;
    m.session = golden_session();
    m.response = response_with_bookmark();
    return m;
}

/// Sectors 7, 8 and 9 with one slice hash each, or none where the text is empty.
disc_details_snapshot details_of(std::pair<std::uint64_t, std::string_view> of_7,
                                 std::pair<std::uint64_t, std::string_view> of_8,
                                 std::pair<std::uint64_t, std::string_view> of_9) {
    disc_details_snapshot snapshot;
    snapshot.disc_boundary = arc::from_micros(boundary_micros);
    arc::sector_index sector = 7;
    for (auto const& [slice, hash] : {of_7, of_8, of_9}) {
        auto& slices = snapshot.sectors[sector++];
        if (!hash.empty()) {
            slices[slice] = hash_of(hash);
        }
    }
    return snapshot;
}

void add_rounds(std::vector<golden_message>& all) {
    auto initiate = golden_initiate();
    all.emplace_back("initiate", 1,
                     "0a0c000102030405060708090a0b520261315a140a128180400000000000000000000000000000006007"
                     "a0018080f9c0c1c48203a80180808032b00100",
                     gossip_message(initiate));
    initiate.extensions = 1;
    all.emplace_back("initiate, extensions = 1", 1,
                     "0a0c000102030405060708090a0b520261315a140a128180400000000000000000000000000000006007"
                     "a0018080f9c0c1c48203a80180808032b00100c03e01",
                     gossip_message(initiate));
    auto accept = golden_accept();
    std::string const accept_hex =
        "0a0c000102030405060708090a0b520261325a160a14010000000000000000000000000000808080800862026131a0018080"
        "f9c0c1c48203a80180808032b201020102b201020304b8018180f9c0c1c48203c0014df20117088080c0caf7b3820312040c"
        "0000041a04fcff7ffe1a00";
    all.emplace_back("accept", 2, accept_hex, gossip_message(accept));
    accept.extensions = 1;
    accept.oversized_new_ops = {id_of("0506")};
    accept.layout_time = arc::from_micros(0);
    all.emplace_back("accept, all extensions", 2, accept_hex + "c03e01ca3e020506d03e00",
                     gossip_message(accept));
    auto no_diff = golden_no_diff();
    no_diff.cannot_compare = true;
    all.emplace_back("no_diff, cannot_compare", 3, "0a0c000102030405060708090a0b120220025001",
                     gossip_message(no_diff));
    no_diff = golden_no_diff();
    no_diff.response->missing_agents = {bytes_of("a3")};
    no_diff.response->provided_agents = {"{}"};
    no_diff.response->new_ops = {id_of("0102")};
    all.emplace_back("no_diff", 3, "0a0c000102030405060708090a0b120e0a02613312027b7d1a0201022002",
                     gossip_message(no_diff));
    no_diff.response->oversized_new_ops = {id_of("0506")};
    all.emplace_back("no_diff, all extensions", 3,
                     "0a0c000102030405060708090a0b12130a02613312027b7d1a0201022002ca3e020506",
                     gossip_message(no_diff));
}

void add_disc(std::vector<golden_message>& all) {
    disc_sectors_diff_message sectors;
    sectors.session = golden_session();
    sectors.response = response_with_bookmark();
    sectors.snapshot.disc_boundary = arc::from_micros(boundary_micros);
    sectors.snapshot.sectors = {{0, hash_of("01000000")}, {7, hash_of("0c000000")}, {8, hash_of("01000004")}};
    all.emplace_back(
        "disc_sectors_diff", 4,
        "0a0c000102030405060708090a0b120220025220088080c0caf7b3820312030007081a04010000001a040c0000"
        "001a0401000004",
        gossip_message(sectors));

    disc_details_diff_message details;
    details.session = golden_session();
    details.provided_agents = {"{}"};
    details.snapshot = details_of({3687, "09000000"}, {}, {3000, "01008004"});
    std::string const details_hex =
        "0a0c000102030405060708090a0b52027b7da20128088080c0caf7b3820312030708091a0a0a02e71c1204090000001a001a"
        "0a"
        "0a02b817120401008004";
    all.emplace_back("disc_details_diff", 5, details_hex, gossip_message(details));
    details.resume = {cursor_at_start()};
    all.emplace_back("disc_details_diff, all extensions", 5, details_hex + "c23e0908ff031880d293ad03",
                     gossip_message(details));

    disc_details_response_message response;
    response.session = golden_session();
    response.missing_ids = {id_of("09008003"), id_of("05008003")};
    response.snapshot = details_of({3687, "0c000000"}, {3686, "01000004"}, {});
    std::string const response_hex =
        "0a0c000102030405060708090a0b520409008003520405008003a20128088080c0caf7b3820312030708091a0a0a02e71c12"
        "04"
        "0c0000001a0a0a02e61c1204010000041a00";
    all.emplace_back("disc_details_response", 6, response_hex, gossip_message(response));
    response.resume = {cursor_at_start()};
    response.cut = {cursor_behind_an_op()};
    all.emplace_back("disc_details_response, all extensions", 6,
                     response_hex +
                         "c23e0908ff031880d293ad03"
                         "ca3e17080310ffffffffffffffffff0118012000"
                         "2a0401020304",
                     gossip_message(response));
}

void add_ring(std::vector<golden_message>& all) {
    ring_details_diff_message details;
    details.session = golden_session();
    details.response = response_with_bookmark();
    details.snapshot.disc_boundary = arc::from_micros(boundary_micros);
    details.snapshot.rings[0] = {{3, hash_of("03008001")}, {511, hash_of("ffffffff")}};
    details.snapshot.rings[1] = {};
    all.emplace_back(
        "ring_details_diff", 7,
        "0a0c000102030405060708090a0b52022002a20122088080c0caf7b38203120200011a110a0303ff031204030080"
        "011204ffffffff1a00",
        gossip_message(details));

    ring_details_response_message response;
    response.session = golden_session();
    response.missing_ids = {id_of("04008001")};
    response.snapshot.disc_boundary = arc::from_micros(boundary_micros);
    response.snapshot.rings[0] = {{511, hash_of("ffffffff")}};
    response.snapshot.rings[1] = {{3, hash_of("04008001")}};
    all.emplace_back(
        "ring_details_response", 8,
        "0a0c000102030405060708090a0b520404008001a20124088080c0caf7b38203120200011a0a0a02ff031204ffff"
        "ffff1a090a0103120404008001",
        gossip_message(response));
}

void add_ends(std::vector<golden_message>& all) {
    hashes_message hashes;
    hashes.session = golden_session();
    hashes.missing_ids = {id_of("0102")};
    all.emplace_back("hashes", 9, "0a0c000102030405060708090a0b52020102", gossip_message(hashes));
    hashes.cut = {cursor_at_start()};
    all.emplace_back("hashes, all extensions", 9,
                     "0a0c000102030405060708090a0b52020102ca3e0908ff031880d293ad03", gossip_message(hashes));

    agents_message agents;
    agents.session = golden_session();
    agents.provided_agents = {"{}", "[]"};
    all.emplace_back("agents", 10, "0a0c000102030405060708090a0b52027b7d52025b5d", gossip_message(agents));

    busy_message busy;
    busy.session = golden_session();
    all.emplace_back("busy", 11, "0a0c000102030405060708090a0b", gossip_message(busy));

    terminate_message terminate;
    terminate.session = golden_session();
    terminate.reason = "No agents requested";
    all.emplace_back("terminate", 12,
                     "0a0c000102030405060708090a0b12134e6f206167656e747320726571756573746564",
                     gossip_message(terminate));
}

void add_other_modules(std::vector<golden_message>& all) {
    fetch_request_message request;
    request.ids = {op_id(bytes_of("id_1"))};
    all.emplace_back("fetch_request", 1, "0a0469645f31", fetch_message(request));

    fetch_response_message response;
    response.ops.emplace_back();
    response.ops[0].id = op_id(bytes_of("test_op"));
    response.ops[0].data = {std::byte{0}};
    all.emplace_back("fetch_response", 2, "0a0c0a07746573745f6f70120100", fetch_message(response));
    response.absent = {op_id(bytes_of("id_1"))};
    all.emplace_back("fetch_response, all extensions", 2, "0a0c0a07746573745f6f70120100c23e0469645f31",
                     fetch_message(response));

    publish_ops_message ops;
    ops.ops.resize(2);
    ops.ops[0].id = op_id(bytes_of("id_1"));
    ops.ops[0].metadata = bytes_of("host_meta");
    ops.ops[1].id = op_id(bytes_of("id_2"));
    all.emplace_back("publish_ops", 1, "0a110a0469645f311209686f73745f6d6574610a060a0469645f32",
                     publish_message(ops));

    publish_agent_message agent;
    agent.agent_info = "{}";
    all.emplace_back("publish_agent", 2, "0a027b7d", publish_message(agent));
}

}  // namespace

std::vector<golden_message> golden_messages() {
    std::vector<golden_message> all;
    add_rounds(all);
    add_disc(all);
    add_ring(all);
    add_ends(all);
    add_other_modules(all);
    return all;
}

session_id golden_session() {
    session_id session;
    for (std::size_t i = 0; i < session.size(); ++i) {
        session[i] = static_cast<std::byte>(i);
    }
    return session;
}

std::vector<std::byte> from_hex(std::string_view hex) {
    REQUIRE(hex.size() % 2 == 0);
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        std::uint8_t value = 0;
        auto const read = std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
        REQUIRE(read.ptr == hex.data() + i + 2);
        bytes.push_back(std::byte{value});
    }
    return bytes;
}

std::string to_hex(std::span<const std::byte> bytes) {
    std::string hex;
    for (auto const byte : bytes) {
        hex += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    }
    return hex;
}

}  // namespace opstore::testing
