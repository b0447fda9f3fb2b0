#include <gossip/simulator/simulation.hpp>

#include <gossip/agents/agent_info.hpp>
#include <gossip/simulator/arc_layout.hpp>
#include <gossip/simulator/bootstrap.hpp>
#include <gossip/simulator/caller.hpp>
#include <gossip/simulator/event_log.hpp>
#include <gossip/simulator/event_queue.hpp>
#include <gossip/simulator/host.hpp>
#include <gossip/simulator/inspection.hpp>
#include <gossip/simulator/network.hpp>
#include <gossip/simulator/sabotaged_store.hpp>
#include <gossip/simulator/timetable.hpp>
#include <gossip/simulator/verifier_memory.hpp>
#include <gossip/wire/codec.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

namespace opstore::simulator {
namespace {

using namespace std::chrono_literals;

enum class event_kind {
    join,
    bootstrap,
    tick,
    deliver,
    reset,  ///< A frame has reached nobody, and its sender hears so.
    create,
    crash,
    overdue_crash,  ///< One that was to meet an ingest, and met none.
    restart,
    leave,
    split,
    mend,
    heal
};

struct event {
    event_kind kind;
    peer_number to = 0;
    peer_number from = 0;
    /// Which of the timetable's entries; else the incarnation of `to` that is meant.
    std::uint32_t number = 0;
    std::vector<std::byte> frame;

    event(event_kind k, peer_number t, peer_number f = 0, std::uint32_t n = 0)
        : kind(k), to(t), from(f), number(n) {}
};

/// How long a crash waits for an ingest to meet.
constexpr microseconds crash_patience = 30s;
/// How often a leaver looks whether its ops are in other hands.
constexpr microseconds leave_interval = 5s;
/// How long an op waits to be created while no peer that may hold it is up.
constexpr microseconds create_interval = 1s;
constexpr std::size_t history_chunk = 1'000;
constexpr std::uint32_t idle_ticks_max = 100;
constexpr std::uint64_t progress_interval = 1 << 14;

std::vector<bool> lasting_peers(timetable const& table) {
    std::vector<bool> lasting;
    for (auto const& fate : table.fates) {
        lasting.push_back(fate.lasting());
    }
    return lasting;
}

std::vector<std::byte> space_name() {
    auto const name = std::as_bytes(std::span("simulation", 10));
    return {name.begin(), name.end()};
}

}  // namespace

class simulation::state {
public:
    state(plan const& p, store_provider& stores);

    outcome run();

    std::function<void(progress const&)> on_progress;
    std::function<void(std::string_view)> on_log;

private:
    // Before the first event.
    void make_hosts(store_provider& stores);
    gossip::peer_options options_of(peer_number peer);
    void lay_history();
    void lay_history_chunk(std::uint32_t count, random_source& random);
    void schedule_all();

    // Events.
    void handle(event e);
    void join(host& h);
    void call_bootstrap(host& h);
    void tick(host& h);
    void deliver(event e);
    void reset(event const& e);
    void create(event const& e);
    void crash(event const& e);
    void restart(host& h);
    void leave(host& h);
    void heal();

    // What a process does.
    void boot(host& h);
    bool send(host& from, peer_number to, std::vector<std::byte> frame);
    void check_served(host const& from, std::vector<std::byte> const& frame);
    /// Runs a call of the peer's to its end, and what follows from it.
    template <class Call>
    void call(host& h, Call const& work);
    void follow_up(host& h);
    void end_process(host& h);
    void schedule_tick(host& h);

    // The workload.
    arc::location any_location(random_source& random) const;
    std::uint32_t payload_bytes(random_source& random) const;
    host* live_holder(arc::location at);
    std::vector<incoming_op> write_batch(host& h, arc::location first, std::uint32_t count);

    // The end.
    bool settled();
    microseconds time_to_converge() const;
    outcome conclude();

    void note(std::string_view kind, peer_number from, peer_number to = 0,
              std::span<const std::byte> bytes = {}) {
        log_.add(now_, kind, from, to, bytes);
    }
    arc::timestamp local(host const& h) const { return h.local_time(now_); }

