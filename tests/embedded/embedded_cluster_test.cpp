// Goal: somebody who named no database gets a server that starts whatever happened before, keeps what it
// acknowledged, lets nobody else in, and says clearly what it cannot mend. Method: real servers in homes of
// their own, killed, stopped, squatted and damaged on purpose.
#include <opstore/embedded/detail/server_programs.hpp>
#include <tests/embedded/temporary_home.hpp>

#include <doctest/doctest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <vector>

namespace opstore {
namespace fs = std::filesystem;
using namespace testing;
namespace {

bool is_root() {
    return ::geteuid() == 0;
}

bool contains(std::string const& text, std::string const& part) {
    return text.find(part) != std::string::npos;
}

/// Appends to postgresql.conf, behind the store's own settings.
void add_setting(temporary_home const& home, std::string const& line) {
    write_file(home.data() / "postgresql.conf", read_file(home.data() / "postgresql.conf") + line + "\n");
}

int pid_of(embedded_cluster const& cluster) {
    return cluster.query_status().pid.value_or(0);
}

}  // namespace

TEST_CASE("embedded: a first start makes a crash-safe database that conninfo() reaches") {
    temporary_home const home;
    auto cluster = home.cluster();
    CHECK_FALSE(cluster.query_status().initialised);
    CHECK_FALSE(fs::exists(home.path()));
    auto const conninfo_before = cluster.conninfo();

    cluster.ensure_running();
    CHECK(cluster.conninfo() == conninfo_before);
    CHECK(query(cluster, "SELECT current_database() || ' ' || current_user") == "opstore opstore");
    for (auto const* const setting : {"fsync", "full_page_writes", "synchronous_commit", "data_checksums"}) {
        CAPTURE(setting);
        CHECK(query(cluster, std::string("SHOW ") + setting) == "on");
    }
    CHECK(query(cluster, "SHOW server_encoding") == "UTF8");
    CHECK(query(cluster, "SHOW listen_addresses").empty());

    auto const status = cluster.query_status();
    CHECK(status.initialised);
    CHECK(status.running);
    CHECK(status.home == home.path());
    CHECK(query(cluster, "SHOW server_version").starts_with(status.server_version));
    CHECK_FALSE(status.server_version.empty());
    CHECK(contains(read_file(status.log_file), "ready to accept connections"));
    struct stat info {};
    REQUIRE(::stat(status.socket_directory.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0700);

    cluster.ensure_running();
    CHECK(pid_of(cluster) == status.pid);
    {
        scoped_variable const elsewhere("PGHOSTADDR", "127.0.0.1");
        CHECK(query(cluster, "SELECT 1") == "1");
    }

    CHECK(cluster.stop());
    CHECK_FALSE(cluster.query_status().running);
    CHECK_FALSE(fs::exists(status.socket_directory));
    CHECK_FALSE(cluster.stop());
}

TEST_CASE("embedded: a server that was stopped, cut off or killed comes back with what it acknowledged") {
    temporary_home const home;
    auto cluster = home.cluster();
    cluster.ensure_running();
    query(cluster, "CREATE TABLE kept (n int)");
    auto const write_row = [&] { query(cluster, "INSERT INTO kept VALUES (1)"); };
    auto const row_count = [&] {
        cluster.ensure_running();
        return query(cluster, "SELECT count(*) FROM kept");
    };

    write_row();
    CHECK(cluster.stop());
    CHECK(row_count() == "1");

    write_row();
    CHECK(cluster.stop(embedded_cluster::stop_mode::immediate));
    CHECK(row_count() == "2");

    write_row();
    int const killed = pid_of(cluster);
    REQUIRE(::kill(killed, SIGKILL) == 0);
    CHECK(row_count() == "3");
    CHECK(pid_of(cluster) != killed);

    // A logout takes /run/user away from under the server.
    int const unreachable = pid_of(cluster);
    fs::remove(cluster.query_status().socket_directory / ".s.PGSQL.5432");
    CHECK(row_count() == "3");
    CHECK(pid_of(cluster) != unreachable);
}

TEST_CASE("embedded: stale lock files that name a stranger's process are no server") {
    temporary_home const home;
    auto cluster = home.cluster();
    cluster.ensure_running();
    auto const socket_lock = cluster.query_status().socket_directory / ".s.PGSQL.5432.lock";
    REQUIRE(::kill(pid_of(cluster), SIGKILL) == 0);

    // PostgreSQL itself takes any process of its own user for the server that wrote the files.
    auto const stranger = start_as_owner(home.data(), {"sleep", "600"});
    for (auto const& lock : {home.data() / "postmaster.pid", socket_lock}) {
        auto text = read_file(lock);
        write_file(lock, text.replace(0, text.find('\n'), std::to_string(stranger)));
    }
    CHECK_FALSE(cluster.query_status().running);
    CHECK_FALSE(cluster.stop());
    cluster.ensure_running();
    CHECK(query(cluster, "SELECT 1") == "1");
    CHECK(::waitpid(stranger, nullptr, WNOHANG) == 0);
    REQUIRE(::kill(stranger, SIGKILL) == 0);
    wait_for_process(stranger);
}

TEST_CASE("embedded: eight processes that start it at once get one server; so do eight that stop it") {
    temporary_home const home;
    auto const all_succeed = [&](auto const& work) {
        std::vector<pid_t> processes;
        for (int i = 0; i < 8; ++i)
            processes.push_back(fork_process([&] {
                auto cluster = home.cluster();
                work(cluster);
            }));
        for (pid_t const process : processes)
            CHECK(wait_for_process(process) == 0);
    };
    all_succeed([](embedded_cluster& cluster) {
        cluster.ensure_running();
        query(cluster, "SELECT 1");
    });
    CHECK(home.cluster().query_status().running);
    all_succeed([](embedded_cluster& cluster) { cluster.stop(); });
    CHECK_FALSE(home.cluster().query_status().running);
}

TEST_CASE("embedded: the server holds no file of the process that started it") {
    temporary_home const home;
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    // As the shell does for $(...): a standard output that is a pipe, and others that happen to be open.
    auto const starter = fork_process([&] {
        ::dup2(ends[1], STDOUT_FILENO);
        ::dup2(ends[1], STDERR_FILENO);
        home.cluster().ensure_running();
    });
    CHECK(wait_for_process(starter) == 0);
    ::close(ends[1]);
    pollfd end_of_file{ends[0], POLLIN, 0};
    CHECK(::poll(&end_of_file, 1, 1000) == 1);
    CHECK((end_of_file.revents & POLLHUP) != 0);
    ::close(ends[0]);
    CHECK(query(home.cluster(), "SELECT 1") == "1");
}

TEST_CASE(
    "embedded: a process killed while it makes the data directory leaves none, and the next one makes it") {
    temporary_home const home;
    auto const maker = fork_process([&] { home.cluster().ensure_running(); });
    REQUIRE(eventually([&] { return fs::exists(home.path() / "data.new" / "PG_VERSION"); }));
    REQUIRE(::kill(maker, SIGKILL) == 0);
    CHECK(wait_for_process(maker) == 128 + SIGKILL);
    CHECK_FALSE(fs::exists(home.data()));

    auto cluster = home.cluster();
    cluster.ensure_running();
    CHECK(query(cluster, "SELECT 1") == "1");
    CHECK_FALSE(fs::exists(home.path() / "data.new"));
}

TEST_CASE("embedded: what is left of a data directory is explained and stays as it is") {
    temporary_home const home;
    fs::create_directories(home.data() / "base");
    if (is_root())
        fs::permissions(home.path(), fs::perms{0755});
    auto cluster = home.cluster();
    if (is_root()) {
        CHECK(contains(message_of([&] { cluster.ensure_running(); }), "belongs to root"));
        REQUIRE(::chown(home.data().c_str(), 65534, 65534) == 0);
    }
    auto const message = message_of([&] { cluster.ensure_running(); });
    CHECK(contains(message, home.data().string()));
    CHECK(contains(message, "PG_VERSION"));
    CHECK(fs::exists(home.data() / "base"));
}

TEST_CASE("embedded: a start that PostgreSQL refuses quotes its log, and works again once mended") {
    temporary_home const home;
    auto cluster = home.cluster();
    cluster.ensure_running();
    CHECK(cluster.stop());

    auto const good_conf = read_file(home.data() / "postgresql.conf");
    add_setting(home, "shared_buffers = 'plenty'");
    auto const refused_setting = message_of([&] { cluster.ensure_running(); });
    CHECK(contains(refused_setting, "invalid value for parameter \"shared_buffers\": \"plenty\""));
    CHECK(contains(refused_setting, cluster.query_status().log_file.string()));
    CHECK_FALSE(contains(refused_setting, "shutting down"));
    write_file(home.data() / "postgresql.conf", good_conf);

    auto const version = read_file(home.data() / "PG_VERSION");
    write_file(home.data() / "PG_VERSION", "9\n");
    auto const other_version = message_of([&] { cluster.ensure_running(); });
    CHECK(contains(other_version, "made by PostgreSQL 9"));
    CHECK(contains(other_version, "postgresql-9"));
    write_file(home.data() / "PG_VERSION", version);

    {
        scoped_variable const nowhere("OPSTORE_PG_BINDIR", "/nonexistent");
        CHECK(contains(message_of([&] { cluster.ensure_running(); }), "OPSTORE_PG_BINDIR"));
    }

    // A log that has grown is put aside.
    fs::resize_file(home.path() / "server.log", 17u << 20);
    cluster.ensure_running();
    CHECK(fs::file_size(home.path() / "server.log") < 1u << 20);
    CHECK(fs::exists(home.path() / "server.log.1"));
}

TEST_CASE("embedded: a socket directory that somebody else may have made is refused") {
    temporary_home const home;
    auto cluster = home.cluster();
    auto const directory = cluster.query_status().socket_directory;
    auto const refusal = [&] { return message_of([&] { cluster.ensure_running(); }); };

    fs::create_directory_symlink("/tmp", directory);
    CHECK(contains(refusal(), directory.string() + "\" is not a directory"));
    fs::remove(directory);

    fs::create_directory(directory);
    fs::permissions(directory, fs::perms{0755});
    CHECK(contains(refusal(), directory.string() + "\" has mode 755 instead of 700"));
    fs::remove(directory);

    if (is_root()) {
        fs::create_directory(directory);
        REQUIRE(::chown(directory.c_str(), 65534, 65534) == 0);
        CHECK(contains(refusal(), directory.string() + "\" belongs to user id 65534"));
        fs::remove(directory);
    }
    cluster.ensure_running();
    CHECK(query(cluster, "SELECT 1") == "1");
}

TEST_CASE("embedded: any path of one line can be a home") {
    // Longer than a socket's address; and all that a shell or a settings file would take for its own.
    auto const long_name = std::string(100, 'l') + "/" + std::string(100, 'o') + "/home";
    auto const odd_name = std::string("it's \"here\" $HOME `id`; \\ #,@ Grüße");
    std::string name;
    SUBCASE("a long one") {
        name = long_name;
    }
    SUBCASE("an odd one") {
        name = odd_name;
    }
    temporary_home const home(name);
    auto cluster = home.cluster();
    cluster.ensure_running();
    CHECK(query(cluster, "SHOW data_directory") == home.data().string());
    CHECK(cluster.stop());
}

TEST_CASE("embedded: a path with a line break is refused") {
    temporary_home const home("two\nlines");
    CHECK(contains(message_of([&] { home.cluster().ensure_running(); }), "line break"));
    CHECK_FALSE(fs::exists(home.path()));
}

TEST_CASE("embedded: a file is no home, nor is a place below it") {
    temporary_home const home;
    auto const file = home.path() / "file";
    fs::create_directories(home.path());
    write_file(file, "");
    for (auto const& path : {file, file / "below"}) {
        embedded_cluster cluster(path);
        CHECK(
            contains(message_of([&] { cluster.ensure_running(); }), file.string() + "\" is not a directory"));
    }
    auto const link = home.path() / "link";
    fs::create_symlink(home.path() / "nowhere", link);
    embedded_cluster dangling(link);
    CHECK(contains(message_of([&] { dangling.ensure_running(); }), "not a directory"));
}

TEST_CASE("embedded: a home that was removed under its server is made anew") {
    temporary_home const home;
    auto cluster = home.cluster();
    cluster.ensure_running();
    int const orphan = pid_of(cluster);
    fs::remove_all(home.path());
    cluster.ensure_running();
    CHECK(query(cluster, "SELECT 1") == "1");
    CHECK(pid_of(cluster) != orphan);
}

TEST_CASE("embedded: a wait for another process is bounded and names it") {
    temporary_home const home;
    fs::create_directories(home.path());
    int const file = ::open((home.path() / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(::flock(file, LOCK_EX) == 0);
    write_file(home.path() / "lock", "4711");
    embedded_cluster cluster(home.path(), std::chrono::seconds(0));
    std::string message;
    bool retryable = false;
    try {
        cluster.ensure_running();
    } catch (store_error const& e) {
        message = e.what();
        retryable = e.retryable();
    }
    CHECK(contains(message, (home.path() / "lock").string()));
    CHECK(contains(message, "4711"));
    CHECK(retryable);
    ::close(file);
}

TEST_CASE("embedded: a server that cannot be seen from here is noticed, and none is started beside it") {
    temporary_home const home;
    auto cluster = home.cluster();
    cluster.ensure_running();
    auto const lock = home.path() / "server.lock";
    int const file = ::open(lock.c_str(), O_RDWR | O_CLOEXEC);
    auto const is_free = [&] { return ::flock(file, LOCK_EX | LOCK_NB) == 0; };
    CHECK_FALSE(is_free());
    CHECK(cluster.stop());
    REQUIRE(eventually(is_free));

    // As from within another container: held, and no process to be seen.
    auto const postmaster_pid = home.data() / "postmaster.pid";
    write_file(postmaster_pid, "1\n");
    auto const begin = std::chrono::steady_clock::now();
    auto const message =
        message_of([&] { embedded_cluster(home.path(), std::chrono::seconds(1)).ensure_running(); });
    CHECK(contains(message, lock.string()));
    CHECK(contains(message, "container"));
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
    CHECK(fs::exists(postmaster_pid));
    CHECK_FALSE(cluster.query_status().running);

    // Whoever is about to go is waited for. (The starter shares the descriptor: closing it here would not
    // do.)
    auto const starter = fork_process([&] { home.cluster().ensure_running(); });
    REQUIRE(eventually([&] { return read_file(home.path() / "lock") == std::to_string(starter); }));
    REQUIRE(::flock(file, LOCK_UN) == 0);
    CHECK(wait_for_process(starter) == 0);
    ::close(file);
    CHECK(query(cluster, "SELECT 1") == "1");
}

TEST_CASE("embedded: a server that a killed caller left behind is found, a killed server's lock is free") {
    temporary_home const home;
    auto const starter = fork_process([&] { home.cluster().ensure_running(); });
    REQUIRE(eventually([&] { return fs::exists(home.data() / "postmaster.pid"); }));
    REQUIRE(::kill(starter, SIGKILL) == 0);
    wait_for_process(starter);
    auto cluster = home.cluster();
    cluster.ensure_running();
    int const pid = pid_of(cluster);
    REQUIRE(::kill(pid, SIGKILL) == 0);
    cluster.ensure_running();
    CHECK(pid_of(cluster) != pid);
    CHECK(query(cluster, "SELECT 1") == "1");
}

TEST_CASE("embedded: a server that an older version started is used as it is") {
    temporary_home const home;
    auto cluster = home.cluster();
    cluster.ensure_running();
    int const pid = pid_of(cluster);
    // It holds another file than the one that is looked at, or none.
    fs::remove(home.path() / "server.lock");
    cluster.ensure_running();
    CHECK(pid_of(cluster) == pid);
    REQUIRE(::kill(pid, SIGKILL) == 0);
    cluster.ensure_running();
    CHECK(query(cluster, "SELECT 1") == "1");
}

TEST_CASE("embedded: a server that ends again behind each start is not started without end") {
    temporary_home const home;
    auto cluster = home.cluster();
    cluster.ensure_running();
    CHECK(cluster.stop());
    auto const real = embedded::detail::find_server_programs(std::nullopt).directory;
    auto const programs = home.path().parent_path() / "programs";
    fs::create_directory(programs);
    fs::permissions(programs, fs::perms{0755});
    for (auto const* const name : {"postgres", "initdb"})
        fs::create_symlink(real / name, programs / name);
    write_file(programs / "pg_ctl", "#!/bin/sh\n\"" + real.string() + "/pg_ctl\" \"$@\" && \"" +
                                        real.string() + "/pg_ctl\" stop -w -m immediate -D data\n");
    fs::permissions(programs / "pg_ctl", fs::perms{0755});
    scoped_variable const chosen("OPSTORE_PG_BINDIR", programs.c_str());
    CHECK(contains(message_of([&] { cluster.ensure_running(); }), "ended again after each of 3 starts"));
}

TEST_CASE("embedded: what a host does with SIGCHLD is its own business") {
    temporary_home const home;
    auto const starter = fork_process([&] {
        ::signal(SIGCHLD, SIG_IGN);
        home.cluster().ensure_running();
        query(home.cluster(), "SELECT 1");
        home.cluster().stop();
    });
    CHECK(wait_for_process(starter) == 0);
    CHECK(home.cluster().query_status().initialised);
}

TEST_CASE("embedded: the programs of the server may be named by a relative path") {
    temporary_home const home;
    auto const relative = fs::relative(embedded::detail::find_server_programs(std::nullopt).directory);
    REQUIRE(relative.is_relative());
    scoped_variable const chosen("OPSTORE_PG_BINDIR", relative.c_str());
    home.cluster().ensure_running();
    CHECK(query(home.cluster(), "SELECT 1") == "1");
}

TEST_CASE("embedded: a home that others can write in is refused, and nothing is written through it") {
    temporary_home const home;
    auto const refusal = [&] { return message_of([&] { home.cluster().ensure_running(); }); };
    auto const victim = home.path().parent_path() / "victim";
    fs::create_directory(victim);
    write_file(victim / "pg_hba.conf", "precious");
    fs::create_directory(home.path());
    fs::create_directory_symlink(victim, home.path() / "config");
    CHECK(contains(refusal(), (home.path() / "config").string() + "\" is not a directory"));
    CHECK(read_file(victim / "pg_hba.conf") == "precious");
    fs::remove(home.path() / "config");

    fs::permissions(home.path(), fs::perms{0757});
    CHECK(contains(refusal(), "others may write"));
    fs::permissions(home.path(), fs::perms{0755});
    if (is_root()) {
        fs::permissions(home.path(), fs::perms{0775});
        CHECK(contains(refusal(), "others may write"));
        fs::permissions(home.path(), fs::perms{0755});
        REQUIRE(::chown(home.path().c_str(), 65534, 65534) == 0);
        CHECK(contains(refusal(), home.path().string() + "\" belongs to user id 65534"));
        REQUIRE(::chown(home.path().c_str(), 0, 0) == 0);

        auto const link = home.path().parent_path() / "link";
        fs::create_directory_symlink(home.path(), link);
        REQUIRE(::lchown(link.c_str(), 65534, 65534) == 0);
        CHECK(contains(message_of([&] { embedded_cluster(link).ensure_running(); }),
                       "link that belongs to user"));
    }
    CHECK(refusal() == "");
}

TEST_CASE("embedded: no other user of the machine gets in") {
    if (!is_root()) {
        MESSAGE("left out: only root can act as another user");
        return;
    }
    temporary_home const home;
    auto cluster = home.cluster();
    cluster.ensure_running();
    scoped_variable const conninfo("OPSTORE_TEST_CONNINFO", cluster.conninfo().c_str());
    auto const log_in_as_nobody = [] {
        return std::system(
            R"(setpriv --reuid=65534 --regid=65534 --clear-groups psql "$OPSTORE_TEST_CONNINFO" )"
            R"(-c 'SELECT 1' >/dev/null 2>&1)");
    };
    CHECK(log_in_as_nobody() != 0);

    // The directory keeps him out; peer authentication would, too.
    auto const status = cluster.query_status();
    auto const& directory = status.socket_directory;
    fs::permissions(directory, fs::perms{0777});
    fs::permissions(directory / ".s.PGSQL.5432", fs::perms{0777});
    CHECK(log_in_as_nobody() != 0);
    CHECK(contains(read_file(status.log_file), "Peer authentication failed"));
    // And a directory that was opened to others is not trusted any more.
    CHECK(contains(message_of([&] { cluster.ensure_running(); }), "has mode 777"));
    fs::permissions(directory, fs::perms{0700});
}

TEST_CASE("embedded: a home that root's server cannot reach names the directory in the way") {
    if (!is_root()) {
        MESSAGE("left out: only root's server is another user");
        return;
    }
    temporary_home const home("closed/inside/home");
    auto const closed = home.path().parent_path().parent_path();
    fs::create_directories(closed);
    fs::permissions(closed, fs::perms{0700});
    auto const message = message_of([&] { home.cluster().ensure_running(); });
    CHECK(contains(message, "cannot enter \"" + closed.string() + "\""));
    CHECK(contains(message, "OPSTORE_HOME"));
    CHECK(fs::is_empty(closed));

    // What it makes itself lets the server through, whatever root's mask.
    fs::permissions(closed, fs::perms{0755});
    auto const mask = ::umask(077);
    auto const after = message_of([&] { home.cluster().ensure_running(); });
    ::umask(mask);
    CHECK(after == "");
}

TEST_CASE("embedded: the home comes from the environment") {
    scoped_variable const chosen("OPSTORE_HOME", "/somewhere/else");
    CHECK(embedded_cluster::default_home() == "/somewhere/else");
    scoped_variable const not_chosen("OPSTORE_HOME", nullptr);
    scoped_variable const home("HOME", "/home/somebody");
    scoped_variable const no_data("XDG_DATA_HOME", nullptr);
    if (is_root()) {
        CHECK(embedded_cluster::default_home() == "/var/lib/opstore");
    } else {
        CHECK(embedded_cluster::default_home() == "/home/somebody/.local/share/opstore");
        scoped_variable const again("XDG_DATA_HOME", "/home/somebody/data");
        CHECK(embedded_cluster::default_home() == "/home/somebody/data/opstore");
    }
}

}  // namespace opstore
