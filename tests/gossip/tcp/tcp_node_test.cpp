// Goal: peers over real sockets come to hold the same ops, whoever of them dies, and whatever strangers send
// to their ports. Method: several nodes with stores in memory in one process, on loopback; raw sockets for
// the strangers; polls with a limit.
#include <gossip/tcp/tcp_node.hpp>

#include <gossip/tcp/detail/connection.hpp>
#include <gossip/tcp/detail/task_group.hpp>

#include <tests/gossip/tcp/tcp_peer.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <bit>
#include <functional>
#include <list>
#include <memory>

using namespace opstore;
using namespace opstore::gossip;
using namespace opstore::gossip::testing;
using opstore::gossip::detail::connection;
using opstore::gossip::detail::event;
using opstore::gossip::detail::local_identity;
using opstore::gossip::detail::task_group;
using opstore::testing::random_source;
using opstore::testing::run;
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;

/// Peers that run beside each other.
class network {
public:
    explicit network(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    /// Starts a process on `data`.
    tcp_peer& start(durable& data, tcp_options options, tcp_node::log_function log = {},
                    tcp_node::clock_function clock = tcp_node::system_clock_now) {
        auto& started = running_.emplace_back(std::make_unique<process>(executor_));
        started->peer =
            std::make_unique<tcp_peer>(executor_, data, std::move(options), std::move(log), std::move(clock));
        started->tasks.spawn(started->peer->node.run(started->peer->gossip));
        return *started->peer;
    }

    /// As a crash does: nothing is said to anybody, what is queued is dropped.
    asio::awaitable<void> kill(tcp_peer& victim) {
        auto const at = find(victim);
        (*at)->tasks.cancel_all();
        co_await (*at)->tasks.join();
        running_.erase(at);
    }

    asio::awaitable<void> stop(tcp_peer& one) {
        auto const at = find(one);
        one.node.stop();
        co_await (*at)->tasks.join();
        running_.erase(at);
    }

    asio::awaitable<void> stop_all() {
        while (!running_.empty())
            co_await stop(*running_.front()->peer);
    }

    asio::awaitable<void> until(std::function<bool()> reached) {
        auto const limit = event::clock::now() + patience;
        event pause(executor_);
        while (!reached() && event::clock::now() < limit)
            co_await pause.wait(event::clock::now() + 10ms);
        REQUIRE(reached());
    }

    asio::awaitable<void> until_all_hold(std::list<durable>& stores, std::size_t count) {
        auto const limit = event::clock::now() + patience;
        event pause(executor_);
        bool all = false;
        while (!all && event::clock::now() < limit) {
            co_await pause.wait(event::clock::now() + 20ms);
            all = true;
            for (durable& each : stores) {
                auto const held = co_await each.store.query_total_op_count();
                all = all && *held == count;
            }
        }
        REQUIRE(all);
        auto const first = co_await stores.front().all_ids();
        for (durable& each : stores)
            CHECK(co_await each.all_ids() == first);
    }

private:
    struct process {
        std::unique_ptr<tcp_peer> peer;
        task_group tasks;

        explicit process(asio::any_io_executor executor) : tasks(executor, [] { FAIL("a node threw"); }) {}
    };

    std::list<std::unique_ptr<process>>::iterator find(tcp_peer& one) {
        return std::find_if(running_.begin(), running_.end(),
                            [&](auto const& each) { return each->peer.get() == &one; });
    }

    asio::any_io_executor executor_;
    std::list<std::unique_ptr<process>> running_;
};

asio::awaitable<void> fill(std::list<durable>& stores, std::size_t count, std::size_t ops_each) {
    for (std::size_t i = 0; i < count; ++i) {
        auto ops = some_ops(ops_each, i + 1);
        co_await stores.emplace_back().ingest(std::move(ops));
    }
}

/// Each knows the one before it.
asio::awaitable<void> reconcile_in_a_chain(std::optional<shared_secret> secret) {
    network net(co_await asio::this_coro::executor);
    std::list<durable> stores;
    co_await fill(stores, 5, 200);
    std::vector<tcp_address> known;
    std::uint8_t number = 0;
    for (durable& data : stores) {
        auto options = options_of(++number, known);
        options.secret = secret;
        known = {net.start(data, std::move(options)).address()};
    }
    co_await net.until_all_hold(stores, 1000);
    co_await net.stop_all();
}

asio::awaitable<void> keep_out_a_stranger() {
    network net(co_await asio::this_coro::executor);
    std::list<durable> stores, outside;
    co_await fill(stores, 2, 50);
    co_await fill(outside, 1, 70);
    auto first_options = options_of(1);
    first_options.secret = shared_secret("what the two of them share");
    auto& first = net.start(stores.front(), first_options);
    auto second_options = options_of(2, {first.address()});
    second_options.secret = first_options.secret;
    net.start(stores.back(), second_options);
    auto stranger_options = options_of(3, {first.address()});
    stranger_options.secret = shared_secret("what the stranger believes");
    auto& stranger = net.start(outside.front(), stranger_options);
    co_await net.until_all_hold(stores, 100);
    co_await net.until([&] { return stranger.node.report().handshakes_failed >= 3; });
    CHECK(stranger.node.report().established == 0);
    CHECK(first.node.report().handshakes_failed >= 2);
    co_await net.until_all_hold(outside, 70);
    co_await net.until_all_hold(stores, 100);
    co_await net.stop_all();
}

asio::awaitable<void> die_and_come_back() {
    auto const executor = co_await asio::this_coro::executor;
    network net(executor);
    std::list<durable> stores;
    co_await fill(stores, 4, 400);
    std::vector<tcp_address> known;
    std::vector<tcp_peer*> peers;
    std::uint8_t number = 0;
    for (durable& data : stores) {
        peers.push_back(&net.start(data, options_of(++number, known)));
        known = {peers.front()->address()};
    }
    random_source random(5);
    event pause(executor);
    for (int i = 0; i < 10; ++i) {
        co_await pause.wait(event::clock::now() + std::chrono::milliseconds(random.below(60)));
        auto const victim = 1 + random.below(3);
        co_await net.kill(*peers[victim]);
        auto& data = *std::next(stores.begin(), static_cast<std::ptrdiff_t>(victim));
        auto ops = some_ops(20, 100 + static_cast<std::uint64_t>(i));
        co_await data.ingest(std::move(ops));
        // The same agent, at another address.
        peers[victim] = &net.start(data, options_of(static_cast<std::uint8_t>(victim + 1), known));
    }
    co_await net.until_all_hold(stores, 4 * 400 + 10 * 20);
    co_await net.stop_all();
}

asio::awaitable<void> dial_each_other() {
    auto const executor = co_await asio::this_coro::executor;
    network net(executor);
    std::list<durable> stores;
    co_await fill(stores, 2, 30);
    // Found out by a first node that is gone when the two start.
    auto const free_address = [&](std::uint8_t number) {
        tcp_node const probe(executor, options_of(number));
        return probe.listening_at();
    };
    auto a = options_of(1), b = options_of(2);
    a.listen = free_address(1);
    b.listen = free_address(2);
    a.connect = {b.listen};
    b.connect = {a.listen};
    auto& first = net.start(stores.front(), a);
    auto& second = net.start(stores.back(), b);
    co_await net.until_all_hold(stores, 60);
    co_await net.until(
        [&] { return first.node.report().connections == 1 && second.node.report().connections == 1; });
    co_await net.stop_all();
}

/// Opens a socket to `address` and sends `bytes` again and again, until it is closed or `times` is over.
asio::awaitable<void> pester(tcp_address address, std::vector<std::byte> bytes, int times) {
    asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
    auto [failed] = co_await socket.async_connect(address, asio::as_tuple(asio::use_awaitable));
    for (int i = 0; i < times && !failed; ++i) {
        auto const [error, count] =
            co_await asio::async_write(socket, asio::buffer(bytes), asio::as_tuple(asio::use_awaitable));
        failed = error;
    }
}

/// identity(), for nodes on the clock of this machine.
local_identity identity_now(std::uint8_t number) {
    auto own = identity(number);
    auto info = info_of(number);
    info.created_at = tcp_node::system_clock_now();
    info.expires_at = info.created_at + std::chrono::minutes(10);
    own.agent_info = sign(info, own.key);
    return own;
}

/// A connection of member `number` to `address`.
asio::awaitable<std::shared_ptr<connection>> join(tcp_address address, std::uint8_t number) {
    auto const executor = co_await asio::this_coro::executor;
    auto link = std::make_shared<connection>(executor, address, std::nullopt, tcp_limits());
    auto own = identity_now(number);
    bool const met = co_await link->establish(std::move(own), tcp_node::system_clock_now());
    REQUIRE(met);
    co_return link;
}

/// A member of the network that says senseless things in whole frames.
asio::awaitable<void> babble(tcp_address address, std::uint64_t seed) {
    auto const executor = co_await asio::this_coro::executor;
    auto const link = co_await join(address, 9);
    task_group tasks(executor, [] { FAIL("a connection threw"); });
    tasks.spawn(link->write_queued());
    random_source random(seed);
    event pause(executor);
    for (int i = 0; i < 300; ++i) {
        link->queue(random.bytes(1 + random.below(200)));
        if (i % 50 == 0)
            co_await pause.wait(event::clock::now() + 5ms);
    }
    while (link->queued_bytes() > 0 && !link->is_closed())
        co_await pause.wait(event::clock::now() + 5ms);
    link->close("said enough");
    co_await tasks.join();
}

asio::awaitable<void> withstand_strangers() {
    auto const executor = co_await asio::this_coro::executor;
    network net(executor);
    task_group strangers(executor, [] { FAIL("a stranger threw"); });
    std::list<durable> stores;
    co_await fill(stores, 3, 100);
    auto options = options_of(1);
    options.limits.handshakes_max = 8;
    options.limits.handshake_timeout = 500ms;
    auto& first = net.start(stores.front(), options);
    random_source random(3);
    for (int i = 0; i < 20; ++i) {
        auto noise = random.bytes(1 + random.below(5000));
        // Some begin with a length that is allowed, or are too large, or stop in the middle.
        if (i % 2 == 0)
            noise[0] = noise[1 % noise.size()] = std::byte{0};
        strangers.spawn(pester(first.address(), std::move(noise), 50));
    }
    strangers.spawn(babble(first.address(), 1));
    strangers.spawn(babble(first.address(), 2));
    auto const known = first.address();
    std::uint8_t number = 1;
    for (auto data = std::next(stores.begin()); data != stores.end(); ++data)
        net.start(*data, options_of(++number, {known}));
    co_await net.until_all_hold(stores, 300);
    co_await strangers.join();
    CHECK(first.node.report().handshakes_failed + first.node.report().refused >= 20);
    co_await net.until([&] { return first.gossip.report().protocol_errors > 0; });
    // Strangers have used up nothing for good.
    auto late = some_ops(10, 77);
    co_await stores.back().ingest(std::move(late));
    co_await net.until_all_hold(stores, 310);
    co_await net.stop_all();
}

/// Frames of a million bytes, of which a connection takes four.
asio::awaitable<void> carry_large_ops() {
    network net(co_await asio::this_coro::executor);
    std::list<durable> stores(2);
    auto ops = large_ops(60, 1);
    co_await stores.front().ingest(std::move(ops));
    auto options = options_of(1);
    options.limits.outbound_bytes_max = 4 << 20;
    auto& first = net.start(stores.front(), options);
    net.start(stores.back(), options_of(2, {first.address()}));
    co_await net.until_all_hold(stores, 60);
    CHECK(first.node.report().frames_dropped == 0);
    co_await net.stop_all();
}

asio::awaitable<void> outlast_slow_readers() {
    auto const executor = co_await asio::this_coro::executor;
    network net(executor);
    std::list<durable> stores(2);
    auto ops = large_ops(40, 1);
    co_await stores.front().ingest(std::move(ops));
    fetch_response_message one_op;
    one_op.ops.resize(1);
    auto const held = co_await stores.front().all_ids();
    one_op.ops[0].id = *held.begin();
    one_op.ops[0].data = large_ops(1, 1)[0];
    auto options = options_of(1);
    // For one of their answers, and not a byte more.
    options.limits.outbound_total_bytes_max =
        encode_frame(test_space(), fetch_message(std::move(one_op))).size();
    options.limits.idle_timeout = options.limits.write_timeout = 10min;
    auto& first = net.start(stores.front(), options);
    task_group readers(executor, [] { FAIL("a connection threw"); });
    std::vector<std::shared_ptr<connection>> links;
    fetch_request_message ask;
    ask.ids.assign(held.begin(), held.end());
    auto const request = encode_frame(test_space(), fetch_message(ask));
    for (std::uint8_t number = 10; number < 13; ++number) {
        auto const link = co_await join(first.address(), number);
        links.push_back(link);
        readers.spawn(link->write_queued());
        REQUIRE(link->queue(request));
    }
    // Until the sockets take no more.
    event pause(executor);
    for (std::uint64_t before = 0, sent = 1; sent != before;) {
        before = sent;
        co_await pause.wait(event::clock::now() + 700ms);
        sent = first.node.report().bytes_sent;
    }
    CHECK(first.node.queued_bytes(url_of(10)) > 0);
    auto& second = net.start(stores.back(), options_of(2, {first.address()}));
    co_await net.until([&] { return second.gossip.report().rounds_completed > 0; });
    for (auto const& link : links)
        link->close("the test ends");
    co_await readers.join();
    co_await net.stop_all();
}

/// A length and as many bytes, or fewer.
asio::awaitable<void> write_part(asio::ip::tcp::socket& socket, std::size_t length,
                                 std::vector<std::byte> part) {
    auto const header = detail::encode_length(length);
    co_await asio::async_write(socket, asio::buffer(header), asio::use_awaitable);
    co_await asio::async_write(socket, asio::buffer(part), asio::use_awaitable);
}

asio::awaitable<std::vector<std::byte>> read_whole(asio::ip::tcp::socket& socket) {
    std::array<std::byte, detail::length_bytes> header;
    co_await asio::async_read(socket, asio::buffer(header), asio::use_awaitable);
    std::size_t length = 0;
    for (auto const b : header)
        length = length << 8 | std::to_integer<std::size_t>(b);
    std::vector<std::byte> body(length);
    co_await asio::async_read(socket, asio::buffer(body), asio::use_awaitable);
    co_return body;
}

asio::awaitable<void> outlast_slow_senders() {
    auto const executor = co_await asio::this_coro::executor;
    network net(executor);
    std::list<durable> stores;
    co_await fill(stores, 2, 100);
    auto options = options_of(1);
    // For one frame of those that are announced.
    options.limits.inbound_bytes_max = frame_bytes_max + detail::secure_channel::overhead_bytes_max;
    options.limits.idle_timeout = options.limits.frame_timeout = 10min;
    auto& first = net.start(stores.front(), options);
    std::list<asio::ip::tcp::socket> senders;
    std::uint64_t sent = 0;
    for (std::uint8_t number = 10; number < 14; ++number) {
        auto& socket = senders.emplace_back(executor);
        co_await socket.async_connect(first.address(), asio::use_awaitable);
        detail::handshake own(detail::side::dialer, identity_now(number));
        std::vector<std::byte> hello(own.hello().begin(), own.hello().end());
        auto const hello_bytes = hello.size();
        co_await write_part(socket, hello_bytes, std::move(hello));
        auto const answer = co_await read_whole(socket);
        auto second = own.take_hello(answer).value();
        auto const second_bytes = second.size();
        co_await write_part(socket, second_bytes, std::move(second));
        co_await read_whole(socket);
        std::vector<std::byte> part(10);
        co_await write_part(socket, frame_bytes_max, std::move(part));
        sent += 3 * detail::length_bytes + hello_bytes + second_bytes;
    }
    co_await net.until([&] { return first.node.report().bytes_received >= sent; });
    net.start(stores.back(), options_of(2, {first.address()}));
    co_await net.until_all_hold(stores, 200);
    senders.clear();
    co_await net.stop_all();
}

asio::awaitable<void> set_the_clock_back() {
    network net(co_await asio::this_coro::executor);
    durable data;
    std::chrono::microseconds offset(0);
    auto const clock = [&] { return tcp_node::system_clock_now() + offset; };
    auto& one = net.start(data, options_of(1), {}, clock);
    auto const plans_near = [&] { return one.gossip.next_tick_at() < clock() + 1min; };
    co_await net.until([&] { return one.gossip.next_tick_at() > arc::timestamp() && plans_near(); });
    offset = -1h;
    CHECK(!plans_near());
    co_await net.until(plans_near);
    co_await net.stop_all();
}

asio::awaitable<void> fail_without_a_line_each() {
    auto const executor = co_await asio::this_coro::executor;
    network net(executor);
    durable data;
    std::size_t outward = 0, inward = 0;
    auto const log = [&](std::string_view line) {
        outward += line.starts_with("no connection to") ? 1 : 0;
        inward += line.starts_with("no connection from") ? 1 : 0;
    };
    auto const started = event::clock::now();
    auto& one = net.start(data, options_of(1, {*parse_tcp_address("127.0.0.1:1")}), log);
    co_await net.until([&] { return one.node.report().handshakes_failed >= 9; });
    // The 1st, 2nd, 4th, 8th...
    CHECK(outward == static_cast<std::size_t>(std::bit_width(one.node.report().handshakes_failed)));
    task_group strangers(executor, [] { FAIL("a stranger threw"); });
    for (int i = 0; i < 20; ++i) {
        std::vector<std::byte> noise(8, std::byte{0xff});
        strangers.spawn(pester(one.address(), std::move(noise), 1));
    }
    co_await strangers.join();
    co_await net.until([&] { return one.node.report().handshakes_failed >= 29; });
    CHECK(inward >= 1);
    CHECK(inward <= 1 + static_cast<std::size_t>((event::clock::now() - started) / 1s));
    co_await net.stop_all();
}

asio::awaitable<void> hold_few_connections() {
    network net(co_await asio::this_coro::executor);
    std::list<durable> stores;
    co_await fill(stores, 6, 20);
    std::vector<tcp_address> known;
    std::vector<tcp_peer*> peers;
    std::uint8_t number = 0;
    for (durable& data : stores) {
        auto options = options_of(++number, known);
        // Room for two of five others: they have to take turns.
        options.limits.connections_max = 2;
        options.limits.spare_after = 30ms;
        peers.push_back(&net.start(data, std::move(options)));
        known = {peers.back()->address()};
    }
    co_await net.until_all_hold(stores, 120);
    for (tcp_peer const* each : peers)
        CHECK(each->node.report().connections <= 3);
    co_await net.stop_all();
}

asio::awaitable<void> refuse_urls() {
    auto const executor = co_await asio::this_coro::executor;
    network net(executor);
    durable data;
    auto& one = net.start(data, options_of(1));
    event pause(executor);
    co_await pause.wait(event::clock::now() + 5ms);
    auto const send = [&](peer_url const& to) { return one.node.send(to, std::vector<std::byte>(3)); };
    auto const agent = agent_of(key(2));
    CHECK(!send(""));
    CHECK(!send("ws://127.0.0.1:4000"));
    CHECK(!send(one.node.url()));
    CHECK(!send(make_tcp_url(*parse_tcp_address("192.0.2.1:4000"), agent)));
    CHECK(one.node.report().frames_dropped == 4);
    // Nobody listens there: taken at first, then known to be in vain.
    auto const nobody = make_tcp_url(*parse_tcp_address("127.0.0.1:1"), agent);
    CHECK(send(nobody));
    co_await net.until([&] { return one.node.report().handshakes_failed == 1; });
    CHECK(!send(nobody));
    co_await net.stop_all();
}

}  // namespace

