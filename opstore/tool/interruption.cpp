#include <opstore/tool/interruption.hpp>

#include <opstore/tool/exit_code.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include <fcntl.h>

namespace opstore::tool {
namespace {

std::atomic<int> signal_pipe{-1};
std::atomic<bool> signalled{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void note_signal(int) {
    int const saved = errno;
    signalled = true;
    // The pipe takes a byte for each of the two signals that can come.
    [[maybe_unused]] auto const written = ::write(signal_pipe, "", 1);
    errno = saved;
}

void set_action(void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

interruption::interruption() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
        throw system_failure("cannot make a pipe", errno);
    read_end_ = descriptor(ends[0]);
    write_end_ = descriptor(ends[1]);
    signal_pipe = ends[1];
    set_action(note_signal);
}

interruption::~interruption() {
    set_action(SIG_DFL);
    signal_pipe = -1;
}

bool interruption::requested() const {
    return signalled;
}

}  // namespace opstore::tool
