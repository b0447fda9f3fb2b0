#include <tests/postgres/cutting_proxy.hpp>

#include <tests/postgres/test_database.hpp>

#include <fmt/format.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>

namespace opstore::testing {
namespace {

sockaddr_un address_of(std::string const& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        throw std::runtime_error("socket path too long: " + path);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

int connect_to_server() {
    auto const path = run_sql(
        "SELECT current_setting('unix_socket_directories') || '/.s.PGSQL.' || "
        "current_setting('port')");
    auto const address = address_of(path);
    int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0)
        throw std::runtime_error("cannot connect to " + path);
    return fd;
}

}  // namespace

cutting_proxy::cutting_proxy() {
    auto name = (std::filesystem::temp_directory_path() / "opstore-proxy-XXXXXX").string();
    if (!::mkdtemp(name.data()))
        throw std::runtime_error("mkdtemp failed");
    directory_ = name;
    auto const address = address_of((directory_ / ".s.PGSQL.5432").string());
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(listener_, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 64) != 0)
        throw std::runtime_error("cannot listen in " + name);
    acceptor_ = std::thread([this] { accept_all(); });
}

cutting_proxy::~cutting_proxy() {
    thaw();
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    for (link& l : links_) {
        ::shutdown(l.client, SHUT_RDWR);
        ::shutdown(l.server, SHUT_RDWR);
        l.requests.join();
        l.answers.join();
        ::close(l.client);
        ::close(l.server);
    }
    std::filesystem::remove_all(directory_);
}

std::string cutting_proxy::conninfo() const {
    return fmt::format("host={} port=5432 dbname={} user={} gssencmode=disable sslmode=disable",
                       directory_.string(), run_sql("SELECT current_database()"),
                       run_sql("SELECT current_user"));
}

void cutting_proxy::freeze() {
    std::lock_guard const lock(frozen_mutex_);
    frozen_ = true;
}

void cutting_proxy::thaw() {
    {
        std::lock_guard const lock(frozen_mutex_);
        frozen_ = false;
    }
    thawed_.notify_all();
}

void cutting_proxy::wait_while_frozen() {
    std::unique_lock lock(frozen_mutex_);
    thawed_.wait(lock, [this] { return !frozen_; });
}

void cutting_proxy::accept_all() {
    for (;;) {
        int const client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0)
            return;
        if (connections_to_refuse_ > 0) {
            --connections_to_refuse_;
            ::close(client);
            continue;
        }
        std::lock_guard const lock(mutex_);
        link& l = links_.emplace_back();
        l.client = client;
        l.server = connect_to_server();
        l.requests = std::thread([this, &l] { pump(l.client, l.server, false); });
        l.answers = std::thread([this, &l] { pump(l.server, l.client, true); });
    }
}

void cutting_proxy::pump(int from, int to, bool answers) {
    std::array<char, 65536> buffer;
    for (;;) {
        ssize_t const got = ::recv(from, buffer.data(), buffer.size(), 0);
        wait_while_frozen();
        // The last byte but five of an answer is where ReadyForQuery begins: the server has committed.
        bool const ready = answers && got >= 6 && buffer[static_cast<std::size_t>(got) - 6] == 'Z';
        if (got <= 0 || (ready && answers_until_cut_ > 0 && --answers_until_cut_ == 0)) {
            ::shutdown(from, SHUT_RDWR);
            ::shutdown(to, SHUT_RDWR);
            return;
        }
        for (ssize_t sent = 0; sent < got;) {
            ssize_t const n =
                ::send(to, buffer.data() + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
            if (n <= 0)
                return;
            sent += n;
        }
    }
}

}  // namespace opstore::testing