TEST_CASE("peers in a chain reconcile") {
    run(reconcile_in_a_chain(std::nullopt));
}

TEST_CASE("peers with a secret reconcile") {
    run(reconcile_in_a_chain(shared_secret("what all of them share")));
}

TEST_CASE("who has another secret neither gives nor gets") {
    run(keep_out_a_stranger());
}

TEST_CASE("peers that die and come back lose nothing, ten times") {
    run(die_and_come_back());
}

TEST_CASE("two that dial each other keep one connection") {
    run(dial_each_other());
}

TEST_CASE("strangers do not stop it") {
    run(withstand_strangers());
}

TEST_CASE("large ops wait for room, and none is dropped") {
    run(carry_large_ops());
}

TEST_CASE("who reads slowly does not silence the node") {
    run(outlast_slow_readers());
}

TEST_CASE("who sends slowly does not keep it from reading") {
    run(outlast_slow_senders());
}

TEST_CASE("a clock that is set back does not stop it") {
    run(set_the_clock_back());
}

TEST_CASE("connections that fail again and again do not fill the log") {
    run(fail_without_a_line_each());
}

TEST_CASE("more peers than connections") {
    run(hold_few_connections());
}

TEST_CASE("a url that cannot be dialled") {
    run(refuse_urls());
}

