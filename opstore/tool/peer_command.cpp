#include <gossip/tcp/tcp_node.hpp>
#include <opstore/tool/commands.hpp>
#include <opstore/tool/interrupt.hpp>
#include <opstore/tool/output.hpp>
#include <opstore/tool/peer_identity.hpp>

#include <fmt/format.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/json/object.hpp>
#include <boost/system/system_error.hpp>

#include <future>
#include <optional>
#include <random>

namespace opstore::tool {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using std::chrono::steady_clock;

/// How soon the command sees an interrupt, and the end of the peer.
constexpr std::chrono::milliseconds look_interval{50};
/// How long a look at the store may take: this thread sees no interrupt meanwhile.
constexpr std::chrono::seconds look_max{1};
/// What a call of the peer that is under way gets to end by itself. A service manager waits longer.
constexpr std::chrono::seconds last_call_max{5};

gossip::tcp_address address_of(std::string const& text) {
    // The command line was checked.
    return gossip::parse_tcp_address(text).value();
}

std::vector<std::byte> bytes_of(std::string const& text) {
    auto const bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

std::uint64_t draw_number() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
}

std::optional<gossip::shared_secret> open_secret(std::optional<std::string> const& path) {
    if (!path)
        return std::nullopt;
    auto read = gossip::read_shared_secret(*path);
    if (auto const* const why = std::get_if<std::string>(&read))
        throw command_failure(exit_code::failure, fmt::format("--secret-file {}", *why));
    return std::get<gossip::shared_secret>(read);
}

gossip::tcp_options node_options(command_line const& line) {
    gossip::tcp_options options;
    options.listen = address_of(line.listen);
    if (line.announce)
        options.announce = address_of(*line.announce);
    for (std::string const& text : line.connect)
        options.connect.push_back(address_of(text));
    options.secret = open_secret(line.secret_file);
    options.space = bytes_of(line.network.value_or(line.space));
    if (auto const wrong = gossip::check(options))
        throw usage_error(fmt::format("{} (--secret-file, --announce)", *wrong));
    options.key = open_identity(line.identity_file);
    options.seed = draw_number();
    return options;
}

arc::arc_set sectors_of(command_line const& line) {
    auto const sectors = arc::arc_set::from_whole_sectors(line.arc);
    if (!sectors || sectors->empty())
        throw usage_error(fmt::format("--arc {}: a peer holds whole sectors of {} locations, at least one",
                                      arc::to_string(line.arc), arc::sector_size));
    return *sectors;
}

gossip::peer_options peer_options_of(command_line const& line, gossip::tcp_options const& node,
                                     gossip::peer_url const& url) {
    gossip::peer_options options;
    options.space = node.space;
    options.url = url;
    options.key = node.key;
    options.target_arcs = sectors_of(line);
    options.limits.interval = line.interval;
    options.limits.jitter = line.jitter;
    options.limits.initial_interval =
        std::min<std::chrono::microseconds>(options.limits.initial_interval, line.interval);
    options.seed = draw_number();
    return options;
}

json::object to_json(std::map<std::string, gossip::peer_report::traffic, std::less<>> const& by_kind) {
    json::object document;
    for (auto const& [kind, traffic] : by_kind)
        document[kind] = {{"messages", traffic.messages}, {"bytes", traffic.bytes}};
    return document;
}

std::uint64_t bytes_of(std::map<std::string, gossip::peer_report::traffic, std::less<>> const& by_kind) {
    std::uint64_t sum = 0;
    for (auto const& [kind, traffic] : by_kind)
        sum += traffic.bytes;
    return sum;
}

/// How a peer stands, read between two of its steps.
struct standing {
    std::optional<std::uint64_t> op_count;  ///< None: the database does not answer.
    std::uint64_t store_calls = 0;
    std::size_t backlog = 0;
    std::size_t agents = 0;
    std::size_t sectors_held = 0, sectors_wanted = 0;
    gossip::peer_report peer;
    gossip::tcp_report tcp;

    standing() = default;
};

json::object to_json(standing const& s) {
    return {{"ops", s.op_count ? json::value(*s.op_count) : json::value(nullptr)},
            {"backlog", s.backlog},
            {"connections", s.tcp.connections},
            {"agents", s.agents},
            {"sectors_held", s.sectors_held},
            {"sectors_wanted", s.sectors_wanted},
            {"rounds_initiated", s.peer.rounds_initiated},
            {"rounds_accepted", s.peer.rounds_accepted},
            {"rounds_completed", s.peer.rounds_completed},
            {"rounds_timed_out", s.peer.rounds_timed_out},
            {"ops_fetched", s.peer.ops_fetched},
            {"ops_refused", s.peer.ops_refused},
            {"protocol_errors", s.peer.protocol_errors},
            {"store_errors", s.peer.store_errors},
            {"frames_dropped", s.peer.frames_dropped},
            {"handshakes_failed", s.tcp.handshakes_failed},
            {"connections_refused", s.tcp.refused},
            {"store_calls", s.store_calls},
            {"bytes_sent", s.tcp.bytes_sent},
            {"bytes_received", s.tcp.bytes_received},
            {"sent", to_json(s.peer.sent)},
            {"received", to_json(s.peer.received)}};
}

std::string to_text(standing const& s) {
    return fmt::format(
        "{} ops held, {} waited for; {} peers connected, {} known; {} rounds, {} timed out; {} sent, {} "
        "received; {} store calls",
        s.op_count ? human_count(*s.op_count) : "?", human_count(s.backlog), s.tcp.connections, s.agents,
        human_count(s.peer.rounds_completed), human_count(s.peer.rounds_timed_out),
        human_bytes(bytes_of(s.peer.sent)), human_bytes(bytes_of(s.peer.received)),
        human_count(s.store_calls));
}

/// Whether nothing comes any more: for so long no op, no wait for one, and a round that found nothing.
class idle_watch {
public:
    explicit idle_watch(std::chrono::milliseconds enough) : enough_(enough) {}

