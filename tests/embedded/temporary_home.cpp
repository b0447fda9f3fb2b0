#include <tests/embedded/temporary_home.hpp>

#include <doctest/doctest.h>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

namespace opstore::testing {
namespace fs = std::filesystem;

temporary_home::temporary_home(fs::path const& below) {
    auto name = (fs::canonical(fs::temp_directory_path()) / "opstore-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    parent_ = name;
    // The server of a root is another user.
    fs::permissions(parent_, fs::perms{0755});
    home_ = parent_ / below;
}

temporary_home::~temporary_home() {
    // A home that its test damaged has no server, nor an answer to whether it has.
    if (fs::exists(data() / "PG_VERSION")) {
        cluster().stop(embedded_cluster::stop_mode::immediate);
        CHECK_FALSE(cluster().query_status().running);
    }
    fs::remove_all(parent_);
}

scoped_variable::scoped_variable(char const* name, char const* value)
    : name_(name), before_(std::getenv(name)) {
    // getenv's text may not outlive the change.
    if (before_ != nullptr)
        before_ = ::strdup(before_);
    value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
}

scoped_variable::~scoped_variable() {
    before_ == nullptr ? ::unsetenv(name_) : ::setenv(name_, before_, 1);
    std::free(const_cast<char*>(before_));
}

std::string query(embedded_cluster const& cluster, std::string const& sql) {
    std::unique_ptr<PGconn, decltype(&::PQfinish)> const connection(::PQconnectdb(cluster.conninfo().c_str()),
                                                                    &::PQfinish);
    std::unique_ptr<PGresult, decltype(&::PQclear)> const result(::PQexec(connection.get(), sql.c_str()),
                                                                 &::PQclear);
    INFO(::PQerrorMessage(connection.get()));
    CHECK_FALSE(::PQresultStatus(result.get()) == PGRES_FATAL_ERROR);
    return ::PQntuples(result.get()) == 0 ? "" : ::PQgetvalue(result.get(), 0, 0);
}

pid_t fork_process(std::function<void()> const& work) {
    pid_t const pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        auto const message = message_of(work);
        fmt::print(stderr, "{}", message);
        ::_exit(message.empty() ? 0 : 1);
    }
    return pid;
}

int wait_for_process(pid_t pid) {
    int state = 0;
    REQUIRE(::waitpid(pid, &state, 0) == pid);
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

pid_t start_as_owner(fs::path const& path, std::vector<std::string> words) {
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    return fork_process([&] {
        if (::geteuid() == 0 && (::setgid(info.st_gid) != 0 || ::setuid(info.st_uid) != 0))
            throw std::runtime_error("cannot change the user");
        std::vector<char*> arguments;
        for (auto& word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        ::execvp(arguments[0], arguments.data());
        throw std::runtime_error("cannot run " + words.front());
    });
}

bool eventually(std::function<bool()> const& condition) {
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

std::string read_file(fs::path const& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

void write_file(fs::path const& path, std::string const& text) {
    std::ofstream(path) << text;
}

std::string message_of(std::function<void()> const& call) {
    try {
        call();
        return {};
    } catch (std::exception const& error) {
        return error.what();
    }
}

}  // namespace opstore::testing
