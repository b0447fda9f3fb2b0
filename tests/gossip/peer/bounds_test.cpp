// Goal: what one peer asks of another is bounded: ops, bytes, answers, store calls. Method: requests by hand,
// and the counts of what comes back.
#include <tests/gossip/peer/peer_world.hpp>

#include <doctest/doctest.h>

namespace opstore::testing {
namespace {

using namespace gossip;

initiate_message initiate_by_hand(int number) {
    initiate_message m;
    m.session[0] = static_cast<std::byte>(number);
    m.arcs = arc::arc_set::full();
    m.tie_breaker = 1;
    return m;
}

std::vector<message> sent_to(peer_network& network, peer_url const& url) {
    std::vector<message> messages;
    for (auto const& frame : network.under_way) {
        if (frame.to == url) {
            messages.push_back(decoded(frame));
        }
    }
    network.under_way.clear();
    return messages;
}

template <class Message>
std::vector<Message> gossip_of(std::vector<message> const& messages) {
    std::vector<Message> found;
    for (auto const& m : messages) {
        auto const* round = std::get_if<gossip_message>(&m);
        if (auto const* one = round ? std::get_if<Message>(round) : nullptr) {
            found.push_back(*one);
        }
    }
    return found;
}

TEST_CASE("new ops are listed up to the bytes that were asked for, and use up the budget of the round") {
    for (std::uint32_t const bytes : {383, 384, 385}) {
        random_source random(1);
        peer_network network(world_start);
        auto& a = network.add("a");
        std::vector<op_bytes> ops{op_of(long_ago, 0, random)};
        for (int i = 0; i < 5; ++i) {
            ops.push_back(op_of(world_start, 128 - 8, random));
        }
        network.store(a, {ops.begin() + 1, ops.end()});
        auto m = initiate_by_hand(1);
        m.max_op_data_bytes = bytes;
        network.receive(a, "x", encoded(gossip_message(m)));
        auto const accepts = gossip_of<accept_message>(sent_to(network, "x"));
        REQUIRE(accepts.size() == 1);
        CHECK(accepts[0].new_ops.size() == bytes / 128);
        // The walk goes on where it was cut.
        m = initiate_by_hand(2);
        m.max_op_data_bytes = 1000;
        m.new_since = accepts[0].updated_new_since;
        network.receive(a, "x", encoded(gossip_message(m)));
        CHECK(gossip_of<accept_message>(sent_to(network, "x")).at(0).new_ops.size() == 5 - bytes / 128);
    }
}

TEST_CASE("what the new ops left of the budget is what a comparison may list") {
    for (std::uint32_t const bytes : {128 * 2, 128 * 2 + 127, 128 * 3}) {
        random_source random(1);
        peer_network network(world_start);
        auto& a = network.add("a");
        network.store(a, {op_of(long_ago, 128 - 8, random), op_of(long_ago, 128 - 8, random)});
        network.clock.step(std::chrono::hours(1));
        auto m = initiate_by_hand(1);
        m.max_op_data_bytes = bytes;
        m.new_since = arc::timestamp::min();
        network.receive(a, "x", encoded(gossip_message(m)));
        auto const accept = gossip_of<accept_message>(sent_to(network, "x")).at(0);
        CHECK(accept.new_ops.size() == 2);
        disc_sectors_diff_message diff;
        diff.session = m.session;
        diff.response = accept_response();
        diff.snapshot.disc_boundary = accept.snapshot->disc_boundary;
        network.receive(a, "x", encoded(gossip_message(diff)));
        auto const details = gossip_of<disc_details_diff_message>(sent_to(network, "x")).at(0);
        disc_details_response_message response;
        response.session = m.session;
        response.snapshot.disc_boundary = accept.snapshot->disc_boundary;
        for (auto const& [sector, slices] : details.snapshot.sectors) {
            response.snapshot.sectors[sector];
        }
        network.receive(a, "x", encoded(gossip_message(response)));
        auto const hashes = gossip_of<hashes_message>(sent_to(network, "x")).at(0);
        CHECK(hashes.missing_ids.size() == (bytes >= 128 * 3 ? 1 : 0));
    }
}

TEST_CASE("an op is served once for each request, however often it is named") {
    random_source random(2);
    peer_network network(world_start);
    auto& a = network.add("a");
    std::vector<op_bytes> const ops{op_of(world_start, 900'000, random), op_of(world_start, 900'000, random)};
    network.store(a, ops);
    fetch_request_message ask;
    for (int i = 0; i < 100; ++i) {
        for (auto const& id : a.held()) {
            ask.ids.push_back(id);
        }
    }
    auto const absent = op_id(random.bytes(32));
    ask.ids.push_back(absent);
    network.receive(a, "x", encoded(fetch_message(ask)));
    std::size_t served = 0;
    std::vector<op_id> missing;
    for (auto const& m : sent_to(network, "x")) {
        auto const& response = std::get<fetch_response_message>(std::get<fetch_message>(m));
        served += response.ops.size();
        missing.insert(missing.end(), response.absent.begin(), response.absent.end());
    }
    CHECK(served == 2);
    CHECK(missing == std::vector<op_id>{absent});
}

TEST_CASE("an op that fills a frame is served beside many that are not here") {
    random_source random(3);
    peer_network network(world_start);
    auto& a = network.add("a");
    auto const large = op_of(world_start, frame_bytes_max - 4096 - 8, random);
    std::vector<incoming_op> batch;
    batch.emplace_back(large);
    if (!run(a.store.process_incoming_ops(std::move(batch)))->rejected.empty()) {
        return;  // The space takes no op of this size at all.
    }
    fetch_request_message ask;
    ask.ids.push_back(*a.held().begin());
    for (int i = 0; i < 1000; ++i) {
        ask.ids.emplace_back(random.bytes(32));
    }
    network.receive(a, "x", encoded(fetch_message(ask)));
    CHECK(a.peer->report().frames_dropped == 0);
    std::size_t absent = 0;
    for (auto const& m : sent_to(network, "x")) {
        absent += std::get<fetch_response_message>(std::get<fetch_message>(m)).absent.size();
    }
    CHECK(absent == 1000);
}

TEST_CASE("an answer with nothing in it keeps no id from another peer") {
    random_source random(7);
    peer_network network(world_start);
    auto& a = network.add("a");
    publish_ops_message told;
    told.ops.emplace_back().id = op_id(random.bytes(32));
    for (auto const* url : {"x", "y"}) {
        network.receive(a, url, encoded(publish_message(told)));
    }
    CHECK(sent_to(network, "x").size() == 1);
    network.clock.step(std::chrono::seconds(14));
    network.receive(a, "x", encoded(fetch_message(fetch_response_message())));
    for (auto const pause : {std::chrono::seconds(1), std::chrono::seconds(1)}) {
        network.clock.step(pause);
        CHECK(tick(a, network.clock.now()));
    }
    CHECK(sent_to(network, "y").size() == 1);
}

/// So many that nobody may send them in one go.
std::vector<op_bytes> large_ops(std::size_t count, random_source& random) {
    std::vector<op_bytes> ops;
    for (std::size_t i = 0; i < count; ++i) {
        ops.push_back(op_of(world_start, 1'000'000, random));
    }
    return ops;
}

std::size_t ops_in(std::vector<message> const& messages) {
    std::size_t served = 0;
    for (auto const& m : messages) {
        auto const* fetch = std::get_if<fetch_message>(&m);
        auto const* response = fetch ? std::get_if<fetch_response_message>(fetch) : nullptr;
        served += response ? response->ops.size() : 0;
    }
    return served;
}

fetch_request_message request_for_all(peer_network::node const& of) {
    auto const held = of.held();
    fetch_request_message ask;
    ask.ids.assign(held.begin(), held.end());
    return ask;
}

TEST_CASE("a request for many large ops is answered in parts, between which others have their turn") {
    random_source random(6);
    peer_network network(world_start);
    auto& a = network.add("a");
    network.store(a, large_ops(30, random));
    auto const ask = request_for_all(a);
    network.receive(a, "x", encoded(fetch_message(ask)));
    auto const at_once = ops_in(sent_to(network, "x"));
    CHECK(at_once == 3);
    network.receive(a, "y", encoded(gossip_message(initiate_by_hand(1))));
    CHECK(gossip_of<accept_message>(sent_to(network, "y")).size() == 1);
    // What is on its way already is not sent twice.
    network.receive(a, "x", encoded(fetch_message(ask)));
    std::set<op_id> served;
    std::size_t answers = at_once;
    auto const until = network.clock.now() + std::chrono::seconds(1);
    while (a.peer->next_tick_at() < until) {
        network.clock.set(a.peer->next_tick_at());
        CHECK(tick(a, network.clock.now()));
        auto const now_served = ops_in(sent_to(network, "x"));
        CHECK(now_served <= 3);
        answers += now_served;
    }
    CHECK(answers == ask.ids.size() + at_once);
}

TEST_CASE("of who is gone, or takes nothing for a minute, the request is forgotten") {
    random_source random(7);
    peer_network network(world_start);
    auto& a = network.add("a");
    network.store(a, large_ops(8, random));
    auto const ask = request_for_all(a);
    auto const served_later = [&](std::chrono::milliseconds time) {
        std::size_t served = 0;
        for (auto const until = network.clock.now() + time; network.clock.now() < until;) {
            network.clock.step(std::chrono::milliseconds(100));
            run(a.peer->tick(network.clock.now()));
            served += ops_in(sent_to(network, "x"));
        }
        return served;
    };
    network.receive(a, "x", encoded(fetch_message(ask)));
    CHECK(ops_in(sent_to(network, "x")) == 3);
    a.peer->lost("x", network.clock.now());
    CHECK(served_later(std::chrono::seconds(1)) == 0);

    bool takes = true;
    network.takes = [&](sent_frame const&) { return takes; };
    for (auto const pause : {std::chrono::seconds(59), std::chrono::seconds(61)}) {
        network.receive(a, "x", encoded(fetch_message(ask)));
        CHECK(ops_in(sent_to(network, "x")) == 3);
        takes = false;
        CHECK(served_later(pause) == 0);
        takes = true;
        CHECK(served_later(std::chrono::seconds(1)) == (pause < std::chrono::minutes(1) ? 5 : 0));
    }
}

TEST_CASE("requests of many ids, at n - 1, n, n + 1 of those that are answered") {
    for (std::size_t const count : {8'191u, 8'192u, 8'193u}) {
        random_source random(8);
        peer_network network(world_start);
        auto& a = network.add("a");
        fetch_request_message ask;
        for (std::size_t i = 0; i < count; ++i) {
            ask.ids.emplace_back(random.bytes(32));
        }
        network.receive(a, "x", encoded(fetch_message(ask)));
        std::size_t absent = 0;
        for (auto const& m : sent_to(network, "x")) {
            absent += std::get<fetch_response_message>(std::get<fetch_message>(m)).absent.size();
        }
        CHECK(absent == std::min<std::size_t>(count, 8'192));
    }
}

TEST_CASE("ops that are more than a slow link takes at once all come, and are asked for once") {
    random_source random(9);
    peer_network network(world_start);
    auto& a = network.add("a");
    auto& b = network.add("b");
    network.store(a, large_ops(60, random));
    // A queue of four of them, from which one goes each tenth of a second.
    network.takes = [&](sent_frame const& frame) {
        std::size_t waiting = frame.bytes.size();
        for (auto const& other : network.under_way) {
            waiting += other.from == frame.from ? other.bytes.size() : 0;
        }
        return waiting <= 4 << 20;
    };
    std::size_t requests = 0;
    for (int tenths = 0; tenths < 140 && b.peer->report().ops_fetched < 60; ++tenths) {
        network.clock.step(std::chrono::milliseconds(100));
        for (auto const& node : network.nodes) {
            run(node->peer->tick(network.clock.now()));
        }
        for (bool small = true; small && !network.under_way.empty();) {
            auto const frame = std::move(network.under_way.front());
            network.under_way.pop_front();
            small = frame.bytes.size() < 1'000'000;
            requests += name_of(frame) == "fetch_request";
            network.receive(node_at(network, frame.to), frame.from, frame.bytes);
        }
    }
    CHECK(b.peer->report().ops_fetched == 60);
    CHECK(b.peer->fetch_backlog() == 0);
    CHECK(requests == 1);
}

TEST_CASE("a clock that is set back does not keep who is served waiting") {
    random_source random(10);
    peer_network network(world_start);
    auto& a = network.add("a");
    network.store(a, large_ops(8, random));
    auto const ask = request_for_all(a);
    network.receive(a, "x", encoded(fetch_message(ask)));
    CHECK(ops_in(sent_to(network, "x")) == 3);
    auto now = network.clock.now() - std::chrono::hours(1);
    std::size_t served = 0;
    for (int ticks = 0; ticks < 10; ++ticks) {
        run(a.peer->tick(now));
        served += ops_in(sent_to(network, "x"));
        now += std::chrono::milliseconds(100);
    }
    CHECK(served == 5);
}

TEST_CASE("agents that were made up do not shut out one that was met") {
    peer_network network(world_start);
    std::uint32_t made_up = 0;
    auto& a = network.add("a", [&](peer_options& options) {
        options.verify_agent = [&](std::string const& text) -> protocol_result<agent_info> {
            agent_info info;
            auto const name = std::as_bytes(std::span(text));
            info.agent.assign(name.begin(), name.end());
            info.space = world_space();
            info.created_at = network.clock.now();
            info.expires_at = info.created_at + std::chrono::hours(10'000);
            return info;
        };
    });
    auto const publish = [&] {
        publish_agent_message m;
        m.agent_info = std::to_string(made_up++);
        network.receive(a, "x", encoded(publish_message(std::move(m))));
    };
    while (made_up <= address_book::agents_max) {
        publish();
    }
    CHECK(a.peer->agents().size() == address_book::agents_max);
    CHECK(a.peer->add_agent("met", network.clock.now()).value());
    CHECK(a.peer->agents().size() == address_book::agents_max);
    // Nor do they stay for as long as they say.
    network.clock.step(std::chrono::hours(1));
    CHECK(a.peer->agents().all(network.clock.now()).empty());
}

TEST_CASE("any number of ops can be published") {
    random_source random(4);
    peer_network network(world_start);
    auto const in_sync = [](peer_options& options) { options.starts_in_sync = true; };
    auto& a = network.add("a", in_sync);
    network.add("b", in_sync);
    std::vector<op_id> ids;
    for (int i = 0; i < 20'000; ++i) {
        ids.emplace_back(random.bytes(32));
    }
    run(a.peer->publish(ids, network.clock.now()));
    std::size_t told = 0;
    for (auto const& m : sent_to(network, "b")) {
        auto const& part = std::get<publish_ops_message>(std::get<publish_message>(m));
        CHECK(part.ops.size() <= 8'192);
        told += part.ops.size();
    }
    CHECK(told == ids.size());
}

TEST_CASE("of the ops that one message tells of a bounded number is looked at, at n - 1, n, n + 1") {
    for (std::size_t const count : {8'191, 8'192, 8'193}) {
        random_source random(6);
        peer_network network(world_start);
        auto& a = network.add("a");
        publish_ops_message told;
        for (std::size_t i = 0; i < count; ++i) {
            told.ops.emplace_back().id = op_id(random.bytes(32));
        }
        network.receive(a, "x", encoded(publish_message(told)));
        CHECK(a.peer->fetch_backlog() == std::min<std::size_t>(count, 8'192));
    }
}

TEST_CASE("of agent infos no more are looked at than were asked for") {
    std::size_t looked_at = 0;
    peer_network network(world_start);
    auto& a = network.add("a", [&](peer_options& options) {
        options.verify_agent = [&](std::string const&) -> protocol_result<agent_info> {
            ++looked_at;
            return protocol_error(protocol_errc::bad_agent_info, "no");
        };
    });
    network.receive(a, "x", encoded(gossip_message(initiate_by_hand(1))));
    no_diff_message m;
    m.session = initiate_by_hand(1).session;
    m.response = accept_response();
    m.response->provided_agents.assign(1000, "{}");
    network.receive(a, "x", encoded(gossip_message(m)));
    CHECK(looked_at == a.options.limits.agents_per_message_max);
}

TEST_CASE("a peer that begins too many rounds is told Busy, and costs no store call") {
    peer_network network(world_start);
    auto& a = network.add("a", [](peer_options& options) { options.limits.accepted_rounds_max = 0; });
    std::map<std::string, std::uint64_t, std::less<>> calls;
    for (int i = 0; i < 20; ++i) {
        if (i == 15) {
            calls = a.peer->report().store_calls;
        }
        network.receive(a, "x", encoded(gossip_message(initiate_by_hand(i))));
        auto const messages = sent_to(network, "x");
        CHECK(gossip_of<accept_message>(messages).size() == (i < 15 ? 1 : 0));
        CHECK(gossip_of<busy_message>(messages).size() == (i < 15 ? 0 : 1));
    }
    CHECK(a.peer->report().store_calls == calls);
    CHECK(a.peer->report().protocol_errors == 5);
    CHECK(a.peer->report().rounds_accepted == 15);
}

TEST_CASE("an Initiate that begins no round costs no store call") {
    peer_network network(world_start);
    auto& a = network.add("a");
    network.receive(a, "x", encoded(gossip_message(initiate_by_hand(1))));
    CHECK(a.peer->report().rounds_accepted == 1);
    auto const calls = a.peer->report().store_calls;
    auto without_arcs = initiate_by_hand(2);
    without_arcs.arcs.reset();
    for (auto const& m : {initiate_by_hand(1), without_arcs}) {
        network.receive(a, "x", encoded(gossip_message(m)));
    }
    CHECK(a.peer->report().store_calls == calls);
    CHECK(a.peer->report().protocol_errors == 2);
}

TEST_CASE("a year of ops, one for each half day, is found in thirty rounds") {
    random_source random(5);
    peer_network network(world_start);
    auto& a = network.add("a");
    auto& b = network.add("b");
    std::vector<op_bytes> ops;
    for (int i = 0; i < 730; ++i) {
        auto const age = i * std::chrono::hours(12);
        ops.push_back(op_of(world_start - age, random.below(65'536), random));
    }
    network.store(a, ops);
    network.clock.step(std::chrono::hours(1));
    CHECK(network.rounds_until_equal(30) <= 4);
    CHECK(b.held().size() == ops.size());
}

}  // namespace
}  // namespace opstore::testing