TEST_CASE("options that would be open to others, or unreachable, are refused") {
    auto const ask = [](std::string const& listen, std::vector<std::string> connect, bool secret,
                        std::optional<std::string> announce = std::nullopt) {
        auto options = options_of(1);
        options.listen = *parse_tcp_address(listen);
        for (std::string const& address : connect)
            options.connect.push_back(*parse_tcp_address(address));
        if (secret)
            options.secret = shared_secret("sixteen bytes or more");
        if (announce)
            options.announce = *parse_tcp_address(*announce);
        return check(options).value_or("");
    };
    CHECK(ask("127.0.0.1:0", {"127.0.0.1:1", "[::1]:2", "127.8.9.1:3"}, false) == "");
    CHECK(ask("192.0.2.1:0", {}, false).find("192.0.2.1:0 is not loopback") == 0);
    CHECK(ask("127.0.0.1:0", {"127.0.0.1:1", "192.0.2.1:9"}, false).find("192.0.2.1:9 is not") == 0);
    CHECK(ask("[::ffff:192.0.2.1]:0", {}, false) != "");
    CHECK(ask("192.0.2.1:0", {"192.0.2.2:9"}, true) == "");
    CHECK(ask("0.0.0.0:0", {}, false) != "");
    CHECK(ask("0.0.0.0:0", {}, true).find("announce") != std::string::npos);
    CHECK(ask("0.0.0.0:0", {}, true, "192.0.2.1:4000") == "");
    CHECK(ask("0.0.0.0:0", {}, true, "192.0.2.1:0") != "");
    CHECK(ask("127.0.0.1:0", {"127.0.0.1:0"}, false) != "");
    auto nameless = options_of(1);
    nameless.space.clear();
    CHECK(check(nameless));
    nameless.space.resize(256);
    CHECK(check(nameless));
    nameless.space.resize(255);
    CHECK(!check(nameless));
}

