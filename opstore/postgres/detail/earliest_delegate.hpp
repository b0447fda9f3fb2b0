#pragma once

#include <arc/sector.hpp>
#include <opstore/admission.hpp>
#include <opstore/postgres/detail/connection.hpp>
#include <opstore/postgres/detail/query_parts.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace opstore::postgres::detail {

/// Answers for the earliest ops of whole sectors from memory, where that is asked often: a DHT model asks for
/// each of 512, and the way to the server and back is what such a question costs.
///
/// What it answers is what the server would answer now. While it remembers a space, it stands as a delegate
/// in the space's row; an ingest, in any process, that brings an op which is the first of its sector asks it
/// to stop first, and waits until it has (delegates.hpp). It does so on a session of its own, which it makes
/// when it is first needed, and only where the server's end of the session is seen at once: through a
/// Unix-domain socket, of PostgreSQL 14 or newer. Elsewhere, and for whoever may not write, it knows nothing.
///
/// Thread safety: every method from any thread. They do not wait for the server.
class earliest_delegate {
public:
    using clock = std::chrono::steady_clock;
    using times = std::array<std::optional<arc::timestamp>, arc::sector_count>;
    using connect_function = std::function<std::unique_ptr<connection>()>;

    /// The server ends its session if it has not been heard for so long, inside a transaction too; so a
    /// process that was stopped holds up an ingest no longer. Nor does a statement of the session take
    /// longer.
    static constexpr std::chrono::seconds silence_max{5};
    /// So many questions within so short a time are worth a session.
    static constexpr int questions_min = 8;
    static constexpr std::chrono::seconds questions_within{1};
    /// A space is not remembered again right after it was recalled: while history comes in, that is often.
    static constexpr std::chrono::milliseconds recall_pause{250};
    /// A space about which nobody has asked for so long is forgotten; the session ends that long after the
    /// last.
    static constexpr std::chrono::seconds unused_max{60};
    /// Each takes 8 KiB here, and an entry of the server's table of locks.
    static constexpr std::size_t spaces_max = 256;

    explicit earliest_delegate(connect_function connect);
    /// Waits for a connect that is under way, the look at the schema included; for a server that hangs
    /// otherwise, it does not.
    ~earliest_delegate();

    earliest_delegate(earliest_delegate const&) = delete;
    earliest_delegate& operator=(earliest_delegate const&) = delete;

    /// The earliest op of each arc. Nothing: ask the server. Counts as a question if the arcs are of whole
    /// sectors.
    std::optional<std::vector<std::optional<arc::timestamp>>> earliest(space_identity space,
                                                                       std::span<arc::dht_arc const> arcs);

    struct comparison {
        std::int64_t delegate =
            0;                 ///< By whose times none of the ops is the first of its sector; 0: unknown.
        bool earlier = false;  ///< One is.
    };

    /// Holds at the commit too if the space's row then names the delegate: what makes its times wrong takes
    /// it out of the row in the same transaction.
    comparison compare(space_identity space, std::span<admitted_op const* const> ops) const;

    /// Others are delegates of a space into which this process writes: to know the times too spares it to ask
    /// the server for each batch whether they stay.
    void join(space_identity space);

private:
    using key = std::pair<std::int64_t, std::int64_t>;  ///< Of a space: its number and incarnation.

    struct delegation {
        std::int64_t number;
        std::unique_ptr<times const> earliest;
        clock::time_point last_used;
    };
    struct demand {
        clock::time_point since{};
        int questions = 0;
        clock::time_point not_before{};
    };

    static key key_of(space_identity space) { return {space.space_id, space.incarnation}; }

    demand& demand_of(key space);
    void note_question(space_identity space);
    void want(space_identity space);

    // On the thread.
    void attend();
    void wait_for_more();
    void serve(std::vector<space_identity> const& wanted);
    bool open_session();
    void keep_socket(int copy);
    void remember(space_identity space);
    std::unique_ptr<times const> become_delegate(space_identity space, std::int64_t number);
    bool stop_where_recalled();
    void forget_unused();
    void forget(key space, std::chrono::milliseconds pause);
    void stop_being_delegate(std::int64_t number);
    void keep_alive();
    void end_session();
    void give_up(std::chrono::seconds pause);

    connect_function const connect_;

    // The thread's; what follows depends on the context.
    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
        boost::asio::make_work_guard(io_);
    boost::asio::steady_timer heartbeat_{io_};
    clock::time_point last_heard_, last_remembered_;

    mutable std::mutex mutex_;
    bool stopping_ = false;
    /// The thread waits for the session's socket. Otherwise it may have read from it that all is over, and
    /// not have drawn the conclusion yet.
    bool waits_ = false;
    std::map<key, delegation> remembered_;  ///< Changed by the thread only.
    std::map<key, demand> demands_;         ///< Of spaces that are not remembered.
    std::vector<space_identity> wanted_;
    clock::time_point not_before_{};       ///< After a failure.
    std::unique_ptr<connection> session_;  ///< Changed by the thread only, as is the next.
    /// The session's socket once more, since libpq closes its own when it likes.
    std::optional<boost::asio::posix::stream_descriptor> socket_;
    std::thread thread_;  ///< Started with the first demand.
};

}  // namespace opstore::postgres::detail
