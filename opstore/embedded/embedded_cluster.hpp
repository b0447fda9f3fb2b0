#pragma once

#include <opstore/errors.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace opstore {

/// A private PostgreSQL server under one directory, for those who named no database.
///
/// The directory ("home") holds the data directory, the server's log and a lock file. The server listens on a
/// Unix socket only, in a directory with a short path that only its user can enter, and lets in by peer
/// authentication. Started by root it runs as an unprivileged user, who owns its files: the owner of a data
/// directory that exists, else $OPSTORE_SERVER_USER, else postgres, else nobody. Its settings are crash-safe:
/// fsync and full_page_writes stay on. It outlives the process that started it and holds none of its files.
///
/// Any number of processes may start, stop and ask at once: a lock file lets one in at a time. All are of one
/// machine and one PID namespace: a server in another container is noticed by the lock that it holds, and no
/// second one is started. A home that a crash left half made is made again; one that is damaged is explained,
/// never deleted; one that others may write in is refused. PostgreSQL's programs are those of
/// $OPSTORE_PG_BINDIR, else the newest installed, else those that made the data directory.
///
/// All functions block. They throw store_error (unavailable): with what failed, which file shows more, and
/// what to do. Thread safety: one object, one thread; distinct objects are independent, of one home too.
class embedded_cluster {
public:
    /// Enough for the recovery of every setting that this class makes, on a slow disk.
    static constexpr std::chrono::seconds wait_default{300};

    /// $OPSTORE_HOME, else /var/lib/opstore for root, else $XDG_DATA_HOME/opstore or ~/.local/share/opstore.
    static std::filesystem::path default_home();

    /// Touches nothing yet. `wait_max` bounds each wait: for a start or recovery, for a stop, and for another
    /// process that does one of them.
    explicit embedded_cluster(std::filesystem::path home = default_home(),
                              std::chrono::seconds wait_max = wait_default);

    /// Makes the cluster if there is none and starts it if it does not run; waits for its recovery. If it
    /// runs already the cost is one connection attempt.
    void ensure_running();

    enum class stop_mode {
        fast,      ///< Ends sessions, writes a checkpoint.
        immediate  ///< As a power cut would: recovery follows at the next start. For tests.
    };
    /// Returns false if it did not run.
    bool stop(stop_mode mode = stop_mode::fast);

    struct status {
        bool initialised = false;
        bool running = false;  ///< Its process lives; it may still be recovering.
        std::optional<int> pid;
        std::string server_version;  ///< Such as "15.20"; empty if it takes no connection.
        std::filesystem::path home, log_file, socket_directory;

        status() = default;
    };
    status query_status() const;

    /// For libpq: names the socket directory, the database, the user and the account that the server must
    /// run as. Valid before the first start too; but a server that runs keeps the socket directory that it
    /// was started with, so ask again after ensure_running().
    std::string conninfo() const;

private:
    std::filesystem::path home_;
    std::chrono::seconds wait_max_;
};

}  // namespace opstore