TEST_CASE("an address that is taken") {
    asio::io_context io;
    tcp_node const first(io.get_executor(), options_of(1));
    auto options = options_of(2);
    options.listen = first.listening_at();
    CHECK_THROWS_AS(tcp_node(io.get_executor(), options), boost::system::system_error);
}

TEST_CASE("addresses and urls") {
    for (auto const* good : {"127.0.0.1:0", "127.0.0.1:65535", "[::1]:4000", "0.0.0.0:1"})
        CHECK(to_string(parse_tcp_address(good).value()) == good);
    CHECK(to_string(parse_tcp_address("localhost:7").value()) == "127.0.0.1:7");
    for (auto const* bad : {"", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                            "127.0.0.1:1x", "::1:4000", "[127.0.0.1]:1", "example.org:1", "[]:1", "[::1:1"})
        CHECK_MESSAGE(!parse_tcp_address(bad), bad);
    auto const url = url_of(3);
    CHECK(parse_tcp_url(url)->agent == agent_of(key(3)));
    CHECK(to_string(parse_tcp_url(url)->address) == "127.0.0.1:4003");
    auto const agent = url.substr(url.rfind('/') + 1);
    for (std::string const& bad :
         {std::string(), url.substr(1), url + "/", url + "=", "tcp://localhost:4003/" + agent,
          "tcp://127.0.0.1:0/" + agent, "tcp://127.0.0.1:04003/" + agent, std::string("tcp://127.0.0.1:1/"),
          std::string("tcp://127.0.0.1:1"), url + std::string(2000, 'A')})
        CHECK_MESSAGE(!parse_tcp_url(bad), bad);
}
