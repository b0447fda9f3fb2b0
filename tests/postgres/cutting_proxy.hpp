#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace opstore::testing {

/// A Unix socket in front of the test server that can break connections at the worst moment: when the server
/// has answered, and the client has not heard it. It can also fall silent, as a server does that hangs.
class cutting_proxy {
public:
    cutting_proxy();
    ~cutting_proxy();

    /// For libpq: the test server, by way of this proxy.
    std::string conninfo() const;

    /// The n-th answer from now on, counted over all connections, is thrown away with its connection.
    void cut_answer(int n) { answers_until_cut_ = n; }
    bool has_cut() const { return answers_until_cut_ <= 0; }

    /// The next n connections are closed as soon as they are made, as by a server that is starting.
    void refuse(int n) { connections_to_refuse_ = n; }
    int left_to_refuse() const { return connections_to_refuse_; }

    /// Connections are still taken, but nothing goes through until thaw().
    void freeze();
    void thaw();

private:
    struct link {
        int client = -1, server = -1;
        std::thread requests, answers;
    };

    void accept_all();
    void pump(int from, int to, bool answers);
    void wait_while_frozen();

    std::filesystem::path directory_;
    int listener_ = -1;
    std::atomic<int> answers_until_cut_{0}, connections_to_refuse_{0};
    std::mutex mutex_;
    std::list<link> links_;
    std::mutex frozen_mutex_;
    std::condition_variable thawed_;
    bool frozen_ = false;
    std::thread acceptor_;
};

}  // namespace opstore::testing