    plan plan_;
    timetable table_;
    ledger truth_;
    network network_;
    bootstrap bootstrap_;
    verifier_memory verifier_;
    event_queue<event> queue_;
    event_log log_;
    running_clock clock_;
    caller caller_;
    random_source workload_;
    arc::sector_index hot_sector_;
    std::vector<std::unique_ptr<host>> hosts_;
    std::map<peer_number, microseconds> downtimes_;  ///< Of crashes that are armed.
    std::vector<gossip::peer_report> reports_;
    arc::timestamp now_;
    bool healed_ = false;
    bool settled_ = false;
    std::size_t batches_left_ = 0;
    outcome outcome_;
};

simulation::state::state(plan const& p, store_provider& stores)
    : plan_(p),
      table_(draw_timetable(p)),
      truth_(p.seed, p.ops, lay_arcs(p, lasting_peers(table_)), lasting_peers(table_)),
      network_(p),
      bootstrap_(p),
      workload_(random_stream(p.seed, "workload")),
      hot_sector_(static_cast<arc::sector_index>(workload_.below(arc::sector_count))),
      now_(table_.starts_at),
      batches_left_(table_.batches.size()) {
    make_hosts(stores);
    lay_history();
    schedule_all();
}

gossip::peer_options simulation::state::options_of(peer_number peer) {
    gossip::peer_options options;
    options.space = space_name();
    options.url = url_of(peer);
    auto random = random_stream(plan_.seed, "key", peer);
    auto const key_seed = random.bytes(32);
    options.key = gossip::make_agent_key(std::span<const std::byte, 32>(key_seed));
    options.target_arcs = truth_.arcs_of(peer);
    options.starts_in_sync = plan_.start != beginning::fresh && !table_.fates[peer].late;
    options.limits = round_limits_of(plan_);
    options.fetch = fetch_limits_of(plan_);
    options.seed = random.next();
    options.verify_agent = [this](std::string const& text) { return verifier_.verify(text); };
    return options;
}

void simulation::state::make_hosts(store_provider& stores) {
    for (peer_number peer = 0; peer < plan_.peers; ++peer) {
        space_options space(fmt::format("simulation-{}-{}", plan_.seed, peer));
        space.format = located_format();
        clock_.set(table_.starts_at + table_.fates[peer].clock_offset);
        auto made = stores.make(std::move(space), clock_);
        if (plan_.broken != sabotage::none && table_.fates[peer].lasting()) {
            made.ops = std::make_unique<sabotaged_store>(std::move(made.ops),
                                                         std::exchange(plan_.broken, sabotage::none));
        }
        auto const on_stored = [this, peer](std::vector<op_id> const& held) { truth_.stored(peer, held); };
        hosts_.push_back(std::make_unique<host>(peer, std::move(made), options_of(peer),
                                                table_.fates[peer].clock_offset, on_stored));
    }
}

arc::location simulation::state::any_location(random_source& random) const {
    if (plan_.hotspot.hits(random)) {
        return arc::location{hot_sector_ * arc::sector_size +
                             static_cast<std::uint32_t>(random.below(arc::sector_size))};
    }
    return arc::location{random.u32()};
}

/// Small ones are as frequent as large ones: each number of digits is equally likely.
std::uint32_t simulation::state::payload_bytes(random_source& random) const {
    auto const digits = random.below(std::bit_width(plan_.op_bytes_max) + 1);
    auto const most = std::min<std::uint64_t>(plan_.op_bytes_max, std::uint64_t{1} << digits);
    return static_cast<std::uint32_t>(random.below(most + 1));
}

void simulation::state::lay_history() {
    auto random = random_stream(plan_.seed, "history");
    for (auto left = table_.history_op_count; left > 0;) {
        auto const count = std::min<std::uint32_t>(left, history_chunk);
        lay_history_chunk(count, random);
        left -= count;
    }
}

void simulation::state::lay_history_chunk(std::uint32_t count, random_source& random) {
    std::map<peer_number, std::vector<incoming_op>> batches;
    for (std::uint32_t i = 0; i < count; ++i) {
        auto const at = any_location(random);
        std::vector<peer_number> holders;
        for (peer_number peer = 0; peer < plan_.peers; ++peer) {
            if (!table_.fates[peer].late && truth_.arcs_of(peer).includes(arc::sector_of(at))) {
                holders.push_back(peer);
            }
        }
        auto const age =
            microseconds(random.between(1, std::max<std::int64_t>(1, plan_.history_depth.count())));
        auto const bytes = truth_.create(table_.starts_at - age, at, payload_bytes(random));
        if (plan_.start != beginning::synced) {
            holders = {holders[random.below(holders.size())]};
        }
        for (auto const holder : holders) {
            batches[holder].emplace_back(bytes);
        }
    }
    for (auto& [peer, ops] : batches) {
        auto& h = *hosts_[peer];
        clock_.set(local(h));
        auto const report = caller_.run(h.disk().process_incoming_ops(std::move(ops)));
        truth_.stored(peer, report.value().held);
    }
}

void simulation::state::schedule_all() {
    for (peer_number peer = 0; peer < plan_.peers; ++peer) {
        auto const& fate = table_.fates[peer];
        queue_.add(fate.joins_at, event(event_kind::join, peer));
        if (fate.leaves_at) {
            queue_.add(*fate.leaves_at, event(event_kind::leave, peer));
        }
    }
    for (std::uint32_t i = 0; i < table_.crashes.size(); ++i) {
        queue_.add(table_.crashes[i].at, event(event_kind::crash, table_.crashes[i].peer, 0, i));
    }
    for (std::uint32_t i = 0; i < table_.splits.size(); ++i) {
        queue_.add(table_.splits[i].from, event(event_kind::split, 0, 0, i));
        queue_.add(table_.splits[i].until, event(event_kind::mend, 0));
    }
    for (std::uint32_t i = 0; i < table_.batches.size(); ++i) {
        queue_.add(table_.batches[i].at, event(event_kind::create, 0, 0, i));
    }
    queue_.add(table_.heals_at, event(event_kind::heal, 0));
}

void simulation::state::handle(event e) {
    host& h = *hosts_[e.to];
    switch (e.kind) {
        case event_kind::join:
            return join(h);
        case event_kind::bootstrap:
            if (h.is_up() && h.incarnation() == e.number) {
                call_bootstrap(h);
            }
            return;
        case event_kind::tick:
            if (h.is_up() && h.incarnation() == e.number && h.tick_at == now_) {
                tick(h);
            }
            return;
        case event_kind::deliver:
            return deliver(std::move(e));
        case event_kind::reset:
            return reset(e);
        case event_kind::create:
            return create(e);
        case event_kind::crash:
            return crash(e);
        case event_kind::overdue_crash:
            if (h.is_up() && h.incarnation() == e.number) {
                end_process(h);
            }
            return;
        case event_kind::restart:
            if (h.state() == host::condition::down && h.incarnation() == e.number) {
                restart(h);
            }
            return;
        case event_kind::leave:
            return leave(h);
        case event_kind::split:
            note("split", e.number);
            return network_.split(table_.splits[e.number].sides);
        case event_kind::mend:
            note("mend", 0);
            return network_.join();
        case event_kind::heal:
            return heal();
    }
}

void simulation::state::boot(host& h) {
    host::log_function log;
    if (on_log) {
        log = [this, &h](std::string_view line) {
            on_log(fmt::format("{} {} {}", (now_ - table_.starts_at).count(), url_of(h.number()), line));
        };
    }
    h.boot([this, &h](peer_number to, std::vector<std::byte> frame) { return send(h, to, std::move(frame)); },
           std::move(log));
    call(h, [&] { return h.peer().start(local(h)); });
    if (h.is_up()) {
        call_bootstrap(h);
    }
}

void simulation::state::join(host& h) {
    note("join", h.number());
    outcome_.joined_late += table_.fates[h.number()].late ? 1 : 0;
    boot(h);
}

void simulation::state::call_bootstrap(host& h) {
    note("bootstrap", h.number());
    auto info = h.peer().own_agent_info(local(h));
    bootstrap_.announce(h.number(), std::move(info), h.peer().current_arcs());
    for (auto const* contact : bootstrap_.contacts(h.number(), truth_.arcs_of(h.number()))) {
        // An info that has expired by this peer's clock is refused; that is the peer's business.
        (void)h.peer().add_agent(*contact, local(h));
    }
    follow_up(h);
    queue_.add(now_ + plan_.bootstrap_interval, event(event_kind::bootstrap, h.number(), 0, h.incarnation()));
}

template <class Call>
void simulation::state::call(host& h, Call const& work) {
    clock_.set(local(h));
    try {
        caller_.run(work());
    } catch (std::exception const& e) {
        if (!h.life().dead) {
            truth_.report(violation::threw, fmt::format("peer {}: {}", h.number(), e.what()));
        }
    }
    follow_up(h);
}

void simulation::state::follow_up(host& h) {
    if (h.life().dead) {
        end_process(h);
    } else {
        schedule_tick(h);
    }
}

void simulation::state::schedule_tick(host& h) {
    auto const wanted = std::max(now_, h.true_time(h.peer().next_tick_at()));
    if (!h.tick_at || wanted < *h.tick_at) {
        h.tick_at = wanted;
        queue_.add(wanted, event(event_kind::tick, h.number(), 0, h.incarnation()));
    }
}

void simulation::state::tick(host& h) {
    h.tick_at.reset();
    if (h.peer().next_tick_at() > local(h)) {
        return schedule_tick(h);
    }
    note("tick", h.number());
    call(h, [&] { return h.peer().tick(local(h)); });
    if (!h.is_up()) {
        return;
    }
    h.idle_ticks = h.tick_at == now_ ? h.idle_ticks + 1 : 0;
    if (h.idle_ticks > idle_ticks_max) {
        truth_.report(violation::spinning, fmt::format("peer {}", h.number()));
        h.idle_ticks = 0;
        h.tick_at = now_ + leave_interval;
        queue_.add(*h.tick_at, event(event_kind::tick, h.number(), 0, h.incarnation()));
    }
}

bool simulation::state::send(host& from, peer_number to, std::vector<std::byte> frame) {
    if (to >= hosts_.size() || to == from.number()) {
        return false;
    }
    check_served(from, frame);
    auto const sent = network_.send(from.number(), to, frame.size(), now_);
    if (!sent.taken) {
        return false;
    }
    note("send", from.number(), to, frame);
    ++outcome_.messages;
    outcome_.bytes += frame.size();
    outcome_.messages_lost += sent.arrival_count == 0 ? 1 : 0;
    for (std::size_t i = 0; i < sent.arrival_count; ++i) {
        event e(event_kind::deliver, to, from.number(), hosts_[to]->incarnation());
        e.frame = i + 1 == sent.arrival_count ? std::move(frame) : frame;
        queue_.add(sent.arrivals[i], std::move(e));
    }
    return true;
}

void simulation::state::check_served(host const& from, std::vector<std::byte> const& frame) {
    // The module's name is the last field of a frame; only those of this module carry ops.
    constexpr std::string_view module = "Fetch";
    auto const tail = std::as_bytes(std::span(module));
    if (frame.size() < tail.size() || !std::equal(tail.begin(), tail.end(), frame.end() - tail.size())) {
        return;
    }
    auto const decoded = gossip::decode_frame(space_name(), frame);
    if (!decoded) {
        truth_.report(violation::malformed,
                      fmt::format("peer {}: {}", from.number(), decoded.error().message()));
        return;
    }
    auto const* fetch = std::get_if<gossip::fetch_message>(&*decoded);
    auto const* response = fetch ? std::get_if<gossip::fetch_response_message>(fetch) : nullptr;
    if (response) {
        for (auto const& op : response->ops) {
            truth_.served(from.number(), op.id, op.data);
        }
    }
}

void simulation::state::deliver(event e) {
    host& h = *hosts_[e.to];
    if (!h.is_up() || h.incarnation() != e.number) {
        note("unreached", e.from, e.to);
        if (network_.connects(e.to, e.from)) {
            queue_.add(now_ + plan_.latency,
                       event(event_kind::reset, e.from, e.to, hosts_[e.from]->incarnation()));
        }
        return;
    }
    note("deliver", e.from, e.to);
    auto from = url_of(e.from);
    call(h, [&] { return h.peer().receive(std::move(from), std::move(e.frame), local(h)); });
}

void simulation::state::reset(event const& e) {
    host& h = *hosts_[e.to];
    if (h.is_up() && h.incarnation() == e.number && !hosts_[e.from]->is_up()) {
        note("reset", e.from, e.to);
        h.peer().lost(url_of(e.from), local(h));
        follow_up(h);
    }
}

host* simulation::state::live_holder(arc::location at) {
    std::vector<host*> holders;
    for (auto const& h : hosts_) {
        if (h->is_up() && !h->leaving && truth_.arcs_of(h->number()).includes(arc::sector_of(at))) {
            holders.push_back(h.get());
        }
    }
    return holders.empty() ? nullptr : holders[workload_.below(holders.size())];
}

std::vector<incoming_op> simulation::state::write_batch(host& h, arc::location first, std::uint32_t count) {
    auto const& arcs = truth_.arcs_of(h.number());
    auto const sectors = arcs.sectors();
    std::vector<incoming_op> ops;
    for (std::uint32_t i = 0; i < count; ++i) {
        arc::location at = i == 0 ? first : any_location(workload_);
        if (!arcs.includes(arc::sector_of(at))) {
            at = arc::location{sectors[workload_.below(sectors.size())] * arc::sector_size +
                               at.value % arc::sector_size};
        }
        ops.emplace_back(truth_.create(local(h), at, payload_bytes(workload_)));
    }
    return ops;
}

void simulation::state::create(event const& e) {
    auto const& batch = table_.batches[e.number];
    auto const at = any_location(workload_);
    host* const h = live_holder(at);
    if (!h) {
        queue_.add(now_ + create_interval, e);
        return;
    }
    --batches_left_;
    auto ops = write_batch(*h, at, batch.op_count);
    note("create", h->number(), batch.op_count, truth_.id_of(truth_.op_count() - 1).bytes());
    std::vector<op_id> ids;
    clock_.set(local(*h));
    try {
        ids = caller_.run(h->store().process_incoming_ops(std::move(ops))).value().held;
    } catch (store_error const&) {
        if (!h->life().dead) {
            throw;
        }
        return end_process(*h);
    }
    h->peer().ops_stored(local(*h));
    if (batch.published) {
        return call(*h, [&] { return h->peer().publish(std::move(ids), local(*h)); });
    }
    follow_up(*h);
}

void simulation::state::crash(event const& e) {
    auto const& fate = table_.crashes[e.number];
    host& h = *hosts_[fate.peer];
    if (!h.is_up() || h.life().armed != cut::none) {
        return;
    }
    downtimes_[fate.peer] = fate.downtime;
    if (fate.how == cut::at_once) {
        return end_process(h);
    }
    h.life().armed = fate.how;
    queue_.add(now_ + crash_patience, event(event_kind::overdue_crash, fate.peer, 0, h.incarnation()));
}

void simulation::state::end_process(host& h) {
    note("crash", h.number());
    ++outcome_.crashes;
    h.halt(host::condition::down, reports_);
    auto const back_at = healed_ ? now_ + leave_interval : now_ + downtimes_[h.number()];
    queue_.add(back_at, event(event_kind::restart, h.number(), 0, h.incarnation()));
}

void simulation::state::restart(host& h) {
    note("restart", h.number());
    clock_.set(local(h));
    auto const gone = caller_.run(h.disk().filter_out_existing_ops(truth_.held_by(h.number())));
    for (auto const& id : gone.value()) {
        truth_.report(violation::forgotten,
                      fmt::format("peer {} restarts without {}", h.number(), to_string(id)));
    }
    boot(h);
}

void simulation::state::leave(host& h) {
    h.leaving = true;
    if (!h.is_up() || !truth_.may_leave(h.number())) {
        queue_.add(now_ + leave_interval, event(event_kind::leave, h.number()));
        return;
    }
    note("leave", h.number());
    ++outcome_.left;
    bootstrap_.withdraw(h.number(), h.peer().own_agent_info(local(h), true));
    truth_.left(h.number());
    h.halt(host::condition::gone, reports_);
}

void simulation::state::heal() {
    note("heal", 0);
    healed_ = true;
    network_.heal();
    for (auto const& h : hosts_) {
        if (h->state() == host::condition::down) {
            restart(*h);
        }
    }
}

bool simulation::state::settled() {
    if (settled_ || !healed_ || batches_left_ > 0) {
        return settled_;
    }
    std::vector<peer_number> present;
    for (auto const& h : hosts_) {
        bool const gone = h->state() == host::condition::gone;
        if (!gone && (!h->is_up() || h->leaving)) {
            return false;
        }
        if (!gone) {
            present.push_back(h->number());
        }
    }
    truth_.expect(present);
    return settled_ = true;
}

microseconds simulation::state::time_to_converge() const {
    auto const limits = round_limits_of(plan_);
    // A peer that joined late may need everything, in rounds of limited size; a round may fail, or bring
    // what another one brought already.
    auto const bytes = std::uint64_t{plan_.ops} * (plan_.op_bytes_max + 16);
    auto const paged = 4 * (bytes / limits.op_bytes_max);
    return (limits.interval + limits.jitter) * static_cast<std::int64_t>(plan_.rounds_max + paged);
}

outcome simulation::state::run() {
    auto const limit = table_.heals_at + time_to_converge();
    std::uint64_t count = 0;
    while (!queue_.empty() && queue_.next_at() <= limit) {
        now_ = queue_.next_at();
        handle(queue_.take());
        if (settled() && truth_.missing() == 0) {
            break;
        }
        if (++count % progress_interval == 0 && on_progress) {
            on_progress({now_ - table_.starts_at, healed_, count, truth_.missing()});
        }
    }
    return conclude();
}

outcome simulation::state::conclude() {
    std::map<peer_number, op_store*> present;
    for (auto const& h : hosts_) {
        if (h->state() != host::condition::gone) {
            present[h->number()] = &h->disk();
        }
        if (h->is_up()) {
            h->halt(host::condition::down, reports_);
        }
    }
    auto const found = caller_.run(inspect(truth_, present));
    auto result = std::move(outcome_);
    result.converged = settled_ && found.missing == 0;
    result.lost = found.lost;
    result.invented = truth_.invented_count();
    result.missing = found.missing;
    result.violations = truth_.violations();
    result.details = truth_.texts();
    result.virtual_time = now_ - table_.starts_at;
    result.healed_time = std::max<microseconds>(now_ - table_.heals_at, 0us);
    result.events = log_.event_count();
    result.ops_created = truth_.op_count();
    result.ops_surviving = found.surviving;
    result.ops_served = truth_.served_count();
    result.peers_present = present.size();
    for (auto const& report : reports_) {
        result.rounds += report.rounds_initiated;
        result.rounds_completed += report.rounds_completed;
        result.rounds_timed_out += report.rounds_timed_out;
        result.protocol_errors += report.protocol_errors;
        result.store_errors += report.store_errors;
        result.ops_fetched += report.ops_fetched;
        result.ops_refused += report.ops_refused;
    }
    result.state_hash = found.state_hash;
    result.event_hash = log_.finish();
    return result;
}

simulation::simulation(plan const& p, store_provider& stores) : state_(std::make_unique<state>(p, stores)) {}

simulation::~simulation() = default;

void simulation::on_progress(std::function<void(progress const&)> listener) {
    state_->on_progress = std::move(listener);
}

void simulation::on_log(std::function<void(std::string_view)> listener) {
    state_->on_log = std::move(listener);
}

outcome simulation::run() {
    return state_->run();
}

}  // namespace opstore::simulator