    bool is_idle(standing const& s) {
        if (!s.op_count)
            return false;
        if (*s.op_count != op_count_ || s.backlog > 0) {
            op_count_ = *s.op_count;
            since_ = steady_clock::now();
            rounds_since_ = s.peer.rounds_completed;
        }
        return s.peer.rounds_completed > rounds_since_ && steady_clock::now() - since_ >= enough_;
    }

private:
    std::chrono::milliseconds const enough_;
    std::uint64_t op_count_ = 0;
    steady_clock::time_point since_ = steady_clock::now();
    std::uint64_t rounds_since_ = 0;
};

/// One run of the command. The node and the peer live on the session's thread; this one looks after them.
class peer_run {
public:
    peer_run(session& s, command_line const& line, gossip::tcp_options const& node, op_store& store,
             peer_meta& meta)
        : session_(s),
          line_(line),
          store_(store),
          node_(s.executor(), node, log),
          peer_(store, meta, node_, peer_options_of(line, node, node_.url()), log) {
        if (line.until_idle)
            idle_.emplace(*line.until_idle);
    }
    peer_run(peer_run const&) = delete;
    peer_run& operator=(peer_run const&) = delete;

    void run() {
        watch_interrupts();
        say_where();
        running_ = asio::co_spawn(session_.executor(), node_.run(peer_),
                                  asio::bind_cancellation_slot(cancellation_.slot(), asio::use_future));
        try {
            look_after();
        } catch (...) {
            // The output is gone, or the like; the node must not be left behind.
            stop();
            running_.wait();
            throw;
        }
        wait_for_end();
        auto const end = session_.wait(read_standing());
        if (line_.json)
            print_json(to_json(end));
        else
            print_line(to_text(end));
    }

private:
    static void log(std::string_view text) { warn(text); }

    void say_where() {
        auto const where = gossip::to_string(node_.listening_at());
        if (line_.json)
            print_json(json::object{{"listening", where}, {"url", node_.url()}});
        else
            print_line(fmt::format("listening on {} as {}", where, node_.url()));
        finish_output();
    }

    void look_after() {
        while (running_.wait_for(look_interval) != std::future_status::ready) {
            if (!stopped_at_ && (interrupted() || look_idle()))
                stop();
            else if (stopped_at_ && !cancelled_ && steady_clock::now() - *stopped_at_ > last_call_max)
                cancel();
            report_now_and_then();
        }
    }

    void stop() {
        stopped_at_ = steady_clock::now();
        session_.wait(ask_to_stop());
    }

    asio::awaitable<void> ask_to_stop() {
        node_.stop();
        co_return;
    }

    /// A call that waits for a database that is away must not hold up the end.
    void cancel() {
        cancelled_ = true;
        session_.wait(cancel_call());
    }

    asio::awaitable<void> cancel_call() {
        cancellation_.emit(asio::cancellation_type::terminal);
        co_return;
    }

    void wait_for_end() {
        try {
            running_.get();
        } catch (std::exception const&) {
            // How a cancelled call ends tells nothing.
            if (!cancelled_)
                throw;
        }
    }

    asio::awaitable<standing> read_standing() {
        standing now;
        auto const until = deadline::after(look_max);
        try {
            auto const count = co_await store_.query_total_op_count(until);
            now.op_count = count ? *count : 0;
        } catch (store_error const&) {
            // The peer survives that, and so does its report.
        }
        for (auto const& [what, calls] : peer_.report().store_calls)
            now.store_calls += calls;
        now.backlog = peer_.fetch_backlog();
        now.agents = peer_.agents().size();
        now.sectors_held = peer_.current_arcs().count();
        now.sectors_wanted = peer_.target_arcs().count();
        now.peer = peer_.report();
        now.tcp = node_.report();
        co_return now;
    }

    bool look_idle() {
        if (!idle_ || steady_clock::now() < next_look_)
            return false;
        next_look_ = steady_clock::now() +
                     std::min<steady_clock::duration>(*line_.until_idle / 4, std::chrono::seconds(1));
        return idle_->is_idle(session_.wait(read_standing()));
    }

    void report_now_and_then() {
        if (!line_.report || steady_clock::now() < next_report_)
            return;
        next_report_ = steady_clock::now() + *line_.report;
        auto const now = session_.wait(read_standing());
        if (line_.json)
            print_json(to_json(now));
        else
            tell(to_text(now) + "\n");
    }

    session& session_;
    command_line const& line_;
    op_store& store_;
    gossip::tcp_node node_;
    gossip::peer peer_;
    std::future<void> running_;
    asio::cancellation_signal cancellation_;
    std::optional<steady_clock::time_point> stopped_at_;
    bool cancelled_ = false;
    std::optional<idle_watch> idle_;
    steady_clock::time_point next_look_, next_report_;
};

}  // namespace

exit_code run_peer(session& s, command_line const& line) {
    sectors_of(line);
    auto const options = node_options(line);
    auto const store = s.open_for_storing();
    auto const meta = s.get(s.database().open_peer_meta(line.space));
    std::optional<peer_run> run;
    try {
        run.emplace(s, line, options, *store, *meta);
    } catch (boost::system::system_error const& e) {
        throw command_failure(exit_code::failure,
                              fmt::format("cannot listen on {}: {}", line.listen, e.code().message()));
    }
    run->run();
    return exit_code::ok;
}

}  // namespace opstore::tool
