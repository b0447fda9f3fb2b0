// Goal: whatever the other end of a socket does, a connection either carries whole frames or is closed within
// its time-outs, with a reason, and holds no more memory than its limits. Method: a connection on one side of
// a loopback socket, on the other another connection or a raw socket that misbehaves.
#include <gossip/tcp/detail/connection.hpp>

#include <gossip/tcp/detail/connection_table.hpp>
#include <gossip/tcp/detail/redial_pauses.hpp>
#include <gossip/tcp/detail/task_group.hpp>

#include <tests/gossip/tcp/identities.hpp>
#include <tests/support/random.hpp>
#include <tests/support/run.hpp>

#include <doctest/doctest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <functional>
#include <list>
#include <memory>

using namespace opstore::gossip;
using namespace opstore::gossip::detail;
using namespace opstore::gossip::testing;
using opstore::testing::random_source;
using opstore::testing::run;
namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using bytes = std::vector<std::byte>;

namespace {

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

tcp_limits quick_limits() {
    tcp_limits limits;
    limits.handshake_timeout = 200ms;
    limits.frame_timeout = 300ms;
    limits.write_timeout = 300ms;
    limits.idle_timeout = 400ms;
    limits.keep_alive = 100ms;
    return limits;
}

/// A connected pair of sockets.
asio::awaitable<std::pair<tcp::socket, tcp::socket>> socket_pair() {
    auto const executor = co_await asio::this_coro::executor;
    tcp::acceptor acceptor(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    tcp::socket near(executor);
    co_await near.async_connect(acceptor.local_endpoint(), asio::use_awaitable);
    tcp::socket far = co_await acceptor.async_accept(asio::use_awaitable);
    co_return std::pair(std::move(near), std::move(far));
}

/// One end under test, with its time-outs looked after, and what it has read.
struct end {
    std::shared_ptr<connection> link;
    byte_budget memory;
    std::vector<bytes> frames;
    event happened;
    task_group tasks;

    end(asio::any_io_executor executor, std::shared_ptr<connection> c, std::size_t memory_bytes)
        : link(std::move(c)),
          memory(executor, memory_bytes),
          happened(executor),
          tasks(executor, [] { FAIL("a connection threw"); }) {}

    asio::awaitable<void> serve(local_identity own) {
        if (co_await link->establish(std::move(own), test_now)) {
            tasks.spawn(link->write_queued());
            for (;;) {
                auto const frame = co_await link->read(memory);
                if (!frame)
                    break;
                frames.push_back(frame->bytes);
                happened.notify();
            }
        }
        happened.notify();
    }

    asio::awaitable<void> watch() {
        event pause(co_await asio::this_coro::executor);
        while (!link->is_closed()) {
            co_await pause.wait(event::clock::now() + 10ms);
            link->check(event::clock::now());
        }
    }

    void start(local_identity own) {
        tasks.spawn(serve(std::move(own)));
        tasks.spawn(watch());
    }

    /// A limit for what must come about; in vain is a failure.
    asio::awaitable<void> until(std::function<bool()> reached) {
        auto const limit = event::clock::now() + 20s;
        while (!reached() && event::clock::now() < limit)
            co_await happened.wait(event::clock::now() + 5ms);
        REQUIRE(reached());
    }

    asio::awaitable<void> close() {
        link->close("the test ends");
        co_await tasks.join();
    }
};

/// A connection under test that listens, and the raw socket at the other end.
struct against_raw {
    std::unique_ptr<end> tested;
    std::unique_ptr<tcp::socket> raw;

    asio::awaitable<void> set_up(tcp_limits limits, std::size_t memory_bytes = frame_bytes_max * 2) {
        auto [near, far] = co_await socket_pair();
        auto const executor = near.get_executor();
        raw = std::make_unique<tcp::socket>(std::move(far));
        auto link = std::make_shared<connection>(std::move(near), limits);
        tested = std::make_unique<end>(executor, std::move(link), memory_bytes);
        tested->start(identity(1));
    }

    asio::awaitable<void> write(std::size_t length, bytes body) {
        auto const header = encode_length(length);
        co_await asio::async_write(*raw, asio::buffer(header), as_values);
        co_await asio::async_write(*raw, asio::buffer(body), as_values);
    }

    asio::awaitable<bytes> read_frame() {
        std::array<std::byte, 4> header;
        co_await asio::async_read(*raw, asio::buffer(header), asio::use_awaitable);
        std::size_t length = 0;
        for (auto const b : header)
            length = length << 8 | std::to_integer<std::size_t>(b);
        bytes body(length);
        co_await asio::async_read(*raw, asio::buffer(body), asio::use_awaitable);
        co_return body;
    }

    /// A handshake by hand; then the raw socket may send what it likes.
    asio::awaitable<void> shake_hands(std::uint8_t number = 2) {
        handshake own(side::dialer, identity(number));
        bytes hello(own.hello().begin(), own.hello().end());
        auto const hello_size = hello.size();
        co_await write(hello_size, std::move(hello));
        auto const answer = co_await read_frame();
        auto second = own.take_hello(answer).value();
        auto const second_size = second.size();
        co_await write(second_size, std::move(second));
        co_await read_frame();
        std::function<bool()> established = [this] { return tested->link->is_established(); };
        co_await tested->until(std::move(established));
    }

    asio::awaitable<void> expect_closed(std::string reason) {
        std::function<bool()> closed = [this] { return tested->link->is_closed(); };
        co_await tested->until(std::move(closed));
        CHECK_MESSAGE(tested->link->reason().find(reason) != std::string::npos, tested->link->reason());
        co_await tested->close();
    }
};

}  // namespace

namespace {

asio::awaitable<void> exchange_frames(std::optional<shared_secret> secret) {
    auto const executor = co_await asio::this_coro::executor;
    tcp_limits const limits;
    tcp::acceptor acceptor(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    auto dialer = std::make_shared<connection>(executor, acceptor.local_endpoint(), agent_of(key(2)), limits);
    end a(executor, dialer, frame_bytes_max * 2);
    a.start(identity(1, secret));
    auto accepted = co_await acceptor.async_accept(asio::use_awaitable);
    auto listener = std::make_shared<connection>(std::move(accepted), limits);
    end b(executor, listener, frame_bytes_max * 2);
    b.start(identity(2, secret));

    random_source random(11);
    std::vector<bytes> sent;
    for (std::size_t const size : {std::size_t{1}, std::size_t{2}, std::size_t{65'536}, frame_bytes_max})
        sent.push_back(random.bytes(size));
    // Also before the handshake is over; they wait.
    for (std::size_t i = 0; i < sent.size(); ++i) {
        CHECK(dialer->queue(sent[i]));
        co_await b.until([&] { return b.frames.size() == i + 1; });
    }
    for (std::size_t i = 0; i < sent.size(); ++i) {
        CHECK(listener->queue(sent[i]));
        co_await a.until([&] { return a.frames.size() == i + 1; });
    }
    CHECK(a.frames == sent);
    CHECK(b.frames == sent);
    CHECK(a.memory.used() == 0);
    dialer->close("enough");
    co_await b.until([&] { return listener->is_closed(); });
    CHECK(listener->reason() == "the other side closed it");
    co_await a.close();
    co_await b.close();
}

}  // namespace

TEST_CASE("two connections carry frames of all sizes, both ways, in order") {
    run(exchange_frames(std::nullopt));
    run(exchange_frames(shared_secret("a secret for this test")));
}

namespace {

asio::awaitable<void> fall_silent_in_handshake(std::size_t hello_bytes) {
    against_raw test;
    co_await test.set_up(quick_limits());
    handshake const own(side::dialer, identity(2));
    bytes part(own.hello().begin(), own.hello().begin() + static_cast<std::ptrdiff_t>(hello_bytes));
    if (hello_bytes > 0)
        co_await test.write(own.hello().size(), std::move(part));
    co_await test.expect_closed("within the time for a handshake");
}

}  // namespace

TEST_CASE("who says nothing, or stops within the handshake, is left") {
    run(fall_silent_in_handshake(0));
    run(fall_silent_in_handshake(20));
    run(fall_silent_in_handshake(42));
}

namespace {

asio::awaitable<void> greet_with(std::string text, std::string reason) {
    against_raw test;
    co_await test.set_up(tcp_limits());
    co_await asio::async_write(*test.raw, asio::buffer(text), as_values);
    co_await test.expect_closed(std::move(reason));
}

}  // namespace

TEST_CASE("garbage in place of a handshake closes at once") {
    run(greet_with("GET / HTTP/1.1\r\n\r\n", "too large"));
    run(greet_with(std::string("\0\0\0\x04"
                               "abcd",
                               8),
                   "no opstore peer"));
    run(greet_with(std::string(4, '\0'), "no opstore peer"));
    run(greet_with(std::string("\0\0\x40\0", 4), "too large"));
}

namespace {

asio::awaitable<void> announce(std::size_t length) {
    against_raw test;
    co_await test.set_up(tcp_limits());
    co_await test.shake_hands();
    co_await test.write(length, bytes());
    co_await test.expect_closed("too large");
    CHECK(test.tested->memory.used() == 0);
}

}  // namespace

TEST_CASE("a frame that is too large closes before anything is held for it") {
    run(announce(frame_bytes_max + 1));
    run(announce(0xffffffff));
}

namespace {

asio::awaitable<void> stop_within(std::size_t announced, std::string reason) {
    against_raw test;
    co_await test.set_up(quick_limits());
    co_await test.shake_hands();
    if (announced > 0)
        co_await test.write(announced, bytes(10));
    co_await test.expect_closed(std::move(reason));
    CHECK(test.tested->memory.used() == 0);
}

}  // namespace

TEST_CASE("a frame that never ends, and a peer that falls silent, are left") {
    run(stop_within(1000, "a frame took too long"));
    run(stop_within(0, "nothing was heard"));
}

namespace {

asio::awaitable<void> only_keep_alives() {
    against_raw test;
    co_await test.set_up(quick_limits());
    co_await test.shake_hands();
    auto const start = event::clock::now();
    event pause(co_await asio::this_coro::executor);
    while (event::clock::now() - start < 1s) {
        co_await test.write(0, bytes());
        co_await pause.wait(event::clock::now() + 50ms);
    }
    CHECK(!test.tested->link->is_closed());
    CHECK(test.tested->frames.empty());
    // It sends its own.
    auto const heard = co_await test.read_frame();
    CHECK(heard.empty());
    co_await test.tested->close();
}

}  // namespace

TEST_CASE("keep-alives keep it, and are no frames") {
    run(only_keep_alives());
}

namespace {

asio::awaitable<void> read_nothing() {
    against_raw test;
    auto limits = quick_limits();
    limits.idle_timeout = 60s;
    limits.outbound_bytes_max = 40 << 20;
    co_await test.set_up(limits);
    co_await test.shake_hands();
    auto& link = *test.tested->link;
    bytes const frame(1 << 20);
    std::size_t taken = 0;
    while (link.queue(frame))
        ++taken;
    CHECK(taken == 40);
    CHECK(link.queued_bytes() == limits.outbound_bytes_max);
    CHECK(!link.queue(bytes(1)));
    co_await test.expect_closed("not taken in time");
    CHECK(link.queued_bytes() <= frame.size());
}

/// A bit at a time, for ever.
asio::awaitable<void> read_slowly() {
    against_raw test;
    auto limits = quick_limits();
    limits.idle_timeout = 60s;
    co_await test.set_up(limits);
    co_await test.shake_hands();
    auto& link = *test.tested->link;
    CHECK(link.queue(bytes(frame_bytes_max)));
    event pause(co_await asio::this_coro::executor);
    bytes bit(1 << 18);
    auto const limit = event::clock::now() + 20s;
    while (!link.is_closed() && link.queued_bytes() > 0 && event::clock::now() < limit) {
        co_await test.raw->async_read_some(asio::buffer(bit), as_values);
        co_await pause.wait(event::clock::now() + 10ms);
    }
    co_await test.expect_closed("not taken in time");
}

}  // namespace

TEST_CASE("a slow reader holds up its own frames, within the limit, and is left in the end") {
    run(read_nothing());
    run(read_slowly());
}

namespace {

asio::awaitable<void> send_without_memory() {
    against_raw test;
    auto limits = quick_limits();
    limits.inbound_small_bytes = 999;
    co_await test.set_up(limits, 1 << 20);
    co_await test.shake_hands();
    auto& tested = *test.tested;
    std::optional<byte_budget::share> held = co_await tested.memory.take(1 << 20);
    // A small one needs none of it.
    co_await test.write(999, bytes(999));
    co_await tested.until([&] { return tested.frames.size() == 1; });
    co_await test.write(1000, bytes(1000));
    event pause(co_await asio::this_coro::executor);
    co_await pause.wait(event::clock::now() + 1s);
    CHECK(!tested.link->is_closed());
    CHECK(tested.frames.size() == 1);
    CHECK(tested.memory.used() == 1 << 20);
    held.reset();
    co_await tested.until([&] { return tested.frames.size() == 2; });
    co_await tested.close();
}

}  // namespace

TEST_CASE("while there is no memory nothing more is read, and that is nobody's time-out") {
    run(send_without_memory());
}

namespace {

asio::awaitable<void> replay_a_recording() {
    auto const secret = shared_secret("a secret for this test");
    handshake dialer(side::dialer, identity(2, secret)), listener(side::listener, identity(1, secret));
    auto const recorded_second = dialer.take_hello(listener.hello()).value();
    auto [near, far] = co_await socket_pair();
    auto const executor = near.get_executor();
    end tested(executor, std::make_shared<connection>(std::move(near), tcp_limits()), frame_bytes_max * 2);
    tested.start(identity(1, secret));
    bytes stream;
    for (std::span<const std::byte> part :
         {std::span<const std::byte>(dialer.hello()), std::span<const std::byte>(recorded_second)}) {
        auto const length = encode_length(part.size());
        stream.insert(stream.end(), length.begin(), length.end());
        stream.insert(stream.end(), part.begin(), part.end());
    }
    co_await asio::async_write(far, asio::buffer(stream), as_values);
    co_await tested.until([&] { return tested.link->is_closed(); });
    CHECK(tested.link->handshake_failure() == handshake_errc::wrong_secret);
    co_await tested.close();
}

}  // namespace

TEST_CASE("a recorded conversation, played again, ends in the handshake") {
    // The recording is of a listener that talked to agent 1; here the same bytes come to a new connection.
    run(replay_a_recording());
}

namespace {

asio::awaitable<void> take_turns() {
    auto const executor = co_await asio::this_coro::executor;
    byte_budget budget(executor, 10);
    task_group tasks(executor, [] { FAIL("a task threw"); });
    std::vector<int> order;
    std::optional<byte_budget::share> first = co_await budget.take(9);
    auto const taker = [&](std::size_t size, int number) -> asio::awaitable<void> {
        auto const share = co_await budget.take(size);
        order.push_back(number);
    };
    tasks.spawn(taker(2, 1));  // One too many.
    tasks.spawn(taker(1, 2));  // Would fit, but is behind.
    event pause(executor);
    co_await pause.wait(event::clock::now() + 1ms);
    CHECK(order.empty());
    CHECK(budget.used() == 9);
    first.reset();
    co_await tasks.join();
    CHECK(order == std::vector{1, 2});
    CHECK(budget.used() == 0);
    std::optional<byte_budget::share> all = co_await budget.take(10);
    tasks.spawn(taker(1, 3));
    co_await pause.wait(event::clock::now() + 1ms);
    tasks.cancel_all();
    co_await tasks.join();
    CHECK(budget.used() == 10);
    all.reset();
    CHECK(budget.used() == 0);
    CHECK(order.size() == 2);
}

}  // namespace

TEST_CASE("the budget serves in order, and exactly up to its limit") {
    run(take_turns());
}

namespace {

asio::awaitable<void> replace_a_closed_one() {
    connection_table table(4);
    auto const own = agent_of(key(1));
    against_raw before, after;
    co_await before.set_up(tcp_limits());
    co_await before.shake_hands();
    co_await after.set_up(tcp_limits());
    co_await after.shake_hands();
    auto const now = event::clock::now();
    table.add(before.tested->link);
    CHECK(table.admit(before.tested->link, own, now) == connection_table::admission::used);
    CHECK(table.find(url_of(2)) == before.tested->link);
    before.tested->link->close("reset");
    CHECK(!table.find(url_of(2)));
    table.add(after.tested->link);
    CHECK(table.admit(after.tested->link, own, now) == connection_table::admission::came_back);
    CHECK(table.find(url_of(2)) == after.tested->link);
    CHECK(!after.tested->link->is_retired());
    CHECK(table.remove(before.tested->link).empty());
    CHECK(table.remove(after.tested->link) == std::vector{url_of(2)});
    co_await before.tested->close();
    co_await after.tested->close();
}

/// `accepted` of `connections_max` are connected; whether there is room for one more of each kind.
asio::awaitable<std::pair<bool, bool>> room_beside(std::size_t accepted, std::size_t connections_max) {
    connection_table table(connections_max);
    auto const now = event::clock::now();
    std::list<against_raw> all;
    for (std::size_t i = 0; i < accepted; ++i) {
        auto& one = all.emplace_back();
        co_await one.set_up(tcp_limits());
        co_await one.shake_hands(static_cast<std::uint8_t>(2 + i));
        table.add(one.tested->link);
        table.admit(one.tested->link, agent_of(key(1)), now);
    }
    // All of them were used a moment ago.
    std::pair const room(table.make_room(side::listener, now - 1h), table.make_room(side::dialer, now - 1h));
    // An idle one makes room.
    CHECK(table.make_room(side::listener, event::clock::now()));
    for (against_raw& one : all)
        co_await one.tested->close();
    co_return room;
}

asio::awaitable<void> keep_places_for_own_dials() {
    CHECK(co_await room_beside(2, 4) == std::pair(true, true));
    CHECK(co_await room_beside(3, 4) == std::pair(false, true));
    CHECK(co_await room_beside(4, 4) == std::pair(false, false));
    CHECK(co_await room_beside(1, 1) == std::pair(false, false));
}

}  // namespace

TEST_CASE("a connection that is closed stands in nobody's way") {
    // Of two connections of one dialer the greetings decide, which are drawn: several times.
    for (int i = 0; i < 8; ++i)
        run(replace_a_closed_one());
}

TEST_CASE("a quarter of the places is not for those who dial us") {
    run(keep_places_for_own_dials());
}

TEST_CASE("failures to reach a peer are counted until it is reached") {
    redial_pauses pauses(1ms, 8ms, 1);
    auto const now = event::clock::now();
    for (unsigned count = 1; count <= 5; ++count)
        CHECK(pauses.failed("tcp://127.0.0.1:1/a", now) == count);
    CHECK(pauses.failed("tcp://127.0.0.1:2/b", now) == 1);
    pauses.reached("tcp://127.0.0.1:1/a");
    CHECK(pauses.failed("tcp://127.0.0.1:1/a", now) == 1);
}
